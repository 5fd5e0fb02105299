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

@test "registry: a blob that is cut off each time comes piece by piece, and nothing of it twice" {
	hub_begin
	probe put-blob "$HUB/some/data" "$work/data"
	hub_fault cut=1000000
	probe blob "$FAULTY/some/data" "$data_digest" 3000000 "$work/back"
	cmp "$work/data" "$work/back"
	[ "$(grep -c '^GET .*/blobs/' "$FAULT_LOG")" = 3 ]
	grep -q ' bytes=1000000- ' "$FAULT_LOG"
	grep -q ' bytes=2000000- ' "$FAULT_LOG"
}

@test "registry: what an earlier process has got of a blob is not fetched again; what is wrong is" {
	hub_begin
	probe put-blob "$HUB/some/data" "$work/data"
	hub_fault
	head -c 2500000 "$work/data" >"$work/back"
	probe blob "$FAULTY/some/data" "$data_digest" 3000000 "$work/back"
	cmp "$work/data" "$work/back"
	[ "$(grep -c '^GET .*/blobs/.* bytes=2500000- ' "$FAULT_LOG")" = 1 ]
	head -c 2500000 /dev/zero >"$work/back"
	probe blob "$FAULTY/some/data" "$data_digest" 3000000 "$work/back"
	cmp "$work/data" "$work/back"
}

@test "registry: 429 and 500 are tried again; other bytes are refused" {
	hub_begin
	probe put-blob "$HUB/some/data" "$work/data"
	for status in 429 500; do
		rm -f "$work/back"
		hub_fault status=$status
		probe blob "$FAULTY/some/data" "$data_digest" 3000000 "$work/back"
		cmp "$work/data" "$work/back"
	done
	rm -f "$work/back"
	hub_fault corrupt
	run -1 probe blob "$FAULTY/some/data" "$data_digest" 3000000 "$work/back"
	[[ $output == *"the registry's blob $data_digest is sha256:"* ]]
	refute test -s "$work/back"
}

@test "registry: a redirect to another host gets no credentials" {
	hub_begin htpasswd
	remember "$HUB" "$HUB_USER:$HUB_PASSWORD"
	probe put-blob "$HUB/some/data" "$work/data"
	hub_fault
	mkdir "$work/first"
	elsewhere=$FAULTY elsewhere_log=$FAULT_LOG elsewhere_pid=$HUB_FAULT_PID
	HUB_FAULT_PID='' HUB_STATE=$work/first
	hub_fault "away=http://$elsewhere"
	remember "$FAULTY" "$HUB_USER:$HUB_PASSWORD"
	run -1 probe blob "$FAULTY/some/data" "$data_digest" 3000000 "$work/back"
	kill "$elsewhere_pid"
	grep -q '^GET .*/blobs/.* secret$' "$FAULT_LOG"
	grep -q '^GET .*/blobs/.* open$' "$elsewhere_log"
	refute grep -q secret "$elsewhere_log"
}

@test "registry: a large upload goes in chunks; one that is cut off goes on; a registry without chunks gets it whole" {
	hub_begin
	head -c 40000000 /dev/urandom >"$work/data"
	data_digest=sha256:$(sha256sum "$work/data" | cut -d' ' -f1)
	hub_fault cut-patch=10000000
	[ "$(probe put-blob "$FAULTY/some/data" "$work/data")" = "sent $data_digest" ]
	# the first is the one that was cut
	[ "$(grep -c '^PATCH ' "$FAULT_LOG")" = 4 ]
	[ "$(grep -c '^PATCH .* 0-16777215 ' "$FAULT_LOG")" = 2 ]
	grep -q '^PATCH .* 33554432-39999999 ' "$FAULT_LOG"
	probe blob "$HUB/some/data" "$data_digest" 40000000 "$work/back"
	cmp "$work/data" "$work/back"
	# the answer to the last request is lost: it is there all the same
	hub_fault put-mute
	[ "$(probe put-blob "$FAULTY/other/data" "$work/data")" = "there $data_digest" ]
	[ "$(awk '$1 == "body" { sum += $2 } END { print sum }' "$FAULT_LOG")" = 40000000 ]
	hub_fault no-patch
	[ "$(probe put-blob "$FAULTY/third/data" "$work/data")" = "sent $data_digest" ]
	[ "$(grep -c '^PATCH ' "$FAULT_LOG")" = 1 ]
	grep -qx 'body 40000000' "$FAULT_LOG"
}

