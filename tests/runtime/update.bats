#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# update: limits of a container that is there, as options and as a document; all of them or none.
# What the host has as cgroup v1 (memory, cpu, pids, io) is looked at in the lanes of VMs.
load helpers

cgroup_file() {
	cat "$CGROUP_ROOT/orlop/$ID/$1"
}

# update_json JSON [OPTION ...]: through stdin, as engines do it
update_json() {
	printf '%s' "$1" >"$WORK/resources.json"
	RT_INPUT=$WORK/resources.json rt update --resources=- "${@:2}" "$ID"
}

# kept FILTER: of the resources in the state
kept() {
	jq -c ".resources$1" "$ROOT/$ID/state.json"
}

# An open that the device program lets pass ends in ENXIO: there is no such driver.
device_is() {
	ok exec "$ID" /bin/probe open /dev/thing
	contains "/dev/thing $1" "$stdout"
}

with_device() {
	config_set '.linux.devices = [{ "path": "/dev/thing", "type": "c", "major": 240, "minor": 7 }]'
}

@test "a document from stdin or a file changes what it gives, and the next one builds on it" {
	requires root ours cgroup_controller hugetlb
	start_container
	update_json '{ "hugepageLimits": [{ "pageSize": "2MB", "limit": 4194304 }], "cpu": { "shares": 0 }, "memory": {} }'
	equals "$status:$output" 0:
	equals "$(cgroup_file hugetlb.2MB.max)" 4194304
	equals "$(cgroup_file hugetlb.2MB.rsvd.max)" 4194304
	echo '{ "unified": { "hugetlb.2MB.rsvd.max": "8388608" } }' >"$WORK/file.json"
	ok update -r "$WORK/file.json" "$ID"
	equals "$(cgroup_file hugetlb.2MB.max)" 4194304
	equals "$(cgroup_file hugetlb.2MB.rsvd.max)" 8388608
	update_json '{ "hugepageLimits": [{ "pageSize": "2MB", "limit": 2097152 }] }'
	equals "$status" 0
	equals "$(kept .hugepageLimits)" '[{"pageSize":"2MB","limit":2097152}]'
	equals "$(kept '.unified["hugetlb.2MB.rsvd.max"]')" '"8388608"'
	ok exec "$ID" /bin/probe true
	ok state "$ID"
}

@test "a refusal in the middle takes back what was written before" {
	requires root ours cgroup_controller hugetlb
	start_container
	update_json '{ "hugepageLimits": [{ "pageSize": "2MB", "limit": 4194304 }] }'
	cp "$ROOT/$ID/state.json" "$WORK/before"
	update_json '{ "hugepageLimits": [{ "pageSize": "2MB", "limit": 2097152 }],
		"unified": { "cgroup.max.depth": "7", "hugetlb.2MB.rsvd.max": "nonsense" } }'
	equals "$status" 1
	contains 'write "nonsense" to hugetlb.2MB.rsvd.max'
	equals "$(cgroup_file hugetlb.2MB.max)" 4194304
	equals "$(cgroup_file hugetlb.2MB.rsvd.max)" 4194304
	equals "$(cgroup_file cgroup.max.depth)" max
	cmp "$WORK/before" "$ROOT/$ID/state.json"
	[ ! -e "$ROOT/$ID/state.json~" ]
}

@test "what cannot be is known before the first write" {
	requires root ours program strace cgroup_controller hugetlb
	start_container
	before=$(cgroup_file hugetlb.2MB.max)
	for more in '"unified": { "hugetlb.2MB.nothing": "1" }' '"unified": { "a/b.c": "1" }' \
		'"memory": { "swap": 5 }' '"devices": [{ "allow": true, "type": "x" }]'; do
		RT_UNDER=(strace -f -e trace=openat -o "$WORK/trace")
		update_json "{ \"hugepageLimits\": [{ \"pageSize\": \"2MB\", \"limit\": 2097152 }], $more }"
		equals "$status" 1
		refute grep -q 'hugetlb.2MB.*O_WRONLY' "$WORK/trace"
		equals "$(cgroup_file hugetlb.2MB.max)" "$before"
		equals "$(kept '')" null
	done
}

@test "an update for a controller of cgroup v1 says where that is" {
	requires root ours hybrid no_cgroup_controller memory
	start_container
	fails update --memory 64m "$ID"
	contains 'memory.max needs the controller "memory"'
	contains "cgroup v1 at"
	equals "$(container_status)" running
}

