#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Limits as a process in the container meets them, not as files have them. (OOM kills and pids.limit
# are in cgroups.bats, devices in update.bats and confinement.bats.)
load helpers

# used: processor time of the container in microseconds
used() {
	awk '$1 == "usage_usec" { print $2 }' "$CGROUP_ROOT/orlop/$ID/cpu.stat"
}

@test "a quota of processor time holds within 10 %" {
	requires root ours cgroup_controller cpu
	config_set '.linux.resources.cpu = { "quota": 20000, "period": 100000 }'
	start_container
	began=${EPOCHREALTIME/./} before=$(used)
	ok exec "$ID" /bin/probe burn 3000
	spent=$(($(used) - before)) took=$((${EPOCHREALTIME/./} - began))
	# a fifth of some three seconds, and the slice of one period; a busy host may give less, never more
	echo "spent $spent of $took us"
	[ "$spent" -le $((took * 22 / 100 + 20000)) ]
	[ "$spent" -ge 100000 ]
	ok update --cpu-quota -1 "$ID"
	wait_for 5 burns_more_than "$((2 * spent))"
}

# burns_more_than MICROSECONDS: in the same time; a busy host may not give so much each time
burns_more_than() {
	before=$(used)
	ok exec "$ID" /bin/probe burn 3000
	[ $(($(used) - before)) -gt "$1" ]
}

@test "writing to a disk is throttled, and not any more after an update" {
	requires root ours cgroup_controller io
	disk=$(mountpoint -d /)
	[ -e "/sys/dev/block/$disk" ] || skip "needs a root file system on a disk"
	[ ! -e "/sys/dev/block/$disk/partition" ] || disk=$(cat "/sys/dev/block/$disk/../dev")
	device="\"major\": ${disk%:*}, \"minor\": ${disk#*:}"
	mkdir "/var/tmp/orlop-$ID"
	config_set '.mounts += [{ "destination": "/data", "type": "bind", "source": $dir, "options": ["bind"] }]
		| .linux.resources.blockIO = { "throttleWriteBpsDevice": [{ "major": $major, "minor": $minor, "rate": 262144 }] }' \
		--arg dir "/var/tmp/orlop-$ID" --argjson major "${disk%:*}" --argjson minor "${disk#*:}"
	start_container
	rt exec "$ID" /bin/probe writedirect /data/file 512
	slow=${stdout#took }
	RT_INPUT=<(echo "{ \"blockIO\": { \"throttleWriteBpsDevice\": [{ $device, \"rate\": 0 }] } }") ok update -r - "$ID"
	# half a MiB at a quarter a second: the first slice is free
	[ "$slow" -ge 1000 ]
	wait_for 10 writes_within $((slow / 2))
	rm -r "/var/tmp/orlop-$ID"
}

# writes_within MILLISECONDS: the same; a busy disk may take its time, too, but not each time
writes_within() {
	rt exec "$ID" /bin/probe writedirect /data/file 512
	[ "${stdout#took }" -lt "$1" ]
}

@test "a memory limit of 512 KiB is enough to start and to run a program" {
	requires root ours cgroup_controller memory
	config_set '.linux.resources.memory = { "limit": 524288 }'
	probe_run true
	ok delete --force "$ID"
	start_container
	equals "$(cat "$CGROUP_ROOT/orlop/$ID/memory.max")" 524288
	equals "$(container_status)" running
}
