#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build --check and --call, and the warnings of a build.

load build

# printed REGEX: lines of both streams of the last run
printed() {
	grep -E -- "$1" <<<"$output"
}

@test "check: nothing is built, the exit status tells, stdout has the warnings" {
	cd "$C"
	printf '%s\n' 'FROM base' 'RUN exit 7' 'ENV a b' >Dockerfile
	run --separate-stderr "$B" build --check -t never .
	[ "$status" = 1 ]
	[ -z "$stderr" ]
	[[ $output = "Check complete, 1 warning has been found!"* ]]
	printed 'WARNING: LegacyKeyValueFormat - https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/'
	printed '^   3 \| >>> ENV a b'
	printed '^Fix: '
	run ! "$B" inspect never
	printf '%s\n' 'FROM base' 'ENV a=b' >Dockerfile
	run --separate-stderr "$B" build --check .
	[ "$status" = 0 ]
	[ "$output" = "Check complete, no warnings found." ]
}

@test "check: all stages, with the variables and the SHELL of known base images" {
	cd "$C"
	build -t parent <<-'X'
		FROM base
		ENV known=1
		SHELL ["/bin/sh", "-ec"]
	X
	printf '%s\n' 'FROM parent AS unneeded' 'ENV a=$known b=$qqq' 'CMD x' 'FROM scratch' >Dockerfile
	run "$B" build --call=check,format=json .
	[ "$status" = 1 ]
	[ "$(jq -r '.warnings[].detail' <<<"$output")" = "Usage of undefined variable '\$qqq'" ]
	[ "$(jq -r '.sources[0].data' <<<"$output" | base64 -d)" = "$(<Dockerfile)" ]
}

@test "check: what cannot be parsed is an error with its place" {
	cd "$C"
	printf '%s\n' 'FROM base' 'ENV a b' 'ENV c=${d:?none}' >Dockerfile
	run "$B" build --check .
	[ "$status" = 1 ]
	printed 'WARNING: LegacyKeyValueFormat'
	printed 'Dockerfile:3:[0-9]+: .*d: none'
	run --separate-stderr "$B" build --call=check,format=json .
	[ "$(jq -r '.buildError.location.ranges[0].start.line' <<<"$output")" = 3 ]
	[ "$(jq -r '.warnings[].ruleName' <<<"$output" | tr '\n' ' ')" = 'LegacyKeyValueFormat UndefinedVar ' ]
	run "$B" build --call=chekc .
	[ "$status" = 2 ]
	printed 'did you mean check'
}

@test "check: the warnings of what was read stand beside the mistake" {
	cd "$C"
	names() {
		run --separate-stderr "$B" build --call=check,format=json .
		[ "$status" = 1 ]
		[ "$(jq -r '.warnings[].ruleName' <<<"$output" | tr '\n' ' ')" = "$1" ]
		[ -n "$(jq -r .buildError.message <<<"$output")" ]
	}
	# an instruction that is wrong: what is above it, and empty lines everywhere
	printf '%s\n' 'FROM base as Name' 'MAINTAINER' 'MAINTAINER me' 'RUN a \' '' 'b' 'from x as Y' >Dockerfile
	names 'StageNameCasing FromAsCasing MaintainerDeprecated NoEmptyContinuation '
	# a FROM that is wrong: those of FROM lines down to it, and what needs no variables
	printf '%s\n' 'ARG a=b' 'FROM $c AS d' 'FROM base AS d' 'ENV a b' >Dockerfile
	names 'InvalidDefaultArgInFrom UndefinedArgInFrom DuplicateStageName '
	# no FROM at all
	printf '%s\n' 'ARG a \' '' >Dockerfile
	names 'NoEmptyContinuation '
	# text that cannot be cut: nothing
	printf '%s\n' 'FROM base as Name' 'RUN <<EOF' >Dockerfile
	names ''
	run "$B" build --check .
	[ "$status" = 1 ]
	printed 'unterminated heredoc'
	run "$B" build --call=targets .
	[ "$status" = 1 ]
	[[ $output = *'unterminated heredoc'* ]]
}

