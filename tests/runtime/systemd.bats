#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The systemd manager where systemd is the first process (tests/vm/run --systemd).
load helpers
load races

setup() {
	setup_work
	requires ours root systemd systemd_scope cgroup_v2
	setup_bundle
	export ORLOP_SYSTEMD_SCOPE=$ORLOP_BUILD/runtime/cgroup/systemd-scope
	RT_GLOBAL=(--systemd-cgroup)
	UNIT=orlop-$ID.scope
	GROUP=$CGROUP_ROOT/system.slice/$UNIT
}

# unit_has NAME=VALUE...: properties of the unit
unit_has() {
	local all line
	all=$(systemctl show --all "$UNIT")
	for line; do
		grep -qxF -- "$line" <<<"$all" || {
			echo "$UNIT has not $line, but"
			grep "^${line%%=*}=" <<<"$all"
			return 1
		}
	done
}

# gone: systemd knows no such unit any more, and has no cgroup of it
gone() {
	unit_has LoadState=not-found
	[ ! -d "$GROUP" ]
}

resources() {
	config_set '.linux.resources += $more' --argjson more "$1"
}

@test "a container is a scope in system.slice, and its process is in it when create returns" {
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	unit_has ActiveState=active Slice=system.slice Delegate=yes "ControlGroup=/system.slice/$UNIT"
	equals "$(cat "$GROUP/cgroup.procs")" "$(container_pid)"
	RT_GLOBAL=()
	ok start "$ID"
	ok exec "$ID" /bin/probe cat /proc/self/cgroup
	equals "$stdout" 0::/
	ok ps --format json "$ID"
	ok delete --force "$ID"
	gone
}

@test "the unit ends with the container's last process, before any delete" {
	start_container
	ok kill "$ID" KILL
	wait_for 5 gone
	ok delete "$ID"
}

@test "limits are properties of the unit and values in its files" {
	resources '{"memory": {"limit": 67108864, "reservation": 33554432}, "pids": {"limit": 33},
		"cpu": {"shares": 512, "quota": 12345, "period": 50000}}'
	start_container
	unit_has MemoryMax=67108864 MemoryLow=33554432 TasksMax=33 CPUWeight=59 \
		CPUQuotaPerSecUSec=250ms CPUQuotaPeriodUSec=50ms
	equals "$(cat "$GROUP"/{memory.max,memory.low,pids.max,cpu.weight,cpu.max})" \
		$'67108864\n33554432\n33\n59\n12345 50000'
	# what systemd writes again is the same; but for whole percents
	systemctl daemon-reload
	equals "$(cat "$GROUP"/{memory.max,memory.low,pids.max,cpu.weight})" $'67108864\n33554432\n33\n59'
}

@test "update sets properties, too" {
	resources '{"memory": {"limit": 67108864}}'
	start_container
	RT_GLOBAL=()
	ok update --memory 50331648 --pids-limit 20 "$ID"
	unit_has MemoryMax=50331648 TasksMax=20
	systemctl daemon-reload
	equals "$(cat "$GROUP"/{memory.max,pids.max})" $'50331648\n20'
}

@test "unified limits are properties, too" {
	resources '{"unified": {"memory.high": "50331648", "pids.max": "21"}}'
	start_container
	unit_has MemoryHigh=50331648 TasksMax=21
	equals "$(cat "$GROUP"/{memory.high,pids.max})" $'50331648\n21'
}

@test "devices: systemd's list lets through what the rules allow, and no more comes through" {
	config_set '.linux.resources.devices = [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]
		| .linux.devices = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229},
			{"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11}]'
	probe_run open /dev/fuse /dev/null /dev/ptmx /dev/kmsg
	contains "/dev/fuse ok" "$stdout"
	contains "/dev/null ok" "$stdout"
	contains "/dev/ptmx ok" "$stdout"
	contains "/dev/kmsg EPERM" "$stdout"
}

@test "an update of something else leaves the exact quota, which systemd only has in whole percents" {
	resources '{"cpu": {"quota": 12345, "period": 100000}, "memory": {"limit": 67108864}}'
	start_container
	ok update --memory 134217728 "$ID"
	equals "$(cat "$GROUP"/{cpu.max,memory.max})" $'12345 100000\n134217728'
	unit_has MemoryMax=134217728 CPUQuotaPerSecUSec=130ms
	ok update --cpu-quota 33333 "$ID"
	equals "$(cat "$GROUP/cpu.max")" "33333 100000"
	unit_has CPUQuotaPerSecUSec=340ms
}

@test "nested slices: a-b.slice is in a.slice, and both are made" {
	config_set '.linux.cgroupsPath = "orlop-\($id).slice:pre:\($id)"' --arg id "$ID"
	UNIT=pre-$ID.scope
	start_container
	unit_has "ControlGroup=/orlop.slice/orlop-$ID.slice/$UNIT"
	grep -qx "0::/orlop.slice/orlop-$ID.slice/$UNIT" "/proc/$(container_pid)/cgroup"
	ok delete --force "$ID"
	systemctl stop "orlop-$ID.slice" orlop.slice
	gone
}

