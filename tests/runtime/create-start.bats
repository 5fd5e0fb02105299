#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# create and start: the states in between, the gate, what is told to whom.
load helpers

@test "create, start, end, delete go through created, running, stopped" {
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	is_status created
	[ "$(container_pid)" -gt 0 ]
	ok start "$ID"
	is_status running
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
	fails state "$ID"
}

@test "the payload does nothing before start" {
	config_set '.root.readonly = false'
	probe write /tmp/ran
	ok create -b "$BUNDLE" "$ID"
	# it waits, and not for having done it
	wait_for 5 grep -q '^State:.S' "/proc/$(container_pid)/status"
	[ ! -e "$ROOTFS/tmp/ran" ]
	ok start "$ID"
	wait_for 5 test -e "$ROOTFS/tmp/ran"
}

@test "start refuses a container that runs or has stopped" {
	start_container
	fails start "$ID"
	contains "cannot start an already running container"
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	fails start "$ID"
	contains "cannot start a container that has stopped"
}

# answered_by TEXT: start, with somebody at the fifo in init's place who says that
answered_by() {
	ok create -b "$BUNDLE" "$ID"
	kill -KILL "$(container_pid)"
	wait_for 5 is_status stopped
	sh -c ': >"$0.ready"; exec >"$1"; printf 0; cat "$0"' "$1" "$ROOT/$ID/exec.fifo" 3>&- &
	BACKGROUND+=($!)
	wait_for 5 test -e "$1.ready"
	wait_for 5 grep -q '^State:.S' "/proc/$!/status" # until somebody reads
	local start
	start=$(cut -d ')' -f 2- "/proc/$!/stat" | cut -d ' ' -f 21)
	jq -c ".pid = $! | .startTime = $start | del(.pidfdInode)" "$ROOT/$ID/state.json" >"$WORK/state.json"
	cp "$WORK/state.json" "$ROOT/$ID/state.json"
	is_status created
	fails start "$ID"
	rm "$1.ready"
	"$RUNTIME" --root "$ROOT" delete --force "$ID" 3>&-
}

@test "start says so when init is another version of the program, and does not take its words" {
	requires ours root
	local size
	for size in 5000 5412 5420 20000; do
		head -c $size /dev/zero | tr '\0' x >"$WORK/said"
		answered_by "$WORK/said"
		contains "created by another version of this program"
		lacks xxx
	done
	printf cut >"$WORK/said"
	answered_by "$WORK/said"
	contains "ended before its start"
}

@test "without a process a container is created, with all else, and start and run refuse it" {
	config_set 'del(.process) | .hostname = "inside"'
	ok create -b "$BUNDLE" "$ID"
	wait_for 5 is_status created
	ok exec "$ID" /bin/probe hostname # everything but the process is there
	[[ $stdout == *inside* ]]
	fails start "$ID"
	contains "/process: process property must not be empty"
	wait_for 5 is_status stopped
	ok delete "$ID"
	fails run -b "$BUNDLE" "$ID"
	contains "run failed: /process: process property must not be empty"
	refute test -e "$ROOT/$ID"
}

@test "start of an unknown container says so" {
	fails start "$ID"
	contains "does not exist"
}

@test "start does not hang when init was killed before" {
	probe true
	ok create -b "$BUNDLE" "$ID"
	kill -KILL "$(container_pid)"
	wait_for 5 is_status stopped
	fails start "$ID"
}

@test "config.json may change after create" {
	config_set '.root.readonly = false'
	probe write /tmp/first
	ok create -b "$BUNDLE" "$ID"
	probe write /tmp/second
	ok start "$ID"
	wait_for 5 test -e "$ROOTFS/tmp/first"
	[ ! -e "$ROOTFS/tmp/second" ]
}

@test "create fails when the program is missing, with the words that callers know" {
	process_args /bin/nothing
	fails create -b "$BUNDLE" "$ID"
	contains "no such file or directory"
	process_args nothing
	fails create -b "$BUNDLE" "$ID"
	contains 'exec: "nothing": executable file not found in $PATH'
	[ ! -e "$ROOT/$ID" ]
}

@test "create fails when the program cannot be executed" {
	printf 'text' >"$ROOTFS/bin/text"
	process_args /bin/text
	fails create -b "$BUNDLE" "$ID"
	contains "permission denied"
	process_args /bin
	fails create -b "$BUNDLE" "$ID"
	contains "is a directory: permission denied"
}

@test "start reports an exec that fails after the gate" {
	requires ours
	printf '#!/bin/nothing\n' >"$ROOTFS/bin/script"
	chmod 755 "$ROOTFS/bin/script"
	process_args /bin/script
	ok create -b "$BUNDLE" "$ID"
	fails start "$ID"
	contains "exec /bin/script: no such file or directory"
	wait_for 5 is_status stopped
}

