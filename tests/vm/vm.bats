#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The VM lane itself. ORLOP_VM_FULL=1 runs the same tests with QEMU.

bats_require_minimum_version 1.5.0

setup_file() {
	local kind=uml
	export LANE_SKIP=
	[ -z "${ORLOP_VM_FULL-}" ] || kind=full
	if [ "$(id -u)" != 0 ]; then
		LANE_SKIP="needs root"
	elif ! "$BATS_TEST_DIRNAME/images" $kind > /dev/null 2> "$BATS_FILE_TMPDIR/log"; then
		LANE_SKIP="no VM images: $(tail -n 1 "$BATS_FILE_TMPDIR/log")"
	fi
}

setup() {
	[ -z "$LANE_SKIP" ] || skip "$LANE_SKIP"
	kind=${ORLOP_VM_FULL:+full}
	kind_option=${kind:+--full}
	memory=$((800 + $$ % 100))	# tells our VMs from other people's
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	export ORLOP_BUILD=$BATS_TEST_TMPDIR/no-programs
	mkdir "$TMPDIR" "$ORLOP_BUILD"
}

teardown() {
	[ -z "$LANE_SKIP" ] || return 0
	nothing_left
}

# vm OPTION-OR-CMD...; fd 3 is bats' own
vm() {
	"$BATS_TEST_DIRNAME/run" $kind_option -m "$memory" "$@" 3>&-
}

monitors() {
	ps -e -o args= | grep -E "^/usr/bin/(linux.uml mem=${memory}M|qemu-system.* -m $memory )"
}

wait_for() {
	local tries=1800
	until "$@"; do
		[ $((tries -= 1)) -gt 0 ] || { echo "gave up waiting for: $*"; return 1; }
		sleep 0.1
	done
}

no_monitors() { ! monitors; }

nothing_left() {
	wait_for no_monitors
	[ -z "$(ls -A "$TMPDIR")" ]
	[ -z "$(find /dev/shm -name 'vm_file*')" ]	# user-mode-linux's memory
	run -1 grep -F "${ORLOP_CACHE:-/var/cache/orlop-dev}/vm/" /proc/self/mountinfo
}

@test "vm: with --systemd it is the first process, and the command is a service" {
	run -7 vm --systemd 'cat /proc/1/comm /proc/self/cgroup; systemctl is-active dbus.socket; id user; exit 7'
	[ "${lines[0]}" = systemd ]
	[ "${lines[1]}" = 0::/system.slice/vm.service ]
	[ "${lines[2]}" = active ]
}

@test "vm: the exit status is the command's" {
	run -0 vm true
	run -41 vm 'exit 41'
	run -137 vm 'kill -KILL $$'
}

@test "vm: one word is shell text, several are arguments" {
	run -0 --separate-stderr vm 'echo "$((2 + 3))" | tr 5 x'
	[ "$output" = x ]
	run -0 --separate-stderr vm printf '<%s>' 'a  b' '$HOME' "it's"
	[ "$output" = "<a  b><\$HOME><it's>" ]
}

@test "vm: both streams arrive whole and apart" {
	run -0 --separate-stderr vm 'seq 100000; echo "to stderr" >&2'
	[ "$(printf '%s\n' "$output" | md5sum)" = "$(seq 100000 | md5sum)" ]
	[ "$stderr" = "to stderr" ]
}

@test "vm: streams that are one for the caller stay in order" {
	run -0 vm 'for i in 1 2 3 4; do echo $i; echo e$i >&2; done'
	[ "$(echo $output)" = "1 e1 2 e2 3 e3 4 e4" ]
}

@test "vm: what a daemon of the command holds open delays nothing" {
	run -5 --separate-stderr vm -t 300 'sleep 1000 & setsid sleep 1000 & echo done; exit 5'
	[ "$output" = done ]
}

@test "vm: output streams, and a signal to the script ends everything" {
	local out=$BATS_TEST_TMPDIR/out pid status=0
	"$BATS_TEST_DIRNAME/run" $kind_option -m "$memory" 'echo begun; exec sleep 1000' \
		> "$out" 2>&1 3>&- &
	pid=$!
	wait_for grep -q begun "$out"
	monitors
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" = 143 ]
	nothing_left
}

