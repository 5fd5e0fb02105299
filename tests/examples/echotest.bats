#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# examples/echotest: a step that fails, what is said of it, and what is kept.

load helpers

setup_file() {
	examples_begin busybox
}

teardown_file() {
	examples_end
}

build_echotest() {
	run "$ORLOP_BUILDER" build -t echotest "$examples/echotest"
	echo "$output"
}

@test "echotest: fails, and the message names the command, its status and its line" {
	build_echotest
	[ "$status" -eq 1 ]
	assert_step DONE 'RUN echo "This should work"'
	grep -E 'This should work$' <<<"$output"
	grep -E "/bin/sh -c /bin/bash -c echo .*exit code: 127" <<<"$output"
	grep -E 'Dockerfile:4' <<<"$output"
	grep -F '>>> RUN /bin/bash' <<<"$output"
}

@test "echotest: makes no tag" {
	run "$ORLOP_BUILDER" inspect echotest
	[ "$status" -ne 0 ]
	run --separate-stderr "$ORLOP_BUILDER" images
	[ "$status" -eq 0 ]
	grep -F busybox <<<"$output"
	refute grep -F echotest <<<"$output"
}

@test "echotest: the second time the step that worked is cached, the other fails again" {
	build_echotest
	[ "$status" -eq 1 ]
	assert_step CACHED 'RUN echo "This should work"'
	grep -F 'exit code: 127' <<<"$output"
}
