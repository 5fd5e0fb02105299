#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The container's cgroup: where, with which limits, and what is left of it.
load helpers

# resources JSON: members of linux.resources, beside the device rules
resources() {
	config_set '.linux.resources += $more' --argjson more "$1"
}

cgroup_file() {
	cat "$CGROUP_ROOT/orlop/$ID/$1"
}

@test "a container is in /orlop/ID unless told otherwise" {
	requires ours root
	start_container
	grep -q "^0::/orlop/$ID$" "/proc/$(container_pid)/cgroup"
	ok delete --force "$ID"
	[ ! -d "$CGROUP_ROOT/orlop/$ID" ]
}

@test "cgroupsPath says where" {
	requires root
	config_set ".linux.cgroupsPath = \"/test-$ID/deep/$ID\""
	start_container
	grep -q "/test-$ID/deep/$ID$" "/proc/$(container_pid)/cgroup"
	ok delete --force "$ID"
	[ ! -d "$CGROUP_ROOT/test-$ID/deep/$ID" ]
	rmdir "$CGROUP_ROOT/test-$ID/deep" "$CGROUP_ROOT/test-$ID"
}

@test "init is in its final cgroup when create returns" {
	requires ours root
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	equals "$(cgroup_file cgroup.procs)" "$(container_pid)"
}

@test "the payload sees its cgroup as the root, and the file system read-only" {
	requires root
	probe_run cat /proc/self/cgroup then open /sys/fs/cgroup/cgroup.procs
	contains "0::/" "$stdout"
	contains "/sys/fs/cgroup/cgroup.procs EROFS" "$stdout"
}

@test "without a cgroup namespace the payload's /sys/fs/cgroup is its own subtree" {
	requires ours root
	config_set '.linux.namespaces |= map(select(.type != "cgroup"))'
	before=$(grep ' - cgroup2 ' /proc/self/mountinfo)
	probe_run cat /sys/fs/cgroup/cgroup.procs then cat /proc/self/cgroup
	contains "0::/orlop/$ID" "$stdout"
	contains 1 "$stdout"
	equals "$(grep ' - cgroup2 ' /proc/self/mountinfo)" "$before"
}

@test "by annotation the process is below its cgroup, in one of its own that it may leave" {
	requires root ours
	config_set '.annotations = {"run.oci.delegate-cgroup": "init"}'
	start_container
	equals "$(cgroup_file init/cgroup.procs)" "$(container_pid)"
	equals "$(cgroup_file cgroup.procs)" ""
	ok exec "$ID" /bin/probe cat /proc/self/cgroup
	contains 0::/init "$stdout"
	ok pause "$ID"
	is_status paused
	ok resume "$ID"
	ok delete --force "$ID"
	[ ! -d "$CGROUP_ROOT/orlop/$ID" ]
	for name in .. a/b; do
		config_set '.annotations = {"run.oci.delegate-cgroup": $name}' --arg name "$name"
		fails create -b "$BUNDLE" "$ID"
		contains "/annotations/run.oci.delegate-cgroup: \"$name\" is not the name of a cgroup"
	done
}

@test "a cgroup that is there keeps that of its process when a create fails, which the next one takes" {
	requires root ours
	mkdir "$CGROUP_ROOT/test-$ID"
	config_set '.linux.cgroupsPath = $path | .annotations = {"run.oci.delegate-cgroup": "init"}' --arg path "/test-$ID"
	fails create --pid-file "$WORK/nowhere/pid" -b "$BUNDLE" "$ID"
	[ ! -e "$ROOT/$ID" ]
	# but not from others
	sleep 1000 3>&- &
	echo $! >"$CGROUP_ROOT/test-$ID/init/cgroup.procs"
	fails create -b "$BUNDLE" "$ID"
	contains "container's cgroup is not empty: 1 process(es) found"
	kill $!
	wait $! || true
	start_container
	equals "$(cat "$CGROUP_ROOT/test-$ID/init/cgroup.procs")" "$(container_pid)"
	ok delete --force "$ID"
	[ ! -d "$CGROUP_ROOT/test-$ID" ]
}

