#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# wait: learns how a container ended, from whoever its parent is, and keeps it for state.
load helpers

# wait_in_background FILE: its process is in WAITER
wait_in_background() {
	"$RUNTIME" --root "$ROOT" wait "$ID" >"$1" 2>&1 3>&- &
	WAITER=$!
	BACKGROUND+=("$WAITER")
	wait_for 5 waits "$WAITER"
}

exit_field() {
	"$RUNTIME" --root "$ROOT" state "$ID" | jq -r ".orlop.exit.$1"
}

@test "several waiters are told the exit status, and state keeps it until delete" {
	requires ours
	start_container sleep
	ok exec "$ID" /bin/probe burn 100 # there are kernels that count in hundredths of a second
	local waiters=()
	for n in 1 2 3; do
		wait_in_background "$WORK/waiter.$n"
		waiters+=("$WAITER")
	done
	lacks '"orlop":' "$("$RUNTIME" --root "$ROOT" state "$ID")"
	ok kill "$ID" KILL
	for waiter in "${waiters[@]}"; do
		wait "$waiter"
	done
	BACKGROUND=()
	for n in 1 2 3; do
		equals "$(cat "$WORK/waiter.$n")" 137
	done
	equals "$(exit_field status)" 137
	equals "$(exit_field signal)" 9
	equals "$(exit_field oomKilled)" false
	[[ $(exit_field finished) =~ ^20[0-9-]+T[0-9:.]+Z$ ]]
	[ "$(exit_field cgroup.cpuUsec)" -gt 0 ]
	ok list -f json
	equals "$(jq -r '.[0].orlop.exit.status' <<<"$stdout")" 137
	ok wait "$ID"
	equals "$output" 137
	ok delete "$ID"
	fails wait "$ID"
	contains "container does not exist"
}

@test "the members of the specification and of runc are alone at the top of the state" {
	requires ours
	probe exit 3
	FAILS_WITH=3 fails run --keep -b "$BUNDLE" "$ID"
	ok state "$ID"
	equals "$(jq -r 'keys_unsorted | join(" ")' <<<"$stdout")" \
		"ociVersion id pid status bundle rootfs created owner orlop"
	equals "$(jq -r '.orlop | keys | join(" ")' <<<"$stdout")" exit
}

@test "run --keep records the end, and what the process used" {
	requires ours
	probe exit 3
	FAILS_WITH=3 fails run --keep -b "$BUNDLE" "$ID"
	equals "$(exit_field status)" 3
	equals "$(exit_field signal)" null
	[ "$(exit_field rusage.maxRss)" -gt 0 ]
	ok wait --format json "$ID"
	equals "$(jq -c '[.status, .oomKilled]' <<<"$stdout")" '[3,false]'
	# a wait that comes late takes nothing away from it
	[ "$(exit_field rusage.maxRss)" -gt 0 ]
}

@test "a record that cannot be written changes no exit status" {
	requires ours
	probe exit 3
	config_set '.hooks.poststart = [{ path: "/bin/mkdir", args: ["mkdir", $path] }]' --arg path "$ROOT/$ID/exit.json"
	FAILS_WITH=3 fails run --keep -b "$BUNDLE" "$ID"
	contains "record the end of container"
	ok state "$ID"
	ok delete "$ID"
}

@test "wait tells the end of a run that deletes its container" {
	requires ours
	mkfifo "$WORK/end"
	probe read
	"$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" <"$WORK/end" >"$WORK/run" 2>&1 3>&- &
	local runner=$!
	BACKGROUND+=("$runner")
	exec {end}>"$WORK/end"
	wait_for 5 is_status running
	wait_in_background "$WORK/waiter"
	ok kill "$ID" TERM
	ok kill "$ID" KILL
	exec {end}>&-
	wait "$WAITER"
	wait "$runner" || true
	BACKGROUND=()
	[[ $(cat "$WORK/waiter") == 137 || $(cat "$WORK/waiter") == 143 ]]
	fails state "$ID"
}

@test "a waiter that wakes up late leaves another container of the same name alone" {
	requires ours
	start_container sleep
	wait_in_background "$WORK/waiter"
	kill -STOP "$WAITER"
	ok delete --force "$ID"
	start_container sleep
	kill -CONT "$WAITER"
	wait "$WAITER" || true
	BACKGROUND=()
	[ ! -e "$ROOT/$ID/exit.json" ]
	equals "$(container_status)" running
}

@test "wait on a container that was created waits for its end, not for its start" {
	requires ours
	probe exit 5
	ok create -b "$BUNDLE" "$ID"
	wait_in_background "$WORK/waiter"
	ok start "$ID"
	wait "$WAITER"
	BACKGROUND=()
	equals "$(cat "$WORK/waiter")" 5
}

# Whoever adopts it here collects it at once: then the kernel has told nobody.
@test "an end that nobody saw is an error, never a guess" {
	requires ours
	probe exit 5
	ok create -b "$BUNDLE" "$ID"
	local pid
	pid=$(container_pid)
	ok start "$ID"
	wait_for 5 is_gone "$pid"
	fails wait "$ID"
	contains "nobody saw how container \"$ID\" ended"
	lacks '"orlop":' "$("$RUNTIME" --root "$ROOT" state "$ID")"
}

is_gone() {
	[ ! -e "/proc/$1" ]
}

@test "a zombie's parent does not have to collect it" {
	requires ours
	probe exit 7
	# the shell becomes its parent, and does not look after it
	cat >"$WORK/parent" <<-'END'
		import ctypes, os, subprocess, sys, time
		ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
		subprocess.check_call([*sys.argv[1:3], sys.argv[3], "create", "-b", sys.argv[4], sys.argv[5]],
		                      stdout=subprocess.DEVNULL)
		subprocess.check_call([*sys.argv[1:3], sys.argv[3], "start", sys.argv[5]])
		sys.stdout.write("started\n")
		sys.stdout.flush()
		sys.stdin.read()
	END
	mkfifo "$WORK/stay"
	python3 "$WORK/parent" "$RUNTIME" --root "$ROOT" "$BUNDLE" "$ID" <"$WORK/stay" >"$WORK/said" 2>&1 3>&- &
	local parent=$!
	BACKGROUND+=("$parent")
	exec {stay}>"$WORK/stay"
	wait_for 5 grep -q started "$WORK/said"
	wait_for 5 is_status stopped
	ok wait "$ID"
	equals "$output" 7
	equals "$(exit_field status)" 7
	exec {stay}>&-
	wait "$parent"
	BACKGROUND=()
}

@test "a record of an end that cannot be read is no end of state" {
	requires ours
	probe exit 3
	FAILS_WITH=3 fails run --keep -b "$BUNDLE" "$ID"
	echo '{"status":' >"$ROOT/$ID/exit.json"
	ok state "$ID"
	lacks '"orlop":'
	fails wait "$ID"
	contains "nobody saw how"
}

@test "an OOM kill is told from another SIGKILL" {
	requires ours cgroup_controller memory
	config_set '.linux.resources.memory = { limit: 16777216, swap: 16777216 }'
	probe memory 64
	FAILS_WITH=137 fails run --keep -b "$BUNDLE" "$ID"
	equals "$(exit_field oomKilled)" true
	[ "$(exit_field cgroup.oomKills)" -gt 0 ]
	[ "$(exit_field cgroup.memoryPeak)" -gt 0 ]
}
