#!/usr/bin/env bats
# orlop-builder run and create: options that steps of a build do not have, and those of docker's that are refused.
# SPDX-License-Identifier: Apache-2.0

load helpers

setup() {
	requires root busybox jq
	setup_store
	local root=$work/box
	mkdir -p "$root/etc" "$root/dev"
	printf 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nextra:x:77:user\nvideo:x:44:\n' >"$root/etc/group"
	make_box sh cat chmod echo grep head hostname id kill ln ls mkdir mknod readlink sleep stat test true uname wc
	ob import -q -c 'CMD ["true"]' -c 'EXPOSE 80' "$work/box.tar" box >/dev/null
}

teardown() {
	[ -z "${work:-}" ] || "$builder" ps -aq | xargs -r "$builder" rm -f >/dev/null
	teardown_store
}

run_box() {
	ob run --rm "$@"
}

# refused TEXT ARGS...: a usage error that says so
refused() {
	run -2 ob create "${@:2}" box
	contains "$1"
	[ -z "$(ls "$ORLOP_STORE/containers" 2>/dev/null)" ]
}

@test "--group-add: more groups, of the image by name, or by number" {
	[ "$(run_box --group-add video --group-add 4711 box id -G)" = "0 44 4711" ]
	[ "$(run_box -u user --group-add video box id -G)" = "1000 44 77" ]
	ob run -d --name groups --group-add 4711 --group-add video box sleep 1000 >/dev/null
	[ "$("$builder" exec groups id -G)" = "0 44 4711" ]
	# those of another user are its own and these
	[ "$("$builder" exec -u user groups id -G)" = "1000 44 77 4711" ]
	[ "$("$builder" exec -u 2000:2000 groups id -G)" = "2000 44 4711" ]
	[ "$("$builder" inspect -f '{{json .HostConfig.GroupAdd}}' groups)" = '["4711","video"]' ]
	# by name they are those of the container's /etc/group as it is now
	"$builder" exec groups sh -c 'echo video:x:45: >/etc/group'
	[ "$("$builder" exec -u user groups id -G)" = "1000 45 4711" ]
	"$builder" exec groups sh -c ': >/etc/group'
	run -125 ob exec -u user groups true
	contains '--group-add of container groups: group "video" is not in'
	ob rm -f groups
	run -125 ob create --group-add nosuch box
	contains '--group-add: group "nosuch" is not in the image'
	refused 'invalid value for --group-add' --group-add ''
}

@test "--sysctl: a parameter of the container's own, and no other" {
	ob run --name sysctl --network none --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4711 \
		--sysctl kernel.domainname=deck.example box cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax \
		/proc/sys/kernel/domainname >"$work/out"
	[ "$(cat "$work/out")" = $'1\n4711\ndeck.example' ]
	[ "$("$builder" inspect -f '{{index .HostConfig.Sysctls "kernel.msgmax"}}' sysctl)" = 4711 ]
	ob rm sysctl
	refused 'it would be set for the whole host' --sysctl kernel.pid_max=4711
	refused 'it would be set for the whole host' --sysctl net.ipv4/../../kernel/pid_max=4711
	refused 'it would be set for the whole host' --ipc host --sysctl kernel.msgmax=4711
	refused 'cannot be with --network host' --network host --sysctl net.ipv4.ip_forward=1
	ob create --name owner --network none box >/dev/null
	run -2 ob create --network container:owner --sysctl net/ipv4/ip_forward=1 box
	contains '--sysctl net/ipv4/ip_forward cannot be with --network container:owner: it would be set for that container, too'
	# what is its own is
	ob create --name guest --network container:owner --sysctl kernel.msgmax=4711 box >/dev/null
	ob rm owner guest
	refused 'invalid value for --sysctl' --sysctl net.ipv4.ip_forward
}

