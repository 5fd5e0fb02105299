#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Namespaces: new, joined by path, user namespaces with id maps, time.
load helpers

ns_of() {
	readlink "/proc/${2:-self}/ns/$1"
}

# with_user_namespace [CONTAINER-ID HOST-ID SIZE]: maps for users and groups
with_user_namespace() {
	config_set '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": $inside, "hostID": $outside, "size": $size }]
		| .linux.gidMappings = .linux.uidMappings' \
		--argjson inside "${1:-0}" --argjson outside "${2:-100000}" --argjson size "${3:-65536}"
	chmod 755 "$WORK" "$BUNDLE" "$ROOTFS"
}

@test "the namespaces of config.json are new, all others are the host's" {
	probe_run namespaces
	for ns in cgroup ipc mnt net pid uts; do
		lacks "$ns $(ns_of $ns)" "$stdout"
	done
	contains "user $(ns_of user)" "$stdout"
	contains "time $(ns_of time)" "$stdout"
}

@test "a namespace that config.json does not list is inherited" {
	config_set '.linux.namespaces |= map(select(.type | IN("network", "ipc", "uts") | not)) | del(.hostname)
		| .mounts |= map(select(.type | IN("sysfs", "mqueue") | not))'
	probe_run namespaces
	contains "net $(ns_of net)" "$stdout"
	contains "ipc $(ns_of ipc)" "$stdout"
	contains "uts $(ns_of uts)" "$stdout"
}

@test "a new network namespace has its loopback up" {
	probe_run loopback
	equals "$stdout" up
}

@test "namespaces are joined by path" {
	start_container
	pid=$(container_pid)
	config_set '.linux.namespaces |= map(if .type | IN("network", "ipc", "uts") then
		. + { path: "/proc/\($pid)/ns/\({ network: "net", ipc: "ipc", uts: "uts" }[.type])" } else . end) | del(.hostname)' \
		--argjson pid "$pid"
	probe namespaces
	ok run -b "$BUNDLE" "$ID-2"
	for ns in net ipc uts; do
		contains "$ns $(ns_of $ns "$pid")" "$stdout"
	done
	lacks "pid $(ns_of pid "$pid")" "$stdout"
}

@test "a pid namespace is joined by path, by a joiner" {
	start_container
	pid=$(container_pid)
	config_set '.linux.namespaces |= map(if .type == "pid" then . + { path: "/proc/\($pid)/ns/pid" } else . end)' \
		--argjson pid "$pid"
	probe namespaces then pid
	ok run -b "$BUNDLE" "$ID-2"
	contains "pid $(ns_of pid "$pid")" "$stdout"
	lacks "pid=1 " "$stdout"
}

@test "a path that is no namespace, or one of another kind, is an error" {
	requires ours
	config_set '.linux.namespaces |= map(if .type == "network" then . + { path: "/proc/self/ns/uts" } else . end)'
	fails run -b "$BUNDLE" "$ID"
	contains "is not a network namespace"
	config_set '.linux.namespaces |= map(if .type == "network" then . + { path: "/etc/passwd" } else . end)'
	fails run -b "$BUNDLE" "$ID"
	mkfifo "$WORK/fifo"
	config_set '.linux.namespaces |= map(if .type == "network" then . + { path: $fifo } else . end)' --arg fifo "$WORK/fifo"
	fails run -b "$BUNDLE" "$ID"
	contains "is not a network namespace"
	config_set '.linux.namespaces |= map(if .type == "network" then . + { path: "/nowhere" } else . end)'
	fails run -b "$BUNDLE" "$ID"
	contains "/nowhere"
	[ ! -e "$ROOT/$ID" ]
}

@test "a user namespace maps ids" {
	requires root user_namespace
	with_user_namespace
	probe id then cat /proc/self/uid_map /proc/self/gid_map then caps
	ok run -b "$BUNDLE" "$ID"
	contains "uid=0 gid=0" "$stdout"
	contains "0     100000      65536" "$stdout"
	contains "CapEff:	0000000020000420" "$stdout"
}