@test "devices are changed while the container runs, by one program in the other's place" {
	requires root ours
	with_device
	start_container
	device_is EPERM
	update_json '{ "devices": [{ "allow": true, "type": "c", "major": 240, "minor": 7, "access": "rw" }] }'
	equals "$status:$output" 0:
	device_is ENXIO
	update_json '{ "devices": [{ "allow": false, "type": "c", "major": 240, "minor": 7, "access": "rw" }] }'
	device_is EPERM
	# a second program would go on refusing
	update_json '{ "devices": [{ "allow": true, "type": "c", "major": 240, "access": "rwm" }] }'
	device_is ENXIO
	# rules count in their order, the old ones first; one for everything begins anew
	update_json '{ "devices": [{ "allow": false, "access": "rwm" }] }'
	equals "$(kept .devices)" '[{"allow":false,"access":"rwm"}]'
	device_is EPERM
	update_json '{ "devices": [{ "allow": true, "access": "rwm" }] }'
	device_is ENXIO
	update_json '{ "devices": [{ "allow": false, "access": "rwm" }] }'
	device_is EPERM
}

@test "a refused update leaves the devices as they were" {
	requires root ours cgroup_controller hugetlb
	with_device
	start_container
	update_json '{ "devices": [{ "allow": true, "type": "c", "major": 240, "access": "rw" }],
		"unified": { "hugetlb.2MB.max": "nonsense" } }'
	equals "$status" 1
	device_is EPERM
	# ours, which is attached, cannot be opened (BPF_PROG_GET_FD_BY_ID): it would go on refusing
	RT_UNDER=("$FAILCALL" bpf:0=13 EPERM)
	update_json '{ "devices": [{ "allow": true, "type": "c", "major": 240, "access": "rw" }] }'
	equals "$status" 1
	contains 'open device program'
	# a full disk in the last moment: everything else was done
	RT_UNDER=("$FAILCALL" renameat EIO)
	update_json '{ "devices": [{ "allow": true, "type": "c", "major": 240, "access": "rw" }],
		"unified": { "hugetlb.2MB.max": "2097152" } }'
	equals "$status" 1
	RT_UNDER=()
	device_is EPERM
	equals "$(cgroup_file hugetlb.2MB.max)" max
}

@test "the document wins over options, and a warning names those without effect" {
	requires root ours cgroup_controller hugetlb
	start_container
	update_json '{ "unified": { "hugetlb.2MB.max": "2097152" } }' --pids-limit 7 --cpu-share 5
	equals "$status" 0
	contains "--pids-limit is ignored"
	contains "--cpu-share is ignored"
	lacks "--memory"
	equals "$(kept .pids)" null
	ok update --kernel-memory 5m --kernel-memory-tcp 5m "$ID"
	contains "--kernel-memory is ignored"
	RT_GLOBAL=(--log "$WORK/log" --log-level warning --log-format json)
	ok update --kernel-memory 5m "$ID"
	equals "$output" ""
	equals "$(jq -r .level "$WORK/log")" warning
}

@test "what only cgroup v1 has changes nothing, with a warning" {
	requires ours
	start_container
	ok update --cpu-rt-period 1000 --cpu-rt-runtime 100 "$ID"
	contains "/linux/resources/cpu/realtimePeriod: realtimePeriod is ignored: cgroup v2 has none"
	contains "/linux/resources/cpu/realtimeRuntime: "
}

@test "options are checked before the container is looked for" {
	for option in "memory 12x" "memory -x" "cpu-share -1" "cpu-period 1.5" "blkio-weight 70000" \
		"pids-limit many" "cpu-idle yes" "memory 99999999999999999999"; do
		# shellcheck disable=SC2086
		fails update --$option nobody
		contains "invalid value for ${option% *}"
	done
	fails update --cpu-idle 1 nobody
	contains "container does not exist"
	fails update -r "$WORK/none.json" nobody
	contains "no such file or directory"
	RT_INPUT=/dev/null fails update -r - nobody
	fails update
	contains '"update" requires exactly 1 argument'
}

@test "values out of range are errors that name their place" {
	requires ours
	start_container
	fails update --blkio-weight 5 "$ID"
	contains "weight 5 is not of 10..1000"
	fails update --cpu-idle 2 "$ID"
	contains "idle is neither 0 nor 1"
	fails update --memory 4m --memory-swap 2m "$ID"
	contains "memory+swap limit should be >= memory limit"
	equals "$(kept '')" null
}

@test "update takes containers that are created or paused, and none that has ended" {
	requires root ours cgroup_controller hugetlb
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	update_json '{ "unified": { "hugetlb.2MB.max": "2097152" } }'
	equals "$status" 0
	equals "$(container_status)" created
	ok start "$ID"
	ok pause "$ID"
	update_json '{ "unified": { "hugetlb.2MB.max": "4194304" } }'
	equals "$status" 0
	equals "$(container_status)" paused
	ok resume "$ID"
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	update_json '{ "unified": { "hugetlb.2MB.max": "2097152" } }'
	equals "$status" 1
	contains "container not running"
	equals "$(cgroup_file hugetlb.2MB.max)" 4194304
}

