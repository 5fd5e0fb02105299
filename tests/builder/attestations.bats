#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build --provenance, --sbom, --attest: what is said of an image beside it, in its index.

load build
load hub

setup_file() {
	builder_begin memory
}

setup() {
	requires jq
	context_begin
	unset SOURCE_DATE_EPOCH
}

teardown() {
	hub_end
}

# unpacked ARCHIVE: into $L; $INDEX is the index, $IMAGE and $ATTEST its manifests
unpacked() {
	L=$work/layout
	rm -rf "$L"
	mkdir "$L"
	tar xf "$1" -C "$L"
	INDEX=$(blob "$(jq -r '.manifests[0].digest' "$L/index.json")")
	IMAGE=$(jq -r '.manifests[0].digest' "$INDEX")
	ATTEST=$(blob "$(jq -r '.manifests[1].digest' "$INDEX")")
}

blob() {
	echo "$L/blobs/sha256/${1#sha256:}"
}

# statement TYPE: the file with the statement of this predicate
statement() {
	blob "$(jq -r --arg t "$1" '.layers[] | select(.annotations["in-toto.io/predicate-type"] == $t) | .digest' "$ATTEST")"
}

@test "in-toto: a manifest of platform unknown beside the image, statements about its digest" {
	build -t crate:1 --provenance --sbom -o "type=oci,dest=$work/a.tar" <<-'X'
		FROM base
		RUN echo x >/x
	X
	unpacked "$work/a.tar"
	jq -e --arg image "$IMAGE" '.manifests[1] | .platform == {architecture: "unknown", os: "unknown"}
		and .annotations == {"vnd.docker.reference.digest": $image, "vnd.docker.reference.type": "attestation-manifest"}' "$INDEX"
	jq -e --arg image "$IMAGE" '.artifactType == "application/vnd.docker.attestation.manifest.v1+json"
		and .config.mediaType == "application/vnd.oci.empty.v1+json" and .config.size == 2
		and .subject.digest == $image and ([.layers[].mediaType] | unique) == ["application/vnd.in-toto+json"]' "$ATTEST"
	[ "$(cat "$(blob "$(jq -r .config.digest "$ATTEST")")")" = "{}" ]
	for type in https://slsa.dev/provenance/v1 https://spdx.dev/Document; do
		jq -e --arg image "${IMAGE#sha256:}" --arg type "$type" '._type == "https://in-toto.io/Statement/v1" and .predicateType == $type
			and (.subject | length == 1 and (.[0].name | startswith("pkg:docker/crate@1?platform=linux%2F"))
				and .[0].digest == {sha256: $image})' "$(statement $type)"
	done
	# every blob is what it is called, and the documents are valid
	for file in "$L"/blobs/sha256/*; do
		[ "$(sha256sum <"$file" | cut -d' ' -f1)" = "${file##*/}" ]
	done
	# the image is one as without, and it stays when what nobody needs is removed
	"$B" run --rm --network none crate:1 cat /x
	again -t plain
	[ "$("$B" images -q --no-trunc plain)" = "$("$B" images -q --no-trunc crate:1)" ]
	"$B" prune -f >/dev/null
	"$B" rmi plain >/dev/null
	"$B" manifest inspect crate:1 | head -c -1 | cmp - "$INDEX"
	"$B" fsck
	for digest in $(jq -r '.config.digest, .layers[].digest' "$ATTEST"); do
		[ -f "$ORLOP_STORE/blobs/sha256/${digest#sha256:}" ]
	done
}

