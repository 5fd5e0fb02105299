#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pause and resume: which states they take, and that the processes really stand still.
load helpers

# The processes are those of one cgroup file.
is_frozen() {
	grep -qx "frozen $1" "$CGROUP_ROOT/orlop/$ID/cgroup.events"
}

@test "a paused container stands still until it is resumed" {
	requires ours
	start_container trap
	wait_for 5 grep -q ready "$WORK/stdout"
	ok pause "$ID"
	equals "$output" ""
	is_frozen 1
	equals "$(container_status)" paused
	# a signal other than SIGKILL has to wait
	ok kill "$ID" USR1
	equals "$(container_status)" paused
	fails start "$ID"
	FAILS_WITH=255 fails exec "$ID" /bin/probe true
	contains "cannot exec in a paused container"
	ok resume "$ID"
	is_frozen 0
	wait_for 5 is_status stopped
}

@test "pause and resume say when there is nothing for them to do" {
	fails pause "$ID"
	contains "container does not exist"
	fails resume "$ID"
	contains "container does not exist"
	start_container
	fails resume "$ID"
	contains "container not paused"
	ok pause "$ID"
	fails pause "$ID"
	contains "container not running"
	ok resume "$ID"
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	fails pause "$ID"
	contains "container not running"
	fails resume "$ID"
	contains "container not paused"
}

@test "a container that was only created can be paused, and is started after that" {
	requires ours
	probe true
	ok create -b "$BUNDLE" "$ID"
	ok pause "$ID"
	equals "$(container_status)" paused
	fails start "$ID"
	contains "cannot start a paused container"
	ok resume "$ID"
	equals "$(container_status)" created
	ok start "$ID"
	wait_for 5 is_status stopped
}

@test "SIGKILL and delete --force end a paused container" {
	start_container
	ok pause "$ID"
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
	start_container
	ok pause "$ID"
	fails delete "$ID"
	contains "not stopped: paused"
	ok delete --force "$ID"
}

@test "pause leaves alone a container that was made under its id in the meantime" {
	requires ours program strace
	local pauser status=0
	start_container
	# stopped where it asks for the status of the first one
	strace -f -P "$CGROUP_ROOT/orlop/$ID/cgroup.events" -e trace=openat -e inject=openat:signal=STOP:when=1 \
		-o "$WORK/trace" "$RUNTIME" --root "$ROOT" pause "$ID" >"$WORK/said" 2>&1 3>&- &
	pauser=$!
	BACKGROUND+=("$pauser")
	wait_for 5 grep -qs 'stopped by SIGSTOP' "$WORK/trace"
	ok delete --force "$ID"
	start_container
	kill -CONT "$(awk '/stopped by SIGSTOP/ { print $1 }' "$WORK/trace")"
	wait "$pauser" || status=$?
	BACKGROUND=()
	cat "$WORK/trace" "$WORK/said"
	equals "$status" 1
	contains "container not running" "$(cat "$WORK/said")"
	is_frozen 0
	equals "$(container_status)" running
}

@test "pause reaches what the container has below its cgroup" {
	requires ours
	start_container
	mkdir "$CGROUP_ROOT/orlop/$ID/below"
	container_pid >"$CGROUP_ROOT/orlop/$ID/below/cgroup.procs"
	ok pause "$ID"
	grep -qx "frozen 1" "$CGROUP_ROOT/orlop/$ID/below/cgroup.events"
	ok resume "$ID"
	grep -qx "frozen 0" "$CGROUP_ROOT/orlop/$ID/below/cgroup.events"
}

@test "waiting for the freezer is sleeping in poll" {
	requires ours program strace
	start_container
	strace -o "$WORK/trace" -e trace=poll,pread64 "$RUNTIME" --root "$ROOT" pause "$ID" 3>&-
	[ "$(grep -c pread64 "$WORK/trace")" -le 4 ]
	ok resume "$ID"
}

@test "--reclaim takes memory back while nothing runs, and says how much" {
	requires root ours cgroup_controller memory
	disk=$(mountpoint -d /)
	[ -e "/sys/dev/block/$disk" ] || skip "needs a root file system on a disk"
	mkdir "/var/tmp/orlop-$ID"
	dd if=/dev/zero of="/var/tmp/orlop-$ID/file" bs=1M count=16 oflag=direct status=none
	config_set '.mounts += [{ "destination": "/data", "type": "bind", "source": $dir, "options": ["bind", "ro"] }]' \
		--arg dir "/var/tmp/orlop-$ID"
	start_container
	"$RUNTIME" --root "$ROOT" exec "$ID" /bin/probe cat /data/file >/dev/null 3>&-
	before=$(cat "$CGROUP_ROOT/orlop/$ID/memory.current")
	ok pause --reclaim "$ID"
	rm -r "/var/tmp/orlop-$ID"
	is_frozen 1
	echo "of $before bytes: $stdout"
	[ "$before" -gt 16777216 ]
	[ "$stdout" -gt 12000000 ]
	[ "$(cat "$CGROUP_ROOT/orlop/$ID/memory.current")" -lt 4194304 ]
	ok resume "$ID"
	ok exec "$ID" /bin/probe true
}

@test "--reclaim that cannot be leaves the container running" {
	requires root ours no_cgroup_controller memory
	start_container
	fails pause --reclaim "$ID"
	contains 'memory.reclaim needs the controller "memory"'
	equals "$(container_status)" running
}

@test "without a cgroup nothing can be paused" {
	requires ours
	RT_GLOBAL=(--cgroup-manager disabled)
	start_container
	RT_GLOBAL=()
	fails pause "$ID"
	contains "has no cgroup to freeze"
	fails pause --reclaim "$ID"
	contains "has no cgroup to freeze"
	equals "$(container_status)" running
}
