#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Older kernels and stricter sandboxes: system calls that are not there, or not allowed.
load helpers

@test "the helper makes the calls fail that it is told, and no others" {
	run "$FAILCALL" chdir,statx:4=1 EROFS bash -c 'cd /; echo "status $?"'
	contains "Read-only file system"
	contains "status 1"
	run "$FAILCALL" kill:1=0 38 bash -c 'kill -0 $$ || echo refused; kill -CONT $$ && echo sent'
	contains refused
	contains sent
	run "$FAILCALL" nonsense EPERM true
	equals "$status" 125
	run "$FAILCALL" 62 E2SMALL true
	equals "$status" 125
	run "$FAILCALL" keyctl:6=0 EPERM true
	equals "$status" 125
}

@test "a kernel without keyrings is no reason to fail, a refusal is" {
	requires ours
	RT_UNDER=("$FAILCALL" keyctl ENOSYS)
	probe_run echo alive
	equals "$stdout" alive
	RT_UNDER=("$FAILCALL" keyctl EDQUOT)
	fails run -b "$BUNDLE" "$ID"
	contains "join session keyring \"_ses.$ID\": disk quota exceeded"
}

# sealed_by CALL...: the exec verb under strace runs itself again by these calls, in this order
sealed_by() {
	strace -f -o "$WORK/trace" -e trace=memfd_create,execveat,execve,open_tree,mount_setattr \
		"${RT_UNDER[@]}" "$RUNTIME" --root "$ROOT" exec "$ID" /bin/probe echo alive >"$WORK/out" 2>&1 3>&-
	equals "$(cat "$WORK/out")" alive
	# up to where the second execution is, and without what came to nothing
	equals "$(sed -nE 's/^[0-9]+ +([a-z_]+)\(.* = [0-9].*/\1/p; /execveat\(.* = 0/q' "$WORK/trace" |
		grep -v '^execve$' | tr '\n' ' ')" "$* "
}

@test "sealing: from a mount where that can be cloned, else from memory, also before MFD_EXEC" {
	requires root ours program strace
	cp "$RUNTIME" "$WORK/runtime" # on a mount that can be written to
	start_container
	RUNTIME=$WORK/runtime
	sealed_by open_tree mount_setattr execveat
	for call in open_tree mount_setattr; do
		for errnum in ENOSYS EPERM; do
			RT_UNDER=("$FAILCALL" $call $errnum)
			sealed_by $([ $call = open_tree ] || echo open_tree open_tree) memfd_create execveat
		done
	done
	# 19 is MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_EXEC
	RT_UNDER=("$FAILCALL" open_tree ENOSYS "$FAILCALL" memfd_create:1=19 EINVAL)
	sealed_by memfd_create execveat
	# a copy that cannot be executed is an error that says so
	RT_UNDER=("$FAILCALL" open_tree ENOSYS "$FAILCALL" memfd_create EPERM)
	FAILS_WITH=255 fails exec "$ID" /bin/probe true
	contains "exec failed: create a memory file for the runtime: operation not permitted"
	# where the caller looks for it
	for verb in create run; do
		fails --log "$WORK/log" --log-format json $verb -b "$BUNDLE" "$ID-2"
		equals "$(jq -r .msg "$WORK/log")" \
			"orlop-runtime $verb failed: create a memory file for the runtime: operation not permitted"
		rm "$WORK/log"
	done
}

# traces: what is left of this test's containers
traces() {
	ls -A "$ROOT" 2>/dev/null
	find "$CGROUP_ROOT" -type d -path "*$ID*"
	grep -ls "/$ID\$" /proc/[0-9]*/cgroup
	true
}

@test "calls that Linux 5.14 has and nothing can replace: one line that says what failed, nothing left" {
	requires root ours
	while read -r call words; do
		for errnum in ENOSYS EPERM; do
			RT_UNDER=("$FAILCALL" "$call" $errnum)
			fails run -b "$BUNDLE" "$ID"
			equals "$(wc -l <"$WORK/stderr")" 1
			contains "$words" "$stderr"
			case $errnum in
			ENOSYS) contains ": function not implemented" "$stderr" ;;
			EPERM) contains "peration not permitted" "$stderr" ;;
			esac
			equals "$(traces)" ""
		done
	done <<-END
		clone3 create the container's process
		close_range close file descriptors
		fsopen file system type "proc"
		fsconfig create the file system "proc"
		fsmount mount the file system "proc"
		open_tree open the rootfs
		move_mount mount the rootfs
		mount_setattr read-only
		openat2 open "/proc"
		unshare create a network namespace
		pivot_root pivot_root to
		umount2 unmount the old root
		setns network namespace
		capset set the capabilities
	END
}

@test "calls that start, kill and delete cannot do without are named, too" {
	requires root ours
	start_container
	RT_UNDER=("$FAILCALL" pidfd_send_signal ENOSYS)
	fails kill "$ID" KILL
	contains "send signal 9 to process"
	RT_UNDER=("$FAILCALL" setns EPERM)
	FAILS_WITH=255 fails exec "$ID" /bin/probe true
	contains "join the namespaces of the container: operation not permitted"
	RT_UNDER=("$FAILCALL" clone3 ENOSYS)
	FAILS_WITH=255 fails exec "$ID" /bin/probe true
	contains "create the container's process: function not implemented"
	RT_UNDER=()
	is_status running
	ok exec "$ID" /bin/probe true
}
