#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Failure: what create undoes, what survives a SIGKILL, what hostile input does.
load helpers

no_processes() {
	refute grep -qs "/$ID\$" /proc/[0-9]*/cgroup
}

@test "a create that fails leaves nothing, wherever it fails" {
	requires ours
	cp "$BUNDLE/config.json" "$WORK/good.json"
	local breakages=(
		'.ociVersion = "2.0.0"'
		'.root.path = "nowhere"'
		'.process.args = ["/nothing"]'
		'.process.cwd = "relative"'
		'.mounts += [{ destination: "/tmp", type: "bind", source: "/nowhere", options: ["bind"] }]'
		'.mounts += [{ destination: "/tmp", type: "nofs", source: "x" }]'
		'.linux.sysctl = { "net.nothing": "1" }'
		'.hooks.createRuntime = [{ path: "/bin/false" }]'
		'.hooks.createContainer = [{ path: "/bin/false" }]'
		'.linux.devices = [{ path: "/bin/probe", type: "c", major: 1, minor: 3 }]'
		'.linux.namespaces += [{ type: "network", path: "/nowhere" }]'
		'.process.user.additionalGids = [4294967295]'
		'.linux.cgroupsPath = "/.."'
		'.hostname = ("x" * 100)'
	)
	for breakage in "${breakages[@]}"; do
		cp "$WORK/good.json" "$BUNDLE/config.json"
		config_set "$breakage"
		fails create -b "$BUNDLE" "$ID"
		[ -n "$stderr" ]
		equals "$(wc -l <"$WORK/stderr")" 1
		equals "$(traces)" ""
	done
	cp "$WORK/good.json" "$BUNDLE/config.json"
	probe_run echo still
	equals "$stdout" still
}

@test "a pid file or pidfd socket that cannot be written undoes create" {
	probe sleep
	fails create -b "$BUNDLE" --pid-file /nowhere/pid "$ID"
	equals "$(traces)" ""
	fails create -b "$BUNDLE" --pidfd-socket "$WORK/no-socket" "$ID"
	equals "$(traces)" ""
}

@test "a pid file that is a pipe: its reader gets the pid, without one nothing hangs" {
	requires ours
	local pid
	mkfifo "$WORK/pid"
	probe sleep
	fails create -b "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	contains "nobody reads the pipe \"$WORK/pid\" (open it for reading before, or name a file)"
	equals "$(traces)" ""
	exec {reader}<>"$WORK/pid"
	ok create -b "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	read -r -N "$(container_pid | tr -d '\n' | wc -c)" -t 5 pid <&$reader
	exec {reader}<&-
	equals "$pid" "$(container_pid)"
	ok start "$ID"
	FAILS_WITH=255 fails exec -d --pid-file "$WORK/pid" "$ID" /bin/probe sleep
	contains "nobody reads the pipe"
	[ -p "$WORK/pid" ]
}

# stopped_call FILE: the pid of who is stopped, by strace, behind its call
stopped_call() {
	grep -s 'stopped by SIGSTOP' "$1" | cut -d' ' -f1 | grep .
}

# left_by_reader VERB ...: runs it with a pipe as pid file, whose reader leaves when it has been opened
left_by_reader() {
	local pid reader tracer status=0
	rm -f "$WORK/trace"
	sleep "$NAP" <"$WORK/pid" 3>&- &
	reader=$!
	exec {writer}>"$WORK/pid" {writer}>&- # returns when it has opened it
	strace -f -P "$WORK/pid" -e trace=openat -e inject=openat:signal=STOP -o "$WORK/trace" \
		"$RUNTIME" --root "$ROOT" "$1" --pid-file "$WORK/pid" "${@:2}" >"$WORK/stdout" 2>"$WORK/stderr" 3>&- &
	tracer=$!
	BACKGROUND+=("$reader" "$tracer")
	wait_for 5 stopped_call "$WORK/trace"
	pid=$(stopped_call "$WORK/trace")
	kill $reader
	wait $reader || true
	kill -CONT "$pid"
	wait $tracer || status=$?
	cat "$WORK/trace" "$WORK/stderr"
	equals $status "${FAILS_WITH:-1}"
	contains "pid file: write \"$WORK/pid\": broken pipe" "$(<"$WORK/stderr")"
}

@test "the reader of a pid file that leaves before it is written undoes create and exec, by no signal" {
	requires ours program strace
	mkfifo "$WORK/pid"
	probe sleep
	left_by_reader create -b "$BUNDLE" "$ID"
	equals "$(traces)" ""
	ok create -b "$BUNDLE" "$ID"
	ok start "$ID"
	FAILS_WITH=255 left_by_reader exec -d "$ID" /bin/probe sleep "$NAP"
	wait_for 5 no_sleepers "$NAP"
	is_status running
}