@test "provenance: bases and downloads with digests; values of arguments and the Dockerfile in mode=max alone" {
	echo hush >"$work/secret"
	cat >"$C/Dockerfile" <<-'X'
		FROM base AS one
		ARG COLOUR
		ARG TOKEN
		RUN --mount=type=secret,id=key echo $COLOUR >/colour
	X
	for mode in min max; do
		COLOUR=blue-$mode again --provenance=mode=$mode,builder-id=https://example.org/yard --secret "id=key,src=$work/secret" \
			--build-arg COLOUR --target one --label deck=lowest -o "type=oci,dest=$work/$mode.tar"
		unpacked "$work/$mode.tar"
		cp "$(statement https://slsa.dev/provenance/v1)" "$work/$mode"
		refute grep -q hush "$work/$mode"
		jq -e '.predicate | (.buildDefinition | .buildType and (.externalParameters | .configSource.path == "Dockerfile" and .request.frontend == "dockerfile.v0"
				and .request.args.target == "one")
			and (.resolvedDependencies | length == 1 and (.[0].uri | startswith("pkg:docker/base@latest?platform=")) and (.[0].digest.sha256 | length == 64)))
			and (.runDetails | .builder.id == "https://example.org/yard" and (.metadata.startedOn | fromdate) <= (.metadata.finishedOn | fromdate))' "$work/$mode"
	done
	refute grep -q blue "$work/min"
	jq -e '.predicate.buildDefinition.externalParameters.request | (.secrets | not) and (.args | has("build-arg:COLOUR") | not)' "$work/min"
	jq -e '.predicate.runDetails.metadata.buildkit_metadata | has("source") | not' "$work/min"
	jq -e '.predicate.buildDefinition.externalParameters.request | .args["build-arg:COLOUR"] == "blue-max" and .args["label:deck"] == "lowest" and .secrets == [{id: "key"}]' "$work/max"
	jq -r '.predicate.runDetails.metadata.buildkit_metadata.source.infos[0].data' "$work/max" | base64 -d | cmp - "$C/Dockerfile"
	[ "$(jq -r '.predicate.buildDefinition.resolvedDependencies[0].digest.sha256' "$work/max")" = "$("$B" inspect base | jq -r '.[0].Digest[7:]')" ]
}

