#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mounts add and remove: into a container that runs, and out of it again.
load helpers

# change add|remove JSON
change() {
	printf '%s' "$2" >"$WORK/mounts.json"
	rt mounts "$1" "$ID" "$WORK/mounts.json"
}

changed() {
	change "$@"
	[ "$status" -eq 0 ]
	equals "$output" ""
}

refused() {
	change "$@"
	[ "$status" -eq 1 ]
}

mounts_inside() {
	ok exec "$ID" /bin/probe mounts
}

@test "a bind, a file and a tmpfs come into a running container, and go" {
	requires ours root
	mkdir "$WORK/data"
	echo text >"$WORK/data/file"
	config_set '.root.readonly = false'
	start_container
	changed add '[{ "destination": "/srv/data", "type": "bind", "source": "'"$WORK/data"'", "options": ["bind", "ro", "nosuid"] },
		{ "destination": "/etc/file", "type": "bind", "source": "'"$WORK/data/file"'", "options": ["bind"] },
		{ "destination": "/scratch", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777", "size=1m"] }]'
	ok exec "$ID" /bin/probe cat /srv/data/file
	equals "$output" text
	ok exec "$ID" /bin/probe cat /etc/file
	equals "$output" text
	mounts_inside
	grep -E '/srv/data ' <<<"$stdout" | grep -q 'ro,nosuid'
	grep -E '/scratch ' <<<"$stdout" | grep -q 'tmpfs'
	changed remove '[{ "destination": "/etc/file" }, { "destination": "/srv/data" }, { "destination": "/scratch" }]'
	mounts_inside
	lacks /srv/data
	lacks /etc/file
	lacks /scratch
	# nothing of it was ever on the host
	refute grep -q "$WORK/data" /proc/self/mountinfo
}

# What is read-only "late" in a new container, and the mode that a tmpfs takes over, are no different here.
@test "a tmpfs that comes read-only is, and has the mode of what it covers" {
	requires ours root
	config_set '.root.readonly = false'
	mkdir -m 1750 "$ROOTFS/covered"
	start_container
	changed add '[{ "destination": "/covered/", "type": "tmpfs", "source": "tmpfs", "options": ["ro"] }]'
	mounts_inside
	grep -E '/covered ' <<<"$stdout" | grep -q '\<ro\>'
	equals "$(stat -c %a "/proc/$(container_pid)/root/covered")" 1750
	refute touch "/proc/$(container_pid)/root/covered/file"
	changed remove '[{ "destination": "//covered/" }]'
	mounts_inside
	lacks /covered
}

@test "the mounts that come are all there or none" {
	requires ours root
	mkdir "$WORK/data"
	config_set '.root.readonly = false'
	start_container
	mounts_inside
	local before=$stdout
	refused add '[{ "destination": "/one", "type": "bind", "source": "'"$WORK/data"'", "options": ["bind"] },
		{ "destination": "/two", "type": "tmpfs", "source": "tmpfs", "options": ["size=much"] }]'
	contains 'error mounting "tmpfs" to "/two"'
	mounts_inside
	equals "$stdout" "$before"
}

@test "in a user namespace, a fresh procfs is that of the container" {
	requires ours root user_namespace
	config_set '.root.readonly = false | .linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	chown 100000:100000 "$ROOTFS"
	mkdir "$WORK/data"
	chmod 755 "$WORK/data"
	start_container
	changed add '[{ "destination": "/proc2", "type": "proc", "source": "proc" },
		{ "destination": "/data", "type": "bind", "source": "'"$WORK/data"'", "options": ["bind"] }]'
	ok exec "$ID" /bin/probe cat /proc2/1/cmdline
	contains "probe"
	mounts_inside
	contains "/data "
}

@test "a destination that the image leads outside of its root stays inside" {
	requires ours root
	mkdir "$WORK/data" "$WORK/outside"
	config_set '.root.readonly = false'
	ln -s "$WORK/outside" "$ROOTFS/link"
	start_container
	changed add '[{ "destination": "/link/here", "type": "bind", "source": "'"$WORK/data"'", "options": ["bind"] }]'
	[ ! -e "$WORK/outside/here" ]
	[ -d "$ROOTFS$WORK/outside/here" ]
	ln -s /proc "$ROOTFS/door"
	refused add '[{ "destination": "/door/sys", "type": "tmpfs", "source": "tmpfs" }]'
	contains "inside /proc"
}

@test "what mounts add and remove refuse" {
	requires ours root
	refused add '[]'
	contains "container does not exist"
	probe sleep
	start_container
	refused add '{}'
	contains "/mounts"
	refused add '[{ "destination": "here", "type": "tmpfs" }]'
	contains "absolute"
	refused add '[{ "destination": "/", "type": "tmpfs" }]'
	contains "a new root"
	refused add '[{ "destination": "/tmp", "type": "overlay", "source": "overlay", "options": ["lowerdir='"$(printf '/%0300d' 0)"'"] }]'
	contains "more than 255 bytes"
	refused add '[{ "destination": "/tmp", "type": "bind", "source": "'"$WORK/none"'", "options": ["bind"] }]'
	contains "$WORK/none"
	refused remove '[{ "destination": "/tmp/none" }]'
	contains '"/tmp/none"'
	refused remove '[{ "destination": "/bin" }]'
	contains 'nothing is mounted at "/bin"'
	refused remove '[{ "destination": "/" }]'
	fails mounts change "$ID" /dev/null
	contains 'neither "add" nor "remove"'
	fails mounts add "$ID" "$WORK/none"
	contains "$WORK/none"
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	refused add '[]'
	contains "container not running"
}

@test "mounts takes its array from stdin" {
	requires ours root
	config_set '.root.readonly = false'
	start_container
	printf '[{ "destination": "/scratch", "type": "tmpfs", "source": "tmpfs" }]' >"$WORK/input"
	RT_INPUT=$WORK/input ok mounts add "$ID" -
	mounts_inside
	contains "/scratch "
}
