#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Options of file systems that the container mounts: attributes, superblock flags, data, remounts,
# and the rules of proc, sysfs, devpts, cgroup and mqueue.
load helpers

add_mount() {
	config_set '.mounts += [$mount]' --argjson mount "$1"
}

# tmpfs OPTIONS: on /tmp, instead of an earlier one
tmpfs() {
	config_set ".mounts |= map(select(.destination != \"/tmp\")) | .mounts += [{ destination: \"/tmp\", type: \"tmpfs\", source: \"tmpfs\", options: $1 }]"
}

# flags DESTINATION, super DESTINATION: of its mount and of its superblock, from mountinfo in stdout
flags() {
	awk -v where="$1" '$5 == where { line = $6 } END { print line }' <<<"$stdout"
}

super() {
	awk -v where="$1" '$5 == where { line = $NF } END { print line }' <<<"$stdout"
}

user_namespace() {
	config_set '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]'
	chown -R 100000:100000 "$ROOTFS"
}

@test "every attribute of a new file system is set, and taken back by a later option" {
	requires ours
	for option in ro nosuid nodev noexec noatime nodiratime nosymfollow rro rnosuid rnodev rnoexec rnoatime \
		rnodiratime rnosymfollow; do
		tmpfs "[\"$option\"]"
		probe_run mounts
		name=$option
		[[ $option == rro || $option == rno* ]] && name=${option#r}
		contains ",$name," ",$(flags /tmp),"
	done
	all='"ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"'
	for option in rw suid dev exec diratime symfollow rrw rsuid rdev rexec rdiratime rsymfollow; do
		tmpfs "[$all, \"$option\"]"
		probe_run mounts
		[[ $option == rw || $option == rrw ]] && name=ro || name=no$option
		[[ $option == r?* && $option != rw && $option != rrw ]] && name=no${option#r}
		lacks ",$name," ",$(flags /tmp),"
	done
}

@test "the access time policies exclude one another" {
	requires ours
	local -A expected=([relatime]=relatime [noatime]=noatime [strictatime]= ["noatime\",\"strictatime"]=
		["strictatime\",\"noatime"]=noatime ["noatime\",\"atime"]=relatime ["strictatime\",\"nostrictatime"]=relatime
		["noatime\",\"norelatime"]=noatime ["rnoatime\",\"ratime"]=relatime ["rstrictatime"]= ["rrelatime"]=relatime
		["noatime\",\"rnostrictatime"]=noatime ["rstrictatime\",\"rnorelatime"]=)
	for options in "${!expected[@]}"; do
		tmpfs "[\"$options\"]"
		probe_run mounts
		equals "$options: $(grep -o '[a-z]*atime' <<<"$(flags /tmp)")" "$options: ${expected[$options]}"
	done
}

@test "flags of the superblock are set, and taken back" {
	requires ours
	for option in sync dirsync lazytime mand rsync rdirsync rmand; do
		tmpfs "[\"$option\"]"
		probe_run mounts
		contains ",${option#r}," ",$(super /tmp),"
	done
	tmpfs '["sync", "lazytime", "mand", "async", "nolazytime", "nomand", "rasync", "rnomand"]'
	probe_run mounts
	for name in sync lazytime mand; do
		lacks ",$name," ",$(super /tmp),"
	done
}

@test "options without effect are accepted" {
	requires ours
	tmpfs '["defaults", "silent", "loud", "iversion", "noiversion"]'
	ok run -b "$BUNDLE" "$ID"
}

@test "several data items may be in one option, quoted or not" {
	requires ours
	tmpfs '["size=64k,nr_inodes=77", "mode=700"]'
	probe_run mounts
	contains "size=64k" "$(super /tmp)"
	contains "nr_inodes=77" "$(super /tmp)"
}

@test "an unknown option or value is an error in the kernel's words" {
	requires ours
	tmpfs '["size=64k", "nonsense=3"]'
	fails run -b "$BUNDLE" "$ID"
	contains "mount option \"nonsense=3\": tmpfs: Unknown parameter 'nonsense'"
	tmpfs '["mode=999"]'
	fails run -b "$BUNDLE" "$ID"
	contains "tmpfs: Bad value for 'mode'"
	add_mount '{ "destination": "/tmp", "type": "nonsense", "source": "x" }'
	config_set 'del(.mounts[-2])'
	fails run -b "$BUNDLE" "$ID"
	contains 'file system type "nonsense": no such device'
}

@test "what the kernel says of a file system that cannot be made is in the message" {
	requires ours root
	# two, because kernels before 6.5 refuse a single one without a look at it
	add_mount '{ "destination": "/tmp", "type": "overlay", "source": "overlay", "options": ["lowerdir=/nowhere/at/all:/nowhere/else"] }'
	fails run -b "$BUNDLE" "$ID"
	contains 'error mounting "overlay" to "/tmp": '
	contains "overlay"
	contains "no such file or directory"
}

@test "a read-only tmpfs is there for the mounts and devices in it" {
	requires ours
	config_set '.mounts |= map(if .destination == "/dev" then .options += ["ro"] else . end)'
	tmpfs '["ro"]'
	add_mount '{ "destination": "/tmp/deep/inside", "type": "tmpfs", "source": "tmpfs" }'
	probe_run mounts then stat /dev/null /dev/pts then write /tmp/deep/inside/x then open /dev /tmp
	contains "ro," "$(flags /dev)"
	contains "ro," "$(flags /tmp)"
	contains "/dev/null 020666" "$stdout"
	contains "/tmp EISDIR" "$stdout"
	probe write /dev/x
	fails run -b "$BUNDLE" "$ID"
	contains "Read-only file system"
}

@test "tmpcopyup into a read-only tmpfs, with links, owners and attributes" {
	requires ours root
	mkdir -p "$ROOTFS/data/sub"
	echo text >"$ROOTFS/data/sub/file"
	ln -s ../../../etc "$ROOTFS/data/link"
	mkfifo "$ROOTFS/data/fifo"
	chown 5:6 "$ROOTFS/data/sub"
	chmod 2751 "$ROOTFS/data/sub"
	add_mount '{ "destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "ro"] }'
	probe_run cat /data/sub/file then stat /data/link /data/fifo /data/sub then open /data/sub/file
	contains "text" "$stdout"
	contains "../../../etc" "$stdout"
	contains "/data/fifo 010" "$stdout"
	contains "/data/sub 042751 5:6" "$stdout"
	contains "/data/sub/file EROFS" "$stdout"
	# nothing there: nothing to copy
	config_set '.root.readonly = false | .mounts[-1].destination = "/none/yet"'
	ok run -b "$BUNDLE" "$ID"
}

@test "tmpcopyup is for new file systems alone" {
	requires ours
	mkdir "$WORK/source"
	add_mount "{ \"destination\": \"/tmp\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"bind\", \"tmpcopyup\"] }"
	fails run -b "$BUNDLE" "$ID"
	contains "/mounts/7: tmpcopyup can be used only with tmpfs"
}

@test "a remount changes attributes and parameters of what is there" {
	requires ours
	tmpfs '["size=64k", "nosuid", "nodev"]'
	add_mount '{ "destination": "/tmp", "options": ["remount", "noexec", "dev", "size=128k", "sync"] }'
	add_mount '{ "destination": "/sys", "options": ["remount", "bind", "noatime"] }'
	probe_run mounts
	contains ",nosuid,noexec," ",$(flags /tmp),"
	contains "size=128k" "$(super /tmp)"
	contains "sync" "$(super /tmp)"
	contains "ro,nosuid,nodev,noexec,noatime" "$(flags /sys)"
	config_set '.mounts[-1] = { destination: "/tmp", options: ["remount", "async", "ro"] }'
	probe_run mounts
	lacks ",sync" ",$(super /tmp)"
	contains "ro," "$(flags /tmp)"
	contains "size=128k" "$(super /tmp)"
}

@test "a remount with a wrong parameter, or of nothing, is an error" {
	requires ours
	add_mount '{ "destination": "/dev/shm", "options": ["remount", "size=nonsense"] }'
	fails run -b "$BUNDLE" "$ID"
	contains "Bad value for 'size'"
	config_set '.mounts[-1] = { destination: "/etc", options: ["remount", "ro"] }'
	fails run -b "$BUNDLE" "$ID"
	contains 'to "/etc": set the mount attributes: invalid argument'
	config_set '.mounts[-1] = { destination: "/nowhere", options: ["remount", "ro"] }'
	fails run -b "$BUNDLE" "$ID"
	contains "no such file or directory"
}

@test "a relative destination is one of the root, with a warning" {
	requires ours
	add_mount '{ "destination": "tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k"] }'
	probe_run mounts
	contains "size=64k" "$(super /tmp)"
	contains 'mount destination "tmp" is not absolute' "$stderr"
	ok --log "$WORK/log" run -b "$BUNDLE" "$ID"
	equals "$(cat "$WORK/log")$stderr" ""
}

@test "a mount without a destination, type or source is refused" {
	requires ours
	cp "$BUNDLE/config.json" "$WORK/saved.json"
	for mount in '{ "destination": "", "type": "tmpfs" }' '{ "destination": "/tmp" }' '{ "destination": "/tmp", "type": "bind" }'; do
		cp "$WORK/saved.json" "$BUNDLE/config.json"
		add_mount "$mount"
		fails run -b "$BUNDLE" "$ID"
		contains "/mounts/7"
	done
}

@test "/proc takes a procfs alone, and what the source becomes does not change that" {
	requires ours
	mkdir "$WORK/source"
	config_set '.mounts |= map(select(.destination != "/proc"))'
	for mount in '{ "destination": "/proc", "type": "tmpfs", "source": "tmpfs" }' \
		"{ \"destination\": \"/proc\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"bind\"] }"; do
		add_mount "$mount"
		fails run -b "$BUNDLE" "$ID"
		contains "cannot be mounted because it is not of type proc"
		config_set 'del(.mounts[-1])'
	done
	add_mount '{ "destination": "/proc", "type": "bind", "source": "/proc", "options": ["rbind"] }'
	config_set '.linux.maskedPaths = [] | .linux.readonlyPaths = [] | .linux.namespaces |= map(select(.type != "pid"))'
	ok run -b "$BUNDLE" "$ID"
}

@test "a sysfs that may not be mounted is the host's, read-only, or an error with the reason" {
	requires ours user_namespace root
	user_namespace
	config_set '.linux.namespaces |= map(select(.type != "network")) | .linux.maskedPaths = []'
	probe_run mounts then open /sys/kernel/uevent_seqnum
	contains "ro,nosuid,nodev,noexec" "$(flags /sys)"
	contains " - sysfs " "$(awk '$5 == "/sys"' <<<"$stdout")"
	# and so all that is mounted in it
	equals "$(awk '$5 ~ "^/sys" && $6 !~ "^ro"' <<<"$stdout")" ""
	config_set '.mounts |= map(if .destination == "/sys" then .options = ["nosuid"] else . end)'
	fails run -b "$BUNDLE" "$ID"
	contains "operation not permitted"
	contains "a user namespace may mount a sysfs only together with a network namespace of its own"
}

@test "a procfs that may not be mounted says why" {
	requires ours user_namespace root
	user_namespace
	unshare -m --propagation private sh -c "
		mount --bind /proc/sys /proc/sys
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" >"$WORK/out" 2>&1 3>&- || true
	contains "the kernel refuses a new procfs in a user namespace while parts of the visible one are covered: /proc/sys" "$(cat "$WORK/out")"
	contains "operation not permitted" "$(cat "$WORK/out")"
	config_set '.linux.namespaces |= map(select(.type != "pid"))'
	fails run -b "$BUNDLE" "$ID"
	contains "only for a pid namespace of its own"
}

@test "devpts works where group 5 is not mapped, and is an instance of its own" {
	requires ours user_namespace root
	user_namespace
	config_set '.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 5 }]'
	probe_run mounts then ls /dev/pts
	lacks "gid=" "$(super /dev/pts)"
	contains ptmxmode=666 "$(super /dev/pts)"
	equals "$(awk 'NF == 1' <<<"$stdout")" ptmx
}

@test "devpts in a joined user namespace whose map config.json does not tell" {
	requires ours user_namespace root
	user_namespace
	config_set '.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 5 }]'
	start_container
	path=/proc/$(container_pid)/ns/user
	config_set ".linux.namespaces |= map(if .type == \"user\" then .path = \"$path\" else . end) | del(.linux.uidMappings) | del(.linux.gidMappings)"
	probe mounts
	ok run -b "$BUNDLE" "$ID-2"
	lacks "gid=" "$(super /dev/pts)"
	contains ptmxmode=666 "$(super /dev/pts)"
}

@test "cgroup and cgroup2 are the same, v1's option strings mean nothing, ro stays" {
	requires ours
	for type in cgroup cgroup2; do
		config_set ".mounts |= map(if .destination == \"/sys/fs/cgroup\" then .type = \"$type\" | .options = [\"nosuid\", \"ro\", \"name=systemd\", \"memory\"] else . end)"
		probe_run mounts
		contains " - cgroup2 " "$(awk '$5 == "/sys/fs/cgroup"' <<<"$stdout")"
		contains "ro,nosuid," "$(flags /sys/fs/cgroup)"
		# the same bound, where there is no cgroup namespace
		config_set '.linux.namespaces |= map(select(.type != "cgroup"))'
		probe_run mounts
		contains " - cgroup2 " "$(awk '$5 == "/sys/fs/cgroup"' <<<"$stdout")"
		contains "ro,nosuid," "$(flags /sys/fs/cgroup)"
		config_set '.linux.namespaces += [{ type: "cgroup" }]'
	done
}

@test "a container without a cgroup does not see the host's" {
	requires ours root
	config_set '.linux.namespaces |= map(select(.type != "cgroup"))'
	RT_GLOBAL=(--cgroup-manager disabled)
	probe_run ls /sys/fs/cgroup then mounts
	contains "ro," "$(flags /sys/fs/cgroup)"
	contains " - tmpfs " "$(awk '$5 == "/sys/fs/cgroup"' <<<"$stdout")"
}

@test "mqueue works with its attributes" {
	probe_run mounts then stat /dev/mqueue
	contains "nosuid,nodev,noexec" "$(flags /dev/mqueue)"
	contains "/dev/mqueue 041777" "$stdout"
}

@test "options that are longer than fsconfig(2) takes, as overlays have them" {
	requires ours root
	local -a lower=()
	for i in 1 2 3 4 5; do
		mkdir -p "$WORK/$(printf "%0100d" "$i")"
		touch "$WORK/$(printf "%0100d" "$i")/file$i"
		lower+=("$WORK/$(printf "%0100d" "$i")")
	done
	layers=$(IFS=:; echo "${lower[*]}")
	add_mount "{ \"destination\": \"/tmp\", \"type\": \"overlay\", \"source\": \"layers\", \"options\": [\"lowerdir=$layers\", \"nosuid\", \"rprivate\"] }"
	probe_run ls /tmp then mounts
	equals "$(grep -c '^file[1-5]$' <<<"$stdout")" 5
	contains nosuid "$(flags /tmp)"
	contains " - overlay layers" "$(awk '$5 == "/tmp"' <<<"$stdout")"
	equals "$(grep -c overlay <<<"$stdout")" 1
	config_set '.mounts[-1].options[0] += ":/nowhere"'
	fails run -b "$BUNDLE" "$ID"
	contains 'create the file system "overlay": no such file or directory'
}