@test "--pid, --ipc, --uts, --cgroupns: the host's, and another container's processes" {
	local kind
	for kind in pid ipc uts cgroup; do
		[ "$(run_box --pid host --ipc host --uts host --cgroupns host box readlink /proc/self/ns/$kind)" = "$(readlink /proc/self/ns/$kind)" ]
		[ "$(run_box --pid private --ipc shareable --uts private --cgroupns private box readlink /proc/self/ns/$kind)" != "$(readlink /proc/self/ns/$kind)" ]
	done
	[ "$(run_box --uts host box hostname)" = "$(uname -n)" ]
	[ "$(run_box --pid host box cat "/proc/$$/comm")" = "$(cat /proc/$$/comm)" ]
	: >"/dev/shm/orlop-test.$$"
	run -0 run_box --ipc host box ls "/dev/shm/orlop-test.$$"
	rm "/dev/shm/orlop-test.$$"
	ob run -d --name other box sleep 1000 >/dev/null
	# started, it executes its command a moment later
	sees_other() { [ "$(run_box --pid container:other box cat /proc/1/cmdline | tr '\0' ' ')" = 'sleep 1000 ' ]; }
	wait_for 10 sees_other
	ob create --name sees --pid container:other box true >/dev/null
	contains 'container:' "$("$builder" inspect -f '{{.HostConfig.PidMode}} {{.HostConfig.IpcMode}} {{.HostConfig.UTSMode}}' sees)"
	ob rm -f other
	run -1 ob start -a sees
	contains '--pid container'
	ob rm sees
	run -125 ob create --pid container:nosuch box
	contains '--pid: no such container: nosuch'
	refused 'invalid value for --pid: "some"' --pid some
	refused 'invalid value for --pid: "container:"' --pid container:
	refused 'invalid value for --ipc: "container:"' --ipc container:
	refused '--shm-size cannot be with --ipc host: /dev/shm is the host' --ipc host --shm-size 1m
	refused '--hostname cannot be with --uts host' --uts host --hostname deck
	refused 'invalid value for --userns: "auto"' --userns auto
	run -0 run_box --userns host box true
}

@test "--ipc container:NAME: the queues and the /dev/shm of one that shares them; none: no /dev/shm" {
	ob run -d --name donor --ipc shareable --shm-size 2m box sh -c 'echo deck >/dev/shm/file; sleep 1000' >/dev/null
	written() { [ "$("$builder" exec donor cat /dev/shm/file)" = deck ]; }
	wait_for 10 written
	run_box --ipc container:donor box sh -c 'readlink /proc/self/ns/ipc; cat /dev/shm/file; grep " /dev/shm " /proc/mounts; ls /dev/mqueue; echo sail >/dev/shm/mine' >"$work/out"
	[ "$(sed -n 1,2p "$work/out")" = "$("$builder" exec donor readlink /proc/self/ns/ipc)"$'\ndeck' ]
	grep -q 'shm /dev/shm tmpfs rw,nosuid,nodev,noexec,.*size=2048k' "$work/out"
	# what a guest wrote is there when it has gone, with its --rm
	[ "$("$builder" exec donor cat /dev/shm/mine /dev/shm/file)" = $'sail\ndeck' ]
	ob run -d --name guest --ipc container:donor box sleep 1000 >/dev/null
	[ "$("$builder" inspect -f '{{.HostConfig.IpcMode}}' guest donor)" = "container:$("$builder" inspect -f '{{.Id}}' donor)"$'\nshareable' ]
	# nothing of it stays where it could be removed with the guest's bundle
	monitor=$(jq .monitorPid "$ORLOP_STORE/containers/$("$builder" inspect -f '{{.Id}}' guest)/record.json")
	grep -q bundle/ipcns "/proc/$monitor/mountinfo"
	refute grep -q bundle/shm "/proc/$monitor/mountinfo"
	ob rm -f guest
	ob run -d --rm --name brief --ipc container:donor box true >/dev/null
	brief_gone() { ! "$builder" inspect --type container brief >/dev/null 2>&1; }
	wait_for 10 brief_gone
	[ "$("$builder" exec donor cat /dev/shm/mine)" = sail ]
	# it must run, whenever the other is started, and its /dev/shm is that of its last start
	ob create --name later --ipc container:donor box ls /dev/shm >/dev/null
	ob kill donor
	donor_ended() { [ "$("$builder" inspect -f '{{.State.Running}}' donor)" = false ]; }
	wait_for 10 donor_ended
	run -1 ob start -a later
	contains '--ipc container: container donor is not running'
	ob start donor
	wait_for 10 written
	[ "$("$builder" start -a later)" = file ]
	ob rm later
	ob rm -f donor
	ob create --name own box >/dev/null
	run -125 ob create --ipc container:own box
	contains '--ipc: container own was not made to share its own: --ipc shareable'
	ob rm own
	run -125 ob create --ipc container:nosuch box
	contains '--ipc: no such container: nosuch'
	refused "--shm-size cannot be with --ipc container:donor: /dev/shm is that container's" --ipc container:donor --shm-size 1m
	ob create --name donor --ipc shareable box >/dev/null
	run -2 ob create --ipc container:donor --sysctl kernel.msgmax=4711 box
	contains '--sysctl kernel.msgmax cannot be with --ipc container:donor: it would be set for that container, too'
	ob rm donor
	run -1 run_box --ipc none box grep ' /dev/shm ' /proc/mounts
	[ "$(run_box --ipc none box readlink /proc/self/ns/ipc)" != "$(readlink /proc/self/ns/ipc)" ]
	refused '--shm-size cannot be with --ipc none: there is no /dev/shm' --ipc none --shm-size 1m
}