@test "sbom: packages of dpkg, apk, npm and pip as SPDX; what lies is left out" {
	mkdir -p "$C/fs/var/lib/dpkg/status.d" "$C/fs/lib/apk/db" "$C/fs/etc" "$C/fs/app/node_modules/@deck/oar" \
		"$C/fs/usr/lib/python3/dist-packages/Oakum-1.2.dist-info" "$C/fs/usr/lib/python3/dist-packages/pitch-3.egg-info"
	printf 'ID="mastix"\n' >"$C/fs/etc/os-release"
	printf 'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-2+b2\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: half\nStatus: install ok half-installed\nVersion: 1\n' \
		>"$C/fs/var/lib/dpkg/status"
	printf 'Package: tzdata\nVersion: 2024a\nArchitecture: all\nDescription: x\n Package: not this\n' >"$C/fs/var/lib/dpkg/status.d/tzdata"
	printf 'C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\n\nP:bad name\nV:1\n\nP:zlib\nV:1.3-r0\n' >"$C/fs/lib/apk/db/installed"
	printf '{"name":"app","lockfileVersion":3,"packages":{"":{"name":"app","version":"9"},"node_modules/rope":{"version":"2.0.1"},"node_modules/rope/node_modules/@deck/oar":{"version":"1.0.0"},"lib":{"link":true,"version":"1"}}}' \
		>"$C/fs/app/package-lock.json"
	printf '{"name":"@deck/oar","version":"1.0.0"}' >"$C/fs/app/node_modules/@deck/oar/package.json"
	printf '{"name":"own","version":"4"}' >"$C/fs/app/package.json"
	printf 'Metadata-Version: 2.1\r\nName: Oakum\r\nVersion: 1.2\r\n\r\nName: no\n' >"$C/fs/usr/lib/python3/dist-packages/Oakum-1.2.dist-info/METADATA"
	printf 'Name: pitch\nVersion: 3\n' >"$C/fs/usr/lib/python3/dist-packages/pitch-3.egg-info/PKG-INFO"
	# hostile: a link out of the image, a pipe, what is no JSON
	ln -s /etc/passwd "$C/fs/app/npm-shrinkwrap.json"
	mkfifo "$C/fs/app/node_modules/.package-lock.json"
	printf '{"packages":[1' >"$C/fs/usr/lib/package-lock.json"
	printf 'FROM scratch\nCOPY fs /\n' >"$C/Dockerfile"
	again -t crate:1 --sbom -o "type=oci,dest=$work/a.tar" --source-date-epoch 1300000000
	unpacked "$work/a.tar"
	sbom=$(statement https://spdx.dev/Document)
	[ "$(jq -r '.predicate.packages[].externalRefs[]?.referenceLocator' "$sbom")" = "$(printf '%s\n' \
		pkg:apk/mastix/musl@1.2.4-r2?arch=x86_64 pkg:apk/mastix/zlib@1.3-r0 pkg:deb/mastix/bash@5.2-2%2Bb2?arch=amd64 \
		pkg:deb/mastix/tzdata@2024a?arch=all pkg:npm/%40deck/oar@1.0.0 pkg:npm/rope@2.0.1 pkg:pypi/Oakum@1.2 pkg:pypi/pitch@3)" ]
	# SPDX 2.3, section by section: what each must have
	jq -e '.predicate | .spdxVersion == "SPDX-2.3" and .dataLicense == "CC0-1.0" and .SPDXID == "SPDXRef-DOCUMENT" and (.name | length > 0)
		and (.documentNamespace | test("^[a-z]+:[^#]+$")) and .creationInfo.created == "2011-03-13T07:06:40Z"
		and (.creationInfo.creators | all(test("^(Tool|Person|Organization): ")))
		and (.packages | all((.SPDXID | test("^SPDXRef-[A-Za-z0-9.-]+$")) and .name and .downloadLocation and .filesAnalyzed == false))
		and ([.packages[].SPDXID] | length == (unique | length))
		and ([.packages[].SPDXID, "SPDXRef-DOCUMENT"] as $ids | .relationships | all((.spdxElementId | IN($ids[])) and (.relatedSpdxElement | IN($ids[]))))
		and (.relationships | any(.relationshipType == "DESCRIBES"))' "$sbom"
	# the same again gives the same bytes
	again -t crate:1 --sbom -o "type=oci,dest=$work/b.tar" --source-date-epoch 1300000000
	cmp "$work/a.tar" "$work/b.tar"
}

# rpm_installed DB NAME [LINE...]: a package of that name, with these lines of its spec, in a database by rpm itself
rpm_installed() {
	local db=$1 spec=$work/$2.spec
	mkdir -p "$db"
	{
		printf '%s\n' "Name: $2" 'Summary: x' 'License: MIT AND Zlib' 'BuildArch: noarch' "${@:3}"
		printf '%s\nx\n%%files\n' %description
	} >"$spec"
	rpmbuild --quiet --define "_topdir $work/rpm" --define "_dbpath $work/rpm/db" -bb "$spec"
	rpm --dbpath "$db" --define '_db_backend sqlite' -i --justdb --nodeps "$work/rpm/RPMS/noarch/$2"-*.rpm
}

# sbom_made: of the context's folder fs; the statement is $sbom
sbom_made() {
	printf 'FROM scratch\nCOPY fs /\n' >"$C/Dockerfile"
	again --sbom -o "type=oci,dest=$work/a.tar"
	unpacked "$work/a.tar"
	sbom=$(statement https://spdx.dev/Document)
}

locators() {
	jq -r '.predicate.packages[].externalRefs[]?.referenceLocator' "$sbom"
}

@test "sbom: rpm's databases, SQLite and ndb; others and damaged ones are named" {
	requires rpm rpmbuild python3
	local dir=$C/fs/usr/lib/sysimage/rpm want
	want=$(printf '%s\n' 'pkg:rpm/mastix/crane@1.2-3?arch=noarch&epoch=4' 'pkg:rpm/mastix/winch@7%5Erc1-1.el9?arch=noarch')
	mkdir -p "$C/fs/etc"
	printf 'ID=mastix\n' >"$C/fs/etc/os-release"
	# the second one's header is too long for a page of the database
	rpm_installed "$dir" crane 'Version: 1.2' 'Release: 3' 'Epoch: 4'
	rpm_installed "$dir" winch 'Version: 7^rc1' 'Release: 1.el9' "$(for i in {1..900}; do echo "Provides: rope$i = 1"; done)"
	sbom_made
	refute said 'packages are missing'
	[ "$(locators)" = "$want" ]
	jq -e '.predicate.packages | map(select(.name == "crane")) == [.[1]] and .[1].versionInfo == "4:1.2-3" and .[1].licenseComments == "MIT AND Zlib"
		and .[1].licenseDeclared == "NOASSERTION"
		and .[1].sourceInfo == "found in /usr/lib/sysimage/rpm/rpmdb.sqlite, built from crane-1.2-3.src.rpm"' "$sbom"
	jq -e '.predicate | has("comment") | not' "$sbom"
	# the same headers in an ndb, as SUSE has it
	python3 - "$dir" <<-'X'
		import os, sqlite3, struct, sys
		blobs = [b for (b,) in sqlite3.connect(sys.argv[1] + "/rpmdb.sqlite").execute("select blob from Packages")]
		slots, data, at = b"", b"", 4096
		for number, blob in enumerate(blobs, 1):
		    body = struct.pack("<4sIII", b"BlbS", number, 1, len(blob)) + blob
		    body += b"\0" * (-(len(body) + 12) % 16) + struct.pack("<II4s", 0, len(blob), b"BlbE")
		    slots += struct.pack("<4sIII", b"Slot", number, (at + len(data)) // 16, len(body) // 16)
		    data += body
		slots += struct.pack("<4sIII", b"Slot", 0, 0, 0) * ((4096 - 32 - len(slots)) // 16)
		with open(sys.argv[1] + "/Packages.db", "wb") as f:
		    f.write(struct.pack("<4sIIII12x", b"RpmP", 0, 1, 1, len(blobs) + 1) + slots + data)
	X
	mkdir -p "$C/fs/var/lib/rpm"
	mv "$dir/Packages.db" "$C/fs/var/lib/rpm/"
	mv "$dir/rpmdb.sqlite" "$work/"
	rm -f "$dir"/rpmdb.sqlite-*
	sbom_made
	refute said 'packages are missing'
	[ "$(locators)" = "$want" ]
	# cut off: what was read stays; and so of a Berkeley DB and of a journal that was not written back
	truncate -s -64 "$C/fs/var/lib/rpm/Packages.db"
	sbom_made
	said 'packages are missing from the list: "/var/lib/rpm/Packages.db"'
	[ "$(locators)" = "$(head -n 1 <<<"$want")" ]
	jq -e '.predicate.comment | test("^/var/lib/rpm/Packages.db")' "$sbom"
	rm "$C/fs/var/lib/rpm/Packages.db"
	printf '\0\0\0\0\0\0\0\0\0\0\0\0\141\025\06\0' >"$C/fs/var/lib/rpm/Packages"
	sbom_made
	said 'packages are missing from the list: "/var/lib/rpm/Packages"'
	rm "$C/fs/var/lib/rpm/Packages"
	cp "$work/rpmdb.sqlite" "$dir/"
	printf '\x37\x7f\x06\x82 a row' >"$dir/rpmdb.sqlite-wal"
	sbom_made
	said 'packages are missing from the list: "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal"'
	[ "$(locators)" = "$want" ]
}

@test "sbom: an image that names more packages than anything has is refused, and builds without a list" {
	requires python3
	mkdir -p "$C/fs/var/lib/dpkg"
	python3 -c '
import sys
for i in range(400000):
    sys.stdout.write("Package: p%d\nVersion: 1\n\n" % i)' >"$C/fs/var/lib/dpkg/status"
	printf 'FROM scratch\nCOPY fs /\n' >"$C/Dockerfile"
	try_again --sbom -t crate:3
	[ "$status" = 1 ]
	said 'list the packages: with "/var/lib/dpkg/status" the files of the image name more packages than a list of them takes \(32 MiB'
	refute "$B" inspect crate:3
	again -t crate:3
	head -n 30000 "$C/fs/var/lib/dpkg/status" >"$work/some"
	mv "$work/some" "$C/fs/var/lib/dpkg/status"
	sbom_made
	[ "$(locators | wc -l)" = 10000 ]
}

@test "sbom: no device of an image is opened: some act on that" {
	requires strace
	mkdir -p "$C/node_modules/oar"
	mknod "$C/node_modules/oar/package.json" c 1 3
	build -t crate:1 <<-'X'
		FROM scratch
		COPY node_modules /node_modules
	X
	strace -f -qq -e trace=openat -o "$work/trace" "$B" build -q --sbom -t crate:2 "$C"
	grep -q '"oar", O_RDONLY' "$work/trace"
	refute grep 'package.json", O_RDONLY' "$work/trace"
}

@test "a registry gets image and attestations; skopeo and docker's tools read them" {
	requires docker-registry skopeo
	hub_begin
	build -t "$HUB/crate:1" --push --attest type=provenance,mode=max --attest type=sbom <<-'X'
		FROM base
		RUN echo x >/x
	X
	skopeo inspect --raw --tls-verify=false "docker://$HUB/crate:1" >"$work/index"
	attest=$(jq -r '.manifests[1].digest' "$work/index")
	skopeo copy -q --insecure-policy --src-tls-verify=false --all "docker://$HUB/crate:1" "oci:$work/copy:1"
	for digest in $(jq -r '.layers[].digest[7:]' "$work/copy/blobs/sha256/${attest#sha256:}"); do
		jq -e '.predicate' "$work/copy/blobs/sha256/$digest" >/dev/null
	done
	[ "$(skopeo inspect --tls-verify=false "docker://$HUB/crate:1" | jq '.Layers | length')" = 2 ]
	if docker buildx version >/dev/null 2>&1; then
		docker buildx imagetools inspect --format '{{json .SBOM.SPDX.spdxVersion}}' "$HUB/crate:1" | grep -q SPDX-2.3
	fi
	"$B" rmi "$HUB/crate:1" >/dev/null
	"$B" pull --tls-verify=false "$HUB/crate:1"
	"$B" run --rm --network none "$HUB/crate:1" cat /x
}

@test "words: off, wrong ones, docker's format, other outputs" {
	build -t crate:1 --provenance=false --sbom=false --attest type=provenance,disabled=true <<-'X'
		FROM base
	X
	ob manifest inspect crate:1
	jq -e 'has("config") and (has("manifests") | not)' <<<"$output" # it has no index
	for words in --provenance=mode=all --provenance=version=v0.2 --sbom=generator=x --sbom=much --attest=type=vex --attest=mode=max "--sbom --format docker"; do
		# shellcheck disable=SC2086
		try_again $words
		echo "$words: $status"
		[ "$status" != 0 ]
	done
	again -t crate:1 --sbom -o "type=docker,dest=$work/d.tar" -o "$work/files"
	tar xOf "$work/d.tar" manifest.json | jq -e 'length == 1'
	[ -x "$work/files/bin/busybox" ]
	try_again --annotation index:a=b
	[ "$status" = 2 ] && said 'annotations of the index are for images that have one'
}

@test "several platforms: each with its attestations, in archive and layout, behind all images" {
	requires skopeo
	printf 'FROM scratch\nARG TARGETPLATFORM\nLABEL target=$TARGETPLATFORM\nCOPY Dockerfile /\n' >"$C/Dockerfile"
	# without any the store gets nothing for them: the configuration of their manifest is {}
	ORLOP_STORE=$work/plain "$B" build -q -t plain --platform linux/arm64,linux/riscv64 --provenance=false "$C"
	[ -n "$(ls "$work/plain/blobs/sha256")" ]
	[ ! -e "$work/plain/blobs/sha256/$(printf '{}' | sha256sum | cut -c1-64)" ]
	for target in "type=oci,dest=$work/a.tar" "type=oci,dest=$work/folder,tar=false"; do
		again -t many:1 --platform linux/arm64,linux/riscv64 --sbom --annotation index,manifest:yard=north --annotation manifest-descriptor:berth=2 -o "$target"
	done
	unpacked "$work/a.tar"
	[ "$(jq -c '[.manifests[].platform.architecture]' "$INDEX")" = '["arm64","riscv64","unknown","unknown"]' ]
	jq -e '.annotations.yard == "north" and .manifests[0].annotations.berth == "2"
		and .manifests[2].annotations["vnd.docker.reference.digest"] == .manifests[0].digest
		and .manifests[3].annotations["vnd.docker.reference.digest"] == .manifests[1].digest' "$INDEX"
	jq -e '.annotations.yard == "north"' "$(blob "$IMAGE")"
	for source in "oci-archive:$work/a.tar:1" "oci:$work/folder:1"; do
		for arch in arm64 riscv64; do
			[ "$(skopeo inspect --override-arch $arch "$source" | jq -r .Labels.target)" = linux/$arch ]
		done
	done
	skopeo copy -q --insecure-policy --all "oci:$work/folder:1" "oci:$work/copy:1"
	again --platform linux/arm64,linux/riscv64 -o "$work/files" -o "type=oci,dest=$work/zstd.tar,compression=zstd"
	[ -f "$work/files/linux_riscv64/Dockerfile" ]
	unpacked "$work/zstd.tar"
	[ "$(jq -r '.layers[].mediaType' "$(blob "$IMAGE")")" = application/vnd.oci.image.layer.v1.tar+zstd ]
	cp "$work/zstd.tar" "$work/first"
	again --platform linux/arm64,linux/riscv64 -o "type=oci,dest=$work/zstd.tar,compression=zstd"
	cmp "$work/zstd.tar" "$work/first"
	for type in docker tar; do
		try_again --platform linux/arm64,linux/riscv64 -o "type=$type,dest=$work/x"
		[ "$status" = 1 ] && said 'has room for one platform'
	done
	try_again --annotation place:a=b
	[ "$status" = 1 ] && said 'annotations are for manifest, index or manifest-descriptor, not for "place"'
}
