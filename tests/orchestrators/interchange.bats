#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2153 # helpers.bash sets WORK
# Images between the builder and skopeo, buildah, podman and dockerd, by a registry and by archives: the same
# digests on both sides, and the same files.

load helpers
load dockerd
load ../builder/hub

setup_file() {
	docker_begin podman buildah skopeo docker-registry python3 jq
	[ -z "${MISSING:-}" ] || return 0
	containers_configure podman
	export work=$WORLD HUB HUB_PID HUB_STATE
	# shellcheck disable=SC2034 # for hub_begin
	HUB_IN=(nsenter -t "$WORLD_FIRST" --net)
	hub_begin
	make_freight "$WORLD/context"
	printf '%s\n' 'FROM busybox' 'ADD freight.tar /freight' 'ENV A=b' \
		'RUN rm /freight/gone && rm -r /freight/opaque && mkdir /freight/opaque && echo new >/freight/opaque/new' \
		'RUN chown 5:6 /freight/kept && chmod 2711 /freight/empty' 'CMD ["cat", "/freight/opaque/new"]' \
		>"$WORLD/context/Dockerfile"
	ob build -q -t cargo --annotation org.example.cargo=rum "$WORLD/context"
	ob export cargo | tree >"$WORLD/tree"
	grep -q '^freight/able file 0755 .* 0100000200040000' "$WORLD/tree"
	grep -q '^freight/second .* freight/first$' "$WORLD/tree"
	refute grep -E '^freight/(gone|opaque/old)|\.wh\.' "$WORLD/tree"
}

teardown_file() {
	[ -z "${HUB_PID:-}" ] || kill "$HUB_PID"
	[ -z "${WORLD_KEEPER:-}" ] || world_stop dockerd
	world_end
}

teardown() {
	[ -z "${MISSING:-}" ] || return 0
	podman rm -f -a -t 0 >/dev/null
	docker_clean
	podman rmi -f -a >/dev/null
	docker rmi -f "$HUB/cargo:$BATS_TEST_NUMBER" >/dev/null 2>&1 || true
}

# A bit of everything that layers have; the capability is cap_net_bind_service.
make_freight() {
	mkdir "$1"
	python3 - "$1/freight.tar" <<-'X'
		import io, sys, tarfile
		entries = [
		    ("empty", dict(type=tarfile.DIRTYPE, mode=0o1777, uid=7, gid=8)),
		    ("kept", dict(mode=0o640), b"kept\n"),
		    ("gone", dict(mode=0o644), b"gone\n"),
		    ("opaque", dict(type=tarfile.DIRTYPE, mode=0o755)),
		    ("opaque/old", dict(mode=0o644), b"old\n"),
		    ("first", dict(mode=0o4755, uid=1000, gid=1001), b"first\n"),
		    ("second", dict(type=tarfile.LNKTYPE, linkname="first")),
		    ("soft", dict(type=tarfile.SYMTYPE, mode=0o777, linkname="../freight/kept", uid=3)),
		    ("dangling", dict(type=tarfile.SYMTYPE, mode=0o777, linkname="/no/where")),
		    ("fifo", dict(type=tarfile.FIFOTYPE, mode=0o600)),
		    ("n\u00e4me with \u4e16", dict(mode=0o600), b"name\n"),
		    ("long/" + "n" * 200, dict(mode=0o644, uid=3000000), b"long\n"),
		    ("able", dict(mode=0o755), b"able\n", "\1\0\0\2\0\4" + "\0" * 14),
		]
		with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as archive:
		    for number, (name, attributes, *more) in enumerate(entries):
		        info = tarfile.TarInfo(name)
		        info.mtime = 1000000000 + number
		        for key, value in attributes.items():
		            setattr(info, key, value)
		        info.size = len(more[0]) if more else 0
		        if more[1:]:
		            info.pax_headers = {"SCHILY.xattr.security.capability": more[1]}
		        archive.addfile(info, io.BytesIO(more[0]) if more else None)
	X
}

# Ours, and skopeo, are not in the world but for its network, in which the registry is.
ob() {
	nsenter -t "$WORLD_FIRST" --net env PATH="$ORLOP_BUILD:$PATH" HOME="$WORLD" ORLOP_STORE="${STORE:-$WORLD/store}" \
		"$ORLOP_BUILD/orlop-builder" "$@"
}

