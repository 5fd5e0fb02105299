#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The root file system: propagation, strange places for it, a new "/", read-only, without pivot_root.
load helpers

add_mount() {
	config_set '.mounts += [$mount]' --argjson mount "$1"
}

# root_line: the container's root in mountinfo (from stdout)
root_line() {
	awk '$5 == "/"' <<<"$stdout"
}

# on_shared_host COMMAND: in a mount namespace where all is shared, the rootfs is a mount of its
# own, and there is a mount on a mount
on_shared_host() {
	unshare -m --propagation shared sh -c "
		set -e
		mount --bind '$ROOTFS' '$ROOTFS'
		mkdir -p '$WORK/outer'; mount -t tmpfs outer '$WORK/outer'
		mkdir '$WORK/outer/inner'; mount -t tmpfs inner '$WORK/outer/inner'
		sort /proc/self/mountinfo >'$WORK/before'
		$1
		sort /proc/self/mountinfo >'$WORK/after'" >"$WORK/out" 2>&1 3>&- || {
		cat "$WORK/out"
		return 1
	}
	stdout=$(cat "$WORK/out")
	diff "$WORK/before" "$WORK/after"
}

@test "no propagation of the root changes a host whose mounts are all shared" {
	requires root
	probe mounts
	for propagation in private rprivate slave rslave shared rshared unbindable runbindable; do
		config_set ".linux.rootfsPropagation = \"$propagation\""
		echo "$propagation"
		on_shared_host "'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID"
		case $propagation in
		*shared) contains " shared:" "$(root_line)" ;;
		*unbindable) contains " unbindable " "$(root_line)" ;;
		slave | rslave) contains " master:" "$(root_line)"; lacks "shared:" "$(root_line)" ;;
		*) lacks "master:" "$(root_line)"; lacks "shared:" "$(root_line)" ;;
		esac
	done
}

@test "a root by another place than its own does not reach a shared host either" {
	requires root ours
	add_mount '{ "destination": "/", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"] }'
	mkdir "$WORK/bin"
	cp "$PROBE" "$WORK/bin"
	add_mount "{ \"destination\": \"/bin\", \"type\": \"bind\", \"source\": \"$WORK/bin\", \"options\": [\"rbind\"] }"
	config_set '.mounts = .mounts[-2:] + .mounts[:-2]'
	probe mounts
	for propagation in slave shared; do
		config_set ".linux.rootfsPropagation = \"$propagation\""
		on_shared_host "'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID"
	done
}

@test "what the host opens for a user namespace is no peer of the host" {
	requires root user_namespace
	mkdir -p "$WORK/outer" "$WORK/closed/bundle"
	chmod 700 "$WORK/closed"
	config_set '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .root.path = $rootfs' --arg rootfs "$ROOTFS"
	cp "$BUNDLE/config.json" "$WORK/closed/bundle"
	mkdir "$WORK/closed/volume"
	config_set '.mounts += [{ destination: "/tmp", type: "bind", source: $source, options: ["rbind"] }]' --arg source "$WORK/closed/volume"
	probe mounts
	on_shared_host "
		mount -t tmpfs volume '$WORK/closed/volume'; sort /proc/self/mountinfo >'$WORK/before'
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID"
	line=$(awk '$5 == "/tmp"' <<<"$stdout")
	contains " master:" "$line"
	lacks "shared:" "$line"
}

@test "a mount on \"/\" becomes the root" {
	requires ours
	mkdir -p "$WORK/other"/{bin,dev,proc,sys}
	cp "$PROBE" "$WORK/other/bin"
	touch "$WORK/other/here" "$ROOTFS/there"
	config_set '.mounts = [{ destination: "/", type: "bind", source: $source, options: ["rbind"] }] + .mounts' --arg source "$WORK/other"
	probe_run stat /here then stat /proc/self then open /here
	contains "/here 100644" "$stdout"
	contains "/here EROFS" "$stdout"
	probe stat /there
	fails run -b "$BUNDLE" "$ID"
	ok run --no-pivot --config <(jq '.process.args = ["/bin/probe", "stat", "/here"]' "$BUNDLE/config.json") -b "$BUNDLE" "$ID"
}