@test "the root slice and an id that has to be escaped" {
	config_set '.linux.cgroupsPath = "-.slice::"'
	probe sleep
	ok create -b "$BUNDLE" "$ID+1"
	UNIT=$ID'\x2b1.scope'
	unit_has ActiveState=active "ControlGroup=/$UNIT"
	ok delete --force "$ID+1"
	unit_has LoadState=not-found
}

@test "a unit whose name would be that of a file of the kernel's" {
	config_set '.linux.cgroupsPath = "system.slice::cgroup.\($id)"' --arg id "$ID"
	UNIT=cgroup.$ID.scope
	start_container
	equals "$(cat "$CGROUP_ROOT/system.slice/_$UNIT/cgroup.procs")" "$(container_pid)"
	ok exec "$ID" /bin/probe true
	ok delete --force "$ID"
	[ ! -d "$CGROUP_ROOT/system.slice/_$UNIT" ]
	gone
}

@test "properties by annotations; an unknown one is systemd's error" {
	config_set '.annotations = {"org.systemd.property.TimeoutStopSec": "7",
		"org.systemd.property.Description": "\u0027a test\u0027",
		"org.systemd.property.Documentation": "[\u0027man:a(1)\u0027]"}'
	start_container
	unit_has TimeoutStopUSec=7s "Description=a test" 'Documentation="man:a(1)"'
	ok delete --force "$ID"
	config_set '.annotations = {"org.systemd.property.NoSuchThing": "1"}'
	fails create -b "$BUNDLE" "$ID"
	contains "start unit \"$UNIT\": systemd: "
	contains NoSuchThing
	[ ! -e "$ROOT/$ID" ]
	gone
}

@test "by annotation the process is below the scope, with the controllers" {
	config_set '.annotations = {"run.oci.systemd.subgroup": "payload"}'
	resources '{"memory": {"limit": 67108864}}'
	start_container
	equals "$(cat "$GROUP/payload/cgroup.procs")" "$(container_pid)"
	equals "$(cat "$GROUP/payload/memory.max")" 67108864
	unit_has MemoryMax=67108864
	ok exec "$ID" /bin/probe cat /proc/self/cgroup
	equals "$stdout" 0::/
	ok delete --force "$ID"
	gone
}

@test "a unit of that name that lives is left alone; one that failed is in nobody's way" {
	systemd-run --quiet --scope --unit="$UNIT" sleep 1000 3>&- &
	BACKGROUND+=($!)
	wait_for 5 systemctl --quiet is-active "$UNIT"
	fails create -b "$BUNDLE" "$ID"
	contains "already"
	systemctl --quiet is-active "$UNIT"
	[ ! -e "$ROOT/$ID" ]
	systemctl stop "$UNIT"
	config_set '.annotations = {"org.systemd.property.CollectMode": "\u0027inactive\u0027",
		"org.systemd.property.RuntimeMaxSec": "10", "org.systemd.property.TimeoutStopSec": "1"}'
	ok create -b "$BUNDLE" "$ID" # which has these ten seconds
	wait_for 20 is_status stopped
	wait_for 5 systemctl --quiet is-failed "$UNIT"
	rm -r "$ROOT/$ID"
	config_set 'del(.annotations)'
	probe true
	ok run -b "$BUNDLE" "$ID"
	gone
}

@test "a create that fails behind the start leaves no unit" {
	config_set '.hooks = {"createRuntime": [{"path": "/bin/false"}]}'
	fails create -b "$BUNDLE" "$ID"
	gone
}

@test "pause, resume and kill --all work on the unit's cgroup" {
	start_container
	ok pause "$ID"
	is_status paused
	equals "$(cat "$GROUP/cgroup.freeze")" 1
	ok resume "$ID"
	ok kill --all "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
	gone
}

@test "many at once" {
	local i pids=()
	for i in 1 2 3 4 5 6 7 8; do
		"$RUNTIME" --root "$ROOT" --systemd-cgroup run -b "$BUNDLE" "$ID-$i" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	equals "$(systemctl list-units --all --plain --no-legend "orlop-$ID-*")" ""
}

@test "100 containers at random: nothing is left, and systemd knows none of them" {
	race 2
	equals "$(systemctl list-units --all --plain --no-legend "orlop-$ID-*")" ""
}

@test "without a bus daemon, systemd's own socket does" {
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$WORK/no-bus
	start_container
	unit_has ActiveState=active
	ok delete --force "$ID"
	gone
}