@test "registry: answers that do not end are not waited for" {
	hub_begin
	local status_sent
	for status_sent in 404 302 401; do
		hub_fault "endless=$status_sent"
		run -1 timeout 200 "$hub_probe" manifest "$FAULTY/some/data:1"
		echo "$output"
		[[ $output == *"some/data/manifests/1"* ]]
		wait_for 5 grep -qx left "$FAULT_LOG"
	done
	hub_fault endless=200
	run -1 timeout 200 "$hub_probe" manifest "$FAULTY/some/data:1"
	[[ $output == *"longer than 4194304 bytes"* ]]
	hub_fault endless-headers
	run -1 timeout 200 "$hub_probe" manifest "$FAULTY/some/data:1"
	[[ $output == *"headers are too long"* ]]
}

@test "registry: mirrors, other places and blocked ones of registries.conf; mirrors of daemon.json" {
	hub_begin
	make_image
	hub_push cargo library/cargo:1
	export CONTAINERS_REGISTRIES_CONF=$work/registries.conf
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-X
		unqualified-search-registries = ["docker.io"]
		[[registry]]
		prefix = "docker.io"
		location = "docker.io"
		[[registry.mirror]]
		location = "127.0.0.1:1"
		[[registry.mirror]]
		location = "$HUB"
		insecure = true
		[[registry]]
		prefix = "*.example.org"
		location = "$HUB"
		[[registry]]
		location = "bad.example.org/x"
		blocked = true
	X
	digest=$(probe has "$HUB/library/cargo:1")
	[ "$(probe has cargo:1)" = "$digest" ]
	[ "$(probe has any.example.org/library/cargo:1)" = "$digest" ]
	run -1 probe has bad.example.org/x/y:1
	[[ $output == *'"bad.example.org/x/y" is blocked'* ]]
	export CONTAINERS_REGISTRIES_CONF=$work/none
	mkdir -p "$HOME/.config/docker"
	printf '{"registry-mirrors":["http://%s/"]}' "$HUB" >"$HOME/.config/docker/daemon.json"
	[ "$(probe has cargo:1)" = "$digest" ]
}

@test "registry: the authority of certs.d is trusted for its host" {
	hub_begin tls
	mkdir -p "$HOME/.config/containers/certs.d/$HUB"
	cp "$HUB_CA" "$HOME/.config/containers/certs.d/$HUB/ca.crt"
	probe put-blob "$HUB/some/data" "$work/data"
}