@test "in a user namespace the payload is what the map says outside" {
	requires root user_namespace
	with_user_namespace
	config_set '.process.user = { "uid": 5, "gid": 6, "additionalGids": [7] }'
	start_container
	contains "Uid:	100005" "$(grep Uid "/proc/$(container_pid)/status")"
	contains "Gid:	100006" "$(grep Gid "/proc/$(container_pid)/status")"
	contains "100007" "$(grep Groups "/proc/$(container_pid)/status")"
	ok exec "$ID" /bin/probe id then namespaces
	contains "uid=5 gid=6 groups=7" "$stdout"
	contains "user $(ns_of user "$(container_pid)")" "$stdout"
}

@test "in a user namespace device nodes are the host's, bound" {
	requires root user_namespace
	with_user_namespace
	probe_run stat /dev/null /dev/zero then open /dev/null /dev/urandom then write /dev/null x
	contains "/dev/null 020666 65534:65534 1:3" "$stdout"
	contains "/dev/zero 020666 65534:65534 1:5" "$stdout"
	contains "/dev/urandom ok" "$stdout"
}

@test "a user namespace reaches sources that only the host's root may open" {
	requires root user_namespace ours
	with_user_namespace
	mkdir -p "$WORK/closed/open"
	touch "$WORK/closed/open/found"
	chmod 700 "$WORK/closed"
	config_set '.mounts += [{ destination: "/tmp", type: "bind", source: $source, options: ["bind"] }]' \
		--arg source "$WORK/closed/open"
	probe_run ls /tmp
	equals "$stdout" found
}

@test "a user namespace reaches a rootfs in a folder that is closed to it" {
	requires root user_namespace ours
	with_user_namespace
	chmod 700 "$BUNDLE"
	probe_run echo inside
	equals "$stdout" inside
}

@test "a terminal in a user namespace, where group 5 may be unmapped" {
	requires root user_namespace ours
	with_user_namespace 0 100000 1
	config_set '.process.terminal = true'
	probe tty then open /dev/console
	"$RECVTTY" "$WORK/socket" >"$WORK/received" 3>&- &
	wait_for 5 test -S "$WORK/socket"
	ok create -b "$BUNDLE" --console-socket "$WORK/socket" "$ID"
	ok start "$ID"
	wait $! || true
	contains "/dev/pts/0" "$(cat "$WORK/received")"
	contains "/dev/console ok" "$(cat "$WORK/received")"
}

@test "rlimits can be raised in a user namespace by the host's root" {
	requires root user_namespace
	with_user_namespace
	config_set '.process.rlimits = [ { "type": "RLIMIT_NOFILE", "soft": 333, "hard": 444 } ]'
	probe_run rlimit 7
	equals "$stdout" "7 333 444"
}

@test "user and network namespaces are joined by path, as pods do" {
	requires root user_namespace
	with_user_namespace
	start_container
	pid=$(container_pid)
	config_set '.linux.namespaces |= map(if .type | IN("user", "network", "ipc", "uts") then
		. + { path: "/proc/\($pid)/ns/\({ user: "user", network: "net", ipc: "ipc", uts: "uts" }[.type])" } else . end)
		| del(.hostname) | del(.linux.uidMappings) | del(.linux.gidMappings)' --argjson pid "$pid"
	probe namespaces then id
	ok run -b "$BUNDLE" "$ID-2"
	for ns in user net ipc uts; do
		contains "$ns $(ns_of $ns "$pid")" "$stdout"
	done
	contains "uid=0 gid=0" "$stdout"
}

