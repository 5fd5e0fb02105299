#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: its command line, messages and exit statuses.

load build

@test "build: names, the untagged image, -q and --iidfile" {
	build -t one -t localhost:5000/two:v1 --iidfile "$BATS_TEST_TMPDIR/iid" <<-'X'
		FROM base
		LABEL x=names
	X
	[ -z "$output" ]
	said '^#[0-9]+ naming to docker.io/library/one:latest done$'
	said '^#[0-9]+ naming to localhost:5000/two:v1 done$'
	again -q
	[ "$output" = "$(cat "$BATS_TEST_TMPDIR/iid")" ]
	[ -z "$stderr" ]
	[ "\"$output\"" = "$(config .Id one)" ]
	[ "\"$output\"" = "$(config .Id localhost:5000/two:v1)" ]
}

@test "build: a failure removes an old --iidfile and prints nothing on stdout" {
	echo old >"$BATS_TEST_TMPDIR/iid"
	try_build -q --iidfile "$BATS_TEST_TMPDIR/iid" <<-'X'
		FROM base
		RUN echo said; false
	X
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ ! -e "$BATS_TEST_TMPDIR/iid" ]
	said '^[0-9.]+ said$'
	mkfifo "$BATS_TEST_TMPDIR/pipe" # as /dev/null is, which must not go
	try_again --iidfile "$BATS_TEST_TMPDIR/pipe" --metadata-file "$BATS_TEST_TMPDIR/pipe"
	[ "$status" = 1 ]
	[ -p "$BATS_TEST_TMPDIR/pipe" ]
}

@test "build: -f names any file, or standard input" {
	mkdir "$C/sub"
	printf 'FROM base\nLABEL from=sub\n' >"$C/sub/my.file"
	ob build -t t -f "$C/sub/my.file" "$C"
	[ "$(config .Config.Labels t)" = '{"from":"sub"}' ]
	"$B" build -q -t t -f - "$C" <<<$'FROM base\nLABEL from=stdin\n'
	[ "$(config .Config.Labels t)" = '{"from":"stdin"}' ]
	ob build "$C"
	[ "$status" = 1 ]
	[[ $stderr == *"no Dockerfile in the build context"* ]]
	ob build "$C/missing"
	[ "$status" = 1 ]
}

@test "build: usage errors are 2, with a hint" {
	ob build
	[ "$status" = 2 ]
	ob build --tga x "$C"
	[ "$status" = 2 ]
	[[ $stderr == *"tag"* ]]
	ob build --progress=fancy "$C"
	[ "$status" = 2 ]
	ob bulid
	[ "$status" = 2 ]
	[[ $stderr == *'did you mean "build"'* ]]
	ob build --help
	[ "$status" = 0 ]
	[[ $output == *"--build-arg"* ]]
}

@test "build: bad names and platforms are found before anything runs" {
	try_build -t 'Bad Name' <<-'X'
		FROM base
		RUN echo ran
	X
	[ "$status" = 2 ]
	refute said ran
	try_again -t "some@sha256:$(printf 0%.0s {1..64})"
	[ "$status" = 2 ]
	said 'cannot have a digest'
	try_again -o type=image,name=BAD
	[ "$status" = 2 ]
	said 'image name "BAD" must be lower case'
	try_again -o "type=image,name=some@sha256:$(printf 0%.0s {1..64})"
	[ "$status" = 2 ]
	said 'cannot have a digest'
	refute said ran
	try_again --platform vax
	[ "$status" = 1 ]
	try_again --secret nothing
	[ "$status" = 2 ]
	try_again -v /nowhere-at-all:/x
	[ "$status" = 1 ]
	refute said ran
}

@test "build: errors of the Dockerfile have its line and a suggestion" {
	try_build <<-'X'
		FROM base
		RUN true
		COPPY a b
	X
	[ "$status" = 1 ]
	said 'Dockerfile:3(:[0-9]+)?: unknown instruction: COPPY \(did you mean COPY\?\)'
	said '^   3 \| >>> COPPY a b'
	try_build --target biuld <<-'X'
		FROM base AS build
	X
	[ "$status" = 1 ]
	said 'did you mean build\?'
	try_build <<-'X'
		FROM base AS build
		FROM base
		COPY --from=biuld /etc /x
	X
	[ "$status" = 1 ]
	said 'Dockerfile:3:1: --from=biuld: .*did you mean the stage "build"\?'
	try_build <<-'X'
		FROM nothing-of-this-name
	X
	[ "$status" = 1 ]
	said 'Dockerfile:1(:[0-9]+)?: the image "nothing-of-this-name" is not in the store'
	try_build <<-'X'
		FROM base
		RUN true
		ENV A=${B:?needed}
	X
	[ "$status" = 1 ]
	said 'Dockerfile:3(:[0-9]+)?: .*B: needed'
	refute said '^#1'
	try_build <<-'X'
		FROM base AS builder
		FROM bulider
	X
	[ "$status" = 1 ]
	said 'the image "bulider" is not in the store .*; did you mean the stage "builder"\?'
}