@test "an RDMA limit gets to the kernel, which has no such device" {
	requires root ours cgroup_controller rdma
	resources '{ "rdma": { "none0": { "hcaHandles": 3, "hcaObjects": 10 } } }'
	fails create -b "$BUNDLE" "$ID"
	contains 'write "none0 hca_handle=3 hca_object=10" to rdma.max of cgroup'
	contains "no such device"
}

@test "limits that only cgroup v1 has are left out, each with a warning in the log" {
	requires root ours
	resources '{ "memory": { "kernel": 1048576, "kernelTCP": 1048576, "swappiness": 5, "disableOOMKiller": true, "useHierarchy": true },
		"cpu": { "realtimeRuntime": 1000, "realtimePeriod": 100000 },
		"network": { "classID": 7, "priorities": [{ "name": "lo", "priority": 1 }] },
		"blockIO": { "leafWeight": 100, "weightDevice": [{ "major": 8, "minor": 0, "leafWeight": 100 }] } }'
	RT_GLOBAL=(--log "$WORK/log" --log-level warning --log-format json)
	ok run -b "$BUNDLE" "$ID"
	equals "$(jq -r 'select(.level == "warning") | .msg | sub(": .*"; "")' "$WORK/log" | sort)" \
		"$(printf '/linux/resources/%s\n' blockIO/leafWeight blockIO/weightDevice cpu/realtimePeriod cpu/realtimeRuntime \
			memory/disableOOMKiller memory/kernel memory/kernelTCP memory/swappiness network/classID network/priorities)"
	RT_GLOBAL=()
	ok run -b "$BUNDLE" "$ID"
	contains "/linux/resources/memory/swappiness: swappiness is ignored: cgroup v2 has none"
}

@test "a cgroup that has processes is refused, an empty one is taken and left in place" {
	requires root
	config_set ".linux.cgroupsPath = \"/test-$ID\""
	mkdir "$CGROUP_ROOT/test-$ID"
	sleep 1000 3>&- &
	echo $! >"$CGROUP_ROOT/test-$ID/cgroup.procs"
	fails run -b "$BUNDLE" "$ID"
	contains "container's cgroup is not empty: 1 process(es) found"
	kill $!
	wait $! || true
	[ -d "$CGROUP_ROOT/test-$ID" ]
	ok run -b "$BUNDLE" "$ID"
}

@test "a frozen cgroup is refused" {
	requires root ours
	config_set ".linux.cgroupsPath = \"/test-$ID\""
	mkdir "$CGROUP_ROOT/test-$ID"
	echo 1 >"$CGROUP_ROOT/test-$ID/cgroup.freeze"
	fails run -b "$BUNDLE" "$ID"
	contains "container's cgroup unexpectedly frozen"
	echo 0 >"$CGROUP_ROOT/test-$ID/cgroup.freeze"
	rmdir "$CGROUP_ROOT/test-$ID"
}

@test "below a threaded cgroup a container is threaded, and ends as any other" {
	requires root ours
	config_set ".linux.cgroupsPath = \"/test-$ID/$ID\""
	mkdir -p "$CGROUP_ROOT/test-$ID/threaded"
	echo threaded >"$CGROUP_ROOT/test-$ID/threaded/cgroup.type"
	start_container
	equals "$(cat "$CGROUP_ROOT/test-$ID/$ID/cgroup.type")" threaded
	ok exec -d "$ID" /bin/probe sleep
	ok ps -f json "$ID"
	equals "$(jq length <<<"$stdout")" 2
	ok pause "$ID"
	ok resume "$ID"
	ok delete --force "$ID"
	[ ! -d "$CGROUP_ROOT/test-$ID/$ID" ]
	resources '{ "unified": { "hugetlb.2MB.max": "0" } }'
	fails run -b "$BUNDLE" "$ID"
	contains "it is below a threaded one"
	[ ! -d "$CGROUP_ROOT/test-$ID/$ID" ]
	rmdir "$CGROUP_ROOT/test-$ID/threaded" "$CGROUP_ROOT/test-$ID"
}

