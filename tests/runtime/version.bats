#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --version: what engines read from it.

load cli

@test "the first line is NAME version X.Y.Z" {
	rt --version
	[ "$status" = 0 ]
	[[ ${lines[0]} =~ ^orlop-runtime\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]]
}

@test "no other line has the word version: dockerd takes the last one" {
	rt --version
	[ "$(grep -c version <<<"$output")" = 1 ]
}

@test "commit, specification and libseccomp follow" {
	rt --version
	[[ ${lines[1]} =~ ^commit:\ .+ ]]
	[[ ${lines[2]} =~ ^spec:\ 1\.[0-9]+\.[0-9]+$ ]]
	[[ ${lines[3]} =~ ^libseccomp:\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "-v is the same, and stderr stays empty" {
	rt --version
	local first=$output
	[ -z "$stderr" ]
	rt --debug -v
	[ "$output" = "$first" ]
	[ -z "$stderr" ]
}
