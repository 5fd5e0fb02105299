#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many containers, and verbs that get in each other's way: whatever wins, nothing is left behind, and
# who loses says so in the words that callers know. (The teardown looks for what is left.)
load helpers

# What may lose against what: all else is a failure of the test.
expected='container does not exist|container not running|container not paused|container with given ID already exists'
expected+='|container with id [^ ]* is not running|cannot exec in a (stopped|paused) container|cannot start an? '
expected+='|was killed by signal 9|the container.s process|exec failed: |process has ended'

# one of the verbs on one of the containers
act() {
	local id=$ID-$((SRANDOM % 100)) call=("$RUNTIME" --root "$ROOT")
	case $((SRANDOM % 12)) in
	0|1|2) "${call[@]}" create -b "$BUNDLE" "$id" ;;
	3) "${call[@]}" start "$id" ;;
	4) "${call[@]}" run -d -b "$BUNDLE" "$id" ;;
	5) "${call[@]}" update -r "$WORK/$((SRANDOM % 2)).json" "$id" ;;
	6) "${call[@]}" pause "$id" ;;
	7) "${call[@]}" resume "$id" ;;
	8) "${call[@]}" kill "$id" KILL ;;
	9) "${call[@]}" exec -d "$id" /bin/probe sleep ;;
	10) "${call[@]}" events --stats "$id" ;;
	11) "${call[@]}" delete --force "$id" ;;
	esac
}

worker() {
	local end=$((SECONDS + $1))
	while [ "$SECONDS" -lt "$end" ]; do
		act </dev/null || true # losing is fine
	done
}

@test "100 containers at random: created, updated, paused, killed, deleted, and nothing is left" {
	requires root ours
	probe sleep
	printf '{ "devices": [{ "allow": %s, "type": "c", "major": 240 }] }' true >"$WORK/0.json"
	printf '{ "devices": [{ "allow": %s, "type": "c", "major": 240 }], "unified": { "cgroup.max.depth": "9" } }' false >"$WORK/1.json"
	seconds=6
	# an emulated processor needs minutes for that, and for what has to be deleted then
	! grep -q 'QEMU TCG' /proc/cpuinfo || seconds=1
	for _ in 1 2 3 4 5 6; do
		worker "${ORLOP_RACE_SECONDS:-$seconds}" >/dev/null 2>>"$WORK/errors" 3>&- &
		BACKGROUND+=($!)
	done
	wait
	BACKGROUND=()
	[ -s "$WORK/errors" ]
	sort "$WORK/errors" | uniq -c | sort -rn | head -n 20
	refute grep -vE "$expected" "$WORK/errors"
	# none is half frozen, half dead or locked
	for state in "$ROOT"/*/; do
		id=$(basename "$state")
		case $(container_status "$id") in
		created|running|paused|stopped) ;;
		*) echo "container $id is neither"; false ;;
		esac
		ok delete --force "$id"
	done
	ok list -q
	equals "$stdout" ""
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