@test "--privileged: all capabilities and devices, nothing hidden, no filter" {
	local device
	run -0 run_box --privileged box sh -c 'grep -E "CapEff|Seccomp:" /proc/self/status; mkdir /tmp/c && mknod /tmp/c/n c 1 3 && cat /tmp/c/n && echo deck >/proc/sys/kernel/domainname'
	contains "CapEff:	$(grep CapBnd /proc/self/status | cut -f 2)"
	contains $'Seccomp:\t0'
	for device in /dev/fuse /dev/loop-control /dev/net/tun; do
		[ ! -c "$device" ] || [ "$(run_box --privileged box stat -c '%t:%T' "$device")" = "$(stat -c '%t:%T' "$device")" ]
	done
	ob create --name all --privileged box >/dev/null
	[ "$("$builder" inspect -f '{{.HostConfig.Privileged}}' all)" = true ]
	run -0 run_box box grep -c Seccomp:.2 /proc/self/status
	# what was asked for by name holds all the same
	[ "$(run_box --privileged --security-opt mask=/proc/uptime --security-opt seccomp=builtin box sh -c 'grep Seccomp: /proc/self/status; wc -c </proc/uptime')" = $'Seccomp:\t0\n0' ]
	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO" } ] }' >"$work/no.json"
	run -1 run_box --privileged --security-opt seccomp="$work/no.json" box mkdir /tmp/d
	contains 'not permitted'
}

@test "--device-cgroup-rule: a device whose node is made later" {
	# 1:10 is a number that no device has: who may use it gets to hear that
	run -1 run_box --cap-add MKNOD --device-cgroup-rule 'c 1:10 r' box sh -c 'mknod /tmp/none c 1 10 && cat /tmp/none'
	contains 'No such device or address'
	run -1 run_box --cap-add MKNOD --device-cgroup-rule 'c 2:* rwm' box sh -c 'mknod /tmp/none c 1 10 && cat /tmp/none'
	contains 'Operation not permitted'
	ob create --name rules --device-cgroup-rule 'c 1:10 r' --device-cgroup-rule 'a *:* rwm' box >/dev/null
	[ "$("$builder" inspect -f '{{json .HostConfig.DeviceCgroupRules}}' rules)" = '["c 1:10 r","a *:* rwm"]' ]
	ob rm rules
	for rule in 'c 1:11' 'x 1:11 r' 'c 1 r' 'c 1:11 x' 'c *:* ' 'c -1:2 r'; do
		refused 'invalid value for --device-cgroup-rule' --device-cgroup-rule "$rule"
	done
}

