#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kill and delete: which states they take, what is gone afterwards.
load helpers

has_processes() {
	[ "$(wc -l <"$CGROUP_ROOT/orlop/$ID/cgroup.procs")" -eq "$1" ]
}

has_status() {
	[ "$(container_status "$2")" = "$1" ]
}

@test "kill takes names and numbers in every form" {
	for signal in USR1 SIGUSR1 usr1 sigusr1 10; do
		start_container trap
		wait_for 5 grep -q ready "$WORK/stdout"
		ok kill "$ID" $signal
		wait_for 5 is_status stopped
		ok delete "$ID"
	done
	fails kill "$ID" NOTHING
}

@test "kill sends SIGTERM by default" {
	start_container trap
	cp "$WORK/stdout" "$WORK/log"
	pid=$(container_pid)
	wait_for 5 grep -q SigCgt:.*7ffbfeff "/proc/$pid/status"
	ok kill "$ID"
	wait_for 5 is_status stopped
}

@test "kill of a dead or unknown container says so" {
	fails kill "$ID" KILL
	contains "does not exist"
	start_container
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	fails kill "$ID" KILL
	contains "container not running"
}

@test "kill works on a created container" {
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
}

@test "kill --all reaches every process" {
	requires ours
	start_container daemon 100 then daemon 100 then sleep
	wait_for 5 has_processes 3
	ok kill --all "$ID" KILL
	wait_for 5 is_status stopped
	wait_for 5 has_processes 0
}

@test "kill --all kills the leftovers of a dead init that had no pid namespace" {
	requires ours
	config_set '.linux.namespaces |= map(select(.type != "pid")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .mounts |= map(select(.destination != "/proc"))'
	start_container daemon 100
	wait_for 5 is_status stopped
	[ -n "$(cat "$CGROUP_ROOT/orlop/$ID/cgroup.procs")" ]
	ok kill --all "$ID" KILL
	wait_for 5 has_processes 0
	fails kill --all "$ID" KILL
	contains "container not running"
	ok delete "$ID"
}

@test "kill KILL without a pid namespace kills everything" {
	requires ours
	config_set '.linux.namespaces |= map(select(.type != "pid"))'
	start_container daemon 100 then sleep
	ok kill "$ID" KILL
	wait_for 5 has_processes 0
}

@test "delete refuses what runs and takes what is created or stopped" {
	start_container
	fails delete "$ID"
	contains "cannot delete container $ID that is not stopped: running"
	is_status running
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	ok delete "$ID"
	fails state "$ID"
}

@test "delete --force takes everything, also what is not there" {
	start_container
	ok delete --force "$ID"
	fails state "$ID"
	ok delete --force "$ID"
	fails delete "$ID"
	contains "does not exist"
}

@test "delete removes sub-cgroups that the container made" {
	requires ours
	start_container
	mkdir -p "$CGROUP_ROOT/orlop/$ID/a/b" "$CGROUP_ROOT/orlop/$ID/c"
	ok delete --force "$ID"
	[ ! -e "$CGROUP_ROOT/orlop/$ID" ]
}

@test "delete removes sub-cgroups however deep, and kill --all finds who is there" {
	requires ours
	start_container
	local deep=$CGROUP_ROOT/orlop/$ID i
	for i in {1..200}; do
		deep+=/d
		mkdir "$deep" "$deep.x"
	done
	"$PROBE" sleep 3>&- &
	BACKGROUND+=($!)
	echo $! >"$deep/cgroup.procs"
	ok ps --format json "$ID"
	equals "$(jq "index($!) != null" <<<"$stdout")" true
	ok kill --all "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
	[ ! -e "$CGROUP_ROOT/orlop/$ID" ]
}

@test "delete --force takes a frozen container" {
	requires ours
	start_container
	echo 1 >"$CGROUP_ROOT/orlop/$ID/cgroup.freeze"
	wait_for 5 is_status paused
	fails delete "$ID"
	contains "not stopped: paused"
	ok delete --force "$ID"
}

@test "delete --force takes folders of state that are empty or damaged" {
	requires ours
	mkdir -p "$ROOT/$ID"
	ok delete --force "$ID"
	[ ! -e "$ROOT/$ID" ]
	# the create was killed between the folder and the first word
	mkdir -p "$ROOT/$ID"
	: >"$ROOT/$ID/state.json"
	fails state "$ID"
	contains "does not exist"
	ok delete "$ID"
	[ ! -e "$ROOT/$ID" ]
	mkdir -p "$ROOT/$ID/deeper"
	echo '{' >"$ROOT/$ID/state.json"
	fails delete "$ID"
	rm "$ROOT/$ID/state.json"
	ok delete --force "$ID"
	[ ! -e "$ROOT/$ID" ]
}

@test "a pid that belongs to another process by now is left alone" {
	requires ours
	start_container
	sleep 1000 3>&- &
	other=$!
	cp "$ROOT/$ID/state.json" "$WORK/real.json"
	jq -c ".pid = $other" "$WORK/real.json" >"$ROOT/$ID/state.json"
	is_status stopped
	fails kill "$ID" KILL
	kill -0 $other
	cp "$WORK/real.json" "$ROOT/$ID/state.json"
	kill $other
	ok delete --force "$ID"
}

@test "a verb names the holder of a container's lock" {
	requires ours program flock
	start_container
	flock -o "$ROOT/$ID" sleep 1000 3>&- &
	holder=$!
	wait_for 5 refute flock -n "$ROOT/$ID" true
	# list and state do not care
	is_status running
	ok list -q
	timeout 300 "$RUNTIME" --root "$ROOT" exec "$ID" /bin/probe true >"$WORK/out" 2>&1 3>&- && false
	contains "is locked by process" "$(cat "$WORK/out")"
	contains "process $holder:"  "$(cat "$WORK/out")"
	pkill -P $holder
	wait $holder || true
}

@test "kill --regex and delete --regex take every container that matches" {
	requires ours
	probe sleep
	for n in a1 a2 b1; do
		ok create -b "$BUNDLE" "$ID-$n"
		ok start "$ID-$n"
	done
	ok kill --regex "$ID-a[12]\$" KILL
	wait_for 5 has_status stopped "$ID-a1"
	wait_for 5 has_status stopped "$ID-a2"
	has_status running "$ID-b1"
	# what fails for one is told, and done for the others
	fails delete --regex "^$ID-"
	contains "container \"$ID-b1\": cannot delete container $ID-b1 that is not stopped: running"
	[ ! -e "$ROOT/$ID-a1" ]
	[ ! -e "$ROOT/$ID-a2" ]
	ok delete -r --force "^$ID-b"
	[ ! -e "$ROOT/$ID-b1" ]
	# nobody left
	ok delete --regex .
	ok kill --regex . KILL
}

@test "an expression that is none is refused" {
	requires ours
	fails delete --regex 'a['
	contains 'regular expression "a["'
	fails kill --regex '*(' KILL
	contains 'regular expression "*("'
	# without the option it is an id
	fails delete 'a.*'
	contains "invalid container ID format"
}

@test "kill with signal 0 asks whether the container's process is there" {
	fails kill "$ID" 0
	contains "container does not exist"
	start_container
	ok kill "$ID" 0
	equals "$output" ""
	equals "$(container_status)" running
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	fails kill "$ID" 0
	contains "container not running"
}