skopeo() {
	nsenter -t "$WORLD_FIRST" --net env HOME="$WORLD" skopeo --insecure-policy "$@"
}

podman() {
	world podman "$@"
}

buildah() {
	world buildah "$@"
}

tree() {
	python3 "$ORLOP_SOURCE/tests/orchestrators/tree.py" "$@"
}

podman_tree() {
	tree "/proc/$WORLD_FIRST/root$(podman image mount "$1")"
	podman image unmount "$1" >/dev/null
}

docker_tree() {
	docker create --name tree "$1" >/dev/null
	docker export tree | tree
	docker rm tree >/dev/null
}

layers() {
	jq -c '.[0].RootFS.Layers'
}

# knows_ours IMAGE: $ID, $LAYERS: what an image is in our store
knows_ours() {
	ID=$(ob inspect "$1" | jq -r '.[0].Id')
	LAYERS=$(ob inspect "$1" | layers)
}

# remote_digest NAME: of the manifest that the registry has, by its bytes
remote_digest() {
	echo "sha256:$(skopeo inspect --tls-verify=false --raw "docker://$HUB/$1" | sha256sum | cut -d' ' -f1)"
}

# Later than 20.10
docker_knows_zstd() {
	[ "$(docker version -f '{{.Server.Version}}' | cut -d. -f1)" -ge 23 ]
}

# arrives NAME [COMPRESSION]: everybody gets what we have as cargo, under the digest $DIGEST
arrives() {
	knows_ours cargo
	equals "$(remote_digest "$1")" "$DIGEST"
	skopeo copy -q --src-tls-verify=false "docker://$HUB/$1" "dir:$WORK/dir"
	equals "sha256:$(sha256sum <"$WORK/dir/manifest.json" | cut -d' ' -f1)" "$DIGEST"
	buildah pull -q --tls-verify=false "$HUB/$1" >"$WORK/id"
	equals "sha256:$(<"$WORK/id")" "$ID"
	podman rmi -f "$HUB/$1" >/dev/null
	podman pull -q --tls-verify=false "$HUB/$1" >"$WORK/id"
	equals "sha256:$(<"$WORK/id")" "$ID"
	equals "$(podman image inspect -f '{{.Digest}}' "$HUB/$1")" "$DIGEST"
	equals "$(podman image inspect "$HUB/$1" | layers)" "$LAYERS"
	podman_tree "$HUB/$1" | diff "$WORLD/tree" -
	equals "$(podman run --rm --network none "$HUB/$1")" new
	[ "${2:-gzip}" = gzip ] || docker_knows_zstd || return 0
	docker pull -q "$HUB/$1"
	equals "$(docker image inspect -f '{{.Id}}' "$HUB/$1")" "$ID"
	equals "$(docker image inspect -f '{{index .RepoDigests 0}}' "$HUB/$1")" "$HUB/${1%:*}@$DIGEST"
	equals "$(docker image inspect "$HUB/$1" | layers)" "$LAYERS"
	docker_tree "$HUB/$1" | diff "$WORLD/tree" -
	equals "$(docker run --rm --network none "$HUB/$1")" new
}