@test "build: an unused build arg is a warning with the nearest ARG" {
	build --build-arg VERSOIN=1 <<-'X'
		ARG VERSION
		FROM base
	X
	said 'warning: .*"VERSOIN" \(did you mean "VERSION"\?\)'
}

@test "build: a bare --build-arg takes the value of the environment" {
	MY_ARG=env build --build-arg MY_ARG --build-arg UNSET_ARG -t t <<-'X'
		FROM base
		ARG MY_ARG=default
		ARG UNSET_ARG=default
		LABEL v=$MY_ARG,$UNSET_ARG
	X
	[ "$(config .Config.Labels t)" = '{"v":"env,default"}' ]
}

@test "build: progress has numbers, stages, CACHED and DONE" {
	build <<-'X'
		FROM base AS first
		RUN echo progress-one
		FROM base
		COPY --from=first /etc/passwd /p
	X
	said '^#1 \[first 1/2\] FROM base$'
	said '^#1 CACHED$'
	said '^#2 \[first 2/2\] RUN echo progress-one$'
	said '^#2 [0-9]+\.[0-9]{3} progress-one$'
	said '^#2 DONE [0-9]+\.[0-9]s$'
	said '^#4 \[stage-1 2/2\] COPY --from=first /etc/passwd /p$'
}

@test "build: predefined platform arguments" {
	build -t t <<-'X'
		FROM base
		ARG TARGETPLATFORM TARGETOS TARGETARCH BUILDPLATFORM TARGETSTAGE
		LABEL p=$TARGETPLATFORM o=$TARGETOS s=$TARGETSTAGE b=$BUILDPLATFORM
	X
	[ "$(config .Config.Labels.o t)" = '"linux"' ]
	[ "$(config .Config.Labels.s t)" = '"default"' ]
	[ "$(config .Config.Labels.p t)" = "$(config .Config.Labels.b t)" ]
}

@test "build: with --runtime any OCI runtime does it" {
	local runtime found=
	for runtime in runc crun; do
		command -v "$runtime" >/dev/null || continue
		cat >"$C/Dockerfile" <<-X
			FROM base
			RUN echo by $runtime > /by; id -u
			RUN --security=insecure true # with no more than we could give
			RUN exit 3
		X
		run --separate-stderr -- "$B" build --runtime "$runtime" --allow security.insecure "$C"
		echo "$stderr"
		# crun refuses some hybrid hosts; that is its own message then
		[[ $stderr != *"crun"*"cgroup"* ]] || continue
		[ "$status" = 1 ]
		[[ $stderr == *"exit code: 3"* ]]
		found=yes
	done
	[ "$found" ] || skip "needs runc or crun"
	run "$B" build --runtime /nowhere/runtime --allow security.insecure --no-cache "$C"
	[ "$status" = 1 ]
	[[ $output == *"/nowhere/runtime"* ]]
}

@test "build: Dockerfiles that want too much are refused or cost little" {
	build -t t <<-'X'
		FROM base
		EXPOSE 0-65535 1-65535/udp 80
	X
	[ "$(config '.Config.ExposedPorts|length' t)" = 131071 ]
	try_build < <(
		printf 'FROM base\nENV A=x\n'
		printf 'ENV A=$A$A\n%.0s' $(seq 40)
	)
	[ "$status" = 1 ]
	said 'it grows by more than 1 MiB'
	try_build < <(printf 'FROM base\nENV A=%s\n' "$(printf '${A:-%.0s' $(seq 5000))")
	[ "$status" = 1 ]
	said 'nest too deeply|missing .}.'
	try_build < <(printf 'FROM base\nRUN \0\n')
	[ "$status" = 1 ]
	said 'Dockerfile:2(:[0-9]+)?: a NUL byte'
}
