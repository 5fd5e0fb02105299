#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ps: the numbers of a container's processes, and the host's ps(1) about them.
load helpers

has_processes() {
	[ "$(wc -l <"$CGROUP_ROOT/orlop/$ID/cgroup.procs")" -eq "$1" ]
}

# the processes of the cgroup and one below, as JSON
expected() {
	find "$CGROUP_ROOT/orlop/$ID" -name cgroup.procs -exec cat {} + | sort -n | jq -sc .
}

@test "ps --format json is an array of numbers on the host, in one line" {
	requires ours
	start_container daemon 100 then daemon 100 then sleep
	wait_for 5 has_processes 3
	ok ps --format json "$ID"
	equals "$stdout" "$(expected)"
	equals "$(jq length <<<"$stdout")" 3
	jq -e --argjson pid "$(container_pid)" 'index([$pid])' <<<"$stdout"
	equals "$stderr" ""
	ok ps -f json "$ID"
	equals "$stdout" "$(expected)"
}

@test "ps knows what has moved below the container's cgroup" {
	requires ours
	start_container daemon 100 then sleep
	wait_for 5 has_processes 2
	mkdir "$CGROUP_ROOT/orlop/$ID/below"
	container_pid >"$CGROUP_ROOT/orlop/$ID/below/cgroup.procs"
	ok ps -f json "$ID"
	equals "$stdout" "$(expected)"
	equals "$(jq length <<<"$stdout")" 2
}

@test "ps shows the lines of the host's ps, by default those of ps -ef" {
	requires ps_with_times
	start_container
	pid=$(container_pid)
	ok ps "$ID"
	equals "${stdout%%$'\n'*}" "$(ps -ef | head -n 1)"
	equals "$(wc -l <<<"$stdout")" 2
	equals "$(awk 'NR == 2 { print $2 }' <<<"$stdout")" "$pid"
}

@test "ps passes options on, also those that look like its own" {
	requires program ps
	start_container
	pid=$(container_pid)
	ok ps "$ID" -e -o pid,comm
	equals "$(awk 'NR == 2 { print $1, $2 }' <<<"$stdout")" "$pid probe"
	ok ps --format table "$ID" -eo ppid,pid
	equals "$(awk 'NR == 2 { print $2 }' <<<"$stdout")" "$pid"
	ok ps "$ID" -ej
	equals "$(awk 'NR == 2 { print $1 }' <<<"$stdout")" "$pid"
}

@test "ps fails where the host's ps does, or shows no numbers" {
	requires program ps
	start_container
	fails ps "$ID" -e -o comm
	contains "couldn't find PID field in ps output"
	fails ps "$ID" --no-such-option
	contains "ps: exit status 1: "
	fails ps --format xml "$ID"
	contains 'invalid format option'
	PATH=/nowhere fails ps "$ID"
	contains '"ps"'
}

@test "ps of a container that has ended lists nothing, of one that never was is an error" {
	fails ps "$ID"
	contains "container does not exist"
	start_container
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	wait_for 5 has_processes 0
	ok ps -f json "$ID"
	[ "$stdout" = "[]" ] || [ "$stdout" = null ]
	ok ps "$ID" -e -o pid,comm
	equals "$(wc -l <<<"$stdout")" 1
}

@test "ps without a cgroup says that it cannot know" {
	requires ours
	RT_GLOBAL=(--cgroup-manager disabled)
	start_container
	RT_GLOBAL=()
	fails ps "$ID"
	contains "has no cgroup"
}
