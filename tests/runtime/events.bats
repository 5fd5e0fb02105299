#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# events: statistics in runc's words, and a stream that the kernel drives.
load helpers

# stats FILTER: of the statistics, through jq
stats() {
	"$RUNTIME" --root "$ROOT" events --stats "$ID" 3>&- | jq -c "$1"
}

# events_to FILE OPTION ...: the stream, in the background
events_to() {
	"$RUNTIME" --root "$ROOT" events "${@:2}" "$ID" >"$1" 2>"$1.err" 3>&- &
	EVENTS=$!
	BACKGROUND+=("$EVENTS")
}

@test "--stats is one line with the members that callers decode" {
	requires root
	start_container
	ok events --stats "$ID"
	equals "$(wc -l <"$WORK/stdout")" 1
	equals "$stderr" ""
	[[ $stdout == "{\"type\":\"stats\",\"id\":\"$ID\",\"data\":{\"cpu\":{\"usage\":{"* ]]
	equals "$(jq -c '.data | keys_unsorted' <<<"$stdout")" \
		'["cpu","cpuset","memory","pids","blkio","hugetlb","intel_rdt","network_interfaces"]'
	equals "$(jq -c '.data.memory | [.usage, .swap, .kernel, .kernelTCP | has("limit", "failcnt")] | all' <<<"$stdout")" true
	equals "$(jq -c '.data.network_interfaces' <<<"$stdout")" null
	# the total is left out while it is 0, as by runc
	jq -e '.data.cpu.usage | has("kernel") and has("user")' <<<"$stdout"
}

@test "processor time is in nanoseconds and grows with use" {
	requires root
	start_container
	before=$(stats .data.cpu.usage.total)
	ok exec "$ID" /bin/probe burn 300
	after=$(stats .data.cpu.usage.total)
	# a busy machine may give the process a twentieth of the time that passes
	[ $((after - ${before/null/0})) -gt 5000000 ]
	[ $((after - ${before/null/0})) -lt 3000000000 ]
	equals "$(stats '.data.cpu.usage | .total - .kernel - .user | . < 2000 and . > -2000')" true
}