@test "without a cgroup there is nothing to update" {
	requires root ours
	RT_GLOBAL=(--cgroup-manager disabled)
	start_container
	RT_GLOBAL=()
	fails update --pids-limit 5 "$ID"
	contains "cannot set pids limit: container could not join or create cgroup"
	ok update "$ID"
}

@test "updates at the same time follow each other" {
	requires root ours cgroup_controller hugetlb
	start_container
	pids=()
	for i in {1..20}; do
		echo "{ \"unified\": { \"hugetlb.2MB.max\": \"$((i * 2097152))\" } }" >"$WORK/$i.json"
		"$RUNTIME" --root "$ROOT" update -r "$WORK/$i.json" "$ID" 3>&- &
		pids+=($!)
	done
	# who only asks does not wait, and sees a whole state each time
	for _ in {1..20}; do
		equals "$(container_status)" running
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	equals "\"$(cgroup_file hugetlb.2MB.max)\"" "$(kept '.unified["hugetlb.2MB.max"]')"
}

@test "an update that is killed leaves a container that the next one updates" {
	requires root ours cgroup_controller hugetlb
	start_container
	echo '{ "unified": { "hugetlb.2MB.max": "2097152" }, "devices": [{ "allow": true }] }' >"$WORK/1.json"
	echo '{ "unified": { "hugetlb.2MB.max": "4194304" }, "devices": [{ "allow": false }] }' >"$WORK/0.json"
	for i in {1..30}; do
		"$RUNTIME" --root "$ROOT" update -r "$WORK/$((i % 2)).json" "$ID" 3>&- &
		sleep "0.00$((SRANDOM % 6))"
		kill -KILL $! 2>/dev/null || true
		wait $! || true
		equals "$(container_status)" running
	done
	# a signal that can wait does, until it is done or undone
	"$RUNTIME" --root "$ROOT" update -r "$WORK/1.json" "$ID" 3>&- &
	kill -TERM $! 2>/dev/null || true
	wait $! || true
	ok update -r "$WORK/0.json" "$ID"
	equals "$(cgroup_file hugetlb.2MB.max)" 4194304
	equals "$(kept .devices)" '[{"allow":false}]'
	[ ! -e "$ROOT/$ID/state.json~" ]
}

@test "schemata of resctrl are updated in the container's group only" {
	requires root ours
	export ORLOP_RESCTRL=$WORK/resctrl
	mkdir -p "$ORLOP_RESCTRL"/{info,mon_groups}
	printf 'MB:0=100\nL3:0=7ff\n' >"$ORLOP_RESCTRL/schemata"
	start_container
	fails update --l3-cache-schema L3:0=1 "$ID"
	contains "the container is in no resctrl group"
	ok delete --force "$ID"
	config_set '.linux.intelRdt = { "schemata": ["L3:0=f"] }'
	start_container
	ok update --l3-cache-schema L3:0=3 --mem-bw-schema MB:0=20 "$ID"
	equals "$(cat "$ORLOP_RESCTRL/$ID/schemata")" "$(printf 'L3:0=f\nL3:0=3\nMB:0=20')"
}

# -- where the controllers are v2's ----------------------------------------------------------------

@test "memory: limits, swap with them, and -1 for all" {
	requires root cgroup_controller memory
	start_container
	ok update --memory 64m --memory-reservation 32m "$ID"
	equals "$(cgroup_file memory.max):$(cgroup_file memory.low)" 67108864:33554432
	ok update --memory 32m --memory-swap 32m "$ID"
	equals "$(cgroup_file memory.max)" 33554432
	[ ! -e "$CGROUP_ROOT/orlop/$ID/memory.swap.max" ] || equals "$(cgroup_file memory.swap.max)" 0
	ok update --memory -1 "$ID"
	equals "$(cgroup_file memory.max)" max
	[ ! -e "$CGROUP_ROOT/orlop/$ID/memory.swap.max" ] || equals "$(cgroup_file memory.swap.max)" max
}

@test "memory.checkBeforeUpdate refuses a limit below the usage" {
	requires root ours cgroup_controller memory
	start_container
	update_json '{ "memory": { "limit": 4096, "checkBeforeUpdate": true } }'
	equals "$status" 1
	contains "rejecting memory limit 4096 <= usage "
	equals "$(cgroup_file memory.max)" max
	equals "$(container_status)" running
	update_json '{ "memory": { "limit": 8192, "swap": 8192, "checkBeforeUpdate": true } }'
	contains "rejecting memory+swap limit 8192 <= usage "
	update_json '{ "memory": { "limit": 67108864, "checkBeforeUpdate": true } }'
	equals "$status" 0
	equals "$(cgroup_file memory.max)" 67108864
}