@test "vm: SIGKILL of the script ends everything" {
	local out=$BATS_TEST_TMPDIR/out pid
	"$BATS_TEST_DIRNAME/run" $kind_option -m "$memory" 'echo begun; exec sleep 1000' \
		> "$out" 2>&1 3>&- &
	pid=$!
	wait_for grep -q begun "$out"
	kill -KILL "$pid"
	nothing_left
}

@test "vm: the time limit gives 124" {
	run -124 --separate-stderr vm -t 4 'exec sleep 1000'
	[ "$stderr" = "vm: stopped at the time limit of 4 s" ]
}

@test "vm: a panic in the guest gives 125 and the console" {
	run -125 vm 'echo c > /proc/sysrq-trigger; sleep 1000'
	[[ $output == *"vm: died: Kernel panic - not syncing: sysrq triggered crash"* ]]
	[[ $output == *"write_sysrq_trigger"* ]]
}

@test "vm: power-off or reboot by the command gives 125" {
	run -125 vm 'poweroff -f; sleep 1000'
	[[ $output == *"vm: died: it was powered off before the command ended"* ]]
	run -125 vm 'reboot -f; sleep 1000'
	[[ $output == *"vm: died: "* ]]
}

@test "vm: cgroup v2 is alone and has its controllers" {
	local want=(cpu io memory pids) name
	[ -z "$kind_option" ] || want+=(cpuset hugetlb misc rdma)
	run -0 --separate-stderr vm 'cd /sys/fs/cgroup
		stat -f -c %T .
		cat cgroup.subtree_control
		grep -c cgroup /proc/mounts
		grep cgroup /proc/mounts'
	[ "${lines[0]}" = cgroup2fs ]
	for name in "${want[@]}"; do
		[[ " ${lines[1]} " == *" $name "* ]]
	done
	[ "${lines[2]}" = 1 ]
	[[ ${lines[3]} == *nsdelegate*memory_recursiveprot* ]]
}

@test "vm: limits of a cgroup hold" {
	run -0 --separate-stderr vm 'cd /sys/fs/cgroup; mkdir a; echo 16M > a/memory.max
		(echo $BASHPID > a/cgroup.procs; exec tail /dev/zero)
		echo $?; grep oom_kill\  a/memory.events'
	[ "${lines[0]}" = 137 ]
	[ "${lines[1]}" = "oom_kill 1" ]
}

@test "vm: file systems, devices, modules and the loopback are there" {
	run -0 vm 'set -e
		for dir in /tmp /run /dev/shm; do [ $(stat -f -c %T $dir) = tmpfs ]; done
		[ $(stat -c %a /tmp) = 1777 ]
		mountpoint -q /dev/mqueue
		script -qec "test -t 0" /dev/null
		mkdir /root/a /root/b /root/c /root/d
		mount -t overlay -o lowerdir=/root/a,upperdir=/root/b,workdir=/root/c overlay /root/d
		ip link add v0 type veth peer name v1
		ip link add b0 type bridge
		ip link add d0 type dummy
		ping -V 2>/dev/null || ip addr show lo | grep -q 127.0.0.1
		test -c /dev/fuse
		losetup -f
		unshare --time true
		su user -c "unshare --user --map-root-user true"'
}