@test "a new user namespace can join a network namespace of the host" {
	requires root user_namespace
	with_user_namespace
	config_set '.linux.namespaces |= map(if .type == "network" then . + { path: "/proc/self/ns/net" } else . end)
		| .mounts |= map(select(.type | IN("sysfs", "cgroup") | not))'
	probe_run namespaces
	contains "net $(ns_of net)" "$stdout"
	lacks "user $(ns_of user)" "$stdout"
}

@test "a time namespace has its offsets, and the runtime keeps its own clock" {
	requires root time_namespace
	config_set '.linux.namespaces += [{ "type": "time" }]
		| .linux.timeOffsets = { "monotonic": { "secs": 1000000 }, "boottime": { "secs": 2000000 } }'
	probe_run clock then namespaces
	lacks "time $(ns_of time)" "$stdout"
	now=$(cut -d. -f1 /proc/uptime)
	monotonic=$(sed -n 's/.*monotonic=\([0-9]*\).*/\1/p' <<<"$stdout")
	boottime=$(sed -n 's/.*boottime=\([0-9]*\).*/\1/p' <<<"$stdout")
	[ "$monotonic" -ge 1000000 ] && [ "$monotonic" -lt $((now + 1000060)) ]
	[ "$boottime" -ge 2000000 ] && [ "$boottime" -lt $((now + 2000060)) ]
}

@test "a time namespace together with a user namespace" {
	requires root time_namespace user_namespace
	with_user_namespace
	config_set '.linux.namespaces += [{ "type": "time" }] | .linux.timeOffsets = { "boottime": { "secs": 3000000 } }'
	probe_run clock then id
	contains "boottime=3" "$stdout"
	contains "uid=0" "$stdout"
}

@test "exec enters a time namespace" {
	requires root time_namespace
	config_set '.linux.namespaces += [{ "type": "time" }] | .linux.timeOffsets = { "boottime": { "secs": 3000000 } }'
	start_container
	ok exec "$ID" /bin/probe clock
	contains "boottime=3" "$stdout"
}

@test "a caller without privilege gets a container by user namespace" {
	requires root user_namespace program setpriv
	config_set '.linux.namespaces |= (map(select(.type != "network" and .type != "cgroup")) + [{ "type": "user" }])
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 4321, "size": 1 }]
		| .linux.gidMappings = [{ "containerID": 0, "hostID": 4321, "size": 1 }]
		| del(.linux.resources) | del(.process.rlimits)
		| .mounts |= map(select(.type | IN("sysfs", "cgroup") | not))'
	probe id then mounts
	mkdir -m 700 "$WORK/mine"
	chown -R 4321:4321 "$WORK/mine" "$BUNDLE"
	status=0
	setpriv --reuid 4321 --regid 4321 --clear-groups "$RUNTIME" --root "$WORK/mine/root" \
		run -b "$BUNDLE" "$ID" >"$WORK/out" 2>&1 3>&- || status=$?
	cat "$WORK/out"
	equals "$status" 0
	contains "uid=0 gid=0" "$(cat "$WORK/out")"
	[ -z "$(ls -A "$WORK/mine/root")" ]
}

@test "a caller without privilege maps its subordinate ids with newuidmap" {
	requires root user_namespace program newuidmap program runuser
	user=$(awk -F: 'NR == FNR { has[$1] = 1; next } ($1 in has) && $3 > 0 { print $1; exit }' /etc/subuid /etc/passwd)
	[ -n "$user" ] || skip "needs a user with subordinate ids"
	read -r start count < <(awk -F: -v user="$user" '$1 == user { print $2, $3; exit }' /etc/subuid)
	config_set '.linux.namespaces |= (map(select(.type != "network" and .type != "cgroup")) + [{ "type": "user" }])
		| .linux.uidMappings = [{ containerID: 0, hostID: $uid, size: 1 }, { containerID: 1, hostID: $start, size: $count }]
		| .linux.gidMappings = [{ containerID: 0, hostID: $gid, size: 1 }, { containerID: 1, hostID: $start, size: $count }]
		| del(.linux.resources) | del(.process.rlimits) | .process.user = { uid: 7, gid: 8 }
		| .mounts |= map(select(.type | IN("sysfs", "cgroup") | not))' \
		--argjson uid "$(id -u "$user")" --argjson gid "$(id -g "$user")" --argjson start "$start" --argjson count "$count"
	probe id then cat /proc/self/uid_map
	mkdir -m 700 "$WORK/mine"
	chown -R "$user" "$WORK/mine" "$BUNDLE"
	status=0
	runuser -u "$user" -- "$RUNTIME" --root "$WORK/mine/root" run -b "$BUNDLE" "$ID" >"$WORK/out" 2>&1 3>&- || status=$?
	cat "$WORK/out"
	equals "$status" 0
	contains "uid=7 gid=8" "$(cat "$WORK/out")"
	contains "$start" "$(cat "$WORK/out")"
}