@test "exec finds its place when the container has made its cgroup an inner node" {
	requires root ours
	controller=$(awk '{ for (i = 1; i <= NF; i++) if ($i ~ /memory|hugetlb|io/) { print $i; exit } }' \
		"$CGROUP_ROOT/cgroup.controllers")
	[ -n "$controller" ] || skip "needs a controller of domains"
	start_container
	mkdir "$CGROUP_ROOT/orlop/$ID/init"
	container_pid >"$CGROUP_ROOT/orlop/$ID/init/cgroup.procs"
	echo "+$controller" >"$CGROUP_ROOT/orlop/$ID/cgroup.subtree_control"
	ok exec -d "$ID" /bin/probe sleep
	equals "$(wc -l <"$CGROUP_ROOT/orlop/$ID/init/cgroup.procs")" 2
	ok ps -f json "$ID"
	equals "$(jq length <<<"$stdout")" 2
	# what it made goes with it
	ok delete --force "$ID"
	[ ! -d "$CGROUP_ROOT/orlop/$ID" ]
}

@test "a limit whose controller v2 does not have names it, and where it is" {
	requires ours hybrid no_cgroup_controller memory
	resources '{ "memory": { "limit": 33554432 } }'
	fails create -b "$BUNDLE" "$ID"
	contains "memory.max needs the controller \"memory\""
	contains "cgroup v1 at \"$(awk '/ - cgroup .*,memory|cgroup rw,memory/ { print $5; exit }' /proc/self/mountinfo)\""
	[ ! -e "$ROOT/$ID" ]
	[ ! -d "$CGROUP_ROOT/orlop/$ID" ]
	"$RUNTIME" --root "$ROOT" --log "$WORK/log" --log-format json create -b "$BUNDLE" "$ID" 2>/dev/null 3>&- && false
	equals "$(jq -r .error.json_pointer "$WORK/log")" /linux/resources/memory/limit
	contains "cgroup.subtree_control" "$(jq -r .error.hint "$WORK/log")"
}

@test "memory limits are written" {
	requires root cgroup_controller memory
	resources '{ "memory": { "limit": 33554432, "reservation": 16777216, "swap": 50331648 } }'
	start_container
	equals "$(cgroup_file memory.max)" 33554432
	equals "$(cgroup_file memory.low)" 16777216
	[ ! -e "$CGROUP_ROOT/orlop/$ID/memory.swap.max" ] || equals "$(cgroup_file memory.swap.max)" 16777216
}

@test "a payload that takes too much memory is killed" {
	requires root cgroup_controller memory
	resources '{ "memory": { "limit": 16777216, "swap": 16777216 } }'
	probe memory 64
	rt run -b "$BUNDLE" "$ID"
	equals "$status" 137
}

@test "an init that cannot even be set up says that memory is too low" {
	requires root ours cgroup_controller memory
	resources '{ "memory": { "limit": 4096, "swap": 4096 } }'
	fails run -b "$BUNDLE" "$ID"
	contains "container init was OOM-killed (memory limit too low?)"
	[ ! -e "$ROOT/$ID" ]
}

@test "an exec that dies while it is set up does not blame an earlier OOM kill" {
	requires root ours program strace cgroup_controller memory
	resources '{ "memory": { "limit": 16777216, "swap": 16777216 } }'
	start_container
	rt exec "$ID" /bin/probe memory 64
	equals "$status" 137
	grep -q '^oom_kill [1-9]' "$CGROUP_ROOT/orlop/$ID/memory.events"
	# setsid is the first that the new process does
	status=0
	strace -f -o /dev/null -e trace=setsid -e inject=setsid:signal=KILL \
		"$RUNTIME" --root "$ROOT" exec "$ID" /bin/probe true >"$WORK/out" 2>&1 3>&- || status=$?
	cat "$WORK/out"
	equals "$status" 255
	contains "was killed by signal 9 while it was set up" "$(cat "$WORK/out")"
	lacks OOM "$(cat "$WORK/out")"
}

@test "an exec that the OOM killer ends while it is set up says so" {
	requires root ours program strace cgroup_controller memory
	start_container
	# setsid is the first that the new process does: stopped there, until there is no memory for it
	strace -f -o /dev/null -e trace=setsid -e inject=setsid:signal=STOP \
		"$RUNTIME" --root "$ROOT" exec "$ID" /bin/probe true >"$WORK/out" 2>&1 3>&- &
	exec=$!
	wait_for 5 eval '[ "$(wc -l <"$CGROUP_ROOT/orlop/$ID/cgroup.procs")" -eq 2 ]'
	echo 1 >"$CGROUP_ROOT/orlop/$ID/memory.oom.group"
	echo 4096 >"$CGROUP_ROOT/orlop/$ID/memory.max"
	status=0
	wait $exec || status=$?
	cat "$WORK/out"
	equals "$status" 255
	contains "the process was killed (possibly OOM-killed)" "$(cat "$WORK/out")"
}

