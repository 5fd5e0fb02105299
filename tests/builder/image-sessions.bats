#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What tutorials show of images, typed as there: docker.io is a registry of the test's own, by
# registries.conf. And the documents that we write, against the specification's schemas.

load helpers
load hub

setup() {
	requires builder root docker-registry skopeo jq python3
	setup_store
	export HOME=$work/home CONTAINERS_REGISTRIES_CONF=$work/registries.conf REGISTRY_AUTH_FILE=$work/auth.json
	mkdir "$HOME"
	hub_begin
	printf '[[registry]]\nprefix = "docker.io"\nlocation = "%s"\ninsecure = true\n' "$HUB" >"$CONTAINERS_REGISTRIES_CONF"
}

teardown() {
	hub_end
	teardown_store
}

# fill NAME [CHANGE]...: library/NAME of the hub, two layers of files and a probe that prints
fill() {
	local name=$1 changes=()
	shift
	while [ $# -gt 0 ]; do
		changes+=(-c "$1")
		shift
	done
	mkdir -p "$work/$name/bin"
	cp "$ORLOP_BUILD/tests/helpers/probe" "$work/$name/bin/probe"
	echo "$name" >"$work/$name/name"
	tar -C "$work/$name" -cf "$work/$name.tar" .
	ORLOP_STORE=$work/author ob import -q "${changes[@]}" "$work/$name.tar" base >/dev/null
	printf 'FROM base\nCOPY name /copied\n' | ORLOP_STORE=$work/author ob build -q -t "docker.io/library/$name" -f - "$work/$name" >/dev/null 2>&1
	ORLOP_STORE=$work/author ob push -q "$name" >/dev/null
}

@test "session: image ls; image pull httpd; image ls; image rm" {
	fill httpd
	[ "$(ob image ls | tr -s ' ')" = "REPOSITORY TAG IMAGE ID CREATED SIZE" ]
	run --separate-stderr ob image pull httpd
	[ "$status" = 0 ] && [ "$output" = docker.io/library/httpd:latest ]
	printf '%s\n' "$stderr" | grep -v '^\$ ' | sed -E 's/^[0-9a-f]{12}: /LAYER: /; s/sha256:[0-9a-f]{64}/DIGEST/' | sort -s -k1,1 >"$work/said"
	sort -s -k1,1 <<-'X' | diff - "$work/said"
		Using default tag: latest
		latest: Pulling from library/httpd
		LAYER: Pull complete
		LAYER: Pull complete
		Digest: DIGEST
		Status: Downloaded newer image for httpd:latest
	X
	run --separate-stderr ob pull httpd
	[[ $stderr == *"Status: Image is up to date for httpd:latest"* ]] && [[ $stderr != *"Pull complete"* ]]
	run ob image ls
	[[ ${lines[-1]} == "httpd "*" latest "* ]]
	[ "$(ob image ls -q | wc -l)" = 1 ]
	hub_end
	ob image inspect httpd | jq -e '.[0].RepoTags == ["httpd:latest"]'
	ob image rm httpd
	[ -z "$(ob images -q)" ]
}

@test "session: run hello-world, which is not here; then without a registry" {
	fill hello-world 'ENTRYPOINT ["/bin/probe", "echo", "Hello from Docker!"]'
	run --separate-stderr ob run --rm hello-world
	echo "$output $stderr"
	[ "$status" = 0 ] && [ "$output" = "Hello from Docker!" ]
	[[ $stderr == *"Unable to find image 'hello-world:latest' locally"*"latest: Pulling from library/hello-world"*"Status: Downloaded newer image for hello-world:latest"* ]]
	hub_end
	run --separate-stderr "$builder" run --rm hello-world
	[ "$status" = 0 ] && [ "$output" = "Hello from Docker!" ] && [ -z "$stderr" ]
}

@test "session: tag, push to a registry of one's own, remove, pull again, save, load" {
	fill debian
	ob pull -q debian
	ob tag debian "$HUB/mine/debian:stable"
	run --separate-stderr ob push "$HUB/mine/debian:stable"
	[ "$status" = 0 ] && [[ $stderr == *"The push refers to repository [$HUB/mine/debian]"*"stable: digest: sha256:"* ]]
	id=$(ob images -q --no-trunc debian)
	ob rmi debian "$HUB/mine/debian:stable"
	ob pull -q "$HUB/mine/debian:stable"
	[ "$(ob images -q --no-trunc)" = "$id" ]
	ob save -o "$work/debian.tar" "$HUB/mine/debian:stable"
	ob rmi "$HUB/mine/debian:stable"
	[ "$(ob load -i "$work/debian.tar")" = "Loaded image: $HUB/mine/debian:stable" ]
	[ "$(ob images -q --no-trunc)" = "$id" ]
}

@test "documents that we write are what the schemas of the image specification say" {
	python3 -c 'import jsonschema' || skip "needs python3-jsonschema"
	fill debian 'ENV A=b' 'EXPOSE 80' 'LABEL a=b' 'VOLUME /data' 'USER 7:8' 'CMD ["x"]' 'STOPSIGNAL SIGQUIT'
	export ORLOP_STORE=$work/author
	check() {
		python3 -W ignore "$ORLOP_SOURCE/tests/builder/schema-check.py" "$ORLOP_SOURCE/tests/builder/image-spec-schema" "$1" >"$work/checked" || return
		cat "$work/checked"
	}
	printf 'FROM debian\nHEALTHCHECK CMD true\nONBUILD RUN true\nSHELL ["x"]\nCOPY name /again\n' >"$work/Dockerfile"
	ob build -q -f "$work/Dockerfile" --annotation a=b -o "type=oci,tar=false,dest=$work/layout" "$work/debian"
	check "$work/layout"
	[ "$(wc -l <"$work/checked")" = 4 ]
	mkdir "$work/saved"
	ob save debian | tar -C "$work/saved" -xf -
	check "$work/saved"
	ob manifest create list debian base
	ob push -q -a list "$HUB/list:1"
	skopeo --insecure-policy copy -q --all --preserve-digests --src-tls-verify=false "docker://$HUB/list:1" "oci:$work/list:1"
	check "$work/list"
	grep -q '^image-index-schema.json blobs' "$work/checked"
	# the check itself: a document that is wrong
	sed -i 's/"schemaVersion":[ ]*2/"schemaVersion": "2"/' "$work/list/index.json"
	refute check "$work/list"
}
