#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How the kernel treats the processes of a container: CPU scheduling, I/O priority, CPU affinity,
# memory policy, personality; of its own process, and of those of exec.
load helpers

# scheduled JSON: what a container with this scheduler says of itself
scheduled() {
	config_set '.process.scheduler = $scheduler' --argjson scheduler "$1"
	probe_run scheduler
}

# exec_process JSON PROBE-ARG...: exec -p of a document that has this, too
exec_process() {
	jq -n '{ args: $ARGS.positional, cwd: "/", env: ["PATH=/bin"] } + $more' --argjson more "$1" \
		--args /bin/probe "${@:2}" >"$WORK/process.json"
	rt exec -p "$WORK/process.json" "$ID"
}

user_namespace() {
	config_set '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	chmod -R a+rX "$WORK"
	chown -R 100000:100000 "$ROOTFS"
}

@test "every scheduling policy is set, with its parameters" {
	requires root realtime
	scheduled '{ "policy": "SCHED_OTHER", "nice": -5 }'
	contains "policy=0 nice=-5 priority=0 flags=0 " "$stdout"
	scheduled '{ "policy": "SCHED_BATCH", "nice": 19 }'
	contains "policy=3 nice=19 " "$stdout"
	scheduled '{ "policy": "SCHED_IDLE", "nice": 3 }'
	contains "policy=5 " "$stdout"
	scheduled '{ "policy": "SCHED_FIFO", "priority": 3 }'
	contains "policy=1 nice=0 priority=3 flags=0 " "$stdout"
	scheduled '{ "policy": "SCHED_RR", "priority": 99, "flags": ["SCHED_FLAG_RESET_ON_FORK"] }'
	contains "policy=2 nice=0 priority=99 flags=1 " "$stdout"
	scheduled '{ "policy": "SCHED_DEADLINE", "nice": 19, "runtime": 42000, "deadline": 100000, "period": 1000000,
		"flags": ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN"] }'
	contains "policy=6 " "$stdout"
	contains " flags=7 42000/100000/1000000 " "$stdout"
	scheduled '{ "policy": "SCHED_RR", "flags": ["SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS"] }'
	contains "policy=0 nice=$(nice) " "$stdout"
}

@test "a policy that the kernel does not have is an error of its own" {
	requires ours
	config_set '.process.scheduler = { "policy": "SCHED_ISO" }'
	fails run -b "$BUNDLE" "$ID"
	contains "set the scheduler SCHED_ISO: invalid argument"
}

@test "scheduling and I/O priority are exec's, too, and exec can have its own" {
	requires root realtime
	config_set '.process.scheduler = { "policy": "SCHED_BATCH", "nice": 7 }
		| .process.ioPriority = { "class": "IOPRIO_CLASS_BE", "priority": 6 }'
	start_container
	ok exec "$ID" /bin/probe scheduler
	contains "policy=3 nice=7 " "$stdout"
	contains "io=2:6" "$stdout"
	exec_process '{}' scheduler
	contains "policy=3 nice=7 " "$stdout"
	contains "io=2:6" "$stdout"
	exec_process '{ "scheduler": { "policy": "SCHED_FIFO", "priority": 2 },
		"ioPriority": { "class": "IOPRIO_CLASS_IDLE" } }' scheduler
	contains "policy=1 nice=0 priority=2 " "$stdout"
	contains "io=3:0" "$stdout"
	FAILS_WITH=255
	exec_process '{ "scheduler": { "policy": "SCHED_FIFO", "priority": 100 } }' scheduler
	equals "$status" 255
	contains "/process/scheduler/priority: 100 is not from 1 to 99"
	exec_process '{ "ioPriority": { "class": "IOPRIO_CLASS_NONE", "priority": 1 } }' scheduler
	equals "$status" 255
	contains "/process/ioPriority/priority: "
}

@test "I/O priorities of each class" {
	requires root
	for case in RT:7:1 BE:0:2 IDLE:0:3 NONE:0:0; do
		IFS=: read -r class priority number <<<"$case"
		config_set ".process.ioPriority = { class: \"IOPRIO_CLASS_$class\", priority: $priority }"
		probe_run scheduler
		contains "io=$number:$priority" "$stdout"
	done
}

@test "in a user namespace the host's root gives what its own root could not" {
	requires root realtime user_namespace
	user_namespace
	config_set '.process.scheduler = { "policy": "SCHED_FIFO", "priority": 5 }
		| .process.ioPriority = { "class": "IOPRIO_CLASS_RT", "priority": 1 }
		| .process.user = { "uid": 7, "gid": 7 }'
	probe_run scheduler
	contains "policy=1 nice=0 priority=5 " "$stdout"
	contains "io=1:1" "$stdout"
	start_container
	ok exec "$ID" /bin/probe scheduler
	contains "policy=1 nice=0 priority=5 " "$stdout"
}

