#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ./dev: what can be tried of it from inside its own "check".

load helpers

dev=$ORLOP_SOURCE/dev

@test "dev: help names every chore" {
	run "$dev" help
	[ "$status" -eq 0 ]
	for chore in demo check build bench vm packages help; do
		grep -E "^  $chore " <<<"$output"
	done
}

@test "dev: an unknown chore is a usage error" {
	run "$dev" sail
	[ "$status" -eq 2 ]
	grep -F 'no such chore: sail' <<<"$output"
}

@test "dev: a chore refuses arguments that it does not know" {
	run "$dev" check --half
	[ "$status" -eq 2 ]
	run "$dev" demo now
	[ "$status" -eq 2 ]
	run "$dev" vm
	[ "$status" -eq 2 ]
}

@test "dev: demo --fresh leaves a store alone that it did not choose" {
	mkdir "$BATS_TEST_TMPDIR/store"
	ORLOP_STORE=$BATS_TEST_TMPDIR/store run "$dev" demo --fresh
	[ "$status" -eq 1 ]
	[ -d "$BATS_TEST_TMPDIR/store" ]
}

@test "dev: packages are listed by purpose, each once" {
	run "$dev" packages
	[ "$status" -eq 0 ]
	grep -E '^build: .*\blibseccomp-dev\b' <<<"$output"
	grep -E '^test: .*\bbats\b' <<<"$output"
	grep -E '^demo: .*\bmmdebstrap\b' <<<"$output"
	[ -z "$(grep ^test: <<<"$output" | tr ' ' '\n' | sort | uniq -d)" ]
}

@test "dev: a temporary directory is not left behind" {
	mkdir "$BATS_TEST_TMPDIR/tmp"
	TMPDIR=$BATS_TEST_TMPDIR/tmp run "$dev" packages
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/tmp")" ]
}

tally=$ORLOP_SOURCE/tests/examples/tally

trs() {
	printf ':test-result: %s\n' "${@:2}" >"$BATS_TEST_TMPDIR/$1.trs"
}

@test "tally: the results of all programs are summed up" {
	trs a PASS PASS FAIL
	trs b SKIP XFAIL ERROR XPASS
	run -0 "$tally" trs "$BATS_TEST_TMPDIR" a.log b.log
	[ "$output" = "3 3 1" ]
}

@test "tally: a program that left no result has failed, and is named" {
	trs a PASS
	: >"$BATS_TEST_TMPDIR/b.trs"
	run -0 --separate-stderr "$tally" trs "$BATS_TEST_TMPDIR" a.log b.log c.log
	[ "$output" = "1 2 0" ]
	grep -x 'tally: no result from b' <<<"$stderr"
	grep -x 'tally: no result from c' <<<"$stderr"
}

@test "tally: a result of a program that is no more is not counted" {
	trs a PASS
	trs old PASS FAIL
	run -0 "$tally" trs "$BATS_TEST_TMPDIR" a.log
	[ "$output" = "1 0 0" ]
}

@test "tally: TAP, with what a plan promised and did not bring" {
	printf '%s\n' 1..6 'ok 1 a' 'not ok 2 b' '# not ok 9' 'ok 3 c # skip why' \
		'not ok 4 d # TODO' >"$BATS_TEST_TMPDIR/tap"
	run -0 "$tally" tap "$BATS_TEST_TMPDIR/tap"
	[ "$output" = "2 3 1" ]
}

@test "tally: a lane that said nothing has failed" {
	: >"$BATS_TEST_TMPDIR/tap"
	run -0 "$tally" tap "$BATS_TEST_TMPDIR/tap"
	[ "$output" = "0 1 0" ]
}
