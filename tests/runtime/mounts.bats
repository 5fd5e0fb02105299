#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mounts[]: kinds, attributes, destinations, and what a hostile rootfs may not do.
load helpers

# add_mount JSON: one more entry of mounts[]
add_mount() {
	config_set '.mounts += [$mount]' --argjson mount "$1"
}

# mount_line DESTINATION: its line of the container's mountinfo (from stdout)
mount_line() {
	awk -v where="$1" '$5 == where { line = $0 } END { print line }' <<<"$stdout"
}

@test "the default configuration's mounts are there with their attributes" {
	probe_run mounts
	contains " ro,relatime" "$(mount_line /)"
	contains " - proc proc" "$(mount_line /proc)"
	contains "nosuid" "$(mount_line /dev)"
	contains " - tmpfs tmpfs" "$(mount_line /dev)"
	contains "nosuid,noexec" "$(mount_line /dev/pts)"
	contains "gid=5,mode=620,ptmxmode=666" "$(mount_line /dev/pts)"
	contains "nosuid,nodev,noexec" "$(mount_line /dev/shm)"
	contains " - mqueue" "$(mount_line /dev/mqueue)"
	contains "ro,nosuid,nodev,noexec" "$(mount_line /sys)"
	contains "ro,nosuid,nodev,noexec" "$(mount_line /sys/fs/cgroup)"
	contains " - cgroup2" "$(mount_line /sys/fs/cgroup)"
}

@test "nothing of the host's mounts is visible" {
	probe_run mounts
	for where in $(awk '$5 != "/" { print $5 }' /proc/self/mountinfo); do
		[[ $where == /proc || $where == /sys* || $where == /dev* ]] || lacks " $where " "$stdout"
	done
}

@test "a bind mount shows the source, folder or file, and makes its destination" {
	mkdir -p "$WORK/source/deep"
	echo content >"$WORK/source/file"
	config_set '.root.readonly = false'
	add_mount "{ \"destination\": \"/new/folder\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"rbind\"] }"
	add_mount "{ \"destination\": \"/other/file\", \"source\": \"$WORK/source/file\", \"options\": [\"bind\", \"ro\"] }"
	probe_run ls /new/folder then cat /other/file then mounts then open /other/file /new/folder/file
	contains deep "$stdout"
	contains content "$stdout"
	contains " ro," "$(mount_line /other/file)"
	contains "/other/file EROFS" "$stdout"
	contains "/new/folder/file ok" "$stdout"
	[ -d "$ROOTFS/new/folder" ]
	[ -f "$ROOTFS/other/file" ]
}

@test "a relative bind source is one of the bundle" {
	mkdir "$BUNDLE/data"
	touch "$BUNDLE/data/mine"
	add_mount '{ "destination": "/tmp", "type": "bind", "source": "data", "options": ["bind"] }'
	probe_run ls /tmp
	equals "$stdout" mine
}

@test "a bind source that is missing is an error that names it" {
	add_mount '{ "destination": "/tmp", "type": "bind", "source": "/nowhere/at/all", "options": ["bind"] }'
	fails run -b "$BUNDLE" "$ID"
	contains "/nowhere/at/all"
	contains "no such file or directory"
	[ ! -e "$ROOT/$ID" ]
}

@test "bind attributes are set and cleared" {
	mkdir "$WORK/source"
	add_mount "{ \"destination\": \"/tmp\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"bind\", \"nosuid\", \"nodev\", \"noexec\", \"noatime\"] }"
	probe_run mounts
	contains "nosuid,nodev,noexec,noatime" "$(mount_line /tmp)"
}

