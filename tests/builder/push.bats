#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images from the store to a registry, and the credentials for it.

load helpers
load hub

setup() {
	requires builder root docker-registry skopeo python3 jq
	setup_store
	export HOME=$work/home REGISTRY_AUTH_FILE=$work/auth.json
	mkdir "$HOME"
	mkdir -p "$work/image"
	printf 'cargo\n' >"$work/image/hold"
	head -c 3500000 /dev/urandom >"$work/image/bulk"
	tar -C "$work/image" -cf "$work/image.tar" .
	ob import -q "$work/image.tar" cargo >/dev/null
}

teardown() {
	hub_end
	teardown_store
}

@test "push: a layer of ours goes as gzip, always the same; skopeo gets it; a second push sends nothing" {
	hub_begin
	hub_fault
	run --separate-stderr ob push cargo "$FAULTY/some/cargo:1"
	[ "$status" = 0 ]
	digest=${output#*@}
	[[ $stderr == *": Pushed"*"1: digest: $digest size: "* ]]
	skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$HUB/some/cargo:1" "oci:$work/layout"
	[ "$(jq -r '.manifests[0].digest' "$work/layout/index.json")" = "$digest" ]
	layer=$(jq -r '.layers[0].digest[7:]' "$work/layout/blobs/sha256/${digest#sha256:}")
	gzip -t "$work/layout/blobs/sha256/$layer"
	gzip -dc "$work/layout/blobs/sha256/$layer" | tar tf - | grep -Fx bulk
	: >"$FAULT_LOG"
	run --separate-stderr ob push cargo "$FAULTY/some/cargo:1"
	[[ $output == *"@$digest" ]] && [[ $stderr == *": Layer already exists"* ]]
	refute grep -E '^(POST|PATCH)' "$FAULT_LOG"
	# another machine, another time, another number of processors
	ORLOP_STORE=$work/other ob import -q "$work/image.tar" cargo >/dev/null
	run --separate-stderr env ORLOP_STORE="$work/other" taskset -c 0 "$builder" push cargo "$HUB/other/cargo:1"
	again=$(probe_layer other/cargo:1)
	[ "$again" = "sha256:$layer" ]
}

probe_layer() {
	"$hub_probe" manifest "$HUB/$1" 2>/dev/null | jq -r '.layers[0].digest'
}

@test "push: what was pulled goes as it came, mounted where the registry has it" {
	hub_begin
	hub_push cargo some/cargo:1
	ob rmi cargo
	ob pull -q "$HUB/some/cargo:1"
	before=$("$hub_probe" has "$HUB/some/cargo:1")
	run --separate-stderr ob push "$HUB/some/cargo:1" "$HUB/other/cargo:2"
	[ "$status" = 0 ] && [ "$output" = "$HUB/other/cargo@$before" ]
	[[ $stderr == *": Layer already exists"* ]]
	cmp <("$hub_probe" manifest "$HUB/some/cargo:1" 2>/dev/null) <("$hub_probe" manifest "$HUB/other/cargo:2" 2>/dev/null)
}

@test "push: an image goes and comes back the same" {
	hub_begin
	ob push -q cargo "$HUB/some/cargo:1"
	ORLOP_STORE=$work/other ob pull -q "$HUB/some/cargo:1"
	cmp <(ob export cargo) <(ORLOP_STORE=$work/other ob export "$HUB/some/cargo:1")
}

@test "login: checks, keeps what else is in the file, and logout forgets" {
	hub_begin htpasswd
	printf '{"auths":{"other.example":{"auth":"YTpi"}},"psFormat":"x"}' >"$REGISTRY_AUTH_FILE"
	run -1 ob login -u "$HUB_USER" --password-stdin "$HUB" <<<wrong
	[[ $output == *"does not accept these credentials"* ]]
	run -1 ob push -q cargo "$HUB/some/cargo:1"
	[[ $output == *"login $HUB"* ]]
	[ "$(ob login -u "$HUB_USER" --password-stdin "$HUB" <<<"$HUB_PASSWORD" 2>/dev/null)" = "Login Succeeded" ]
	[ "$(stat -c %a "$REGISTRY_AUTH_FILE")" = 600 ]
	[ "$(jq -r '.auths["other.example"].auth, .psFormat' "$REGISTRY_AUTH_FILE" | tr '\n' ' ')" = "YTpi x " ]
	ob push -q cargo "$HUB/some/cargo:1"
	# skopeo reads it, too
	skopeo inspect --tls-verify=false "docker://$HUB/some/cargo:1" >/dev/null
	[ "$(ob logout "$HUB" 2>/dev/null)" = "Removed login credentials for $HUB" ]
	[ "$(ob logout "$HUB" 2>/dev/null)" = "Not logged in to $HUB" ]
	run -1 ob pull -q "$HUB/some/cargo:1"
}

@test "copy: between registries and layouts, byte for byte; what is there is not sent; all platforms or one" {
	hub_begin
	digest=$(ob push -q cargo "$HUB/some/cargo:1")
	digest=${digest#*@}
	[ "$(ob copy "docker://$HUB/some/cargo:1" "oci:$work/layout:here")" = "$digest" ]
	[ "$(jq -r '.manifests[0] | .digest, .annotations["org.opencontainers.image.ref.name"]' "$work/layout/index.json")" = "$(printf '%s\nhere' "$digest")" ]
	hub_fault
	[ "$(ob copy "oci:$work/layout:here" "docker://$FAULTY/other/cargo:2")" = "$digest" ]
	[ "$("$hub_probe" has "$HUB/other/cargo:2")" = "$digest" ]
	: >"$FAULT_LOG"
	ob copy "oci:$work/layout:here" "docker://$FAULTY/other/cargo:3"
	refute grep -E '^(POST|PATCH)' "$FAULT_LOG"
	# the store has nothing of it but what was there
	[ "$(ob images | wc -l)" = 2 ]
	# an index
	ob manifest create list cargo
	ob manifest annotate --arch s390x list "$(ob manifest inspect list | jq -r '.manifests[0].digest')"
	index=$(ob manifest push -q list "$HUB/list:1")
	index=${index#*@}
	run --separate-stderr ob copy "docker://$HUB/list:1" "oci:$work/one"
	[ "$status" = 0 ] || [[ $stderr == *s390x* ]]
	[ "$(ob copy --platform s390x "docker://$HUB/list:1" "oci:$work/one")" != "$index" ]
	[ "$(ob copy -a "docker://$HUB/list:1" "docker://$HUB/copied/list:1")" = "$index" ]
	[ "$("$hub_probe" has "$HUB/copied/list:1")" = "$index" ]
	ob copy -a "docker://$HUB/list:1" "oci:$work/all"
	skopeo --insecure-policy copy -q --all "oci:$work/all" "dir:$work/dir"
	# over the tag of an image that it lists
	ob copy --platform s390x "docker://$HUB/list:1" "oci:$work/grown:1"
	ob copy -a "docker://$HUB/list:1" "oci:$work/grown:1"
	skopeo --insecure-policy copy -q --all "oci:$work/grown:1" "dir:$work/grown-dir"
	# a media type is not to become a header of its own
	lying=$(jq -c '.mediaType = "a/b\r\nX-More: yes"' "$work/layout/blobs/sha256/${digest#sha256:}")
	lying_digest=$(printf %s "$lying" | sha256sum | cut -d ' ' -f 1)
	printf %s "$lying" >"$work/layout/blobs/sha256/$lying_digest"
	jq -c --arg d "sha256:$lying_digest" --argjson s "${#lying}" '.manifests[0] |= (.digest = $d | .size = $s)' "$work/layout/index.json" >"$work/index.json"
	cp "$work/index.json" "$work/layout/index.json"
	run --separate-stderr ob copy "oci:$work/layout:here" "docker://$HUB/lying/cargo:1"
	[ "$status" = 1 ] && [[ $stderr == *'the header "Content-Type" has more than one line'* ]]
	run --separate-stderr ob copy "docker://$HUB/none:1" "oci:$work/none"
	[ "$status" = 1 ] && [ ! -e "$work/none" ]
	run --separate-stderr ob copy cargo "oci:$work/none"
	[ "$status" = 2 ] && [[ $stderr == *"docker://NAME or oci:DIR"* ]]
}
