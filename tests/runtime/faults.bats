#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signals, races and kills in the middle of verbs (ORLOP_KILLS: how many of each) on a container that is there (robustness.bats has those
# of create, run, start and delete): nothing hangs, nothing is half done, nothing is left.
load helpers

# in_background VERB...: its process is in VERB
in_background() {
	"$RUNTIME" --root "$ROOT" "$@" </dev/null >"$WORK/said" 2>&1 3>&- &
	VERB=$!
	BACKGROUND+=("$VERB")
}

# ends_with STATUS: the verb in the background
ends_with() {
	local code=0
	wait "$VERB" || code=$?
	BACKGROUND=()
	equals "$code" "$1"
}

# hold_hooks KIND: they say that they are there, and wait
hold_hooks() {
	mkfifo "$WORK/held"
	config_set '.hooks[$kind] = [{ path: "/bin/sh", args: ["sh", "-c", "echo >$0/held; exec sleep $1", $work, $nap] }]' \
		--arg kind "$1" --arg work "$WORK" --arg nap "$NAP"
}

@test "a signal in the middle of create undoes it, exit 1" {
	requires ours
	probe sleep
	hold_hooks createRuntime
	for signal in TERM INT HUP; do
		in_background create -b "$BUNDLE" "$ID"
		read -r _ <"$WORK/held"
		kill -$signal "$VERB"
		ends_with 1
		grep -q "create failed" "$WORK/said"
		wait_for 5 nothing_left
		wait_for 5 no_sleepers "$NAP"
	done
}

@test "a signal that stops nobody (a new window size) does not undo a run that is being made" {
	requires ours
	probe echo there
	mkfifo "$WORK/held" "$WORK/release"
	config_set '.hooks = ([{ path: "/bin/sh", args: ["sh", "-c", "echo >$0/held; read x <$0/release", $work] }]
		| { createRuntime: ., poststart: . })' --arg work "$WORK"
	in_background run -b "$BUNDLE" "$ID"
	for _ in createRuntime poststart; do
		read -t 20 -r _ <>"$WORK/held"
		kill -WINCH "$VERB"
		timeout 20 sh -c 'echo >"$0"' "$WORK/release"
	done
	ends_with 0
	equals "$(cat "$WORK/said")" there
}

@test "a signal in the middle of start ends the container, exit 1" {
	requires ours
	probe sleep
	hold_hooks poststart
	for signal in TERM INT HUP; do
		ok create -b "$BUNDLE" "$ID"
		in_background start "$ID"
		read -r _ <"$WORK/held"
		kill -$signal "$VERB"
		ends_with 1
		wait_for 5 is_status stopped
		ok delete "$ID"
		wait_for 5 nothing_left
		wait_for 5 no_sleepers "$NAP"
	done
}

@test "a signal in the middle of exec ends what it has made, exit 255" {
	requires ours
	start_container
	ok pause "$ID" # a process that is cloned into it gets nowhere
	local before
	before=$(wc -l <"$CGROUP_ROOT/orlop/$ID/cgroup.procs")
	for signal in TERM INT HUP; do
		in_background exec -d --ignore-paused --pid-file "$WORK/pid" "$ID" /bin/probe sleep
		wait_for 5 has_more_than "$before"
		kill -$signal "$VERB"
		ends_with 255
		wait_for 5 has_exactly "$before"
		[ ! -e "$WORK/pid" ]
	done
	ok resume "$ID"
	equals "$(container_status)" running
}

has_more_than() {
	[ "$(wc -l <"$CGROUP_ROOT/orlop/$ID/cgroup.procs")" -gt "$1" ]
}

has_exactly() {
	[ "$(wc -l <"$CGROUP_ROOT/orlop/$ID/cgroup.procs")" -eq "$1" ]
}

@test "start against delete --force: whoever wins, nothing is left" {
	requires ours
	probe sleep
	for i in {1..15}; do
		ok create -b "$BUNDLE" "$ID"
		in_background start "$ID"
		ok delete --force "$ID"
		wait "$VERB" || true
		BACKGROUND=()
		wait_for 5 nothing_left
	done
}

@test "exec against delete --force: no process outlives its container" {
	requires ours
	for i in {1..10}; do
		start_container
		in_background exec "$ID" /bin/probe sleep
		sleep "0.00$((RANDOM % 10))"
		ok delete --force "$ID"
		wait "$VERB" || true
		BACKGROUND=()
		wait_for 5 nothing_left
	done
}

@test "while a hook of create sleeps, kill says that nothing runs; the end of create ends it all" {
	requires ours
	probe sleep
	hold_hooks createRuntime
	in_background create -b "$BUNDLE" "$ID"
	read -r _ <"$WORK/held"
	equals "$(container_status)" creating
	for verb in kill pause resume; do
		fails $verb "$ID"
		contains "container not "
	done
	kill -TERM "$VERB"
	ends_with 1
	wait_for 5 nothing_left
	wait_for 5 no_sleepers "$NAP"
}

