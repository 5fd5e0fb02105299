#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# sd_notify(3) from the container to the service manager: as runc does it.
load helpers

# A manager at $1: each message as a line of $WORK/told, its own newlines as "|".
start_manager() {
	python3 - "$1" >"$WORK/told" 3>&- <<-'END' &
		import os, socket, sys
		name = sys.argv[1]
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind("\0" + name[1:] if name[0] == "@" else name)
		print("listening", flush=True)
		while True:
		    text, fds, flags, address = socket.recv_fds(s, 4096, 4)
		    print(text.decode().replace("\n", "|"), flush=True)
		    for fd in fds:
		        os.close(fd)
	END
	BACKGROUND+=($!)
	wait_for 5 grep -q listening "$WORK/told"
	export NOTIFY_SOCKET=$1
}

told() {
	tail -n +2 "$WORK/told"
}

# hears TEXT [LINES]: the manager, all in all or as the last lines; it takes a moment to write them down
hears() {
	wait_for 5 hears_now "$@" || equals "$(told)" "$1"
}

hears_now() {
	[ "$(told | tail -n "${2:-+1}")" = "$1" ]
}

setup_notify() {
	requires ours program python3
	mkdir -p "$ROOTFS/run"
	start_manager "$WORK/manager"
}

@test "start waits for readiness, and tells the manager the process" {
	setup_notify
	probe env then notify "STATUS=warming up" then sleep 1 then notify "FOO=1" "READY=1" "STATUS=here" then sleep
	ok create -b "$BUNDLE" "$ID"
	equals "$(told)" ""
	ok start "$ID"
	hears "STATUS=warming up
READY=1|STATUS=here|MAINPID=$(container_pid)
BARRIER=1"
	# start is at its end, and keeps nobody from the container
	ok exec "$ID" /bin/probe env
	lacks NOTIFY_SOCKET "$stdout"
}

@test "the container has the socket's folder, read-only, and its name" {
	setup_notify
	probe env then stat /run/notify/notify.sock then write /run/notify/x
	rt run -b "$BUNDLE" "$ID"
	contains "NOTIFY_SOCKET=/run/notify/notify.sock" "$stdout"
	contains "/run/notify/notify.sock 140777" "$stdout"
	contains "Read-only file system" "$stderr"
	lacks "$NOTIFY_SOCKET" "$stdout"
}

@test "a container that ends without a word does not hold start" {
	setup_notify
	probe true
	ok create -b "$BUNDLE" "$ID"
	ok start "$ID"
	equals "$(told)" ""
}

@test "others may act on a container that is not ready yet" {
	setup_notify
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	"$RUNTIME" --root "$ROOT" start "$ID" 3>&- &
	starter=$!
	wait_for 5 is_status running
	ok exec "$ID" /bin/probe true
	ok kill "$ID" KILL
	wait "$starter"
}

@test "run passes everything on and is the service itself; detached it waits like start" {
	setup_notify
	probe notify "READY=1" then notify "MAINPID=1" "STOPPING=1" then notify "FDSTORE=1"
	ok run -b "$BUNDLE" "$ID"
	hears $'READY=1\nBARRIER=1\nSTOPPING=1'
	probe notify "READY=1" then sleep
	ok run -d -b "$BUNDLE" "$ID"
	hears "READY=1|MAINPID=$(container_pid)
BARRIER=1" 2
}

@test "an abstract socket of the manager" {
	requires ours program python3
	mkdir -p "$ROOTFS/run"
	start_manager "@orlop-test-$ID"
	probe notify "READY=1"
	ok run -b "$BUNDLE" "$ID"
	hears $'READY=1\nBARRIER=1'
}

@test "a manager that is gone is a warning; a variable of config.json is left alone" {
	requires ours
	mkdir -p "$ROOTFS/run"
	export NOTIFY_SOCKET=$WORK/nobody
	probe notify "READY=1"
	ok run -b "$BUNDLE" "$ID"
	contains "the service manager cannot be told" "$stderr"
	config_set '.process.env += ["NOTIFY_SOCKET=/their/own"]'
	probe env
	ok run -b "$BUNDLE" "$ID"
	contains "NOTIFY_SOCKET=/their/own" "$stdout"
	[ ! -e "$ROOTFS/run/notify" ] || [ -z "$(ls -A "$ROOTFS/run/notify")" ]
}

@test "in a user namespace" {
	requires ours root user_namespace program python3
	mkdir -p "$ROOTFS/run"
	chown -R 100000:100000 "$ROOTFS"
	start_manager "$WORK/manager"
	config_set '.linux.namespaces += [{ type: "user" }] | .process.user = { uid: 7, gid: 7 }
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	probe notify "READY=1"
	ok run -b "$BUNDLE" "$ID"
	hears $'READY=1\nBARRIER=1'
}