@test "vm: the trees are in their places, and the guest's writes stay there" {
	local top build=$BATS_TEST_TMPDIR/build
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)
	mkdir "$build"
	printf '#!/bin/sh\necho built\n' > "$build/program"
	chmod 755 "$build/program"
	: > "$build/object.o"
	ORLOP_BUILD=$build run -0 --separate-stderr vm 'pwd; "$ORLOP_BUILD/program"
		ls "$ORLOP_BUILD"; md5sum < tests/vm/vm.bats
		rm -r tests "$ORLOP_BUILD"/*'
	[ "${lines[0]}" = "$top" ]
	[ "${lines[1]}" = built ]
	[ "${lines[2]}" = program ]
	[ "${lines[3]}" = "$(md5sum < "$BATS_TEST_FILENAME")" ]
	[ -x "$build/program" ]
}

@test "vm: a build tree that is not there is an error" {
	ORLOP_BUILD=$BATS_TEST_TMPDIR/none run -125 vm true
	[[ $output == *"ORLOP_BUILD: no folder"* ]]
}

@test "vm: ORLOP_ variables and TESTS are passed, no others; the source tree is the guest's" {
	ORLOP_A="x  y" OTHER=1 TESTS="a.bats b.bats" ORLOP_SOURCE=/another run -0 --separate-stderr vm \
		'echo "$ORLOP_A|$TESTS|${OTHER-unset}|${BATS_ROOT-unset}|$HOME|$(cd "$ORLOP_SOURCE" && ls tests/vm/boot)"'
	[ "$output" = "x  y|a.bats b.bats|unset|unset|/root|tests/vm/boot" ]
}

@test "vm: two run at the same time" {
	local pid status=0
	vm 'echo first > /root/f; sleep 1; cat /root/f' > "$BATS_TEST_TMPDIR/first" &
	pid=$!
	run -0 --separate-stderr vm '[ ! -e /root/f ]'
	wait "$pid"
	[ "$(cat "$BATS_TEST_TMPDIR/first")" = first ]
}

@test "vm: images that are there are found at once and quietly" {
	run -0 "$BATS_TEST_DIRNAME/images" "${kind:-uml}"
	[ "${#lines[@]}" = 1 ]
	[ -f "$output/guest/root.ext4" ]
}

@test "vm: no images gives 125 and the reason" {
	ORLOP_CACHE=/dev/null run -125 vm true
	[[ $output == *"/dev/null"* ]]
	[ "${lines[-1]}" = "vm: no images for the VM" ]
}

@test "vm: wrong usage gives 125" {
	local here=$BATS_TEST_DIRNAME
	run -125 "$here/run"
	[[ $output == usage:* ]]
	run -125 "$here/run" --nope true
	run -125 "$here/run" -t 0 true
	[[ $output == *"-t takes a number above 0"* ]]
	run -125 "$here/run" --lsm selinux true
	run -125 "$here/suite" /nonexistent.bats
}

# suite OPTION-OR-PATH...
suite() {
	"$BATS_TEST_DIRNAME/suite" $kind_option -m "$memory" "$@" 3>&-
}

@test "suite: TAP of the guest on stdout, status of bats" {
	local build=$BATS_TEST_TMPDIR/build
	mkdir "$build"
	printf '@test "%s" { %s; }\n' good '[ -d "$ORLOP_BUILD" ]' bad 'echo because; false' \
		skipped 'skip "reason"' > "$build/a.bats"
	export ORLOP_BUILD=$build
	run -1 --separate-stderr suite "$build"
	[ "${lines[0]}" = "# suite $build/a.bats" ]
	[ "${lines[1]}" = 1..3 ]
	[[ ${lines[2]} =~ ^ok\ 1\ good\ in\ [0-9]+ms$ ]]
	[[ ${lines[3]} =~ ^not\ ok\ 2\ bad\ in\ [0-9]+ms$ ]]
	[[ $output == *"# because"* ]]
	[[ ${lines[-2]} =~ ^ok\ 3\ skipped\ in\ [0-9]+ms\ #\ skip\ reason$ ]]
	[[ ${lines[-1]} =~ ^#\ $build/a.bats\ took\ [0-9]+\ s$ ]]
	run -0 --separate-stderr suite --filter good "$build/a.bats"
	[[ $output == *$'\n1..1\nok 1 good in '* ]]
}

@test "suite: several files at a time, the TAP of each in one piece, none for longer than its time" {
	local build=$BATS_TEST_TMPDIR/build
	mkdir "$build"
	# each of two waits for the other
	printf '@test "meets" { touch /tmp/%s; until [ -e /tmp/%s ]; do sleep 0.1; done; }\n@test "ends" { :; }\n' \
		a b > "$build/a.bats"
	sed 's/a; until \(.*\)b \]/b; until \1a ]/' "$build/a.bats" > "$build/b.bats"
	printf '@test "hangs" { sleep 1000; }\n' > "$build/c.bats"
	export ORLOP_BUILD=$build
	run -1 --separate-stderr suite -j 3 -l 40 "$build"
	[ "$(grep -A 3 "^# suite .*/[ab].bats" <<< "$output" | sed 's/ in .*//' | grep '^ok' | tr '\n' ' ')" = \
		"ok 1 meets ok 2 ends ok 1 meets ok 2 ends " ]
	grep -x "not ok 0 $build/c.bats: all of it in 40 s" <<< "$output"
}