# as_user: the bundle and the state are of a user without privilege, who runs the runtime: a copy of it,
# because the build tree may be closed to others
as_user() {
	cp "$RUNTIME" "$WORK/orlop-runtime"
	RUNTIME=$WORK/orlop-runtime
	config_set '.linux.resources = null | .mounts |= map(select(.type != "cgroup")
		| if .options then .options -= ["gid=5"] else . end)'
	chmod 755 "$WORK" "$BUNDLE"
	chown -R 4321:4321 "$WORK"
	RT_UNDER=(setpriv --reuid 4321 --regid 4321 --clear-groups "$@")
}

own_user_namespace() {
	config_set '.linux.namespaces += [{ "type": "user" }] | .linux.gidMappings = .linux.uidMappings
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 4321, "size": 1 }]
		| .linux.gidMappings = .linux.uidMappings'
}

@test "a user without privilege has what the kernel lets it have, and a clear refusal" {
	requires root user_namespace program setpriv
	own_user_namespace
	config_set '.process.scheduler = { "policy": "SCHED_BATCH", "nice": 5 }
		| .process.ioPriority = { "class": "IOPRIO_CLASS_IDLE" } | .process.oomScoreAdj = 300'
	as_user
	start_container
	ok exec "$ID" /bin/probe scheduler then cat /proc/self/oom_score_adj /proc/1/oom_score_adj
	contains "policy=3 nice=5 " "$stdout"
	contains "io=3:0" "$stdout"
	contains $'300\n300' "$stdout"
	ok delete --force "$ID"
	config_set '.process.scheduler = { "policy": "SCHED_FIFO", "priority": 5 }'
	fails run -b "$BUNDLE" "$ID"
	contains "set the scheduler SCHED_FIFO: operation not permitted"
}

@test "the OOM score of a user without privilege where a joiner makes the process" {
	requires root user_namespace time_namespace program setpriv
	own_user_namespace
	config_set '.linux.namespaces += [{ "type": "time" }] | .process.oomScoreAdj = 300'
	as_user
	probe_run cat /proc/self/oom_score_adj
	equals "$stdout" 300
}

@test "the OOM score in a container that is in the user namespace of its caller" {
	requires root user_namespace program setpriv
	config_set '.process.oomScoreAdj = 300'
	as_user unshare --user --map-root-user
	probe_run cat /proc/self/oom_score_adj
	equals "$stdout" 300
	requires time_namespace
	config_set '.linux.namespaces += [{ "type": "time" }]'
	probe_run cat /proc/self/oom_score_adj
	equals "$stdout" 300
}

@test "the host's root lowers the OOM score in a user namespace" {
	requires root user_namespace capability sys_resource
	user_namespace
	config_set '.process.oomScoreAdj = -500 | .process.user = { "uid": 7, "gid": 7 }'
	start_container
	ok exec "$ID" /bin/probe cat /proc/self/oom_score_adj /proc/1/oom_score_adj
	equals "$stdout" $'-500\n-500'
}

@test "a deadline and CPUs of the cgroup exclude each other" {
	requires root cgroup_v2 cgroup_controller cpuset
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	config_set '.linux.resources.cpu.cpus = "0" | .process.scheduler = { "policy": "SCHED_DEADLINE",
		"runtime": 42000, "deadline": 100000, "period": 1000000, "flags": ["SCHED_FLAG_RESET_ON_FORK"] }'
	fails run -b "$BUNDLE" "$ID"
	contains "process scheduler can't be used together with AllowedCPUs"
	config_set '.linux.resources.cpu.cpus = ""'
	probe_run scheduler
	contains "policy=6 " "$stdout"
}

# allowed CPUs, as Cpus_allowed_list has them
cpus() {
	sed -n 's/^Cpus_allowed_list:\t//p' <<<"${1:-$stdout}"
}

@test "the CPUs of the runtime's caller are not the container's" {
	requires program taskset
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	all=$(cpus "$(cat /proc/self/status)")
	RT_UNDER=(taskset -c 1)
	probe_run status Cpus_allowed_list
	equals "$(cpus)" "$all"
	start_container
	ok exec "$ID" /bin/probe status Cpus_allowed_list
	equals "$(cpus)" "$all"
}

@test "a sandbox that forbids to change the affinity does not matter" {
	requires ours
	RT_UNDER=("$FAILCALL" sched_setaffinity EPERM)
	probe_run echo alive
	equals "$stdout" alive
}

