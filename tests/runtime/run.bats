#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run in the foreground and detached: streams, exit statuses, signals, what it leaves.
load helpers

@test "run gives the payload's streams and exit status" {
	probe echo out then stderr err then exit 7
	rt run -b "$BUNDLE" "$ID"
	equals "$status" 7
	equals "$stdout" out
	equals "$stderr" err
}

@test "run leaves nothing behind" {
	probe_run true
	[ ! -e "$ROOT/$ID" ]
	fails state "$ID"
	contains "does not exist"
}

@test "run passes standard input on" {
	probe cat
	printf 'line 1\nline 2' >"$WORK/input"
	RT_INPUT=$WORK/input ok run -b "$BUNDLE" "$ID"
	equals "$stdout" $'line 1\nline 2'
}

@test "run takes the bundle from the working directory" {
	probe echo here
	cd "$BUNDLE"
	ok run "$ID"
	equals "$stdout" here
}

@test "run --config reads another file" {
	requires ours
	jq '.process.args = ["/bin/probe", "echo", "other"]' "$BUNDLE/config.json" >"$WORK/other.json"
	ok run -b "$BUNDLE" --config "$WORK/other.json" "$ID"
	equals "$stdout" other
}

@test "run reports death by a signal as 128+n" {
	start_forwarding sleep 100
	"$RUNTIME" --root "$ROOT" kill "$ID" KILL
	finish_forwarding
	equals "$status" 137
}

# start_forwarding ARG...: a foreground run in the background
start_forwarding() {
	probe "$@"
	"$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" >"$WORK/forward" 2>&1 3>&- &
	RUN_PID=$!
	wait_for 10 is_status running
}

finish_forwarding() {
	status=0
	wait "$RUN_PID" || status=$?
	output=$(cat "$WORK/forward")
}

@test "a process that dies between its record and its exec is an error that says how" {
	requires root ours program strace
	local kill=(strace -f -o /dev/null -e trace=execve -P /bin/probe -e inject=execve:signal=KILL)
	probe true
	RT_UNDER=("${kill[@]}")
	fails run -b "$BUNDLE" "$ID"
	contains "error during container init: the container's process was killed by signal 9 while it was set up"
	[ ! -e "$ROOT/$ID" ]
	[ ! -d "$CGROUP_ROOT/orlop/$ID" ]
	fails run -d -b "$BUNDLE" "$ID"
	[ ! -e "$ROOT/$ID" ]
	RT_UNDER=()
	start_container
	RT_UNDER=("${kill[@]}")
	rt exec "$ID" /bin/probe true
	equals "$status" 255
	contains "was killed by signal 9 while it was set up"
}

@test "run forwards signals to the payload" {
	start_forwarding trap
	wait_for 5 grep -q ready "$WORK/forward"
	kill -USR1 "$RUN_PID"
	finish_forwarding
	equals "$status" 0
	contains "signal 10"
}

@test "run forwards SIGTERM, SIGHUP and SIGINT, too" {
	for signal in TERM HUP INT; do
		start_forwarding trap
		wait_for 5 grep -q ready "$WORK/forward"
		kill -$signal "$RUN_PID"
		finish_forwarding
		contains "signal $(kill -l $signal)"
	done
}

@test "the payload starts with default dispositions and an empty mask" {
	probe signals
	(
		trap '' HUP PIPE USR1
		rt run -b "$BUNDLE" "$ID"
	)
	stdout=$(cat "$WORK/stdout")
	contains "SigIgn:	0000000000000000" "$stdout"
	contains "SigBlk:	0000000000000000" "$stdout"
	# also where the last steps are behind a filter
	requires seccomp
	config_set '.process.noNewPrivileges = false | .linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW",
		"syscalls": [{ "names": ["sethostname"], "action": "SCMP_ACT_ERRNO" }] }'
	probe_run signals
	contains "SigIgn:	0000000000000000" "$stdout"
}

@test "run -d returns while the payload runs" {
	probe sleep
	ok run -d --pid-file "$WORK/pid" -b "$BUNDLE" "$ID"
	is_status running
	equals "$(cat "$WORK/pid")" "$(container_pid)"
	fails delete "$ID"
	contains "not stopped: running"
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
}

@test "run -d hands the payload to the caller's reaper" {
	probe sleep
	ok run -d -b "$BUNDLE" "$ID"
	lacks "orlop-runtime" "$(tr '\0' ' ' <"/proc/$(awk '{ print $4 }' "/proc/$(container_pid)/stat")/cmdline")"
}

