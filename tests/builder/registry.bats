#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The registry client by itself, against docker-registry on the loopback.

load helpers
load hub

setup() {
	requires builder docker-registry skopeo python3 openssl jq
	setup_store
	export HOME=$work/home REGISTRY_AUTH_FILE=$work/auth.json
	mkdir "$HOME"
	head -c 3000000 /dev/urandom >"$work/data"
	data_digest=sha256:$(sha256sum "$work/data" | cut -d' ' -f1)
}

teardown() {
	hub_end
	teardown_store
}

probe() {
	"$hub_probe" "$@"
}

# An image of one file in our store.
make_image() {
	mkdir -p "$work/image"
	printf 'cargo\n' >"$work/image/hold"
	tar -C "$work/image" -cf "$work/image.tar" .
	"$builder" import -q "$work/image.tar" cargo >/dev/null
}

@test "registry: a manifest by tag and by digest, of an image that skopeo pushed" {
	hub_begin
	make_image
	hub_push cargo some/cargo:1
	probe manifest "$HUB/some/cargo:1" >"$work/manifest" 2>"$work/said"
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$HUB/some/cargo:1")
	[ "$(cat "$work/said")" = "$digest application/vnd.oci.image.manifest.v1+json" ]
	[ "sha256:$(sha256sum "$work/manifest" | cut -d' ' -f1)" = "$digest" ]
	probe manifest "$HUB/some/cargo@$digest" | cmp - "$work/manifest"
	[ "$(probe has "$HUB/some/cargo:1")" = "$digest" ]
}

@test "registry: what is not there, in the registry's words" {
	hub_begin
	run -1 probe manifest "$HUB/some/cargo:1"
	[[ $output == "GET http://$HUB/v2/some/cargo/manifests/1: MANIFEST_UNKNOWN: manifest unknown" ]]
	run -4 probe has "$HUB/some/cargo:1"
	run -4 probe has-blob "$HUB/some/cargo" "$data_digest"
}

@test "registry: a blob goes there and back; what is there is not sent again" {
	hub_begin
	[ "$(probe put-blob "$HUB/some/data" "$work/data")" = "sent $data_digest" ]
	[ "$(probe put-blob "$HUB/some/data" "$work/data")" = "there $data_digest" ]
	probe has-blob "$HUB/some/data" "$data_digest"
	probe blob "$HUB/some/data" "$data_digest" 3000000 "$work/back"
	cmp "$work/data" "$work/back"
}

# An entry for the hub in the file of credentials.
remember() {
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$1" "$(printf '%s' "$2" | base64 -w0)" >"$REGISTRY_AUTH_FILE"
}

@test "registry: a password for Basic, from the file or the command line" {
	hub_begin htpasswd
	run -1 probe put-blob "$HUB/some/data" "$work/data"
	[[ $output == *"(\"orlop-builder login $HUB\" stores credentials)" ]]
	remember "$HUB" "$HUB_USER:wrong"
	run -1 probe put-blob "$HUB/some/data" "$work/data"
	remember "$HUB" "$HUB_USER:$HUB_PASSWORD"
	[ "$(probe put-blob "$HUB/some/data" "$work/data")" = "sent $data_digest" ]
	rm "$REGISTRY_AUTH_FILE"
	probe --creds "$HUB_USER:$HUB_PASSWORD" has-blob "$HUB/some/data" "$data_digest"
}

@test "registry: tokens for what is done, and without an account for what is public" {
	hub_begin token
	remember "$HUB" "$HUB_USER:$HUB_PASSWORD"
	[ "$(probe put-blob "$HUB/public/data" "$work/data")" = "sent $data_digest" ]
	[ "$(probe put-blob "$HUB/secret/data" "$work/data" public/data)" = "there $data_digest" ]
	grep -Fx "$HUB_USER repository:public/data:pull,push basic" "$HUB_TOKEN_LOG"
	grep -Fx "$HUB_USER repository:secret/data:pull,push repository:public/data:pull basic" "$HUB_TOKEN_LOG"
	rm "$REGISTRY_AUTH_FILE"
	probe has-blob "$HUB/public/data" "$data_digest"
	run -1 probe blob "$HUB/secret/data" "$data_digest" 3000000 "$work/back"
	[[ $output == *"UNAUTHORIZED"* ]]
	printf '{"auths":{"%s":{"identitytoken":"identity"}}}' "$HUB" >"$REGISTRY_AUTH_FILE"
	probe blob "$HUB/secret/data" "$data_digest" 3000000 "$work/back"
	cmp "$work/data" "$work/back"
	grep -Fx "$HUB_USER repository:secret/data:pull refresh" "$HUB_TOKEN_LOG"
}

@test "registry: TLS with a known authority, or with none when that is asked for" {
	hub_begin tls
	run -1 probe put-blob "$HUB/some/data" "$work/data"
	[[ $output == *certificate* ]]
	SSL_CERT_FILE=$HUB_CA probe put-blob "$HUB/some/data" "$work/data"
	probe --insecure has-blob "$HUB/some/data" "$data_digest"
}

@test "registry: all tags of a repository with more than a page of them" {
	hub_begin
	make_image
	hub_push cargo some/cargo:0
	probe manifest "$HUB/some/cargo:0" >"$work/manifest" 2>"$work/said"
	# the registry's own files: a thousand requests would say nothing more
	for i in $(seq 1001); do
		cp -r "$HUB_STATE/data/docker/registry/v2/repositories/some/cargo/_manifests/tags/"{0,"$i"}
	done
	[ "$(probe tags "$HUB/some/cargo" | sort -u | wc -l)" = 1002 ]
}

@test "registry: manifests and blobs are deleted, and then are not there" {
	hub_begin
	make_image
	hub_push cargo some/cargo:1
	digest=$(probe has "$HUB/some/cargo:1")
	probe delete "$HUB/some/cargo@$digest"
	run -4 probe has "$HUB/some/cargo:1"
	probe put-blob "$HUB/some/data" "$work/data"
	probe delete-blob "$HUB/some/data" "$data_digest"
	run -4 probe has-blob "$HUB/some/data" "$data_digest"
}

@test "registry: referrers by the tag that stands for them where there is no list" {
	hub_begin
	make_image
	hub_push cargo some/cargo:1
	subject=$(probe has "$HUB/some/cargo:1")
	[ "$(probe referrers "$HUB/some/cargo@$subject" | jq '.manifests | length')" = 0 ]
	jq -n --arg d "$subject" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
		manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: 1, artifactType: "a/b"},
			{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: 1, artifactType: "c/d"}]}' >"$work/index"
	probe put "$HUB/some/cargo:sha256-${subject#sha256:}" application/vnd.oci.image.index.v1+json "$work/index"
	[ "$(probe referrers "$HUB/some/cargo@$subject" | jq '.manifests | length')" = 2 ]
	[ "$(probe referrers "$HUB/some/cargo@$subject" c/d | jq -r '.manifests[].artifactType')" = c/d ]
}
