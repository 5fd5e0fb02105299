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
	before=$(used)
	ok exec "$ID" /bin/probe burn 3000
	spent=$(($(used) - before))
	# a fifth of three seconds; a busy host may give less, never more
	echo "spent $spent us"
	[ "$spent" -le 660000 ]
	[ "$spent" -ge 100000 ]
	ok update --cpu-quota -1 "$ID"
	before=$(used)
	ok exec "$ID" /bin/probe burn 3000
	[ $(($(used) - before)) -gt "$((2 * spent))" ]
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
	rt exec "$ID" /bin/probe writedirect /data/file 512
	rm -r "/var/tmp/orlop-$ID"
	echo "throttled: $slow ms, else ${stdout#took } ms"
	# half a MiB at a quarter a second: the first slice is free
	[ "$slow" -ge 1000 ]
	[ "${stdout#took }" -lt $((slow / 2)) ]
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
