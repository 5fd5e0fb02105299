#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# parse: the documents for editors and people.

load build

setup_file() {
	requires builder jq
}

teardown_file() {
	:
}

@test "parse: the instructions as JSON with the place of each word" {
	printf '%s\n' '# comment' 'from a AS b' 'RUN --network=none \' '  echo hi' >"$C/D"
	ob parse "$C/D"
	[ "$status" = 0 ]
	[ "$(jq -c '[.instructions[].instruction]' <<<"$output")" = '["FROM","RUN"]' ]
	[ "$(jq -c '.instructions[0].comments' <<<"$output")" = '["comment"]' ]
	[ "$(jq -c '.instructions[1].flags[0].at' <<<"$output")" = '{"line":3,"column":5,"bytes":14}' ]
	[ "$(jq -c '.instructions[1].args[0].at' <<<"$output")" = '{"line":4,"column":3,"bytes":7}' ]
	[ "$(jq -c '.instructions[1].lines' <<<"$output")" = '[3,4]' ]
}

@test "parse: the graph of a target, with build args" {
	printf '%s\n' 'ARG b=a' 'FROM $b AS one' 'FROM one AS two' 'FROM x' 'COPY --from=two / /' >"$C/D"
	ob parse --graph --build-arg b=other --build-arg c=1 "$C/D"
	[ "$(jq -c .order <<<"$output")" = '[0,1,2]' ]
	[ "$(jq -c '.stages[0].base,.stages[1].parent,.stages[2].needs' <<<"$output" | tr '\n' ' ')" = '"other" 0 [1] ' ]
	[ "$(jq -c .unusedBuildArgs <<<"$output")" = '["c"]' ]
	ob parse --graph --target two "$C/D"
	[ "$(jq -c .order <<<"$output")" = '[0,1]' ]
}

@test "parse: canonical text stays as it is when parsed again" {
	printf '%s\n' '# escape=`' 'from a' 'env  a b c' 'copy `' '# c' ' x  y' 'run <<E' ' echo' 'E' >"$C/D"
	ob parse --canonical "$C/D"
	[ "$status" = 0 ]
	printf '%s\n' "$output" >"$C/E"
	ob parse --canonical "$C/E"
	[ "$output" = "$(cat "$C/E")" ]
	[ "${lines[3]}" = "COPY x y" ]
}

@test "parse: a mistake has its place, from standard input too" {
	run --separate-stderr "$B" parse - <<<$'FROM a\nCOPY --form=b c d'
	[ "$status" = 1 ]
	said 'Dockerfile:2:6: unknown flag: --form \(did you mean --from\?\)'
	said '\^\^\^\^\^\^\^\^$'
	ob parse --ast --graph x
	[ "$status" = 2 ]
	ob parse "$C/none"
	[ "$status" = 1 ]
	said '[Nn]o such file'
}

# what ours says about the here-document of the file
heredoc_verdict() {
	case $output$stderr in
	*'unknown instruction: EOF'*) echo none ;;
	*'unterminated heredoc'*) echo other ;;
	*'"name": "EOF"'*) echo EOF ;;
	*) echo "$output$stderr" ;;
	esac
}

@test "parse: what is a here-document and what is none is what BuildKit says" {
	local verdict form differences=0 count=0
	while IFS=$'\t' read -r verdict form; do
		[[ $verdict != '#'* ]] || continue
		form=${form//\\v/$'\v'} form=${form//\\t/$'\t'}
		printf 'FROM scratch\nRUN %s\nEOF\n' "$form" >"$C/D"
		ob parse "$C/D"
		count=$((count + 1))
		[ "$(heredoc_verdict)" != "$verdict" ] || continue
		echo "$form: $verdict, not $(heredoc_verdict)"
		differences=$((differences + 1))
	done <"$ORLOP_SOURCE/tests/golden/heredocs/verdicts"
	[ "$count" -gt 150 ]
	[ "$differences" = 0 ]
}

@test "parse: a shift that begins a here-document says what to write" {
	printf 'FROM scratch\nRUN head -c $((1024 << 20)) /dev/zero >/big\n' >"$C/D"
	ob parse "$C/D"
	[ "$status" = 1 ]
	contains 'D:2:21: unterminated heredoc "20))" ("<<" at the start of a word begins a here-document' "$stderr"
	contains 'write "1<<2" without blanks' "$stderr"
	printf 'FROM scratch\nRUN head -c $((1024<<20)) /dev/zero >/big\n' >"$C/D"
	ob parse "$C/D"
	[ "$status" = 0 ]
}