@test "fifty states while limits change are all whole" {
	requires ours
	start_container
	(
		while [ ! -e "$WORK/stop" ]; do
			"$RUNTIME" --root "$ROOT" update --pids-limit -1 "$ID" >/dev/null 2>&1 3>&- || true
			"$RUNTIME" --root "$ROOT" pause "$ID" >/dev/null 2>&1 3>&- || true
			"$RUNTIME" --root "$ROOT" resume "$ID" >/dev/null 2>&1 3>&- || true
		done
	) &
	local changer=$!
	BACKGROUND+=("$changer")
	for i in {1..50}; do
		"$RUNTIME" --root "$ROOT" state "$ID" 2>&1 3>&- >>"$WORK/states"
	done
	: >"$WORK/stop"
	wait "$changer"
	BACKGROUND=()
	equals "$(jq -s 'length' "$WORK/states")" 50
	equals "$(jq -r .id "$WORK/states" | sort -u)" "$ID"
}

# killed VERB...: after a random while
killed() {
	local moment
	printf -v moment '0.%06d' $((SRANDOM % 10000))
	"$RUNTIME" --root "$ROOT" "$@" </dev/null >/dev/null 2>&1 3>&- &
	sleep "$moment"
	kill -KILL $! 2>/dev/null || true
	wait $! 2>/dev/null || true
}

@test "verbs on a container that are killed at random moments leave one that works, and can be deleted" {
	requires ours
	echo '[{ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs" }]' >"$WORK/mounts.json"
	echo '{ "unified": { "cgroup.max.depth": "9" } }' >"$WORK/limits.json"
	start_container
	local verbs=("exec ID /bin/probe sleep" "exec -d ID /bin/probe sleep" "pause ID" "resume ID" "update -r WORK/limits.json ID"
		"mounts add ID WORK/mounts.json" "mounts remove ID WORK/mounts.json" "wait ID" "kill ID WINCH" "ps ID" "list" "state ID"
		"events ID" "events --stats ID" "delete ID" "start ID" "create -b BUNDLE ID" "gc") verb words
	for ((i = 0; i < ${ORLOP_KILLS:-10}; i++)); do
		for verb in "${verbs[@]}"; do
			verb=${verb//WORK/$WORK}
			verb=${verb//BUNDLE/$BUNDLE}
			read -ra words <<<"${verb//ID/$ID}"
			killed "${words[@]}"
		done
		"$RUNTIME" --root "$ROOT" resume "$ID" >/dev/null 2>&1 3>&- || true
		equals "$(container_status)" running
		ok exec "$ID" /bin/probe echo alive
		equals "$output" alive
		ok update -r "$WORK/limits.json" "$ID"
		ok gc
		equals "$output" ""
	done
	ok gc
	equals "$output" ""
	ok delete --force "$ID"
	wait_for 5 nothing_left
}

@test "gc cleans up after create and run that were killed at random moments" {
	requires ours
	probe sleep 0
	mkdir "$ROOT" # or gc has none when every create was killed before it made one
	for ((i = 0; i < ${ORLOP_KILLS:-25}; i++)); do
		killed create -b "$BUNDLE" "$ID"
		killed run -b "$BUNDLE" "$ID"
		wait_for 5 not_creating
		# folders without a word in them are left alone for two seconds
		touch -cd '1 minute ago' "$ROOT/$ID" 2>/dev/null || true
		ok gc
		ok delete --force "$ID"
		wait_for 5 nothing_left
	done
}

# init notices that its host side is gone
not_creating() {
	[ ! -e "$ROOT/$ID/state.json" ] || ! is_status creating ||
		[ ! -e "$CGROUP_ROOT/orlop/$ID" ] || [ -z "$(cat "$CGROUP_ROOT/orlop/$ID/cgroup.procs")" ]
}

@test "a log that is a fifo: with a reader it gets the line, without one nothing hangs" {
	requires ours
	mkfifo "$WORK/log"
	rt --log "$WORK/log" --log-format json state nothing
	equals "$status" 1
	contains "container does not exist"
	exec {reader}<>"$WORK/log"
	rt --log "$WORK/log" --log-format json state nothing
	equals "$status" 1
	local line
	read -r -t 5 line <&$reader
	equals "$(jq -r .msg <<<"$line")" "container does not exist"
	exec {reader}<&-
}

@test "ids that are none: nothing is looked up by them" {
	requires ours
	local long
	printf -v long '%0300d' 1
	start_container
	echo '[]' >"$WORK/mounts.json"
	local verbs=("state ID" "kill ID KILL" "delete --force ID" "pause ID" "resume ID" "ps ID" "wait ID" "start ID"
		"exec ID true" "checkpoint ID" "restore ID" "mounts add ID $WORK/mounts.json" "create ID" "run ID"
		"update --pids-limit 5 ID" "events --stats ID") words
	for id in "../$ID" "$ID/../$ID" .. . "$long" "$ID/" "a b" $'a\n' ""; do
		for verb in "${verbs[@]}"; do
			read -ra words <<<"$verb"
			rt "${words[@]/#ID/$id}"
			[ "$status" -ne 0 ]
			contains "invalid container ID format"
		done
	done
	equals "$(container_status)" running
}
