#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: other platforms than this machine's, as base, target and source.

load build

setup_file() {
	requires jq sha256sum
	builder_begin
	[ -n "${MISSING:-}" ] || make_images
}

teardown() {
	[ -z "${HUB_PID:-}" ] || hub_end
}

T() {
	echo "$BATS_TEST_TMPDIR/tree/$1"
}

# blob FILE: put it into the store, print its digest
blob() {
	local hex
	hex=$(sha256sum "$1" | cut -d' ' -f1)
	cp "$1" "$ORLOP_STORE/blobs/sha256/$hex"
	echo "sha256:$hex"
}

# Images for-arm64, for-arm and one index "multi" over both and one for a machine of nowhere.
make_images() {
	local d=$BATS_FILE_TMPDIR/images
	mkdir -p "$d"
	for platform in arm64 arm/v7; do
		local name=for-${platform%/*}
		mkdir -p "$d/$name"
		echo "$platform" >"$d/$name/platform"
		# a program that no kernel takes
		{
			head -c 18 "$(command -v busybox)"
			printf '\x34\x12'
			tail -c +21 "$(command -v busybox)"
		} >"$d/$name/sh"
		chmod +x "$d/$name/sh"
		printf 'FROM scratch\nCOPY platform /platform\nCOPY sh /bin/sh\nENV ON=%s\n' "$platform" >"$d/$name/Dockerfile"
		"$B" build -q -t "$name" --platform "linux/$platform" "$d/$name" >"$d/$name.id"
	done
	jq -n --slurpfile a "$ORLOP_STORE/refs/docker.io/library/for-arm64/:latest" \
		--slurpfile b "$ORLOP_STORE/refs/docker.io/library/for-arm/:latest" \
		'{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [
		  $b[0] + {platform: {os: "linux", architecture: "arm", variant: "v7"}},
		  $a[0] + {platform: {os: "linux", architecture: "arm64", variant: "v8"}},
		  {mediaType: "application/vnd.oci.image.manifest.v1+json", size: 2, platform: {os: "unknown", architecture: "unknown"},
		   digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}]}' >"$d/index.json"
	mkdir -p "$ORLOP_STORE/refs/docker.io/library/multi"
	jq -n --arg digest "$(blob "$d/index.json")" --argjson size "$(stat -c %s "$d/index.json")" \
		'{mediaType: "application/vnd.oci.image.index.v1+json", digest: $digest, size: $size}' \
		>"$ORLOP_STORE/refs/docker.io/library/multi/:latest"
}

@test "--platform: of the image, and of the platform arguments" {
	build -t t --platform linux/arm/7 <<-'X'
		ARG TARGETARCH
		FROM scratch AS for-arm
		ARG TARGETPLATFORM TARGETVARIANT BUILDPLATFORM TARGETARCH
		COPY <<F /f
		$TARGETPLATFORM $TARGETARCH $TARGETVARIANT $BUILDPLATFORM
		F
		FROM for-$TARGETARCH
	X
	tree t "$(T .)"
	case $(uname -m) in
	x86_64) host=linux/amd64 ;;
	aarch64) host=linux/arm64 ;;
	*) host=.* ;;
	esac
	grep -xE "linux/arm/v7 arm v7 $host" "$(T f)"
	[ "$(config .Architecture t)" = '"arm"' ]
	"$B" inspect --raw config t | jq -e '.variant == "v7" and .os == "linux"'
	DOCKER_DEFAULT_PLATFORM=linux/s390x build -t t <<-'X'
		FROM scratch
		COPY Dockerfile /
	X
	[ "$(config .Architecture t)" = '"s390x"' ]
	DOCKER_DEFAULT_PLATFORM=linux/s390x again -t t --platform aarch64
	[ "$(config .Architecture t)" = '"arm64"' ]
	try_again --platform machine
	[ "$status" = 1 ]
	said '--platform: failed to parse platform machine'
}

@test "FROM and COPY --from: the manifest of an index for the platform that is asked for" {
	build -t t <<-'X'
		FROM --platform=linux/arm64 multi AS a
		FROM --platform=linux/arm/v7 multi AS b
		FROM base
		COPY --from=a /platform /a
		COPY --from=b /platform /b
		COPY --from=for-arm64 /platform /c
	X
	tree t "$(T .)"
	[ "$(cat "$(T a)" "$(T b)" "$(T c)" | tr '\n' ' ')" = "arm64 arm/v7 arm64 " ]
	build -t t --platform linux/arm64 <<-'X'
		FROM multi
		COPY --from=multi /platform /again
		FROM --platform=$BUILDPLATFORM base AS tools
		RUN cp /etc/passwd /made
		FROM multi
		COPY --from=multi /platform /again
		COPY --from=tools /made /made
	X
	tree t "$(T 2)"
	[ "$(cat "$(T 2/platform)" "$(T 2/again)" | tr '\n' ' ')" = "arm64 arm64 " ]
	[ -e "$(T 2/made)" ]
	[ "$(config .Architecture t)" = '"arm64"' ]
	[ "$(config .Config.Env t)" = '["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","ON=arm64"]' ]
}

@test "FROM: a platform that an index or an image does not have" {
	try_build <<-'X'
		FROM --platform=linux/riscv64 multi
	X
	[ "$status" = 1 ]
	said 'Dockerfile:1:.*no manifest for linux/riscv64 \(it has linux/arm/v7, linux/arm64\)'
	try_build <<-'X'
		FROM multi
	X
	[ "$status" = 1 ]
	said 'no manifest for linux/'
	try_build <<-'X'
		FROM --platform=linux/riscv64 for-arm64
	X
	[ "$status" = 1 ]
	said 'image "for-arm64" is for linux/arm64, not for linux/riscv64'
}

@test "RUN on another machine's image: what is missing is said" {
	try_build <<-'X'
		FROM for-arm64
		RUN true
	X
	[ "$status" = 1 ]
	said 'exit code: 126 \(the image is for arm64 and this machine is .*qemu-user, registered with binfmt_misc\)'
}

@test "rmi: the other platforms of an index stay as long as it is there" {
	build -t extra <<-'X'
		FROM scratch
		COPY Dockerfile /extra
	X
	ob rmi extra
	[ "$status" = 0 ]
	ob rmi for-arm64
	[ "$status" = 0 ]
	build -t t <<-'X'
		FROM --platform=linux/arm64 multi AS a
		FROM base
		COPY --from=a /platform /a
	X
}

@test "--platform with a list: an index, each image for its platform; what they share is made once" {
	requires docker-registry skopeo
	printf 'for all\n' >"$C/file"
	build -t many:1 --platform linux/arm64,linux/arm/v7,linux/arm64 --iidfile "$C/../iid" --metadata-file "$C/../metadata" <<-'X'
		FROM --platform=$BUILDPLATFORM base AS tools
		RUN echo made once >/tool
		FROM multi
		ARG TARGETPLATFORM
		LABEL target=$TARGETPLATFORM
		COPY --from=tools /tool /tool
	X
	index=$("$B" manifest inspect many:1)
	[ "$(jq -c '[.manifests[].platform | [.architecture, .variant]]' <<<"$index")" = '[["arm64",null],["arm","v7"]]' ] ||
		[ "$(jq -c '[.manifests[].platform | [.architecture, .variant]]' <<<"$index")" = '[["arm64","v8"],["arm","v7"]]' ]
	[ "$(cat "$C/../iid")" = "sha256:$("$B" manifest inspect many:1 | head -c -1 | sha256sum | cut -d' ' -f1)" ]
	# an index has no config
	[ "$(jq -c '[."containerimage.digest", has("containerimage.config.digest"), ."containerimage.descriptor".annotations]' \
		"$C/../metadata")" = "[\"$(cat "$C/../iid")\",false,null]" ]
	# the tools' RUN is a hit for the second platform
	[ "$(said '^#[0-9]+ \[tools' | wc -l)" -ge 2 ]
	said '^#[0-9]+ CACHED'
	again --platform linux/arm64,linux/arm/v7 -o "$C/../out"
	[ "$(ls "$C/../out" | tr '\n' ' ')" = "linux_arm64 linux_arm_v7 " ]
	[ "$(cat "$C/../out/linux_arm64/platform" "$C/../out/linux_arm_v7/platform" "$C/../out/linux_arm_v7/tool")" = "$(printf 'arm64\narm/v7\nmade once')" ]
	load hub
	hub_begin
	again -t "$HUB/many:1" --push --platform linux/arm64,linux/arm/v7
	skopeo inspect --raw --tls-verify=false "docker://$HUB/many:1" | jq -e '.manifests | length == 2'
	[ "$(skopeo inspect --override-arch arm64 --tls-verify=false "docker://$HUB/many:1" | jq -r .Labels.target)" = linux/arm64 ]
	hub_end
	try_again --platform linux/arm64,machine
	said '--platform: failed to parse platform machine'
}

@test "--platform with a list and --cache-from: each platform takes its own steps" {
	local fresh=$BATS_TEST_TMPDIR/fresh caches=$BATS_TEST_TMPDIR/caches platform
	wait_for 10 idle_store
	cp -a "$ORLOP_STORE" "$fresh"
	mkdir "$caches"
	cat >"$C/Dockerfile" <<-'X'
		FROM --platform=$BUILDPLATFORM base AS tools
		ARG TARGETPLATFORM
		RUN echo "for $TARGETPLATFORM" >/tool
		FROM multi
		COPY --from=tools /tool /tool
	X
	for platform in linux/arm64 linux/arm/v7; do
		again -t one --platform "$platform" --cache-to "type=local,mode=max,dest=$caches/${platform//\//_}"
	done
	again --platform linux/arm64,linux/arm/v7 --iidfile "$BATS_TEST_TMPDIR/here"
	# a machine that has none of this
	export ORLOP_STORE=$fresh
	again --platform linux/arm64,linux/arm/v7 --iidfile "$BATS_TEST_TMPDIR/there" \
		--cache-from "type=local,src=$caches/linux_arm64" --cache-from "type=local,src=$caches/linux_arm_v7"
	said "4 steps, 4 cached"
	cmp "$BATS_TEST_TMPDIR/here" "$BATS_TEST_TMPDIR/there"
	rm -rf "$fresh"
}

@test "--platform with a list and --cache-to: one cache has the steps of all, an image's own those of each" {
	local fresh=$BATS_TEST_TMPDIR/fresh cache=$BATS_TEST_TMPDIR/cache
	wait_for 10 idle_store
	cp -a "$ORLOP_STORE" "$fresh"
	cat >"$C/Dockerfile" <<-'X'
		FROM --platform=$BUILDPLATFORM base AS tools
		ARG TARGETPLATFORM
		RUN echo "made for $TARGETPLATFORM" >/tool
		FROM multi
		COPY --from=tools /tool /tool
	X
	load hub
	hub_begin
	again --platform linux/arm64,linux/arm/v7 --iidfile "$BATS_TEST_TMPDIR/here" --cache-to "type=local,mode=max,dest=$cache"
	again --platform linux/arm64,linux/arm/v7 --iidfile "$BATS_TEST_TMPDIR/inline" --cache-to type=inline --push -t "$HUB/many:1"
	# a machine that has none of this
	export ORLOP_STORE=$BATS_TEST_TMPDIR/one
	cp -a "$fresh" "$ORLOP_STORE"
	again --platform linux/arm64,linux/arm/v7 --iidfile "$BATS_TEST_TMPDIR/there" --cache-from "type=local,src=$cache"
	said "4 steps, 4 cached"
	cmp "$BATS_TEST_TMPDIR/here" "$BATS_TEST_TMPDIR/there"
	# the images have no steps of the tools
	export ORLOP_STORE=$BATS_TEST_TMPDIR/two
	cp -a "$fresh" "$ORLOP_STORE"
	again --platform linux/arm64,linux/arm/v7 --iidfile "$BATS_TEST_TMPDIR/there" --cache-to type=inline --cache-from "$HUB/many:1"
	said "2 cached"
	cmp "$BATS_TEST_TMPDIR/inline" "$BATS_TEST_TMPDIR/there"
	hub_end
	rm -rf "$fresh" "$BATS_TEST_TMPDIR"/{one,two}
}
