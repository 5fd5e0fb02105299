#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build --output: folders, archives, layouts, other programs, registries.

load build
load hub

setup() {
	requires jq
	context_begin
	printf 'cargo\n' >"$C/hold"
	printf 'FROM base\nCOPY hold /\nRUN echo more >/opt/more\n' >"$C/Dockerfile"
}

teardown() {
	hub_end
}

@test "-o DIR is the root file system: its files are ours, what was there stays, nothing outside is touched" {
	mkdir "$work/out" "$work/outside"
	echo keep >"$work/out/keep"
	ln -s "$work/outside" "$work/out/opt"
	again -o "$work/out"
	[ "$(cat "$work/out/hold" "$work/out/keep")" = "$(printf 'cargo\nkeep')" ]
	[ -z "$(ls "$work/outside")" ]
	[ "$(cat "$work/out/opt/more")" = more ]
	[ "$(stat -c %u:%g "$work/out/hold")" = "$(id -u):$(id -g)" ]
	# a folder with something in it is not given up for a file
	rm "$work/out/hold"
	mkdir -p "$work/out/hold/mine"
	try_again -o "$work/out"
	[ "$status" = 1 ] && [ -d "$work/out/hold/mine" ] && [[ $stderr == *'replace the folder "hold", which is no folder in the image'* ]]
	rmdir "$work/out/hold/mine"
	again -o "$work/out"
	[ -f "$work/out/hold" ]
	again -o "type=local,dest=$work/out,mode=delete"
	[ ! -e "$work/out/keep" ] && [ -f "$work/out/hold" ]
	# what a symlink leads to; what is no folder stays
	echo old >"$work/out/keep"
	ln -s out "$work/link"
	again -o "type=local,dest=$work/link,mode=delete"
	[ -L "$work/link" ] && [ ! -e "$work/out/keep" ] && [ -f "$work/out/hold" ]
	echo mine >"$work/file"
	run --separate-stderr again -o "type=local,dest=$work/file,mode=delete"
	[ "$status" = 1 ] && [[ $stderr == *"open folder \"$work/file\""* ]] && [ "$(cat "$work/file")" = mine ]
	[ -z "$(find "$work" -name '*.part-*')" ]
}

@test "-o - is a tar on standard output, and the same each time" {
	"$B" build -o - "$C" >"$work/a.tar" 2>/dev/null
	again -o "type=tar,dest=$work/b.tar"
	cmp "$work/a.tar" "$work/b.tar"
	[ "$(tar xOf "$work/a.tar" opt/more)" = more ]
}

@test "results go into devices, pipes and what links lead to: none is replaced by a file" {
	mkfifo "$work/pipe"
	mknod "$work/null" c 1 3
	ln -s null "$work/link"
	again --iidfile "$work/null" --metadata-file "$work/link" --trace="$work/null" --report "$work/link" \
		--lock="$work/null" -o "type=tar,dest=$work/link"
	again -o "type=oci,dest=$work/null"
	[ -c "$work/null" ] && [ -L "$work/link" ]
	# one document: a reader of a pipe does not get what holds only until the build has ended
	cat "$work/pipe" >"$work/read" &
	again --trace "$work/pipe"
	wait $!
	[ -p "$work/pipe" ] && jq -se 'length == 1 and (.[0].traceEvents | length > 0)' "$work/read"
	"$B" build -q -o "type=tar,dest=$work/a.tar" "$C"
	cat "$work/pipe" >"$work/read" &
	"$B" build -q -o "type=tar,dest=$work/pipe" "$C"
	wait $!
	cmp "$work/read" "$work/a.tar"
	# /dev/stdout leads to a regular file here
	ln -s /proc/self/fd/1 "$work/stdout"
	"$B" build --metadata-file "$work/stdout" -t crate "$C" >"$work/read" 2>"$work/log"
	jq -e '."image.name"' "$work/read"
	"$B" save crate -o "$work/stdout" >"$work/read"
	tar tf "$work/read" | grep -q manifest.json
	[ -L "$work/stdout" ]
	# and a build that fails removes no device
	printf 'FROM base\nRUN false\n' >"$C/Dockerfile"
	try_again --iidfile "$work/null" --metadata-file "$work/link"
	[ "$status" != 0 ] && [ -c "$work/null" ] && [ -L "$work/link" ]
}