@test "run reports the same errors of exec" {
	process_args /bin/nothing
	fails run -b "$BUNDLE" "$ID"
	contains "no such file or directory"
	process_args /bin
	fails run -b "$BUNDLE" "$ID"
	contains "is a directory: permission denied"
	printf 'text' >"$ROOTFS/bin/text"
	process_args text
	fails run -b "$BUNDLE" "$ID"
	contains "permission denied"
	chmod 755 "$ROOTFS/bin/text"
	fails run -b "$BUNDLE" "$ID"
	contains "exec format error"
	[ ! -e "$ROOT/$ID" ]
}

@test "create runs init in its own session as pid 1" {
	probe_run pid
	contains "pid=1 ppid=0 sid=1" "$stdout"
}

@test "create keeps only what it must open in the waiting init" {
	requires ours
	probe true
	exec 7</etc/passwd
	ok --log "$WORK/log" --debug create -b "$BUNDLE" "$ID"
	exec 7<&-
	ls -l "/proc/$(container_pid)/fd" | awk 'NR > 1 { print $9, $11 }' | sort -n >"$WORK/fds"
	cat "$WORK/fds"
	# the standard streams, the gate and the fd through which it is opened
	equals "$(wc -l <"$WORK/fds")" 5
	grep -q "exec.fifo$" "$WORK/fds"
	grep -q "/proc/$(container_pid)$" "$WORK/fds"
}

@test "the payload has its standard streams and nothing else" {
	probe fds
	exec 7</etc/passwd
	ok --log "$WORK/log" run -b "$BUNDLE" "$ID"
	exec 7<&-
	equals "$(wc -l <"$WORK/stdout")" 3
}

@test "create --pidfd-socket sends a pidfd with the payload \"standard\"" {
	requires ours
	probe sleep
	"$RECVTTY" -n "$WORK/socket" >"$WORK/received" 3>&- &
	wait_for 5 test -S "$WORK/socket"
	ok create -b "$BUNDLE" --pidfd-socket "$WORK/socket" "$ID"
	wait
	contains "payload standard" "$(cat "$WORK/received")"
	contains "[pidfd]" "$(cat "$WORK/received")"
}

@test "the annotation run.oci.pidfd_receiver is the same; the option goes before it" {
	requires ours
	config_set '.annotations["run.oci.pidfd_receiver"] = $path' --arg path "$WORK/annotated"
	probe true
	"$RECVTTY" -n "$WORK/annotated" >"$WORK/received" 3>&- &
	wait_for 5 test -S "$WORK/annotated"
	ok run -b "$BUNDLE" "$ID"
	wait
	contains "payload standard" "$(cat "$WORK/received")"
	rm "$WORK/annotated"
	"$RECVTTY" -n "$WORK/given" >"$WORK/received" 3>&- &
	wait_for 5 test -S "$WORK/given"
	ok run -b "$BUNDLE" --pidfd-socket "$WORK/given" "$ID"
	wait
	contains "payload standard" "$(cat "$WORK/received")"
}

@test "hostname, domain name and working directory are set" {
	config_set '.hostname = "inside" | .domainname = "example" | .process.cwd = "/tmp/made/here"
		| .root.readonly = false'
	probe_run hostname then cwd
	contains "inside example" "$stdout"
	contains "/tmp/made/here" "$stdout"
	[ -d "$ROOTFS/tmp/made/here" ]
}

@test "a working directory that climbs stays inside" {
	config_set '.process.cwd = "/../../../../tmp"'
	probe_run cwd
	equals "$stdout" /tmp
}

@test "the environment is what config.json says, with HOME from the image" {
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:7:7::/home/user:/bin/sh\n' >"$ROOTFS/etc/passwd"
	config_set '.process.env = ["PATH=/bin", "A=1", "A=2", "B=x=y"] | .process.user = { "uid": 7, "gid": 7 }'
	CALLERS=1 probe_run env
	equals "$(sort <"$WORK/stdout" | tr '\n' ' ')" "A=2 B=x=y HOME=/home/user PATH=/bin "
}

@test "HOME is / without a passwd file and stays as given" {
	probe_run env
	contains "HOME=/" "$stdout"
	config_set '.process.env += ["HOME=/x"]'
	probe_run env
	contains "HOME=/x" "$stdout"
}

@test "umask is 022 unless given" {
	probe_run umask
	equals "$stdout" 0022
	config_set '.process.user.umask = 63'
	probe_run umask
	equals "$stdout" 0077
}

@test "personality is set" {
	requires ours
	[ "$(setarch linux32 uname -m)" = i686 ] || skip "needs a kernel that does it (user-mode-linux does not)"
	config_set '.linux.personality = { "domain": "LINUX32" }'
	probe_run hostname
	contains i686 "$stdout"
}

@test "rlimits are set, also a number of files that is less than init needs" {
	config_set '.process.rlimits = [
		{ "type": "RLIMIT_NOFILE", "soft": 4, "hard": 5 },
		{ "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
		{ "type": "RLIMIT_FSIZE", "soft": 4096, "hard": 8192 } ]'
	probe_run rlimit 7 4 1
	equals "$stdout" $'7 4 5\n4 0 0\n1 4096 8192'
}