# in_namespaces OPTION...: a process in the namespaces that unshare --fork makes of them; sets holder, inner
in_namespaces() {
	unshare "$@" --fork sleep 1000 3>&- &
	holder=$!
	wait_for 5 eval '[ "$(cat "/proc/$(pgrep -P "$holder")/comm")" = sleep ]' 2>/dev/null
	inner=$(pgrep -P "$holder")
}

@test "mount, cgroup and time namespaces are joined by path" {
	requires root time_namespace
	in_namespaces --mount --cgroup --time --boottime 5000000
	config_set '.linux.namespaces |= (map(if .type | IN("mount", "cgroup") then
		. + { path: "/proc/\($pid)/ns/\({ mount: "mnt", cgroup: "cgroup" }[.type])" } else . end)
		+ [{ type: "time", path: "/proc/\($pid)/ns/time" }])' --argjson pid "$inner"
	probe namespaces then clock
	rt run -b "$BUNDLE" "$ID"
	mnt=$(ns_of mnt "$inner") cgroup=$(ns_of cgroup "$inner") time=$(ns_of time "$inner")
	kill "$inner" "$holder" || true
	[ "$status" -eq 0 ]
	contains "mnt $mnt" "$stdout"
	contains "cgroup $cgroup" "$stdout"
	contains "time $time" "$stdout"
	contains "boottime=5" "$stdout"
}

@test "exec enters all namespaces of a container that has joined some" {
	requires root user_namespace
	with_user_namespace
	start_container
	pid=$(container_pid)
	config_set '.linux.namespaces |= map(if .type | IN("user", "network", "ipc", "uts", "pid") then
		. + { path: "/proc/\($pid)/ns/\({ user: "user", network: "net", ipc: "ipc", uts: "uts", pid: "pid" }[.type])" } else . end)
		| del(.hostname) | del(.linux.uidMappings) | del(.linux.gidMappings)' --argjson pid "$pid"
	probe sleep
	ok create -b "$BUNDLE" "$ID-2"
	ok start "$ID-2"
	ok exec "$ID-2" /bin/probe namespaces then id
	for ns in user net ipc uts pid; do
		contains "$ns $(ns_of $ns "$pid")" "$stdout"
	done
	contains "mnt $(ns_of mnt "$(container_pid "$ID-2")")" "$stdout"
	contains "uid=0 gid=0" "$stdout"
	# it is one of several in that pid namespace: only it dies
	ok kill "$ID-2" KILL
	wait_for 5 eval '[ "$(container_status "$ID-2")" = stopped ]'
	is_status running
	ok delete "$ID-2"
}