# pushed OPTION...: cargo in the registry, by the number of the test
pushed() {
	DIGEST=$(ob push -q "$@" cargo "$HUB/cargo:$BATS_TEST_NUMBER")
	DIGEST=${DIGEST#*@}
}

@test "interchange: our push, of layers as gzip, comes to buildah, podman and dockerd as it is here" {
	pushed
	arrives "cargo:$BATS_TEST_NUMBER"
	equals "$(skopeo inspect --tls-verify=false --raw "docker://$HUB/cargo:$BATS_TEST_NUMBER" | jq -r '.annotations["org.example.cargo"]')" rum
}

@test "interchange: the same of layers as zstd" {
	pushed --compression zstd
	arrives "cargo:$BATS_TEST_NUMBER" zstd
}

@test "interchange: the same with docker's names in the manifest" {
	ob build -q -o "type=registry,name=$HUB/cargo:$BATS_TEST_NUMBER,oci-mediatypes=false" "$WORLD/context"
	DIGEST=$(remote_digest "cargo:$BATS_TEST_NUMBER")
	equals "$(skopeo inspect --tls-verify=false --raw "docker://$HUB/cargo:$BATS_TEST_NUMBER" | jq -r .mediaType)" \
		application/vnd.docker.distribution.manifest.v2+json
	arrives "cargo:$BATS_TEST_NUMBER"
}

@test "interchange: an index of two platforms, of which each takes its own" {
	# shellcheck disable=SC2016 # for the build
	printf 'FROM scratch\nARG TARGETARCH\nENV FOR=$TARGETARCH\nADD freight.tar /\n' >"$WORK/Dockerfile"
	ob build -q --platform linux/amd64,linux/arm64 -f "$WORK/Dockerfile" -t two "$WORLD/context"
	DIGEST=$(ob push -q -a two "$HUB/cargo:$BATS_TEST_NUMBER")
	DIGEST=${DIGEST#*@}
	local name=$HUB/cargo:$BATS_TEST_NUMBER architecture listed id
	equals "$(remote_digest "cargo:$BATS_TEST_NUMBER")" "$DIGEST"
	skopeo copy -q --all --src-tls-verify=false "docker://$name" "dir:$WORK/all"
	for architecture in amd64 arm64; do
		listed=$(jq -r --arg a "$architecture" '.manifests[] | select(.platform.architecture == $a).digest[7:]' "$WORK/all/manifest.json")
		id=$(jq -r .config.digest "$WORK/all/$listed.manifest.json")
		equals "$(ob copy --platform "linux/$architecture" "docker://$name" "oci:$WORK/$architecture")" "sha256:$listed"
		podman pull -q --tls-verify=false --platform "linux/$architecture" "$name" >"$WORK/id"
		equals "sha256:$(<"$WORK/id")" "$id"
		docker pull -q --platform "linux/$architecture" "$name"
		equals "$(docker image inspect -f '{{.Id}} {{index .RepoDigests 0}}' "$name")" "$id ${name%:*}@$DIGEST"
		equals "$(docker image inspect -f '{{json .Config.Env}}' "$name" | jq -r '.[] | select(startswith("FOR"))')" "FOR=$architecture"
		docker rmi "$name" # else the next one has no digest of the registry's
	done
	STORE=$WORLD/whole ob pull -q -a "$name"
	equals "$(STORE=$WORLD/whole ob push -q -a "$name" "$HUB/back:1")" "$HUB/back@$DIGEST"
}

# theirs NAME DIGEST ID LAYERS TREE: what another tool has pushed is the same in a store of ours, and works
theirs() {
	local STORE=$WORLD/other
	equals "$(remote_digest "$1")" "$2"
	ob pull -q "$HUB/$1"
	equals "$(ob inspect "$HUB/$1" | jq -r '.[0].Digest')" "$2"
	equals "$(ob inspect "$HUB/$1" | jq -r '.[0].Id')" "$3"
	equals "$(ob inspect "$HUB/$1" | layers)" "$4"
	ob export "$HUB/$1" | tree | diff "$5" -
	equals "$(ob run --rm --network none "$HUB/$1" cat /freight/kept /more)" $'kept\nmore'
	# and goes back as it came
	equals "$(ob push -q "$HUB/$1" "$HUB/back:1")" "$HUB/back@$2"
	ob rmi "$HUB/$1"
}

CHANGES='echo more >/more; ln /more /again; rm /freight/fifo /freight/long/*; rm -r /freight/opaque; mkdir /freight/opaque; chown 9:9 /freight/able /etc'

@test "interchange: what podman commits and pushes, in both formats, with both compressions" {
	local name=$HUB/cargo:$BATS_TEST_NUMBER format compression
	pushed
	podman pull -q --tls-verify=false "$name"
	podman run --name made --network none "$name" sh -c "$CHANGES"
	for format in oci docker; do
		podman commit -q -f "$format" made "made-$format" >"$WORK/id"
		podman_tree "made-$format" >"$WORK/tree"
		for compression in gzip zstd; do
			[ "$format-$compression" != docker-zstd ] || continue # it has no name for that
			podman push -q --tls-verify=false --format "${format/docker/v2s2}" --compression-format "$compression" \
				--digestfile "$WORK/digest" "made-$format" "$HUB/podman:$format-$compression"
			theirs "podman:$format-$compression" "$(<"$WORK/digest")" "sha256:$(<"$WORK/id")" \
				"$(podman image inspect "made-$format" | layers)" "$WORK/tree"
		done
	done
}

@test "interchange: what buildah builds and pushes" {
	pushed
	printf 'FROM %s\nRUN %s\n' "$HUB/cargo:$BATS_TEST_NUMBER" "$CHANGES" >"$WORK/Dockerfile"
	buildah bud -q --tls-verify=false --layers --network none -t built "$WORK" >"$WORK/id"
	buildah push -q --tls-verify=false --digestfile "$WORK/digest" built "docker://$HUB/buildah:1"
	podman_tree built >"$WORK/tree"
	theirs buildah:1 "$(<"$WORK/digest")" "sha256:$(<"$WORK/id")" "$(podman image inspect built | layers)" "$WORK/tree"
}

@test "interchange: what dockerd commits and pushes" {
	local name=$HUB/cargo:$BATS_TEST_NUMBER
	pushed
	docker pull -q "$name"
	docker run --name made --network none "$name" sh -c "$CHANGES"
	docker commit made "$HUB/dockerd:1" >"$WORK/id"
	docker push -q "$HUB/dockerd:1"
	docker_tree "$HUB/dockerd:1" >"$WORK/tree"
	theirs dockerd:1 "$(remote_digest dockerd:1)" "$(<"$WORK/id")" "$(docker image inspect "$HUB/dockerd:1" | layers)" "$WORK/tree"
	docker rmi -f "$HUB/dockerd:1"
}

@test "interchange: our archives, loaded by podman, dockerd and skopeo" {
	knows_ours cargo
	ob save -o "$WORK/saved.tar" cargo
	skopeo copy -q "oci-archive:$WORK/saved.tar" "oci:$WORK/layout:x"
	ob copy "oci:$WORK/layout:x" "docker-archive:$WORK/docker.tar:cargo:copied"
	ob copy "oci:$WORK/layout:x" "oci-archive:$WORK/oci.tar:copied"
	local archive
	for archive in docker-archive:saved docker-archive:docker oci-archive:oci; do
		podman pull -q "${archive%:*}:$WORK/${archive#*:}.tar" >"$WORK/id"
		equals "sha256:$(<"$WORK/id")" "$ID"
		equals "$(podman image inspect "${ID#*:}" | layers)" "$LAYERS"
		podman_tree "${ID#*:}" | diff "$WORLD/tree" -
		podman rmi -f "${ID#*:}" >/dev/null
	done
	for archive in saved docker; do
		docker load -q -i "$WORK/$archive.tar"
		equals "$(docker image inspect "$ID" | layers)" "$LAYERS"
		docker_tree "$ID" | diff "$WORLD/tree" -
		docker rmi -f "$ID" >/dev/null
	done
}

@test "interchange: archives of podman, dockerd and skopeo, loaded by us" {
	local name=$HUB/cargo:$BATS_TEST_NUMBER STORE=$WORLD/loaded archive
	STORE=$WORLD/store pushed
	STORE=$WORLD/store knows_ours cargo
	podman pull -q --tls-verify=false "$name"
	docker pull -q "$name"
	podman save -q --format docker-archive -o "$WORK/podman-docker" "$name"
	podman save -q --format oci-archive -o "$WORK/podman-oci" "$name"
	podman save -q --format oci-dir -o "$WORK/podman-layout" "$name"
	docker save -o "$WORK/docker" "$name"
	skopeo copy -q --src-tls-verify=false "docker://$name" "docker-archive:$WORK/skopeo-docker:$name"
	skopeo copy -q --src-tls-verify=false "docker://$name" "oci-archive:$WORK/skopeo-oci:one"
	skopeo copy -q --src-tls-verify=false "docker://$name" "oci:$WORK/skopeo-layout:one"
	for archive in podman-docker podman-oci podman-layout docker skopeo-docker skopeo-oci skopeo-layout; do
		echo "$archive"
		ob load -q -i "$WORK/$archive"
		equals "$(ob inspect "$ID" | jq -r '.[0].Id')" "$ID"
		equals "$(ob inspect "$ID" | layers)" "$LAYERS"
		ob export "$ID" | tree | diff "$WORLD/tree" -
		ob rmi -f "$ID"
	done
}
