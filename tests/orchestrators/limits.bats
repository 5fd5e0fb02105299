#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Limits through podman, dockerd and ctr: given, changed, told and felt, where memory, cpu and pids are in
# cgroup v2. One world and one daemon for the file.

load helpers
load dockerd

setup_file() {
	local controller
	for controller in memory cpu pids; do
		grep -qsw "$controller" /sys/fs/cgroup/cgroup.controllers ||
			export MISSING="needs the v2 controller $controller"
	done
	[ -z "${MISSING:-}" ] || return 0
	# shellcheck disable=SC2034 # of daemon_start
	DOCKERD_OPTIONS=(--bridge=none --iptables=false)
	docker_begin podman conmon ctr
	[ -z "${MISSING:-}" ] || return 0
	containers_configure podman
	world podman load -q -i "$WORLD/image.tar"
	world ctr -a /run/docker/containerd/containerd.sock image import "$WORLD/image.tar"
}

teardown_file() {
	docker_end
}

teardown() {
	[ -z "${MISSING:-}" ] || return 0
	world_report
	world podman rm -f -a -t 0 >/dev/null
	docker_clean
}

limits=(--network none --memory 32m --memory-reservation 16m --cpus 0.5 --cpu-shares 512 --pids-limit 12)

# has_limits ENGINE WORD...: what the container "one" sees of its limits. Weights of 512 shares differ: 20 is
# the older formula's.
has_limits() {
	local engine=$1
	shift
	run --separate-stderr world "$engine" exec one sh -c 'cd /sys/fs/cgroup && echo $(cat memory.max memory.low cpu.max pids.max cpu.weight)'
	[[ $output =~ ^"$*"\ (20|59)$ ]] || equals "$output" "$* 20 or 59"
}

# One list for both engines, whose options are the same.
limits_are_kept() {
	local engine=$1
	world "$engine" run -d --name one "${limits[@]}" busybox sleep 1000
	has_limits "$engine" 33554432 16777216 50000 100000 12
	run world "$engine" exec one sh -c 'for i in $(seq 30); do sleep 100 & done'
	contains "can't fork"
	run --separate-stderr world "$engine" stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' one
	[[ ${lines[-1]} =~ ^one\ [1-9][0-9]*\ [0-9.]+[kM]i?B\ /\ (32MiB|33.55MB)$ ]] || equals "${lines[-1]}" "32 MiB"
}

# changed_limits_are_kept ENGINE WORD... -- OPTION...: what the container has then
changed_limits_are_kept() {
	local engine=$1 now=()
	shift
	while [ "$1" != -- ]; do
		now+=("$1")
		shift
	done
	world "$engine" run -d --name one "${limits[@]}" busybox sleep 1000
	world "$engine" update "${@:2}" one
	has_limits "$engine" "${now[@]}"
}

is_killed_for_memory() {
	run -137 world "$1" run --name big "${limits[@]}" busybox dd if=/dev/zero of=/dev/null bs=100M count=1
}

@test "podman: limits are seen from inside, felt, and told by stats" {
	limits_are_kept podman
}

@test "podman: limits are changed while the container runs" {
	changed_limits_are_kept podman 67108864 50331648 25000 100000 12 -- \
		--memory 64m --memory-reservation 48m --cpus 0.25
}

# That podman says why is conmon's affair, which does not always see it, whatever the runtime.
@test "podman: a container that needs more memory is killed" {
	is_killed_for_memory podman
	run world podman inspect -f '{{.State.ExitCode}}' big
	equals "$output" 137
}

@test "docker: limits are seen from inside, felt, and told by stats" {
	limits_are_kept docker
}

@test "docker: limits are changed while the container runs" {
	changed_limits_are_kept docker 67108864 50331648 25000 100000 20 -- \
		--memory 64m --memory-reservation 48m --memory-swap -1 --cpus 0.25 --pids-limit 20
}

@test "docker: a container that needs more memory is killed, and docker knows why" {
	is_killed_for_memory docker
	# An event tells dockerd. containerd's shim begins to listen for it after the start, and dockerd has no use for it
	# after the end: this container is killed for memory again and again, and goes on until dockerd has heard of it.
	world docker run -d --name bigger "${limits[@]}" busybox \
		sh -c 'while :; do dd if=/dev/zero of=/dev/null bs=100M count=1; sleep 1; done'
	wait_for 5 oom_is_known bigger
	docker kill bigger
	docker wait bigger
	run --separate-stderr docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' bigger
	equals "$output" "true 137"
}

oom_is_known() {
	docker events --since 1h --until "$(date +%s)" --filter event=oom --filter "container=$1" | grep .
}

@test "ctr: limits are given, and told by metrics" {
	local ctr=(world ctr -a /run/docker/containerd/containerd.sock)
	"${ctr[@]}" run -d --runc-binary /usr/local/bin/orlop-runtime --memory-limit 33554432 --cpu-quota 50000 \
		--cpu-period 100000 docker.io/library/busybox:latest one sleep 1000
	run cat "$WORLD_CGROUP/default/one/"{memory.max,cpu.max,cpu.weight} # ctr's containers see all cgroups
	[[ $output =~ ^33554432$'\n'50000\ 100000$'\n'(39|100)$ ]] || equals "$output" "32 MiB, half a processor"
	run --separate-stderr "${ctr[@]}" task metrics --format json one
	[ "$(jq .memory.usage_limit <<<"$output")" = 33554432 ]
	[ "$(jq .pids.current <<<"$output")" = 1 ]
	"${ctr[@]}" task kill -s KILL one
	wait_for 5 ctr_removed
}

ctr_removed() {
	world ctr -a /run/docker/containerd/containerd.sock task rm -f one 2>/dev/null || true
	world ctr -a /run/docker/containerd/containerd.sock container rm one
}