@test "systemd is the first process of a container with a user namespace of its own" {
	local merged=$WORK/merged
	mkdir "$merged" "$WORK"/{lower,upper,work}
	mount --bind / "$WORK/lower"
	chown 100000 "$WORK/upper"
	config_set '.root = {"path": $root, "readonly": false} | .linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end)
		| .mounts += (["/run", "/run/lock", "/tmp"] | map({"destination": ., "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]}))
		| .process.env = ["PATH=/usr/bin:/bin", "container=oci"] | .process.noNewPrivileges = false
		| .process.args = ["/lib/systemd/systemd", "--unit=basic.target", "--log-target=null"]
		| .process.capabilities |= map_values(["CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL",
			"CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT"])' --arg root "$merged"
	mount -t overlay -o "lowerdir=$WORK/lower,upperdir=$WORK/upper,workdir=$WORK/work" overlay "$merged"
	ok create -b "$BUNDLE" "$ID"
	ok start "$ID"
	wait_for 6 "$RUNTIME" --root "$ROOT" exec "$ID" /usr/bin/systemctl --quiet is-active basic.target
	equals "$(stat -c %u "$GROUP/init.scope")" 100000
	[ -d "$GROUP/system.slice" ]
	ok exec "$ID" /usr/bin/cat /proc/self/cgroup
	equals "$stdout" 0::/init.scope
	ok delete --force "$ID"
	umount "$merged" "$WORK/lower"
	gone
}

# -- a user's own instance -------------------------------------------------------------------------

# as_user: from here on the runtime is called by "user", in a session of whom systemd has an instance
as_user() {
	local runtime=$RUNTIME
	loginctl enable-linger user
	wait_for 10 [ -S /run/user/1000/bus ]
	cat >"$WORK/runtime" <<-END
		#!/bin/sh
		exec setpriv --reuid 1000 --regid 1000 --clear-groups -- env -i PATH="\$PATH" $* \
			ORLOP_SYSTEMD_SCOPE="$ORLOP_SYSTEMD_SCOPE" "$runtime" "\$@"
	END
	chmod 755 "$WORK/runtime"
	mkdir -m 700 "$ROOT"
	rm "$BUNDLE/config.json"
	RUNTIME=$WORK/runtime
	chown -R user:user "$ROOT" "$BUNDLE"
	(cd "$BUNDLE" && "$RUNTIME" spec --rootless)
	config_set '.process.terminal = false | .process.args = ["/bin/probe", "true"] | .process.env = ["PATH=/bin"]'
	GROUP=$CGROUP_ROOT/user.slice/user-1000.slice/user@1000.service/user.slice/$UNIT
}

@test "without privilege: a scope of the user's own instance, with limits" {
	as_user XDG_RUNTIME_DIR=/run/user/1000
	resources '{"memory": {"limit": 67108864}, "pids": {"limit": 33}}'
	start_container
	equals "$(cat "$GROUP/cgroup.procs")" "$(container_pid)"
	equals "$(cat "$GROUP"/{memory.max,pids.max})" $'67108864\n33'
	equals "$(stat -c %U "$GROUP")" user
	RT_GLOBAL=()
	ok exec "$ID" /bin/probe cat /proc/self/cgroup
	equals "$stdout" 0::/
	ok delete --force "$ID"
	[ ! -d "$GROUP" ]
}

@test "without privilege: the bus is found by its usual place, too" {
	as_user A=b
	ok run -b "$BUNDLE" "$ID"
}

@test "without privilege: a bus that is not there is told" {
	as_user DBUS_SESSION_BUS_ADDRESS=unix:path=/nothing XDG_RUNTIME_DIR=/nothing
	fails create -b "$BUNDLE" "$ID"
	contains "ask the user's instance of systemd for its cgroup: cannot connect to systemd"
	[ ! -e "$ROOT/$ID" ]
}

@test "without privilege: in a cgroup that systemd has delegated, by the cgroupfs manager, with limits" {
	local runtime=$RUNTIME
	as_user XDG_RUNTIME_DIR=/run/user/1000
	resources '{"memory": {"limit": 67108864}, "pids": {"limit": 33}}'
	probe sleep "$NAP"
	# who calls must not be where controllers are passed on
	cat >"$WORK/inside" <<-END
		set -ex
		scope=\$(sed -n 's/^0:://p' /proc/self/cgroup)
		cd /sys/fs/cgroup\$scope
		mkdir caller
		echo \$\$ >caller/cgroup.procs
		jq --arg path "\$scope/c" '.linux.cgroupsPath = \$path' "$BUNDLE/config.json" >"$BUNDLE/new"
		mv "$BUNDLE/new" "$BUNDLE/config.json"
		set -- "$runtime" --root "$ROOT" --cgroup-manager cgroupfs
		"\$@" create -b "$BUNDLE" "$ID"
		"\$@" start "$ID"
		cat c/memory.max c/pids.max
		"\$@" update --memory 33554432 "$ID"
		cat c/memory.max
		"\$@" pause "$ID"
		"\$@" state "$ID" | jq -r .status
		"\$@" resume "$ID"
		"\$@" exec "$ID" /bin/probe cat /proc/self/cgroup
		"\$@" delete --force "$ID"
		[ ! -d c ]
	END
	run --separate-stderr setpriv --reuid 1000 --regid 1000 --clear-groups -- env -i PATH="$PATH" XDG_RUNTIME_DIR=/run/user/1000 \
		systemd-run --user --quiet --scope -p Delegate=yes sh "$WORK/inside"
	echo "$stderr"
	equals "$output" $'67108864\n33\n33554432\npaused\n0::/'
}