@test "standard streams that nobody reads any more: lines of the log are lost, a document is an error, nothing is killed" {
	requires ours
	mkfifo "$WORK/pipe"
	exec {both}<>"$WORK/pipe" {broken}>"$WORK/pipe" {both}>&-
	run_broken() {
		status=0
		"$RUNTIME" --root "$ROOT" "$@" 3>&- || status=$?
	}
	probe sleep
	config_set '.linux.resources.memory = { "swappiness": 5 }' # a warning
	run_broken create -b "$BUNDLE" "$ID" 2>&$broken
	equals $status 0
	is_status created
	ok delete --force "$ID"
	# the container's side has lines of its own, until the end
	run_broken --debug create -b "$BUNDLE" "$ID" 2>&$broken
	equals $status 0
	ok start "$ID"
	is_status running
	run_broken state "$ID" >&$broken 2>"$WORK/stderr"
	equals $status 1
	contains "write to stdout: broken pipe" "$(<"$WORK/stderr")"
	exec {broken}>&-
}

@test "create dies with what init did when the host side is killed" {
	requires ours
	# createRuntime hooks hold create in the middle
	config_set '.hooks.createRuntime = [{ path: "/bin/sleep", args: ["sleep", $nap] }]' --arg nap "$NAP"
	"$RUNTIME" --root "$ROOT" create -b "$BUNDLE" "$ID" 2>/dev/null 3>&- &
	wait_for 10 sleepers "$NAP"
	kill -KILL $!
	wait $! || true
	# init notices the end of the socket
	wait_for 5 no_processes
	ok delete --force "$ID"
	equals "$(traces)" ""
	kill $(sleepers "$NAP")
}

# killed_at_random VERB...: start it, kill it after a random while, clean up
killed_at_random() {
	local rounds=$1

	shift
	mkdir -p "$ROOT"
	for ((i = 0; i < rounds; i++)); do
		setsid "$RUNTIME" --root "$ROOT" "$@" >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.0$(printf '%02d' $((RANDOM % 40)))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		"$RUNTIME" --root "$ROOT" list -q >/dev/null 3>&-
		"$RUNTIME" --root "$ROOT" delete --force "$ID" 3>&- || return 1
		wait_for 5 nothing_left || return 1
	done
}

@test "create killed at random moments leaves what delete --force removes" {
	requires ours
	probe sleep
	killed_at_random "${ORLOP_KILLS:-50}" create -b "$BUNDLE" "$ID"
}

@test "run killed at random moments leaves what delete --force removes" {
	requires ours
	probe sleep 0
	killed_at_random "${ORLOP_KILLS:-50}" run -b "$BUNDLE" "$ID"
}

@test "start and delete killed at random moments leave a container that can be deleted" {
	requires ours
	probe sleep
	for ((i = 0; i < ${ORLOP_KILLS:-10}; i++)); do
		ok create -b "$BUNDLE" "$ID"
		"$RUNTIME" --root "$ROOT" start "$ID" 2>/dev/null 3>&- &
		sleep "0.00$((RANDOM % 10))"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		"$RUNTIME" --root "$ROOT" delete --force "$ID" 2>/dev/null 3>&- &
		sleep "0.00$((RANDOM % 10))"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		ok delete --force "$ID"
		wait_for 5 nothing_left
	done
}

@test "two creates of the same id at once: one wins" {
	probe sleep
	for i in 1 2 3 4 5; do
		"$RUNTIME" --root "$ROOT" create -b "$BUNDLE" "$ID" 2>"$WORK/one" 3>&- &
		one=$!
		"$RUNTIME" --root "$ROOT" create -b "$BUNDLE" "$ID" 2>"$WORK/two" 3>&- &
		two=$!
		won=0
		wait $one && won=$((won + 1))
		wait $two && won=$((won + 1))
		equals "$won" 1
		cat "$WORK/one" "$WORK/two" | grep -q "already exists"
		is_status created
		ok delete --force "$ID"
	done
}

