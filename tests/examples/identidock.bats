#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# examples/identidock: a service under its own user.

load helpers

setup_file() {
	examples_begin debian
}

teardown_file() {
	examples_end
}

teardown() {
	serve_end
}

@test "identidock: builds" {
	build_example identidock "$examples/identidock"
	[ "$status" -eq 0 ]
}

@test "identidock: answers over HTTP" {
	local port stats
	port=$(free_port)
	stats=$(free_port)
	serve -e HTTP="127.0.0.1:$port" -e STATS="127.0.0.1:$stats" identidock
	wait_for 30 port_is_taken "$port"
	run fetch "http://127.0.0.1:$port/purser"
	[ "$status" -eq 0 ]
	grep -F 'Hello purser, you are eaa0e58dea2c' <<<"$output"
	wait_for 30 port_is_taken "$stats"
}

@test "identidock: runs as the user uwsgi" {
	run --separate-stderr "$ORLOP_BUILDER" run --rm identidock id -un
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	[ "$output" = uwsgi ]
}

@test "identidock: announces both ports" {
	run --separate-stderr "$ORLOP_BUILDER" inspect identidock
	grep -F '9090/tcp' <<<"$output"
	grep -F '9191/tcp' <<<"$output"
}

@test "identidock: nothing of this machine's settings is in the store" {
	assert_no_traces identidock
}