@test "registry: hosts of hosts.toml, in order, for what they can; headers, paths, authorities" {
	local folder=$HOME/.config/containerd/certs.d/far.example:5000 far=far.example:5000/some/data
	mkdir -p "$folder"
	hub_begin htpasswd
	remember "$HUB" "$HUB_USER:$HUB_PASSWORD"
	probe put-blob "$HUB/some/data" "$work/data"
	hub_fault
	# the password as a header: of that host alone
	header="Basic $(printf '%s' "$HUB_USER:$HUB_PASSWORD" | base64 -w0)"
	cat >"$folder/hosts.toml" <<-X
		server = "http://127.0.0.1:1"
		[host."http://$FAULTY"]
		  capabilities = ["pull", "resolve"]
		  [host."http://$FAULTY".header]
		    authorization = ["$header"]
	X
	probe blob "$far" "$data_digest" 3000000 "$work/back"
	cmp "$work/data" "$work/back"
	grep -q '^GET /v2/some/data/blobs/.*?ns=far.example:5000 ' "$FAULT_LOG"
	# the folder may be called without a colon
	mv "$folder" "${folder%:*}_5000_"
	: >"$FAULT_LOG"
	rm "$work/back"
	probe blob "$far" "$data_digest" 3000000 "$work/back"
	grep -q '^GET /v2/some/data/blobs/' "$FAULT_LOG"
	mv "${folder%:*}_5000_" "$folder"
	# it takes nothing
	run -1 probe put-blob "$far" "$work/data"
	[[ $output == *"http://127.0.0.1:1/v2/some/data"* ]]
	refute grep -q '^POST' "$FAULT_LOG"
	sed -i -e 's/"resolve"/"push"/' -e "s|host.\"http://$FAULTY\"|host.'http://$FAULTY/v2/'|" -e '/capabilities/i override_path = true' "$folder/hosts.toml"
	echo more >>"$work/data"
	probe put-blob "$far" "$work/data"
	grep -q '^POST /v2/some/data/blobs/uploads/' "$FAULT_LOG"
	# tags are asked of the server only: this host cannot resolve
	run -1 probe manifest "$far" latest
	[[ $output == *"http://127.0.0.1:1/v2/some/data/manifests/latest"* ]]
	# what is no hosts.toml
	sed -i 's/"push"/"sing"/' "$folder/hosts.toml"
	run -1 probe put-blob "$far" "$work/data"
	[[ $output == *"hosts.toml:"*'unknown capability "sing"'* ]]
	# a host that is called so, not its headers
	printf '[host.header]\ncapabilities = ["sing"]\n' >"$folder/hosts.toml"
	run -1 probe put-blob "$far" "$work/data"
	[[ $output == *'unknown capability "sing"'* ]]
	# one of this machine still speaks plain http, when nothing else is said of the server
	mkdir "$HOME/.config/containerd/certs.d/_default"
	printf '[header]\nx-said = "so"\n' >"$HOME/.config/containerd/certs.d/_default/hosts.toml"
	echo and more >>"$work/data"
	probe put-blob "$HUB/some/data" "$work/data"
	rm -r "$HOME/.config/containerd/certs.d/_default"
	# for all hosts that have none of their own
	mv "$folder" "$HOME/.config/containerd/certs.d/_default"
	hub_end
	hub_begin tls
	cp "$HUB_CA" "$HOME/.config/containerd/certs.d/_default/authority.crt"
	printf 'server = "https://%s"\nca = "authority.crt"\n' "$HUB" >"$HOME/.config/containerd/certs.d/_default/hosts.toml"
	probe put-blob nowhere.example/some/data "$work/data"
	sed -i 's/^ca = .*/skip_verify = true/' "$HOME/.config/containerd/certs.d/_default/hosts.toml"
	probe put-blob nowhere.example/some/data "$work/data"
	sed -i '/^skip/d' "$HOME/.config/containerd/certs.d/_default/hosts.toml"
	run -1 probe put-blob nowhere.example/some/data "$work/data"
}

@test "registry: credentials of a helper program" {
	hub_begin htpasswd
	mkdir "$work/bin"
	cat >"$work/bin/docker-credential-chest" <<-X
		#!/bin/sh
		[ "\$1" = get ] && read -r host && [ "\$host" = "$HUB" ] || exit 1
		echo '{"ServerURL":"$HUB","Username":"$HUB_USER","Secret":"$HUB_PASSWORD"}'
	X
	chmod +x "$work/bin/docker-credential-chest"
	printf '{"credHelpers":{"%s":"chest"}}' "$HUB" >"$REGISTRY_AUTH_FILE"
	PATH=$work/bin:$PATH probe put-blob "$HUB/some/data" "$work/data"
}
