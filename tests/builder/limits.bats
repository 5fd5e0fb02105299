#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Limits of steps and containers, seen from inside and felt: where memory, cpu and pids are in cgroup v2.

load build

setup_file() {
	local controller
	requires jq
	for controller in memory cpu pids; do
		grep -qsw "$controller" /sys/fs/cgroup/cgroup.controllers ||
			export MISSING="needs the v2 controller $controller"
	done
	builder_begin
}

limits=(--memory 32m --memory-swap 32m --cpus 0.5 --cpu-shares 512 --pids-limit 12)
look='cd /sys/fs/cgroup && echo $(cat memory.max cpu.max cpu.weight pids.max)'

@test "limits: a step and a container are in a group that has them" {
	build "${limits[@]}" <<-X
		FROM base
		RUN $look
	X
	said '^#2 [0-9.]+ 33554432 50000 100000 [0-9]+ 12$'
	ob run --rm "${limits[@]}" base sh -c "$look"
	[[ $output =~ ^33554432\ 50000\ 100000\ [0-9]+\ 12$ ]]
	ob run --rm base sh -c "$look"
	[[ $output != *33554432* ]]
}

@test "limits: a step that needs more memory is killed, and the error says why" {
	try_build "${limits[@]}" <<-'X'
		FROM base
		RUN dd if=/dev/zero of=/dev/null bs=100M count=1
	X
	[ "$status" = 1 ]
	said 'did not complete successfully: exit code: 137.*\(out of memory: a process of it was killed\)'
	ob run --rm "${limits[@]}" base dd if=/dev/zero of=/dev/null bs=100M count=1
	[ "$status" = 137 ]
	said 'killed for lack of memory'
	# enough for somebody who asks for less
	again --memory 512m
}

@test "limits: those of --cgroup-parent hold for its steps together" {
	local parent=/sys/fs/cgroup/orlop-test-$$
	mkdir "$parent"
	echo 33554432 >"$parent/memory.max"
	[ ! -e "$parent/memory.swap.max" ] || echo 0 >"$parent/memory.swap.max"
	try_build --cgroup-parent "orlop-test-$$" <<-'X'
		FROM base
		RUN dd if=/dev/zero of=/dev/null bs=100M count=1
	X
	rmdir "$parent" # nothing is left in it
	[ "$status" = 1 ]
	said 'exit code: 137'
	again
}

@test "limits: more processes than there may be cannot be started" {
	try_build "${limits[@]}" <<-'X'
		FROM base
		RUN for i in $(seq 30); do sleep 100 & done; exit 0
	X
	said "can't fork"
	again --pids-limit 100
	refute said "can't fork"
}

@test "limits: a device's access, and a limit of files above our own, beside them" {
	local node=$BATS_TEST_TMPDIR/node
	mknod "$node" c 240 77 # no driver has it: who may open it hears that
	printf '%s\n' 'FROM base' 'RUN ulimit -n; ! cat /dev/x; ! echo > /dev/x' >"$C/Dockerfile"
	run bash -c 'ulimit -n 500 && exec "$@"' - \
		"$B" build "${limits[@]}" --device "$node:/dev/x:r" --ulimit nofile=600 "$C"
	echo "$output"
	[ "$status" = 0 ]
	grep -qE '^#2 [0-9.]+ 600$' <<<"$output"
	grep -q "'/dev/x': No such device or address" <<<"$output"
	grep -q '/dev/x: Operation not permitted' <<<"$output"
}

@test "limits: of a disk that the host names, and a share of all" {
	local disk node=$BATS_TEST_TMPDIR/disk
	grep -qw io /sys/fs/cgroup/cgroup.controllers || skip "needs the v2 controller io"
	disk=$(cat /sys/block/{ubd,vd}?/dev 2>/dev/null | head -n 1)
	[ -n "$disk" ] || skip "needs a disk"
	mknod "$node" b "${disk%:*}" "${disk#*:}"
	ob run --rm --device-read-bps "$node:1mb" --device-write-iops "$node:50" base cat /sys/fs/cgroup/io.max
	[ "$output" = "$disk rbps=1048576 wbps=max riops=max wiops=50" ]
	ob run --rm --blkio-weight 500 base sh -c 'head -qn 1 /sys/fs/cgroup/io.bfq.weight /sys/fs/cgroup/io.weight 2>/dev/null'
	if [ "$status" = 125 ]; then
		said 'write "500" to io.bfq.weight' # of a kernel without shares
	else
		[[ $output =~ ^default\ (500|4950) ]]
	fi
}

# What is left of a user's test that has failed.
teardown() {
	[ -n "${place:-}" ] || return 0
	[ ! -e "$group" ] || { echo 1 >"$group/cgroup.kill" && wait_for 5 cgroup_gone "$group"; }
	chmod -R u+rwX "$place" && rm -rf "$place"
}

@test "limits: of a user, in the cgroup that was given to him" {
	group=/sys/fs/cgroup/orlop-test.$$
	place=$(mktemp -d /var/tmp/orlop-test.XXXXXX)
	mkdir -p "$place/home" "$place/run" "$group/session"
	cp "$ORLOP_BUILD"/orlop-{builder,runtime} "$place"
	"$B" export base >"$place/base.tar"
	chmod 755 "$place" && chown -R 54321:54321 "$place/home" "$place/run"
	# what systemd gives away; the processes are in a leaf
	chown 54321 "$group"{,/session}{,/cgroup.procs,/cgroup.subtree_control,/cgroup.threads}
	echo +memory +cpu +pids >/sys/fs/cgroup/cgroup.subtree_control
	as_him() {
		run --separate-stderr -- bash -c 'echo $$ >"$0/session/cgroup.procs"; shift; cd /
			exec setpriv --reuid 54321 --regid 54321 --clear-groups -- env -i PATH="$1:$PATH" HOME="$1/home" \
				XDG_RUNTIME_DIR="$1/run" ORLOP_NETWORK=host orlop-builder "${@:2}"' "$group" _ "$place" "$@"
		printf '%s\n%s\n' "$output" "$stderr"
	}
	as_him import "$place/base.tar" base
	[ "$status" = 0 ]
	as_him run --rm "${limits[@]}" base sh -c "$look"
	[[ $output =~ ^33554432\ 50000\ 100000\ [0-9]+\ 12$ ]]
	# without it the error says what is missing
	chown 0 "$group/cgroup.procs" "$group/session/cgroup.procs"
	as_him run --rm "${limits[@]}" base sh -c "$look"
	[ "$status" != 0 ]
	[[ $stderr == *cgroup* ]]
	rmdir "$group/orlop" # nothing is left in it
	# whoever cleans up behind a command may be there a moment longer
	wait_for 5 cgroup_gone "$group"
}