@test "pids.limit is written and holds" {
	requires root cgroup_controller pids
	resources '{ "pids": { "limit": 5 } }'
	probe fork 20
	rt run -b "$BUNDLE" "$ID"
	contains "forked 4"
}

@test "cpu shares and quota become weight and max" {
	requires root cgroup_controller cpu
	resources '{ "cpu": { "shares": 1024, "quota": 50000, "period": 100000 } }'
	start_container
	equals "$(cgroup_file cpu.weight)" 100
	equals "$(cgroup_file cpu.max)" "50000 100000"
}

@test "hugetlb and unified limits are written" {
	requires root cgroup_controller hugetlb
	resources '{ "hugepageLimits": [{ "pageSize": "2MB", "limit": 4194304 }] }'
	start_container
	equals "$(cgroup_file hugetlb.2MB.max)" 4194304
	ok delete --force "$ID"
	config_set 'del(.linux.resources.hugepageLimits)'
	resources '{ "unified": { "hugetlb.2MB.max": "2097152" } }'
	start_container
	equals "$(cgroup_file hugetlb.2MB.max)" 2097152
}

@test "controllers are on in the container's cgroup, for statistics" {
	requires root ours
	start_container
	equals "$(cgroup_file cgroup.controllers)" "$(cat "$CGROUP_ROOT/cgroup.controllers")"
}

@test "--cgroup-manager disabled makes no cgroup" {
	requires root ours
	RT_GLOBAL=(--cgroup-manager disabled)
	start_container
	[ ! -d "$CGROUP_ROOT/orlop/$ID" ]
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
}

# writable_cgroup UID: the container has a user namespace, runs as UID in it, and may write its cgroup
writable_cgroup() {
	config_set '.linux.namespaces += [{ "type": "user" }] | .process.user = { "uid": $uid, "gid": 0 }
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }]
		| .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end)' --argjson uid "$1"
}

@test "who may write the cgroup file system owns the cgroup, and not its limits" {
	requires ours root
	writable_cgroup 7
	start_container
	equals "$(stat -c %u "$CGROUP_ROOT/orlop/$ID")" 100007
	equals "$(stat -c %u "$CGROUP_ROOT/orlop/$ID"/{cgroup.procs,cgroup.threads,cgroup.subtree_control} | uniq)" 100007
	equals "$(stat -c %u "$CGROUP_ROOT/orlop/$ID"/{cgroup.max.depth,cgroup.freeze} | uniq)" 0
	ok exec "$ID" /bin/probe mkdir /sys/fs/cgroup/below
	equals "$(stat -c %u "$CGROUP_ROOT/orlop/$ID/below")" 100007
	ok delete --force "$ID"
}

@test "the cgroup is root's where it cannot be written, is shared, or was there before" {
	requires ours root
	writable_cgroup 0
	local config
	config=$(<"$BUNDLE/config.json")
	for change in '.mounts |= map(if .destination == "/sys/fs/cgroup" then .options += ["ro"] else . end)' \
		'.linux.namespaces |= map(select(.type != "cgroup"))' '.linux.cgroupsPath = "/test-\($id)"'; do
		printf '%s\n' "$config" >"$BUNDLE/config.json"
		config_set "$change" --arg id "$ID"
		mkdir "$CGROUP_ROOT/test-$ID"
		start_container
		equals "$(stat -c %u "$CGROUP_ROOT$(sed -n 's/^0:://p' "/proc/$(container_pid)/cgroup")/cgroup.procs")" 0
		ok delete --force "$ID"
		rmdir "$CGROUP_ROOT/test-$ID" || true
	done
}

@test "the host's cgroup2 mount keeps its options" {
	requires root
	before=$(grep ' - cgroup2 ' /proc/self/mountinfo)
	probe_run true
	config_set '.linux.namespaces |= map(select(.type != "cgroup"))'
	probe_run true
	equals "$(grep ' - cgroup2 ' /proc/self/mountinfo)" "$before"
}
