#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Masked and read-only paths beyond the usual ones: what is not there, twice, links, attributes.
load helpers

# paths KIND PATH...: instead of those of the default configuration
paths() {
	config_set ".linux.$1 = \$ARGS.positional" --args "${@:2}"
}

@test "paths that are not there need no mask and nothing is made" {
	touch "$ROOTFS/file"
	ln -s nowhere "$ROOTFS/dangling"
	paths maskedPaths /none /none/deeper /file/below /dangling /proc/none /none
	paths readonlyPaths /none /file/below /dangling /proc/none
	config_set '.root.readonly = false'
	ok run -b "$BUNDLE" "$ID"
	[ ! -e "$ROOTFS/none" ]
	[ ! -e "$ROOTFS/nowhere" ]
}

@test "a path that is not absolute is refused with its place" {
	for name in maskedPaths readonlyPaths; do
		config_set ".linux.$name += [\"etc\"]"
		fails create -b "$BUNDLE" "$ID"
		contains "/linux/$name/"
		contains "path \"etc\" is not absolute"
		config_set ".linux.$name |= .[:-1]"
	done
}

@test "a path may be listed twice, and be masked and read-only" {
	mkdir "$ROOTFS/secret"
	echo secret >"$ROOTFS/secret/file"
	echo secret >"$ROOTFS/other"
	paths maskedPaths /secret /secret /other /other /secret/file
	paths readonlyPaths /secret /other /other
	config_set '.root.readonly = false'
	probe_run ls /secret then cat /other then open /secret/x
	equals "$stdout" "/secret/x ENOENT"
}

@test "folders share one file system, that nobody can write to, whoever remounts it" {
	requires ours
	mkdir "$ROOTFS/a" "$ROOTFS/b"
	paths maskedPaths /a /b /proc/acpi
	probe_run mounts then write /a/x || true
	devices=$(awk '$5 == "/a" || $5 == "/b" || $5 == "/proc/acpi" { print $3 }' <<<"$stdout" | sort -u)
	equals "$(wc -l <<<"$devices")" 1
	contains "Read-only file system"
}

@test "devices, fifos, sockets and links to them are masked like files" {
	requires root
	mkfifo "$ROOTFS/fifo"
	mknod "$ROOTFS/device" c 1 8
	ln -s device "$ROOTFS/link"
	paths maskedPaths /fifo /link
	probe_run stat /fifo /device /link
	contains "/fifo 020666 0:0 1:3" "$stdout"
	contains "/device 020666 0:0 1:3" "$stdout"
}

@test "masks count for a mount, too, and its attributes stay on read-only paths" {
	requires ours
	mkdir -p "$WORK/source/sub"
	echo secret >"$WORK/source/sub/file"
	config_set '.mounts += [{ destination: "/tmp", type: "bind", source: $source, options: ["bind", "nosuid", "nodev", "noexec"] }]' --arg source "$WORK/source"
	paths maskedPaths /tmp/sub/file
	paths readonlyPaths /tmp
	probe_run cat /tmp/sub/file then mounts then open /tmp/sub/file
	lacks secret "$stdout"
	contains "ro,nosuid,nodev,noexec" "$(awk '$5 == "/tmp" { print $6 }' <<<"$stdout" | tail -1)"
	contains secret "$(cat "$WORK/source/sub/file")"
}

@test "masks hold in a user namespace" {
	requires root user_namespace
	config_set '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]'
	mkdir "$ROOTFS/secret"
	touch "$ROOTFS/secret/x"
	echo secret >"$ROOTFS/other"
	chown -R 100000:100000 "$ROOTFS"
	paths maskedPaths /secret /other
	probe_run ls /secret then cat /other
	equals "$stdout" ""
}

@test "hundreds of masks do not run out of file descriptors" {
	requires ours
	for i in $(seq 150); do
		mkdir "$ROOTFS/d$i"
		echo secret >"$ROOTFS/f$i"
	done
	# shellcheck disable=SC2046
	paths maskedPaths $(seq -f /d%g 150) $(seq -f /f%g 150)
	config_set 'del(.process.rlimits)'
	(
		ulimit -n 512
		probe_run cat /f1 /f150 then mounts
	)
	equals "$(grep -c ' /[df][0-9]' "$WORK/stdout")" 300
}