@test "run --keep keeps the stopped container" {
	probe exit 3
	rt run --keep -b "$BUNDLE" "$ID"
	equals "$status" 3
	is_status stopped
	equals "$(container_pid)" 0
	ok delete "$ID"
	fails state "$ID"
}

@test "run refuses an id that is taken" {
	probe exit 3
	rt run --keep -b "$BUNDLE" "$ID"
	fails run -b "$BUNDLE" "$ID"
	contains "container with given ID already exists"
	is_status stopped
	ok delete "$ID"
}

@test "run refuses ids that are no names" {
	for id in '' . .. a/b 'a b' 'ä' '../x'; do
		fails run -b "$BUNDLE" "$id"
	done
}

@test "run without a config.json says so" {
	rm "$BUNDLE/config.json"
	fails run -b "$BUNDLE" "$ID"
	contains "JSON specification file config.json not found"
}

@test "the pid file has the pid and nothing else" {
	probe sleep
	ok run -d --pid-file "$WORK/pid" -b "$BUNDLE" "$ID"
	equals "$(od -An -c "$WORK/pid" | tr -d ' \n')" "$(container_pid)"
}

@test "a pid file that is a pipe or a link is written to and stays, also when the payload cannot be started" {
	requires ours
	probe sleep
	mkfifo "$WORK/pipe"
	# (opened here: nobody knows when a reader in the background has done it)
	exec {both}<>"$WORK/pipe" {reader}<"$WORK/pipe" {both}>&-
	ok run -d --pid-file "$WORK/pipe" -b "$BUNDLE" "$ID"
	[ -p "$WORK/pipe" ]
	timeout 20 cat <&$reader >"$WORK/pid"
	exec {reader}<&-
	equals "$(cat "$WORK/pid")" "$(container_pid)"
	ok delete --force "$ID"
	ln -s "$WORK/pid" "$WORK/link"
	ok run -d --pid-file "$WORK/link" -b "$BUNDLE" "$ID"
	[ -L "$WORK/link" ]
	equals "$(cat "$WORK/pid")" "$(container_pid)"
	ok delete --force "$ID"
	config_set '.process.args = ["/nowhere"]'
	for file in link pid; do
		fails run --pid-file "$WORK/$file" -b "$BUNDLE" "$ID"
	done
	[ -L "$WORK/link" ]
	[ ! -e "$WORK/pid" ]
}

@test "--preserve-fds passes exactly these on" {
	probe fds
	exec 5</etc/hostname 6</etc/passwd
	status=0
	"$RUNTIME" --root "$ROOT" run -b "$BUNDLE" --preserve-fds 2 "$ID" >"$WORK/stdout" \
		3</etc/hosts 4</etc/group || status=$?
	exec 5<&- 6<&-
	equals "$status" 0
	contains "3 /etc/hosts" "$(cat "$WORK/stdout")"
	contains "4 /etc/group" "$(cat "$WORK/stdout")"
	equals "$(wc -l <"$WORK/stdout")" 5
}

@test "--preserve-fds of a closed fd is an error that names it" {
	requires ours
	status=0
	"$RUNTIME" --root "$ROOT" run -b "$BUNDLE" --preserve-fds 20 "$ID" 2>"$WORK/stderr" 3>&- || status=$?
	equals "$status" 1
	contains "to preserve is not open" "$(cat "$WORK/stderr")"
}

@test "LISTEN_FDS are passed on, in front of preserved ones" {
	probe fds then env
	status=0
	sh -c "LISTEN_FDS=1 LISTEN_PID=\$\$ exec '$RUNTIME' --root '$ROOT' run -b '$BUNDLE' --preserve-fds 1 $ID" \
		>"$WORK/stdout" 3</etc/hosts 4</etc/group || status=$?
	equals "$status" 0
	contains "3 /etc/hosts" "$(cat "$WORK/stdout")"
	contains "4 /etc/group" "$(cat "$WORK/stdout")"
	contains "LISTEN_FDS=1" "$(cat "$WORK/stdout")"
	contains "LISTEN_PID=1" "$(cat "$WORK/stdout")"
	# not for us
	LISTEN_FDS=1 LISTEN_PID=1 probe_run env
	lacks LISTEN "$stdout"
}

@test "closed standard streams do not end up in the container" {
	requires ours
	probe fds then write /tmp/out
	config_set '.root.readonly = false'
	status=0
	"$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" <&- >"$WORK/stdout" 2>&- 3>&- || status=$?
	equals "$status" 0
	contains "0 /dev/null" "$(cat "$WORK/stdout")"
	contains "2 /dev/null" "$(cat "$WORK/stdout")"
}