@test "mappings beside the path of a user namespace must be those it has" {
	requires root user_namespace
	with_user_namespace
	start_container
	pid=$(container_pid)
	config_set '.linux.namespaces |= map(if .type == "user" then . + { path: "/proc/\($pid)/ns/user" } else . end)' \
		--argjson pid "$pid"
	probe id then namespaces
	ok run -b "$BUNDLE" "$ID-2"
	contains "user $(ns_of user "$pid")" "$stdout"
	config_set '.linux.uidMappings[0].hostID = 200000'
	fails run -b "$BUNDLE" "$ID-2"
	contains "user namespaces enabled, but both namespace path and non-matching mapping specified"
	config_set '.linux.uidMappings[0].hostID = 100000 | .linux.gidMappings[0].size = 5'
	fails run -b "$BUNDLE" "$ID-2"
	contains "non-matching mapping specified"
	[ ! -e "$ROOT/$ID-2" ]
}

@test "the runtime's own user namespace by path is nothing to join" {
	requires root
	config_set '.linux.namespaces += [{ type: "user", path: "/proc/self/ns/user" }]'
	start_container namespaces then sleep
	ok exec "$ID" /bin/probe namespaces
	contains "user $(ns_of user)" "$stdout"
}

@test "time offsets need a new time namespace, and nanoseconds below a second" {
	requires ours
	config_set '.linux.timeOffsets = { "monotonic": { "secs": 1 } }'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/timeOffsets: time namespace offsets specified, but time namespace isn't enabled"
	config_set '.linux.namespaces += [{ type: "time", path: "/proc/self/ns/time" }]'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/timeOffsets: time namespace enabled, but both namespace path and time offsets specified"
	config_set '.linux.namespaces[-1] = { type: "time" } | .linux.timeOffsets.monotonic.nanosecs = 1000000000'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/timeOffsets/monotonic/nanosecs"
}

@test "time offsets may be negative, but not before the clock's beginning" {
	requires root time_namespace
	config_set '.linux.namespaces += [{ "type": "time" }] | .linux.timeOffsets = { "boottime": { "secs": -3, "nanosecs": 5 } }'
	before=$(cut -d. -f1 /proc/uptime)
	probe_run clock
	boottime=$(sed -n 's/.*boottime=\([0-9]*\).*/\1/p' <<<"$stdout")
	[ "$boottime" -ge $((before - 4)) ] && [ "$boottime" -lt $((before + 30)) ]
	config_set '.linux.timeOffsets.boottime.secs = -9000000000'
	fails run -b "$BUNDLE" "$ID"
	contains "set the time offsets"
}

@test "a namespace that is listed twice, is unknown or has a relative path is an error" {
	requires ours
	config_set '.linux.namespaces += [{ type: "pid" }]'
	fails run -b "$BUNDLE" "$ID"
	contains 'duplicated ns "pid"'
	config_set '.linux.namespaces[-1] = { type: "future" }'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/namespaces"
	config_set '.linux.namespaces[-1] = { type: "user", path: "ns/user" }'
	fails run -b "$BUNDLE" "$ID"
	contains 'namespace path "ns/user" is not absolute'
}

@test "without a mount namespace a container is a chroot, for exec, too" {
	requires root ours
	config_set '.linux.namespaces |= map(select(.type != "mount")) | .mounts = [] | .root.readonly = false
		| del(.linux.maskedPaths) | del(.linux.readonlyPaths)'
	mount=$(ns_of mnt)
	mounts=$(cat /proc/self/mountinfo)
	touch "$ROOTFS/only-here"
	start_container
	equals "$(ns_of mnt "$(container_pid)")" "$mount"
	ok exec "$ID" /bin/probe ls / then cwd then stat /dev/null
	contains only-here "$stdout"
	lacks "usr" "$stdout"
	contains "/dev/null 020666" "$stdout"
	ok delete --force "$ID"
	equals "$(cat /proc/self/mountinfo)" "$mounts"
	config_set '.mounts = [{ destination: "/tmp", type: "tmpfs" }]'
	fails run -b "$BUNDLE" "$ID"
	contains "/mounts: it needs a mount namespace of the container's own"
	config_set '.mounts = [] | .linux.maskedPaths = ["/tmp"]'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/maskedPaths: unable to restrict sys entries without a private MNT namespace"
}