@test "hostile configurations are errors, not crashes" {
	requires ours
	for text in '' '{' '[]' 'null' '"x"' '{"ociVersion":1}' '{"ociVersion":"1.0.0"}' '{"ociVersion":"1.0.0","process":[]}' \
		'{"ociVersion":"1.0.0","root":{"path":"rootfs"},"process":{"args":["\u0000"],"cwd":"/"}}'; do
		printf '%s' "$text" >"$BUNDLE/config.json"
		fails run -b "$BUNDLE" "$ID"
		equals "$(traces)" ""
	done
	head -c 100000 /dev/zero | tr '\0' '[' >"$BUNDLE/config.json"
	fails run -b "$BUNDLE" "$ID"
	equals "$(traces)" ""
}

@test "an unwritable state directory is a clear error" {
	status=0
	"$RUNTIME" --root /proc/nowhere run -b "$BUNDLE" "$ID" 2>"$WORK/stderr" 3>&- || status=$?
	equals "$status" 1
	contains "/proc/nowhere" "$(cat "$WORK/stderr")"
}

@test "damaged state is an error that names the container" {
	requires ours
	start_container
	cp "$ROOT/$ID/state.json" "$WORK/good.json"
	printf '{"version":99,"id":"x","bundle":"/"}' >"$ROOT/$ID/state.json"
	fails state "$ID"
	contains "version 99"
	head -c 50 "$WORK/good.json" >"$ROOT/$ID/state.json"
	fails state "$ID"
	contains "$ID"
	cp "$WORK/good.json" "$ROOT/$ID/state.json"
	is_status running
}

# The state folder on a file system of its own, in a mount namespace of its own: SCRIPT runs there.
in_small_state() {
	mkdir -p "$ROOT"
	RUNTIME=$RUNTIME ROOT=$ROOT BUNDLE=$BUNDLE ID=$ID WORK=$WORK CGROUP_ROOT=$CGROUP_ROOT \
		unshare -m --propagation private bash -euc '
		mount -t tmpfs -o "mode=711,$1" tmpfs "$ROOT"
		rt() { "$RUNTIME" --root "$ROOT" "$@" </dev/null >"$WORK/out" 2>"$WORK/err" 3>&-; }
		trap "for id in $ID $ID-2; do rt delete --force \$id; done" EXIT
		say() { echo "$*" >&2; cat "$WORK/err" >&2; exit 1; }
		eval "$2"' bash "$1" "$2" 3>&-
}

@test "a state folder that is full: create fails with the reason, what runs can be ended" {
	requires root ours
	probe sleep
	# so many pages are left for the second container: none, one, two ... until it fits
	in_small_state size=128k '
		rt create -b "$BUNDLE" "$ID" || say "the first"
		for left in 0 1 2 3 4 5 6 7 8 9; do
			rm -f "$ROOT/.fill"
			head -c $((4096 * left)) /dev/zero >"$ROOT/.room"
			head -c 200000 /dev/zero >"$ROOT/.fill" 2>/dev/null || true
			rm "$ROOT/.room"
			if rt create -b "$BUNDLE" "$ID-2"; then
				rt delete --force "$ID-2" || say "delete the one that fitted"
				fitted=$left
				break
			fi
			grep -q "no space left on device" "$WORK/err" || say "another reason ($left)"
			[ "$(wc -l <"$WORK/err")" = 1 ] || say "more than a line ($left)"
			[ ! -e "$ROOT/$ID-2" ] || say "left behind ($left)"
			[ ! -e "$CGROUP_ROOT/orlop/$ID-2" ] || say "cgroup left behind ($left)"
		done
		[ "${fitted:-0}" -ge 2 ] || say "it fitted into ${fitted:-nothing}"
		head -c 200000 /dev/zero >"$ROOT/.more" 2>/dev/null || true
		rt start "$ID" || say start
		rt exec "$ID" /bin/probe true || say exec
		rt kill "$ID" KILL || say kill
		rt delete --force "$ID" || say delete
		[ ! -e "$ROOT/$ID" ] || say "not deleted"'
}

@test "a state folder without room for another file: create fails with the reason" {
	requires root ours
	probe sleep
	in_small_state size=1m,nr_inodes=20 '
		for room in 0 1 2 3 4 5 6 7 8; do
			for file in $(seq 30); do : >"$ROOT/.$file" 2>/dev/null || break; done
			for file in $(seq $room); do rm "$ROOT/.$file"; done
			if rt create -b "$BUNDLE" "$ID"; then
				rt delete --force "$ID" || say delete
				fitted=$room
				break
			fi
			grep -q "no space left on device" "$WORK/err" || say "another reason ($room)"
			[ ! -e "$ROOT/$ID" ] || say "left behind ($room)"
		done
		[ "${fitted:-0}" -ge 3 ] || say "it fitted into ${fitted:-nothing}"'
}
