#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# examples/cowsay: packages and a script; what a second build and a changed file cost.

load helpers

setup_file() {
	examples_begin debian
	[ -z "${MISSING:-}" ] || return 0
	cp -r "$examples/cowsay" "$WORK/cowsay"
}

teardown_file() {
	rm -rf "${WORK:-/nonexistent}/cowsay"
	examples_end
}

@test "cowsay: builds" {
	build_example cowsay "$WORK/cowsay"
	[ "$status" -eq 0 ]
	assert_step DONE 'COPY entrypoint.sh /'
}

@test "cowsay: says what it is given" {
	run --separate-stderr "$ORLOP_BUILDER" run --rm cowsay Moo
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	grep -F '< Moo >' <<<"$output"
	grep -F '(oo)' <<<"$output"
}

@test "cowsay: asks the oracle when it is given nothing" {
	run --separate-stderr "$ORLOP_BUILDER" run --rm cowsay
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	grep -F '(oo)' <<<"$output"
	refute grep -F '< Moo >' <<<"$output"
}

@test "cowsay: a second build takes every step from the cache" {
	build_example cowsay "$WORK/cowsay"
	[ "$status" -eq 0 ]
	assert_all_cached 3
}

@test "cowsay: a changed script leaves the packages alone" {
	sed -i 's/exec cowsay/exec cowsay -d/' "$WORK/cowsay/entrypoint.sh"
	build_example cowsay "$WORK/cowsay"
	[ "$status" -eq 0 ]
	assert_step DONE 'COPY entrypoint.sh /'
	grep -E '^#[0-9]+ CACHED' <<<"$output"
	run --separate-stderr "$ORLOP_BUILDER" run --rm cowsay Moo
	grep -F '(xx)' <<<"$output"
}

@test "cowsay: the image's settings and history are the Dockerfile's" {
	run --separate-stderr "$ORLOP_BUILDER" history cowsay
	grep -F 'COPY entrypoint.sh /' <<<"$output"
	grep -F 'ENTRYPOINT' <<<"$output"
}

@test "cowsay: nothing of this machine's settings is in the store" {
	assert_no_traces cowsay
}

@test "cowsay: the search for settings finds what a step has kept" {
	mkdir -p "$BATS_TEST_TMPDIR/thief"
	printf 'FROM debian\nRUN cp /etc/apt/apt.conf.d/99machine /kept\n' \
		>"$BATS_TEST_TMPDIR/thief/Dockerfile"
	build_example thief "$BATS_TEST_TMPDIR/thief"
	[ "$status" -eq 0 ]
	run assert_no_traces thief
	[ "$status" -ne 0 ]
	grep -E '/tree/kept$' <<<"$output"
}
