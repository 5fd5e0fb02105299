#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many containers, and verbs that get in each other's way: whatever wins, nothing is left behind, and
# who loses says so in the words that callers know. (The teardown looks for what is left.)
load helpers
load races

@test "100 containers at random: created, updated, paused, killed, deleted, and nothing is left" {
	requires root ours
	race 6
}

@test "deletes of a paused container at the same time: one does it, none hangs" {
	requires root ours
	for _ in {1..5}; do
		start_container
		ok pause "$ID"
		pids=()
		for _ in 1 2 3 4; do
			"$RUNTIME" --root "$ROOT" delete --force "$ID" 3>&- &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do
			wait "$pid"
		done
		[ ! -e "$ROOT/$ID" ]
	done
}