@test "inspect: HostConfig has what was said, in docker's words" {
	# settings NAME: the members that this test is about
	settings() {
		"$builder" inspect "$1" | jq -cS '.[0].HostConfig | [.SecurityOpt, .UsernsMode, .Devices, .DeviceRequests, .Ulimits,
			.Tmpfs, .CgroupParent, .DnsOptions, .NanoCpus, .CpuPeriod, .CpuQuota]'
	}
	mkdir "$work/cdi"
	echo '{ "cdiVersion": "0.6.0", "kind": "deck.example/plank", "devices": [ { "name": "one", "containerEdits": { "env": ["PLANK=1"] } } ] }' >"$work/cdi/deck.json"
	ob create --name said --security-opt no-new-privileges --security-opt seccomp=unconfined --userns host \
		--device /dev/null:/dev/nil:r --device /dev/zero --cdi-spec-dir "$work/cdi" --device deck.example/plank=one \
		--ulimit nofile=64:-1 --tmpfs /deck:size=1m,mode=700 --tmpfs /hold --cgroup-parent orlop-test --dns-option ndots:2 --cpus 1.5 box >/dev/null
	jq -nec --argjson have "$(settings said)" '$have == [["no-new-privileges", "seccomp=unconfined"], "host",
		[ { PathOnHost: "/dev/null", PathInContainer: "/dev/nil", CgroupPermissions: "r" },
		  { PathOnHost: "/dev/zero", PathInContainer: "/dev/zero", CgroupPermissions: "rwm" } ],
		[ { Driver: "cdi", Count: 0, DeviceIDs: ["deck.example/plank=one"] } ],
		[ { Name: "nofile", Soft: 64, Hard: -1 } ],
		{ "/deck": "size=1m,mode=700", "/hold": "" }, "/orlop-test", ["ndots:2"], 1500000000, 0, 0 ]'
	ob create --name silent --cpu-period 50000 --cpu-quota 25000 box >/dev/null
	[ "$(settings silent)" = '[[],"",[],[],[],{},"",[],0,50000,25000]' ]
	[ "$("$builder" inspect -f '<{{.HostConfig.UsernsMode}}> {{len .HostConfig.SecurityOpt}} {{.HostConfig.LogConfig.Type}}' silent)" = '<> 0 k8s-file' ]
}

