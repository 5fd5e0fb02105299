#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.devices: where nodes are made, with which owner and mode, what may be there already, and
# what a user namespace gets instead. (The defaults and the device program: confinement.bats.)
load helpers

with_user_namespace() {
	config_set '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
}

# the container's /dev in its rootfs, not a tmpfs
without_tmpfs_dev() {
	config_set '.root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not))'
}

@test "devices of all types are made anywhere, with folders on the way" {
	requires root
	config_set '.root.readonly = false | .linux.devices = [
		{ "path": "/dev/deep/er/char", "type": "c", "major": 1, "minor": 5, "fileMode": 384, "uid": 7, "gid": 8 },
		{ "path": "/srv/u", "type": "u", "major": 1, "minor": 3 },
		{ "path": "/dev/block", "type": "b", "major": 7, "minor": 99, "fileMode": 432 },
		{ "path": "/dev/pipe", "type": "p", "fileMode": 438, "gid": 5 }]'
	probe_run stat /dev/deep/er /dev/deep/er/char /srv/u /dev/block /dev/pipe
	contains "/dev/deep/er 040755 0:0" "$stdout"
	contains "/dev/deep/er/char 020600 7:8 1:5" "$stdout"
	contains "/srv/u 020666 0:0 1:3" "$stdout"
	contains "/dev/block 060660 0:0 7:99" "$stdout"
	contains "/dev/pipe 010666 0:5 0:0" "$stdout"
}

@test "a node that is there already and right gets mode and owner" {
	requires root
	without_tmpfs_dev
	mknod -m 600 "$ROOTFS/dev/thing" c 1 5
	mkfifo -m 600 "$ROOTFS/dev/pipe"
	config_set '.linux.devices = [
		{ "path": "/dev/thing", "type": "c", "major": 1, "minor": 5, "fileMode": 420, "uid": 3, "gid": 4 },
		{ "path": "/dev/pipe", "type": "p", "fileMode": 420 }]'
	probe_run stat /dev/thing /dev/pipe
	contains "/dev/thing 020644 3:4 1:5" "$stdout"
	contains "/dev/pipe 010644 0:0" "$stdout"
}

@test "the mode is set also where the kernel has no fchmodat2" {
	requires root ours
	failcall=$ORLOP_BUILD/tests/helpers/failcall
	without_tmpfs_dev
	mknod -m 600 "$ROOTFS/dev/thing" c 1 5
	config_set '.linux.devices = [{ "path": "/dev/thing", "type": "c", "major": 1, "minor": 5, "fileMode": 420 }]'
	probe stat /dev/thing
	"$failcall" fchmodat2 ENOSYS "$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" >"$WORK/out" 3>&-
	contains "/dev/thing 020644 0:0 1:5" "$(cat "$WORK/out")"
}

@test "what is there already and another thing is an error, and stays" {
	requires root
	without_tmpfs_dev
	config_set '.linux.devices = [{ "path": "/dev/thing", "type": "c", "major": 1, "minor": 5 }]'
	for make in "touch" "mkdir" "mknod -m 600 DEV c 1 3" "mknod -m 600 DEV b 1 5" "mkfifo" "ln -s null"; do
		rm -rf "$ROOTFS/dev/thing"
		case $make in
		*DEV*) ${make/DEV/"$ROOTFS/dev/thing"} ;;
		*) $make "$ROOTFS/dev/thing" ;;
		esac
		before=$(stat -c '%F %t:%T' "$ROOTFS/dev/thing")
		fails run -b "$BUNDLE" "$ID"
		contains '"/dev/thing" exists and is not the device c 1:5'
		equals "$(stat -c '%F %t:%T' "$ROOTFS/dev/thing")" "$before"
	done
	rm "$ROOTFS/dev/thing"
	touch "$ROOTFS/dev/thing"
	config_set '.linux.devices = [{ "path": "/dev/thing", "type": "p" }]'
	fails run -b "$BUNDLE" "$ID"
	contains '"/dev/thing" exists and is not a fifo'
}

@test "a default device that is another thing in the image is an error" {
	requires root
	without_tmpfs_dev
	touch "$ROOTFS/dev/null"
	fails run -b "$BUNDLE" "$ID"
	contains '"/dev/null" exists and is not the device c 1:3'
}

@test "the same path twice: the same device is fine, another one is an error" {
	requires root
	config_set '.linux.devices = [{ "path": "/dev/x", "type": "c", "major": 1, "minor": 5 },
		{ "path": "/dev/../dev//x", "type": "c", "major": 1, "minor": 5 }]'
	probe_run stat /dev/x
	config_set '.linux.devices[1].minor = 3'
	fails run -b "$BUNDLE" "$ID"
	contains '"/dev/x" exists and is not the device c 1:3'
}

@test "config.json may list default devices, with other modes" {
	requires root
	config_set '.linux.devices = [{ "path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 416, "uid": 9, "gid": 9 }]'
	probe_run stat /dev/null
	equals "$stdout" "/dev/null 020640 9:9 1:3 "
}

