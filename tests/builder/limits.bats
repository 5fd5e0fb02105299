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

@test "limits: more processes than there may be cannot be started" {
	try_build "${limits[@]}" <<-'X'
		FROM base
		RUN for i in $(seq 30); do sleep 100 & done; exit 0
	X
	said "can't fork"
	again --pids-limit 100
	refute said "can't fork"
}