@test "huge pages are there by their sizes" {
	requires root ours cgroup_controller hugetlb
	start_container
	for size in "$CGROUP_ROOT/orlop/$ID"/hugetlb.*.events; do
		size=${size##*/hugetlb.}
		equals "$(stats ".data.hugetlb[\"${size%.events}\"]")" '{"failcnt":0}'
	done
}

@test "pressure is in numbers, as Go writes them" {
	requires root ours
	[ -e "$CGROUP_ROOT/cpu.pressure" ] || skip "needs PSI"
	start_container
	equals "$(stats '.data.cpu.psi | [.some, .full | keys_unsorted] | unique')" '[["avg10","avg60","avg300","total"]]'
	equals "$(stats '[.data | .cpu, .memory, .blkio | .psi.some | .avg10, .total | type] | unique')" '["number"]'
	lacks 0.00 "$("$RUNTIME" --root "$ROOT" events --stats "$ID" 3>&-)"
}

@test "interfaces of the container's own network are counted" {
	requires root ours
	start_container
	nsenter -t "$(container_pid)" -n ip link add veth-a type veth peer name veth-b ||
		skip "needs veth"
	equals "$(stats '[.data.network_interfaces[].Name] | sort')" '["veth-a","veth-b"]'
	equals "$(stats '.data.network_interfaces[0] | keys')" \
		'["Name","RxBytes","RxDropped","RxErrors","RxPackets","TxBytes","TxDropped","TxErrors","TxPackets"]'
	ok delete --force "$ID"
	config_set '.linux.namespaces |= map(select(.type != "network"))'
	start_container
	equals "$(stats .data.network_interfaces)" null
}

@test "schemata and counters of resctrl are in it" {
	requires root ours
	export ORLOP_RESCTRL=$WORK/resctrl
	mkdir -p "$ORLOP_RESCTRL"/{info/L3,info/MB,mon_groups}
	echo fff >"$ORLOP_RESCTRL/info/L3/cbm_mask"
	echo 16 >"$ORLOP_RESCTRL/info/L3/num_closids"
	echo 10 >"$ORLOP_RESCTRL/info/MB/bandwidth_gran"
	printf '    MB:0=100\n    L3:0=7ff\n' >"$ORLOP_RESCTRL/schemata"
	config_set '.linux.intelRdt = { "schemata": ["L3:0=f", "MB:0=20"] }'
	start_container
	mkdir -p "$ORLOP_RESCTRL/$ID/mon_data/mon_L3_00"
	echo 4711 >"$ORLOP_RESCTRL/$ID/mon_data/mon_L3_00/llc_occupancy"
	echo 9 >"$ORLOP_RESCTRL/$ID/mon_data/mon_L3_00/mbm_total_bytes"
	equals "$(stats .data.intel_rdt)" '{"l3_cache_info":{"cbm_mask":"fff","num_closids":16},"l3_cache_schema_root":"L3:0=7ff","l3_cache_schema":"L3:0=f","mem_bw_info":{"bandwidth_gran":10},"mem_bw_schema_root":"MB:0=100","mem_bw_schema":"MB:0=20","mbm_stats":[{"mbm_total_bytes":9,"mbm_local_bytes":0}],"cmt_stats":[{"llc_occupancy":4711}]}'
}

@test "the stream has statistics at the interval and ends with the container" {
	requires root
	start_container
	events_to "$WORK/events" --interval 50ms
	wait_for 5 eval '[ "$(wc -l <"$WORK/events")" -ge 3 ]'
	equals "$(jq -r .type "$WORK/events" | sort -u)" stats
	ok kill "$ID" KILL
	wait "$EVENTS"
	equals "$(cat "$WORK/events.err")" ""
	jq -e . "$WORK/events" >/dev/null
}

@test "the stream ends when the container is deleted under it, and waits without work" {
	requires root ours program strace
	start_container
	strace -f -o "$WORK/trace" -e trace=poll,pread64 "$RUNTIME" --root "$ROOT" events --interval 1h "$ID" \
		>"$WORK/events" 3>&- &
	EVENTS=$!
	BACKGROUND+=("$EVENTS")
	wait_for 5 grep -q poll "$WORK/trace"
	sleep 0.5 # in which it has nothing to do
	ok delete --force "$ID"
	wait "$EVENTS"
	# it slept in one poll until the end
	[ "$(grep -c poll "$WORK/trace")" -le 3 ]
}

@test "statistics while the container goes are whole lines or an error" {
	requires root ours
	for _ in 1 2 3 4 5; do
		start_container
		for _ in 1 2 3 4; do
			"$RUNTIME" --root "$ROOT" events --stats "$ID" >>"$WORK/lines" 2>>"$WORK/errors" 3>&- &
		done
		ok delete --force "$ID"
		wait
	done
	jq -e .data.cpu "$WORK/lines" >/dev/null || [ ! -s "$WORK/lines" ]
	refute grep -vE "container with id $ID is not running|container does not exist" "$WORK/errors"
}

@test "events says what it cannot do" {
	fails events --stats nobody
	contains "container does not exist"
	fails events --interval 0s nobody
	contains "duration interval must be greater than 0"
	fails events --interval soon nobody
	contains 'invalid value for interval: "soon"'
	fails events --watch weather nobody
	contains 'invalid value for watch: "weather"'
	start_container
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	fails events --stats "$ID"
	contains "container with id $ID is not running"
	fails events "$ID"
	contains "container with id $ID is not running"
}

@test "without a cgroup there are no statistics" {
	requires ours
	RT_GLOBAL=(--cgroup-manager disabled)
	start_container
	RT_GLOBAL=()
	fails events --stats "$ID"
	contains "has no cgroup that would count what it uses"
}

@test "--watch of a file that is not there is an error" {
	requires root ours hybrid no_cgroup_controller pids
	start_container
	fails events --watch pids "$ID"
	contains "watch pids.events of cgroup"
}

@test "a shortage of processor time is told when the kernel sees it" {
	requires root ours
	[ -e "$CGROUP_ROOT/cpu.pressure" ] || skip "needs PSI"
	start_container
	events_to "$WORK/events" --interval 1h --watch cpu-pressure
	wait_for 5 waits "$EVENTS"
	for _ in 1 2 3 4 5 6; do
		ok exec -d "$ID" /bin/probe burn 100000
	done
	wait_for 5 [ -s "$WORK/events" ]
	equals "$(head -n 1 "$WORK/events" | jq -c '[.type, .id, (.data.some.total > 0)]')" "[\"cpu-pressure\",\"$ID\",true]"
}

# -- where the controllers are v2's ----------------------------------------------------------------

@test "memory, processes and their limits are in the statistics" {
	requires root cgroup_controller memory cgroup_controller pids
	config_set '.linux.resources += { "memory": { "limit": 67108864 }, "pids": { "limit": 50 } }'
	start_container
	ok exec -d "$ID" /bin/probe sleep
	equals "$(stats '.data.pids')" '{"current":2,"limit":50}'
	equals "$(stats '.data.memory.usage | .limit == 67108864 and .usage > 0')" true
	equals "$(stats '.data.memory.raw.anon > 0')" true
	ok update --memory -1 --pids-limit -1 "$ID"
	equals "$(stats .data.pids)" '{"current":2}'
	# 2^64-1, which jq would round
	ok events --stats "$ID"
	contains '"usage":{"limit":18446744073709551615,' "$stdout"
}

@test "an OOM kill is an event, at once" {
	requires root cgroup_controller memory
	config_set '.linux.resources.memory = { "limit": 16777216, "swap": 16777216 }'
	start_container
	events_to "$WORK/events" --interval 1h
	wait_for 5 waits "$EVENTS"
	rt exec "$ID" /bin/probe memory 64
	equals "$status" 137
	wait_for 5 [ -s "$WORK/events" ]
	equals "$(head -n 1 "$WORK/events")" "{\"type\":\"oom\",\"id\":\"$ID\"}"
}

@test "an OOM kill that ends the container is told before the stream ends" {
	requires root ours cgroup_controller memory
	config_set '.linux.resources.memory = { "limit": 16777216, "swap": 16777216 }'
	probe memory 64
	ok create -b "$BUNDLE" "$ID"
	events_to "$WORK/events" --interval 1h
	wait_for 5 waits "$EVENTS"
	ok start "$ID"
	wait "$EVENTS"
	equals "$(cat "$WORK/events")" "{\"type\":\"oom\",\"id\":\"$ID\"}"
}

@test "--watch tells of memory limits reached and of refused processes" {
	requires root ours cgroup_controller memory cgroup_controller pids
	config_set '.linux.resources += { "memory": { "limit": 33554432 }, "pids": { "limit": 5 } }'
	start_container
	events_to "$WORK/events" --interval 1h --watch memory --watch pids
	wait_for 5 waits "$EVENTS"
	rt exec "$ID" /bin/probe memory 64
	wait_for 5 grep -q '"type":"memory"' "$WORK/events"
	equals "$(grep '"type":"memory"' "$WORK/events" | tail -n 1 | jq -c '.data.max > 0')" true
	ok exec "$ID" /bin/probe fork 20
	wait_for 5 grep -q '"type":"pids"' "$WORK/events"
	equals "$(grep '"type":"pids"' "$WORK/events" | head -n 1 | jq -c '.data.max > 0')" true
}

@test "throttled periods are counted" {
	requires root cgroup_controller cpu
	config_set '.linux.resources.cpu = { "quota": 10000, "period": 100000 }'
	start_container
	ok exec "$ID" /bin/probe burn 1000
	equals "$(stats '.data.cpu.throttling | .periods > 0 and .throttledPeriods > 0 and .throttledTime > 0')" true
}