@test "rbind takes submounts along, bind does not, and rro reaches them" {
	requires root
	mkdir -p "$WORK/source/sub"
	unshare -m --propagation private sh -c "
		mount -t tmpfs tmpfs '$WORK/source/sub' && touch '$WORK/source/sub/inner'
		jq '.mounts += [
			{ destination: \"/tmp\", type: \"bind\", source: \"$WORK/source\", options: [\"rbind\", \"rro\"] },
			{ destination: \"/etc\", type: \"bind\", source: \"$WORK/source\", options: [\"bind\"] }]
			| .process.args = [\"/bin/probe\", \"ls\", \"/tmp/sub\", \"then\", \"open\", \"/tmp/sub/inner\", \"then\", \"ls\", \"/etc/sub\", \"then\", \"echo\", \"end\"]' \
			'$BUNDLE/config.json' >'$BUNDLE/new' && mv '$BUNDLE/new' '$BUNDLE/config.json'
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" >"$WORK/out" 3>&-
	equals "$(cat "$WORK/out")" $'inner\n/tmp/sub/inner EROFS\nend'
}

@test "tmpfs options reach the file system, and its mode is that of the folder below" {
	mkdir "$ROOTFS/t" "$ROOTFS/u"
	chmod 710 "$ROOTFS/t"
	add_mount '{ "destination": "/t", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "nosuid"] }'
	add_mount '{ "destination": "/u", "type": "tmpfs", "source": "named", "options": ["mode=1755", "nr_inodes=100"] }'
	probe_run mounts then stat /t /u
	contains "size=64k" "$(mount_line /t)"
	contains " - tmpfs named" "$(mount_line /u)"
	contains "nr_inodes=100" "$(mount_line /u)"
	contains "/t 040710" "$stdout"
	contains "/u 041755" "$stdout"
}

@test "a bad file system option is an error in the kernel's words" {
	requires ours
	add_mount '{ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=nonsense"] }'
	fails run -b "$BUNDLE" "$ID"
	contains "Bad value for 'size'"
	contains '"/tmp"'
}

@test "tmpcopyup starts with the contents of the folder below" {
	requires ours
	mkdir -p "$ROOTFS/data/sub"
	echo text >"$ROOTFS/data/sub/file"
	ln -s /etc/passwd "$ROOTFS/data/link"
	chmod 646 "$ROOTFS/data/sub/file"
	chown 12:13 "$ROOTFS/data/sub/file"
	add_mount '{ "destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"] }'
	probe_run cat /data/sub/file then stat /data/sub/file /data/link then write /data/new
	contains text "$stdout"
	contains "/data/sub/file 100646 12:13" "$stdout"
	contains "/data/link 120777" "$stdout"
	contains "/etc/passwd" "$stdout"
	[ ! -e "$ROOTFS/data/new" ]
}

@test "a read-only root keeps its writable mounts writable" {
	probe_run open /bin then write /dev/shm/x then write /dev/y
	mkdir "$WORK/source"
	add_mount "{ \"destination\": \"/tmp\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"bind\"] }"
	probe_run write /tmp/z
	[ -e "$WORK/source/z" ]
	probe write /etc/x
	fails run -b "$BUNDLE" "$ID"
	contains "Read-only file system"
}

@test "destinations with symlinks stay inside the rootfs" {
	mkdir "$WORK/source" "$WORK/outside"
	touch "$WORK/source/seen"
	ln -s "$WORK/outside" "$ROOTFS/absolute"
	ln -s ../../../../.. "$ROOTFS/climbing"
	config_set '.root.readonly = false'
	add_mount "{ \"destination\": \"/absolute/made\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"bind\"] }"
	add_mount "{ \"destination\": \"/climbing$WORK/outside/two\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"bind\"] }"
	rt run -b "$BUNDLE" "$ID"
	[ -z "$(ls -A "$WORK/outside")" ]
}

@test "proc and sys as symlinks in the image are refused" {
	for name in proc sys; do
		rmdir "$ROOTFS/$name"
		mkdir -p "$ROOTFS/fake/$name"
		ln -s "fake/$name" "$ROOTFS/$name"
		fails run -b "$BUNDLE" "$ID"
		contains "must be mounted on ordinary directory"
		rm "$ROOTFS/$name"
		mkdir "$ROOTFS/$name"
	done
}

@test "nothing may be mounted below /proc, neither by name nor by a symlink" {
	mkdir "$WORK/source"
	cp "$BUNDLE/config.json" "$WORK/good.json"
	add_mount "{ \"destination\": \"/proc/self/attr\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"bind\"] }"
	fails run -b "$BUNDLE" "$ID"
	contains "inside /proc"
	cp "$WORK/good.json" "$BUNDLE/config.json"
	ln -s /proc/self/attr "$ROOTFS/innocent"
	add_mount "{ \"destination\": \"/innocent\", \"type\": \"tmpfs\", \"source\": \"tmpfs\" }"
	fails run -b "$BUNDLE" "$ID"
	contains "inside /proc"
}

@test "lxcfs's files of /proc may be bound" {
	requires ours
	echo "MemTotal: 1 kB" >"$WORK/meminfo"
	add_mount "{ \"destination\": \"/proc/meminfo\", \"type\": \"bind\", \"source\": \"$WORK/meminfo\", \"options\": [\"bind\", \"ro\"] }"
	probe_run cat /proc/meminfo
	equals "$stdout" "MemTotal: 1 kB"
}

@test "mounts propagate as their options say" {
	requires ours
	mkdir "$WORK/source"
	add_mount "{ \"destination\": \"/tmp\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"bind\", \"rslave\", \"rshared\"] }"
	add_mount "{ \"destination\": \"/etc\", \"type\": \"bind\", \"source\": \"$WORK/source\", \"options\": [\"bind\", \"unbindable\"] }"
	probe_run mounts
	contains " shared:" "$(mount_line /tmp)"
	contains " unbindable " "$(mount_line /etc)"
	lacks "shared:" "$(mount_line /)"
}

@test "the host never sees a container's mounts, whatever the propagation" {
	for propagation in private rprivate slave rslave shared rshared unbindable runbindable; do
		config_set ".linux.rootfsPropagation = \"$propagation\""
		start_container
		if [[ $propagation == *shared ]]; then
			grep -q " shared:" <(awk '$5 == "/"' "/proc/$(container_pid)/mountinfo")
		fi
		refute grep "$WORK" /proc/self/mountinfo
		ok delete --force "$ID"
	done
}

@test "rootfs on a shared mount stays unseen outside" {
	requires root
	unshare -m --propagation shared sh -c "
		mount --bind '$ROOTFS' '$ROOTFS' && mount --make-shared '$ROOTFS'
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID && ! grep '$ROOTFS/' /proc/self/mountinfo
		status=\$?; umount '$ROOTFS'; exit \$status" 3>&-
}

@test "--no-pivot works" {
	ok run --no-pivot -b "$BUNDLE" "$ID"
	probe mounts then ls / then open /bin/probe
	ok run --no-pivot -b "$BUNDLE" "$ID"
	contains bin "$stdout"
}

@test "--no-pivot leaves no procfs or sysfs of the host in the namespace" {
	requires ours root
	probe sleep
	ok create --no-pivot -b "$BUNDLE" "$ID"
	# all of this namespace's mounts, also those that its root hides
	full=$(awk '$4 == "/" && / - (proc|sysfs) / { print $5 }' "/proc/$(container_pid)/mountinfo")
	equals "$(sort <<<"$full" | tr '\n' ' ')" "/proc /sys "
}

@test "a hundred mounts do not run out of file descriptors" {
	requires ours
	config_set 'del(.process.rlimits) | .root.readonly = false | .mounts += [range(200) | { destination: "/m/\(.)", type: "tmpfs", source: "tmpfs" }]'
	(
		ulimit -n 512
		probe_run mounts
	)
	equals "$(grep -c ' /m/' "$WORK/stdout")" 200
}
