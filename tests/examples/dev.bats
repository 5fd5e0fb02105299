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