@test "cpu: a quota keeps the period, a burst above the old quota finds its place" {
	requires root ours cgroup_controller cpu
	config_set '.linux.resources.cpu = { "quota": 20000, "period": 50000 }'
	start_container
	ok update --cpu-quota 30000 "$ID"
	equals "$(cgroup_file cpu.max)" "30000 50000"
	ok update --cpu-period 100000 "$ID"
	equals "$(cgroup_file cpu.max)" "30000 100000"
	ok update --cpu-share 512 "$ID"
	equals "$(cgroup_file cpu.weight)" 59
	if [ -e "$CGROUP_ROOT/orlop/$ID/cpu.max.burst" ]; then
		ok update --cpu-quota 60000 --cpu-burst 50000 "$ID"
		equals "$(cgroup_file cpu.max):$(cgroup_file cpu.max.burst)" "60000 100000:50000"
		# the burst must go first here
		ok update --cpu-quota 10000 --cpu-burst 0 "$ID"
		equals "$(cgroup_file cpu.max):$(cgroup_file cpu.max.burst)" "10000 100000:0"
		fails update --cpu-share 1024 --cpu-quota 10000 --cpu-burst 90000 "$ID"
		equals "$(cgroup_file cpu.weight)" 59
	fi
	ok update --cpu-quota -1 "$ID"
	equals "$(cgroup_file cpu.max)" "max 100000"
	if [ -e "$CGROUP_ROOT/orlop/$ID/cpu.idle" ]; then
		ok update --cpu-idle 1 "$ID"
		equals "$(cgroup_file cpu.idle)" 1
		ok update --cpu-idle 0 --cpu-share 1024 "$ID"
		equals "$(cgroup_file cpu.idle):$(cgroup_file cpu.weight)" 0:100
	fi
}

@test "cpuset: lists of CPUs and memory nodes, which the statistics have, too" {
	requires root ours cgroup_controller cpuset
	start_container
	ok update --cpuset-cpus 0 --cpuset-mems 0 "$ID"
	equals "$(cgroup_file cpuset.cpus):$(cgroup_file cpuset.mems)" 0:0
	ok events --stats "$ID"
	equals "$(jq -c '.data.cpuset | [.cpus, .mems]' <<<"$stdout")" '[[0],[0]]'
	fails update --cpuset-cpus 0-0 --cpuset-mems 9 "$ID"
	equals "$(cgroup_file cpuset.cpus):$(cgroup_file cpuset.mems)" 0:0
	equals "$(kept .cpu.cpus)" '"0"'
}

@test "pids: a number, 0 for init alone, -1 for no limit" {
	requires root ours cgroup_controller pids
	start_container
	ok update --pids-limit 5 "$ID"
	equals "$(cgroup_file pids.max)" 5
	ok exec "$ID" /bin/probe fork 20
	contains "forked 3" "$stdout"
	ok update --pids-limit 0 "$ID"
	equals "$(cgroup_file pids.max)" 1
	ok update --pids-limit -1 "$ID"
	equals "$(cgroup_file pids.max)" max
}

@test "io: throttles and weights of devices, and 0 to be rid of them" {
	requires root ours cgroup_controller io
	disk=$(cat /sys/block/{ubd,vd}?/dev 2>/dev/null | head -n 1)
	[ -n "$disk" ] || skip "needs a disk"
	device="\"major\": ${disk%:*}, \"minor\": ${disk#*:}"
	start_container
	update_json "{ \"blockIO\": { \"throttleReadBpsDevice\": [{ $device, \"rate\": 1048576 }] } }"
	equals "$status:$output" 0:
	contains "$disk rbps=1048576 wbps=max" "$(cgroup_file io.max)"
	update_json "{ \"blockIO\": { \"throttleWriteIOPSDevice\": [{ $device, \"rate\": 50 }] },
		\"unified\": { \"io.max\": \"nonsense\" } }"
	equals "$status" 1
	equals "$(cgroup_file io.max)" "$disk rbps=1048576 wbps=max riops=max wiops=max"
	update_json "{ \"blockIO\": { \"throttleReadBpsDevice\": [{ $device, \"rate\": 0 }] } }"
	equals "$status" 0
	equals "$(cgroup_file io.max)" ""
	rt update --blkio-weight 500 "$ID"
	if [ -e "$CGROUP_ROOT/orlop/$ID/io.bfq.weight" ]; then
		equals "$status:$(cgroup_file io.bfq.weight | head -n 1)" "0:default 500"
	elif [ -e "$CGROUP_ROOT/orlop/$ID/io.weight" ]; then
		equals "$status:$(cgroup_file io.weight | head -n 1)" "0:default 4950"
	else
		equals "$status" 1
		contains "io.bfq.weight"
	fi
}