@test "type=oci: layers are gzip, or what compression says; skopeo takes the archive and the layout" {
	requires skopeo zstd
	again -t crate:1 -o "type=oci,dest=$work/a.tar"
	skopeo --insecure-policy copy -q "oci-archive:$work/a.tar:1" "dir:$work/a"
	[ "$(jq -r '[.layers[].mediaType] | unique[]' "$work/a/manifest.json")" = application/vnd.oci.image.layer.v1.tar+gzip ]
	again -t crate:1 -o "type=oci,dest=$work/layout,tar=false,compression=zstd,compression-level=9"
	skopeo --insecure-policy copy -q "oci:$work/layout:1" "dir:$work/b"
	[ "$(jq -r '[.layers[].mediaType] | unique[]' "$work/b/manifest.json")" = application/vnd.oci.image.layer.v1.tar+zstd ]
	for name in a b; do # behind the compression they are what the configuration says
		config=$work/$name/$(jq -r '.config.digest[7:]' "$work/$name/manifest.json")
		layer=$work/$name/$(jq -r '.layers[-1].digest[7:]' "$work/$name/manifest.json")
		unpack=gzip
		[ $name = a ] || unpack=zstd
		[ "sha256:$($unpack -dc "$layer" | sha256sum | cut -d' ' -f1)" = "$(jq -r '.rootfs.diff_ids[-1]' "$config")" ]
	done
	again -o "type=oci,dest=$work/c.tar,compression=uncompressed"
	tar xOf "$work/c.tar" manifest.json | jq -e '.[0].Layers | length == 3'
	cp "$work/a.tar" "$work/first.tar"
	again -t crate:1 -o "type=oci,dest=$work/a.tar"
	cmp "$work/a.tar" "$work/first.tar"
}

@test "type=docker: every name, for docker load; --format docker: its media types everywhere" {
	again -t crate:1 -o "type=docker,\"name=one:1,two:2\",dest=$work/d.tar"
	[ "$(tar xOf "$work/d.tar" manifest.json | jq -c '[.[].RepoTags[]]')" = '["crate:1","one:1","two:2"]' ]
	again -t crate:docker --format docker
	"$B" save -o "$work/e.tar" crate:docker
	manifest=$(tar xOf "$work/e.tar" index.json | jq -r '.manifests[0].digest[7:]')
	tar xOf "$work/e.tar" "blobs/sha256/$manifest" >"$work/manifest"
	[ "$(jq -r '.mediaType, .config.mediaType, (.layers | map(.mediaType) | unique[])' "$work/manifest")" = \
		"$(printf '%s\n' application/vnd.docker.distribution.manifest.v2+json \
			application/vnd.docker.container.image.v1+json application/vnd.docker.image.rootfs.diff.tar)" ]
	# the same image, in other words
	again -t crate:oci
	[ "$("$B" images -q --no-trunc crate:oci)" = "$("$B" images -q --no-trunc crate:docker)" ]
}

@test "--annotation: of the manifest; docker's has none" {
	again -t crate:1 --annotation org.example.deck=lowest -o "type=oci,dest=$work/a.tar,annotation.hold=full"
	manifest=$(tar xOf "$work/a.tar" index.json | jq -r '.manifests[0].digest[7:]')
	tar xOf "$work/a.tar" "blobs/sha256/$manifest" >"$work/manifest"
	[ "$(jq -c .annotations "$work/manifest")" = '{"hold":"full","org.example.deck":"lowest"}' ]
	"$B" save -o "$work/b.tar" crate:1
	manifest=$(tar xOf "$work/b.tar" index.json | jq -r '.manifests[0].digest[7:]')
	[ "$(tar xOf "$work/b.tar" "blobs/sha256/$manifest" | jq -c .annotations)" = '{"org.example.deck":"lowest"}' ]
	try_again --annotation a=b --format docker
	[ "$status" = 2 ] && [[ $stderr == *"docker's manifests have no annotations"* ]]
}