@test "the host's root can be the container's" {
	requires ours root
	config_set '.root = { path: "/", readonly: true } | .process.args = [$probe, "open", "/etc/passwd", "/root"]' --arg probe "$PROBE"
	# what binds below /dev and elsewhere need is there
	before=$(sort /proc/self/mountinfo)
	ok run -b "$BUNDLE" "$ID"
	contains "/etc/passwd EROFS" "$stdout"
	equals "$(sort /proc/self/mountinfo)" "$before"
}

@test "a rootfs on a read-only file system works, as long as nothing is to be made" {
	requires root ours
	rmdir "$ROOTFS/tmp"
	config_set '.root.readonly = false'
	touch "$ROOTFS/file"
	probe open /file
	unshare -m --propagation private sh -c "
		mount --bind '$ROOTFS' '$ROOTFS' && mount -o remount,bind,ro,nosuid '$ROOTFS'
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" >"$WORK/out" 3>&-
	contains "/file EROFS" "$(cat "$WORK/out")"
	add_mount '{ "destination": "/new", "type": "tmpfs", "source": "tmpfs" }'
	unshare -m --propagation private sh -c "
		mount --bind '$ROOTFS' '$ROOTFS' && mount -o remount,bind,ro '$ROOTFS'
		! '$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" >"$WORK/out" 2>&1 3>&-
	contains 'make folder "/new" inside the root: read-only file system' "$(cat "$WORK/out")"
}

@test "a read-only root keeps the flags that its mount has" {
	requires root
	probe mounts
	unshare -m --propagation private sh -c "
		mount --bind '$ROOTFS' '$ROOTFS' && mount -o remount,bind,nosuid,nodev,noatime '$ROOTFS'
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" >"$WORK/out" 3>&-
	stdout=$(cat "$WORK/out")
	contains " ro,nosuid,nodev,noatime" "$(root_line)"
	# the same where these flags are locked
	config_set '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]'
	unshare -m --propagation private sh -c "
		mount --bind '$ROOTFS' '$ROOTFS' && mount -o remount,bind,nosuid,nodev,noatime '$ROOTFS'
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" >"$WORK/out" 3>&-
	stdout=$(cat "$WORK/out")
	contains " ro,nosuid,nodev,noatime" "$(root_line)"
}

@test "a working directory that is missing is made, in a read-only root, too" {
	config_set '.process.cwd = "/made/for/you"'
	probe_run cwd then mkdir /made/no || true
	contains /made/for/you "$stdout"
	contains "Read-only file system"
	equals "$(stat -c %a "$ROOTFS/made/for/you")" 755
}

@test "--no-pivot finds full kernel mounts with a blank in their path" {
	requires ours root
	mkdir "$WORK/a proc" "$WORK/b\\sys"
	probe sleep
	unshare -m --propagation private sh -c "
		mount -t proc proc '$WORK/a proc' && mount -t sysfs sysfs '$WORK/b\\sys'
		'$RUNTIME' --root '$ROOT' create --no-pivot -b '$BUNDLE' $ID" 3>&- >"$WORK/out" 2>&1
	full=$(awk '$4 == "/" && / - (proc|sysfs) / { print $5 }' "/proc/$(container_pid)/mountinfo")
	equals "$(sort <<<"$full" | tr '\n' ' ')" "/proc /sys "
}

@test "--no-pivot with a private root is refused" {
	for propagation in private rprivate; do
		config_set ".linux.rootfsPropagation = \"$propagation\""
		fails run --no-pivot -b "$BUNDLE" "$ID"
		contains "rootfsPropagation of [r]private is not safe without pivot_root"
	done
}

@test "a propagation that is none is refused with its place" {
	requires ours
	config_set '.linux.rootfsPropagation = "sharing"'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/rootfsPropagation"
	contains "sharing"
}