@test "in a user namespace a listed device is the host's node, if it is that device" {
	requires root user_namespace
	with_user_namespace
	config_set '.linux.devices = [{ "path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11 },
		{ "path": "/dev/pipe", "type": "p", "fileMode": 438, "uid": 3 }]'
	[ -c /dev/kmsg ] || skip "needs /dev/kmsg"
	probe_run stat /dev/kmsg /dev/pipe
	contains " 1:11" "$stdout"
	contains "/dev/pipe 010666 3:0" "$stdout"
	config_set '.linux.devices = [{ "path": "/dev/kmsg", "type": "c", "major": 1, "minor": 99 }]'
	fails run -b "$BUNDLE" "$ID"
	contains 'device "/dev/kmsg" cannot be made here, and the host'
	contains 'is not the device 1:99'
	config_set '.linux.devices = [{ "path": "/dev/no-such-device", "type": "c", "major": 1, "minor": 11 }]'
	fails run -b "$BUNDLE" "$ID"
	contains 'bind device "/dev/no-such-device" of the host'
}

@test "in a user namespace the files that binds need can be there from the last time" {
	requires root user_namespace
	with_user_namespace
	without_tmpfs_dev
	chown -R 100000:100000 "$ROOTFS"
	probe_run open /dev/null
	contains "/dev/null ok" "$stdout"
	[ -f "$ROOTFS/dev/null" ]
	probe_run open /dev/null
	contains "/dev/null ok" "$stdout"
	# but not what has something in it
	echo x >"$ROOTFS/dev/zero"
	fails run -b "$BUNDLE" "$ID"
	contains '"/dev/zero" exists and is not the device c 1:5'
}

@test "the host's /dev, bound, is left as it is; devices elsewhere are made" {
	requires root
	mkdir "$WORK/dev"
	config_set '.root.readonly = false | .mounts |= map(select(.destination | startswith("/dev") | not))
		| .mounts += [{ destination: "/dev", type: "bind", source: $dev, options: ["rbind"] }]
		| .linux.devices = [{ path: "/dev/x", type: "c", major: 1, minor: 5 }, { path: "/srv/y", type: "c", major: 1, minor: 5 }]' \
		--arg dev "$WORK/dev"
	probe_run stat /srv/y then ls /dev
	contains "/srv/y 020666 0:0 1:5" "$stdout"
	equals "$(ls -A "$WORK/dev")" ""
}

@test "bad devices are errors with their place" {
	requires ours
	config_set '.linux.devices = [{ "path": "dev/x", "type": "c", "major": 1, "minor": 1 }]'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/devices/0"
	config_set '.linux.devices = [{ "path": "/dev/x", "type": "z", "major": 1, "minor": 1 }]'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/devices/0/type"
	config_set '.linux.devices = [{ "path": "/dev/x", "type": "b", "major": 1 }]'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/devices/0"
	config_set '.linux.devices = [{ "path": "/dev/x", "type": "c", "major": 1, "minor": 4294967296 }]'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/devices/0"
	config_set '.linux.devices = [{ "path": "/dev/x", "type": "c", "major": 1, "minor": 1, "uid": 4294967295 }]'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/devices/0"
	config_set '.linux.devices = [{ "path": "/dev/x", "type": "c", "major": 4096, "minor": 3 }]'
	fails run -b "$BUNDLE" "$ID"
	contains '/linux/devices/0/major: there is no device 4096:3'
}

@test "device rules count in their order, bit by bit" {
	requires root
	config_set '.linux.devices = [{ "path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11 }]
		| .process.capabilities |= map_values(. + ["CAP_SYSLOG"])
		| .linux.resources.devices = [
			{ "allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm" },
			{ "allow": false, "access": "rwm" },
			{ "allow": true, "type": "c", "major": 1, "access": "rw" },
			{ "allow": false, "type": "c", "major": 1, "minor": 11, "access": "w" }]'
	probe_run openfor r /dev/kmsg then openfor w /dev/kmsg then open /dev/null
	contains "r /dev/kmsg ok" "$stdout"
	contains "w /dev/kmsg EPERM" "$stdout"
	contains "/dev/null ok" "$stdout"
	# the other way round the general rule comes last
	config_set '.linux.resources.devices |= [.[1], .[3], .[2]]'
	probe_run openfor r /dev/kmsg then openfor w /dev/kmsg
	contains "w /dev/kmsg ok" "$stdout"
	# a rule for all devices forgets what came before
	config_set '.linux.resources.devices += [{ "allow": false, "access": "rwm" }]'
	probe_run openfor r /dev/kmsg
	contains "r /dev/kmsg EPERM" "$stdout"
	config_set '.linux.resources.devices += [{ "allow": true, "type": "a", "access": "rwm" }]'
	probe_run openfor r /dev/kmsg then openfor w /dev/kmsg
	contains "r /dev/kmsg ok" "$stdout"
	contains "w /dev/kmsg ok" "$stdout"
}