@test "exec has its CPUs: at first, and in the end" {
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	config_set '.process.execCPUAffinity = { "initial": "0", "final": "1" }'
	start_container status Cpus_allowed_list then sleep
	# it is about exec alone
	lacks "Cpus_allowed_list:	1" "$stdout"
	ok exec "$ID" /bin/probe status Cpus_allowed_list
	equals "$(cpus)" 1
	exec_process '{}' status Cpus_allowed_list
	equals "$(cpus)" 1
	exec_process '{ "execCPUAffinity": { "initial": "1" } }' status Cpus_allowed_list
	equals "$(cpus)" 1
	exec_process '{ "execCPUAffinity": { "initial": "0", "final": " 0-1,,5000-8191" } }' status Cpus_allowed_list
	equals "$(cpus)" 0-1
	exec_process '{ "execCPUAffinity": { "final": "8191" } }' status Cpus_allowed_list
	equals "$status" 255
	contains "set the CPU affinity of execCPUAffinity.final: invalid argument"
	exec_process '{ "execCPUAffinity": { "initial": "0-x" } }' status Cpus_allowed_list
	equals "$status" 255
	contains "/process/execCPUAffinity/initial: \"0-x\" is not a list of CPUs"
}

@test "the first CPUs of exec are those of the runtime when it makes the process" {
	requires ours program strace
	start_container
	jq -n '{ args: ["/bin/probe", "true"], cwd: "/", execCPUAffinity: { initial: "0", final: "0" } }' \
		>"$WORK/process.json"
	strace -f -e trace=sched_setaffinity,clone3,execve -o "$WORK/trace" "$RUNTIME" --root "$ROOT" exec \
		-p "$WORK/process.json" "$ID" 3>&-
	equals "$(sed -nE 's/^[0-9]+ +(clone3|sched_setaffinity|execve)\(.*/\1/p' "$WORK/trace" | uniq | tail -n 4 |
		tr '\n' ' ')" "sched_setaffinity clone3 sched_setaffinity execve "
}

@test "memory policies are set, and exec has them" {
	requires numa
	config_set '.linux.memoryPolicy = { "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"] }'
	start_container mempolicy then sleep
	ok exec "$ID" /bin/probe mempolicy
	equals "$stdout" "mode=8002 nodes=1"
	exec_process '{}' mempolicy
	equals "$stdout" "mode=8002 nodes=1"
	ok delete --force "$ID"
	for case in DEFAULT::0:0 PREFERRED:0:1:1 INTERLEAVE:0:3:1 LOCAL::4:0 PREFERRED_MANY:0:5:1; do
		IFS=: read -r mode nodes number mask <<<"$case"
		config_set ".linux.memoryPolicy = { mode: \"MPOL_$mode\", nodes: \"$nodes\" }"
		probe_run mempolicy
		equals "$stdout" "mode=$number nodes=$mask"
	done
}

@test "what the kernel cannot give of a memory policy is an error" {
	requires numa
	config_set '.linux.memoryPolicy = { "mode": "MPOL_BIND", "nodes": "1000" }'
	fails run -b "$BUNDLE" "$ID"
	contains "set the memory policy MPOL_BIND: invalid argument"
}

@test "invalid memory policies name what is wrong" {
	for case in '{ "mode": "MPOL_NO" }|invalid memory policy mode' \
		'{ "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NO"] }|invalid memory policy flag' \
		'{ "mode": "MPOL_BIND", "nodes": "bad" }|invalid memory policy node' \
		'{ "mode": "MPOL_LOCAL", "nodes": "0-7" }|mode requires 0 nodes but got 8' \
		'{ "mode": "MPOL_INTERLEAVE", "nodes": "" }|at least one node'; do
		config_set '.linux.memoryPolicy = $policy' --argjson policy "${case%|*}"
		fails run -b "$BUNDLE" "$ID"
		contains "${case#*|}"
	done
}

@test "the personality is set, for exec, too" {
	requires x86_64
	[ "$(setarch linux32 uname -m)" = i686 ] || skip "needs a kernel that does it (user-mode-linux does not)"
	config_set '.linux.personality = { "domain": "LINUX32" }'
	start_container hostname then sleep
	ok exec "$ID" /bin/probe hostname
	contains " i686" "$stdout"
	exec_process '{}' hostname
	contains " i686" "$stdout"
	ok delete --force "$ID"
	config_set '.linux.personality = { "domain": "LINUX" }'
	probe_run hostname
	contains " x86_64" "$stdout"
	config_set '.linux.personality = { "domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"] }'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/personality/flags"
	config_set '.linux.personality = { "domain": "SOLARIS" }'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/personality/domain"
}