@test "--oom-score-adj, --annotation, --memory-reservation are in the container's configuration" {
	[ "$(run_box --oom-score-adj 321 box cat /proc/self/oom_score_adj)" = 321 ]
	ob create --name set --oom-score-adj 321 --annotation deck=orlop --annotation empty= --memory 64m --memory-reservation 32m box >/dev/null
	run jq -cS '[.annotations, .process.oomScoreAdj, .linux.resources.memory.reservation]' "$ORLOP_STORE"/containers/*/bundle/config.json
	[ "$output" = '[{"deck":"orlop","empty":""},321,33554432]' ]
	[ "$("$builder" inspect -f '{{.HostConfig.MemoryReservation}} {{.HostConfig.OomScoreAdj}} {{.HostConfig.Annotations.deck}}' set)" = '33554432 321 orlop' ]
	ob rm set
	refused 'invalid value for --oom-score-adj: "1001"' --oom-score-adj 1001
	refused 'invalid value for --annotation' --annotation =x
	refused 'invalid value for --memory-reservation' --memory-reservation little
	refused '--memory-reservation cannot be more than --memory' --memory 32m --memory-reservation 64m
}

@test "--blkio-weight, --device-read-bps and their like: limits of devices that the host names" {
	local device minor=240 # of a loop device that nobody has made: only its node is looked at
	mkdir "$work/by:name"
	device=$work/by:name/disk
	mknod "$device" b 7 $minor
	ob create --name limited --blkio-weight 300 --blkio-weight-device "$device:500" --device-read-bps "$device:1mb" \
		--device-write-bps "$device:4096" --device-read-iops "$device:100" --device-write-iops "$device:50" --device-write-iops "$device:0" box >/dev/null
	jq -e --argjson minor $minor '.linux.resources.blockIO == { weight: 300,
		weightDevice: [ { major: 7, minor: $minor, weight: 500 } ],
		throttleReadBpsDevice: [ { major: 7, minor: $minor, rate: 1048576 } ], throttleWriteBpsDevice: [ { major: 7, minor: $minor, rate: 4096 } ],
		throttleReadIOPSDevice: [ { major: 7, minor: $minor, rate: 100 } ],
		throttleWriteIOPSDevice: [ { major: 7, minor: $minor, rate: 50 }, { major: 7, minor: $minor, rate: 0 } ] }' "$ORLOP_STORE"/containers/*/bundle/config.json
	"$builder" inspect limited | jq -e --arg path "$device" '.[0].HostConfig | .BlkioWeight == 300 and
		.BlkioWeightDevice == [ { Path: $path, Weight: 500 } ] and .BlkioDeviceReadBps == [ { Path: $path, Rate: 1048576 } ] and
		.BlkioDeviceWriteBps == [ { Path: $path, Rate: 4096 } ] and .BlkioDeviceReadIOps == [ { Path: $path, Rate: 100 } ] and
		.BlkioDeviceWriteIOps == [ { Path: $path, Rate: 50 }, { Path: $path, Rate: 0 } ]'
	ob rm limited
	ob create --name usual --blkio-weight 0 box >/dev/null
	jq -e '.linux.resources.blockIO.weight == null' "$ORLOP_STORE"/containers/*/bundle/config.json
	[ "$("$builder" inspect -f '{{.HostConfig.BlkioWeight}} {{len .HostConfig.BlkioDeviceReadBps}}' usual)" = '0 0' ]
	ob rm usual
	refused 'invalid value for --blkio-weight: "9" (10 to 1000, or 0)' --blkio-weight 9
	refused 'invalid value for --blkio-weight-device' --blkio-weight-device "$device:1001"
	refused 'invalid value for --device-read-bps: "disk:1mb" (DEVICE:BYTES' --device-read-bps disk:1mb
	refused 'invalid value for --device-write-bps' --device-write-bps "$device:fast"
	refused 'invalid value for --device-read-iops' --device-read-iops "$device:1k"
	refused 'invalid value for --device-write-iops' --device-write-iops /dev/nosuch
	run -125 ob create --device-read-bps "$work/nosuch:1mb" box
	contains "--device-read-bps: device \"$work/nosuch\": no such file"
	run -125 ob create --device-read-bps /dev/null:1mb box
	contains '--device-read-bps: "/dev/null" is no block device'
}

@test "--expose: what -P publishes, and commit keeps" {
	ob create --name ports --network bridge -P --expose 53/udp --expose 8000-8001 --expose 80 box >/dev/null
	[ "$("$builder" inspect ports | jq -cS '.[0].Config.ExposedPorts | keys')" = '["53/udp","80/tcp","8000/tcp","8001/tcp"]' ]
	[ "$("$builder" inspect ports | jq -cS '.[0].HostConfig.PortBindings | keys')" = '["53/udp","80/tcp","8000/tcp","8001/tcp"]' ]
	ob commit ports more >/dev/null
	[ "$("$builder" inspect --type image -f '{{json .Config.ExposedPorts}}' more | jq -c keys)" = '["53/udp","80/tcp","8000/tcp","8001/tcp"]' ]
	ob rm ports
	# each number once, and as many as there are
	ob create --name many --expose 1-65535 --expose 70-90 box >/dev/null
	[ "$("$builder" inspect many | jq -c '.[0].Config.ExposedPorts | length')" = 65535 ]
	ob rm many
	for port in 0 http 1-70000 9-8 80/icmp 80/; do
		refused 'invalid value for --expose' --expose "$port"
	done
}

@test "options of docker's that are refused say why; a health check that nobody makes is none" {
	refused "--health-cmd: nobody looks at a container's health" --health-cmd true
	refused '--gpus: name what a CDI file describes' --gpus all
	refused '--log-driver: there are no log drivers' --log-driver=syslog
	refused '--attach: output and errors are shown without -d' --attach stdout
	refused '-a: output and errors are shown without -d' -a stdout
	run -0 run_box --no-healthcheck box true
	lacks gpus "$("$builder" run --help)"
}

@test "--security-opt seccomp=FILE: docker's schema, by capabilities, machines and kernels" {
	cat >"$work/profile.json" <<-'X'
		{ "defaultAction": "SCMP_ACT_ALLOW",
		  "archMap": [ { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"] },
		               { "architecture": "SCMP_ARCH_AARCH64", "subArchitectures": null } ],
		  "syscalls": [
		    { "names": ["symlink", "symlinkat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "args": [], "comment": "", "includes": {}, "excludes": {} },
		    { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "excludes": { "caps": ["CAP_SYS_TIME"] } },
		    { "name": "fchmodat", "action": "SCMP_ACT_ERRNO", "includes": { "minKernel": "99.0" } },
		    { "name": "chmod", "action": "SCMP_ACT_ERRNO", "includes": { "minKernel": "99.0" } },
		    { "name": "getuid", "action": "SCMP_ACT_ERRNO", "includes": { "arches": ["sparc"] } }
		  ] }
	X
	run -1 run_box --security-opt seccomp="$work/profile.json" box ln -s to /tmp/link
	contains 'Function not implemented'
	run -1 run_box --security-opt seccomp="$work/profile.json" box mkdir /tmp/d
	contains 'not permitted'
	run -0 run_box --security-opt seccomp="$work/profile.json" --cap-add SYS_TIME box mkdir /tmp/d
	run -0 run_box --security-opt seccomp="$work/profile.json" box sh -c 'chmod 700 /etc && id -u'
	run -0 run_box --security-opt seccomp=unconfined --security-opt seccomp=builtin box grep -c Seccomp:.2 /proc/self/status
	run -125 ob create --security-opt seccomp="$work/nosuch.json" box
	contains "--security-opt seccomp: open \"$work/nosuch.json\""
	echo '{ "defaultAction": "SCMP_ACT_LAUGH" }' >"$work/bad.json"
	run -125 ob create --security-opt seccomp="$work/bad.json" box
	contains 'SCMP_ACT_LAUGH'
	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [ { "architecture": "SCMP_ARCH_X86_64" } ] }' >"$work/bad.json"
	run -125 ob create --security-opt seccomp="$work/bad.json" box
	contains 'both architectures and archMap are there'
	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "action": "SCMP_ACT_ALLOW", "name": "a", "names": ["b"] } ] }' >"$work/bad.json"
	run -125 ob create --security-opt seccomp="$work/bad.json" box
	contains '/syscalls/0: expected names (or name)'
	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "action": "SCMP_ACT_ALLOW", "name": "a", "includes": { "minKernel": "new" } } ] }' >"$work/bad.json"
	run -125 ob create --security-opt seccomp="$work/bad.json" box
	contains 'minKernel: expected MAJOR.MINOR'
}

@test "a step by another seccomp profile is another step" {
	printf 'FROM box\nRUN mkdir /made\n' >"$work/Dockerfile"
	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO" } ] }' >"$work/no.json"
	run -0 ob build -q --network none -f "$work/Dockerfile" "$work/box"
	run -1 ob build -q --network none --security-opt seccomp="$work/no.json" -f "$work/Dockerfile" "$work/box"
}