@test "--load: the archive goes to docker, else podman, whose words we show; its failure is ours" {
	mkdir "$work/bin"
	printf '#!/bin/sh\n[ "$*" = load ] || exit 9\necho Loaded by podman\nexec /bin/cat >%s\n' "$work/got.tar" >"$work/bin/podman"
	chmod +x "$work/bin/podman"
	# no docker of this machine
	for tool in "$ORLOP_BUILD"/orlop-*; do [ ! -x "$tool" ] || ln -sf "$tool" "$work/bin/"; done
	run --separate-stderr env PATH="$work/bin:/nowhere" "$B" build -t crate:1 --load "$C"
	echo "$stderr"
	[ "$status" = 0 ] && [[ $stderr == *"Loaded by podman"* ]] && [ -z "$output" ]
	[ "$(tar xOf "$work/got.tar" manifest.json | jq -r '.[0].RepoTags[0]')" = crate:1 ]
	printf '#!/bin/sh\necho no daemon >&2\nexit 3\n' >"$work/bin/docker"
	chmod +x "$work/bin/docker"
	run --separate-stderr env PATH="$work/bin:/nowhere" "$B" build --load "$C"
	[ "$status" = 1 ] && [[ $stderr == *"no daemon"*"docker load\" failed with status 3"* ]]
	# half an archive: why is ours to say
	printf '#!/bin/sh\n/bin/cat >/dev/null\necho torn >&2\nexit 4\n' >"$work/bin/docker"
	echo half >"$C/hold"
	again -t crate:half
	hold=$(grep -lx half "$ORLOP_STORE"/layers/*/tree/hold)
	: >"$hold"
	run --separate-stderr env PATH="$work/bin:/nowhere" "$B" build --load "$C"
	echo half >"$hold"
	echo "$stderr"
	[ "$status" = 1 ] && [[ $stderr == *torn*'"hold"'* ]] && [[ $stderr != *"docker load"* ]]
	rm "$work/bin/docker" "$work/bin/podman"
	run --separate-stderr env PATH="$work/bin:/nowhere" "$B" build --load "$C"
	[ "$status" = 0 ] && [[ $stderr == *"neither docker nor podman"* ]]
}

@test "--push: what the registry has is what the store names, metadata file and digest agree" {
	requires docker-registry skopeo
	hub_begin
	again -t "$HUB/crate:1" --push --metadata-file "$work/meta"
	digest=$(jq -r '."containerimage.digest"' "$work/meta")
	[ "$("$hub_probe" has "$HUB/crate:1")" = "$digest" ]
	skopeo inspect --tls-verify=false "docker://$HUB/crate:1" | jq -e --arg d "$digest" '.Digest == $d'
	again -o "type=registry,name=$HUB/crate:zstd,compression=zstd,force-compression=true"
	"$hub_probe" manifest "$HUB/crate:zstd" >"$work/manifest" 2>/dev/null
	[ "$(jq -r '[.layers[].mediaType] | unique[]' "$work/manifest")" = application/vnd.oci.image.layer.v1.tar+zstd ]
	try_again --push
	[ "$status" = 2 ] && [[ $stderr == *"nothing says where to push it"* ]]
	# push has the same words
	"$B" push -q --compression uncompressed base "$HUB/base:plain"
	[ "$("$hub_probe" manifest "$HUB/base:plain" 2>/dev/null | jq -r '.layers[0].mediaType')" = application/vnd.oci.image.layer.v1.tar ]
	# what is compressed for docker's manifest has docker's names
	again -t crate:docker --format docker
	for word in '' --compression=gzip; do
		"$B" push -q $word crate:docker "$HUB/crate:docker"
		[ "$("$hub_probe" manifest "$HUB/crate:docker" 2>/dev/null | jq -r '.mediaType, (.layers | map(.mediaType) | unique[])')" = \
			"$(printf '%s\n' application/vnd.docker.distribution.manifest.v2+json application/vnd.docker.image.rootfs.diff.tar.gzip)" ]
	done
	run --separate-stderr "$B" push -q --compression zstd crate:docker "$HUB/crate:docker"
	[ "$status" = 1 ] && [[ $stderr == *"docker's manifests have no layers of zstd"* ]]
	"$B" push -q --compression zstd base "$HUB/base:zstd"
	"$B" pull -q "$HUB/base:zstd"
	[ "$("$B" export "$HUB/base:zstd" | sha256sum)" = "$("$B" export base | sha256sum)" ]
}

@test "words that mean nothing are usage errors, before a step runs" {
	while IFS='|' read -r option message; do
		try_again -o "$option"
		[ "$status" = 2 ] || [ "$status" = 1 ]
		[[ $stderr == *"$message"* ]] || { echo "wanted: $message" && return 1; }
		[[ $stderr != *"[1/"* ]]
	done <<-'X'
		type=oci|dest= is missing
		type=squashfs,dest=x|the type "squashfs" is not supported
		dest=x|type= is missing
		type=local,dest=x,compression=gzip|compression is not for this type
		type=oci,dest=x,compression=lzma|compression is gzip, zstd or uncompressed, not "lzma"
		type=oci,dest=x,compression=gzip,compression-level=10|compression level of gzip is 0 to 9
		type=oci,dest=x,compresion=gzip|did you mean compression?
		type=oci,dest=x,oci-mediatypes=maybe|oci-mediatypes is true or false
		type=oci,tar=false,dest=-|a folder cannot be standard output
	X
}