@test "check: the directive, the build arg, the option" {
	cd "$C"
	printf '%s\n' '# check=skip=LegacyKeyValueFormat' 'FROM base' 'ENV a b' >Dockerfile
	"$B" build --check .
	run "$B" build --check --build-arg BUILDKIT_DOCKERFILE_CHECK=error=true .
	[ "$status" = 1 ]
	printed 'lint violation found for rules: LegacyKeyValueFormat'
	run "$B" build --check --lint=orlop .
	[ "$status" = 1 ]
	printed 'WARNING: MissingUser'
	run "$B" build --check --lint=MisingUser .
	[ "$status" = 2 ]
	printed 'did you mean MissingUser'
	ORLOP_LINT=LatestTag run "$B" build --check .
	printed 'WARNING: LatestTag'
	refute printed MissingUser
	ORLOP_LINT=LatestTags run "$B" build --check .
	[ "$status" = 2 ]
	printed 'ORLOP_LINT: there is no rule "LatestTags" \(did you mean LatestTag\?\)'
}

@test "check: a file of the context says what a project wants" {
	cd "$C"
	printf '%s\n' 'FROM base' 'ENV a b' >Dockerfile
	printf '%s\n' '# ours' 'enable=orlop # all' ' skip = MissingUser,LegacyKeyValueFormat' >.orlop-lint
	run "$B" build --check .
	[ "$status" = 1 ]
	printed 'WARNING: LatestTag'
	refute printed 'MissingUser|LegacyKeyValueFormat'
	run "$B" build --check --lint=MissingUser . # one skip is enough
	refute printed MissingUser
	echo error=true >>.orlop-lint
	run "$B" build -t t .
	[ "$status" = 1 ]
	printed 'lint violation found for rules: LatestTag'
	sed -i '1i # check=error=false' Dockerfile
	"$B" build -t t .
	echo enable=LatestTags >.orlop-lint
	run "$B" build --check .
	[ "$status" = 1 ]
	printed '\.orlop-lint:1: there is no rule "LatestTags" \(did you mean LatestTag\?\)'
	printf '%s\n' '' 'skp=all' >.orlop-lint
	run "$B" build -t t .
	[ "$status" = 1 ]
	printed '\.orlop-lint:2: "skp" is not enable, skip or error \(did you mean skip\?\)'
	ln -sf /etc/passwd .orlop-lint # nothing outside of the context is read
	"$B" build -t t .
}

@test "check: a build prints one line a warning, error=true fails it before any step" {
	build -t t <<-'X'
		FROM base
		ENV a b
	X
	said ' 1 warning found'
	said ' - LegacyKeyValueFormat: "ENV key=value" should be used .* \(line 2\)'
	try_build <<-'X'
		# check=error=true
		FROM base
		RUN echo started
		ENV a b
	X
	[ "$status" = 1 ]
	said 'lint violation found for rules: LegacyKeyValueFormat'
	refute said 'started'
	build -q <<-'X'
		FROM base
		ENV a b
	X
	refute said warning
}

@test "call: the parameters of a target and the list of stages" {
	cd "$C"
	cat >Dockerfile <<-'X'
		# base is where it starts
		ARG base=base
		ARG other=1
		# tool compiles
		FROM $base AS tool
		# level of noise
		ARG level=3
		RUN --mount=type=secret,id=key,required --mount=type=ssh true
		FROM scratch
		COPY --from=tool / /
	X
	run "$B" build --call=outline --build-arg level=4 .
	[ "$status" = 0 ]
	[[ ${lines[0]} = "BUILD ARG"*VALUE*DESCRIPTION ]]
	printed '^base +base +is where it starts$'
	printed '^level +4 +of noise$'
	printed '^key +true$'
	printed '^default +$'
	refute printed other
	run "$B" build --call=targets .
	[ "${lines[1]}" = "tool      compiles" ]
	[[ ${lines[2]} = "(default)"* ]]
	run "$B" build --call=targets,format=json .
	[ "$(jq -r '.targets[0].base' <<<"$output")" = '$base' ]
}
