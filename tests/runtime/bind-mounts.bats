#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bind mounts: their flags next to those of the source, symlinks, destinations that are not there.
load helpers

add_mount() {
	config_set '.mounts += [$mount]' --argjson mount "$1"
}

# bind SOURCE DESTINATION OPTIONS
bind() {
	add_mount "{ \"destination\": \"$2\", \"source\": \"$1\", \"options\": $3 }"
}

# run_with_source FLAGS [OPTION...]: run the container in a mount namespace where $WORK/source is a
# tmpfs with these flags; the output is in stdout, the status in status
run_with_source() {
	local flags=$1

	shift
	status=0
	mkdir -p "$WORK/source"
	unshare -m --propagation private sh -c "
		mount -t tmpfs tmpfs '$WORK/source' && mkdir '$WORK/source/sub' && mount -t tmpfs tmpfs '$WORK/source/sub'
		mount -o remount,bind,$flags '$WORK/source' && mount -o remount,bind,$flags '$WORK/source/sub'
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $* $ID" >"$WORK/out" 2>&1 3>&- || status=$?
	stdout=$(cat "$WORK/out")
	output=$stdout
	printf '%s\n' "$output"
}

# flags DESTINATION: those of its mount, from mountinfo in stdout
flags() {
	awk -v where="$1" '$5 == where { line = $6 } END { print line }' <<<"$stdout"
}

user_namespace() {
	config_set '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]'
}

@test "without flags a bind keeps those of its source" {
	requires root
	bind "$WORK/source" /tmp '["bind"]'
	probe mounts
	run_with_source ro,nosuid,nodev,noexec,noatime,nodiratime
	equals "$(flags /tmp)" ro,nosuid,nodev,noexec,noatime,nodiratime
}

@test "with any flag it has those that are given, and the source's atime" {
	requires root ours
	for option in nosuid rw; do
		config_set '.mounts |= map(select(.destination != "/tmp"))'
		bind "$WORK/source" /tmp "[\"bind\", \"$option\"]"
		probe mounts
		run_with_source ro,nosuid,nodev,noexec,noatime
		[[ $option == rw ]] && expected=rw,noatime || expected=rw,nosuid,noatime
		equals "$(flags /tmp)" $expected
	done
}

@test "every attribute is set and cleared on a bind" {
	requires root ours
	local -A set=([ro]=ro [nosuid]=nosuid [nodev]=nodev [noexec]=noexec [noatime]=noatime
		[nodiratime]=nodiratime [nosymfollow]=nosymfollow)
	mkdir "$WORK/source"
	for option in "${!set[@]}"; do
		config_set '.mounts |= map(select(.destination != "/tmp"))'
		bind "$WORK/source" /tmp "[\"bind\", \"$option\"]"
		probe_run mounts
		contains ",${set[$option]}," ",$(flags /tmp),"
	done
	for option in rw suid dev exec relatime diratime symfollow; do
		config_set '.mounts |= map(select(.destination != "/tmp"))'
		bind "$WORK/source" /tmp "[\"bind\", \"ro\", \"nosuid\", \"nodev\", \"noexec\", \"noatime\", \"nodiratime\", \"nosymfollow\", \"$option\"]"
		probe_run mounts
		case $option in
		rw) lacks ro, "$(flags /tmp)" ;;
		relatime) lacks noatime "$(flags /tmp)"; contains relatime "$(flags /tmp)" ;;
		*) lacks "no$option" "$(flags /tmp)" ;;
		esac
	done
}

@test "every recursive attribute reaches the mounts below, and is cleared there" {
	requires root ours
	for option in rro rnosuid rnodev rnoexec rnoatime rnodiratime rnosymfollow; do
		config_set '.mounts |= map(select(.destination != "/tmp"))'
		bind "$WORK/source" /tmp "[\"rbind\", \"$option\"]"
		probe mounts
		run_with_source rw,relatime
		contains ",${option#r}," ",$(flags /tmp),"
		contains ",${option#r}," ",$(flags /tmp/sub),"
	done
	for option in rrw rsuid rdev rexec rrelatime rdiratime rsymfollow rstrictatime; do
		config_set '.mounts |= map(select(.destination != "/tmp"))'
		bind "$WORK/source" /tmp "[\"rbind\", \"$option\"]"
		probe mounts
		run_with_source ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow
		for where in /tmp /tmp/sub; do
			case $option in
			rrw) contains ,rw, ",$(flags $where)," ;;
			rrelatime) contains ,relatime, ",$(flags $where)," ;;
			rstrictatime) lacks relatime "$(flags $where)"; lacks noatime "$(flags $where)" ;;
			*) lacks "no${option#r}," "$(flags $where)," ;;
			esac
			[ $option = rrw ] || contains ro, "$(flags $where)"
		done
	done
}

@test "a flag of the top after a recursive one is the top's alone" {
	requires root ours
	bind "$WORK/source" /tmp '["rbind", "rro", "rw"]'
	probe mounts
	run_with_source rw
	contains rw, "$(flags /tmp)"
	contains ro, "$(flags /tmp/sub)"
	config_set '.mounts[-1].options = ["rbind", "rw", "rro"]'
	run_with_source rw
	contains ro, "$(flags /tmp)"
	contains ro, "$(flags /tmp/sub)"
}

@test "in a user namespace locked flags stay unless they are cleared by name, which is an error" {
	requires root ours user_namespace
	user_namespace
	bind "$WORK/source" /tmp '["rbind", "nosymfollow"]'
	probe mounts
	run_with_source ro,nosuid,nodev,noexec,relatime
	equals "$status" 0
	contains ro,nosuid,nodev,noexec, "$(flags /tmp)"
	contains nosymfollow "$(flags /tmp)"
	for option in rw suid dev exec; do
		config_set ".mounts[-1].options = [\"rbind\", \"$option\"]"
		run_with_source ro,nosuid,nodev,noexec,relatime
		equals "$status" 1
		contains "option \"$option\": the flag of the source that it would clear is locked: operation not permitted"
	done
	# one that is not set may be "cleared"
	config_set '.mounts[-1].options = ["rbind", "exec", "suid"]'
	run_with_source ro,nodev,relatime
	equals "$status" 0
	contains ro,nodev, "$(flags /tmp)"
	lacks noexec "$(flags /tmp)"
	# and so for a whole tree, and for the atime family
	for option in rrw rnoatime; do
		config_set ".mounts[-1].options = [\"rbind\", \"$option\"]"
		run_with_source ro,relatime
		equals "$status" 1
		contains "recursive mount attributes: operation not permitted"
	done
}

@test "in a user namespace a folder is bound without the mounts below it" {
	requires root ours user_namespace
	user_namespace
	bind "$WORK/source" /tmp '["bind"]'
	probe ls /tmp/sub then mounts
	run_with_source rw
	equals "$status" 0
	equals "$(flags /tmp/sub)" ""
}

@test "destinations of every kind are made" {
	requires root
	mkdir "$WORK/source"
	echo text >"$WORK/source/file"
	mkfifo "$WORK/source/fifo"
	config_set '.root.readonly = false'
	bind "$WORK/source" /a/b/c '["bind"]'
	bind "$WORK/source/file" /d/e/file '["bind"]'
	bind "$WORK/source/fifo" /d/fifo '["bind"]'
	probe_run cat /a/b/c/file /d/e/file then stat /d/fifo
	equals "$(grep -c text <<<"$stdout")" 2
	contains "/d/fifo 010" "$stdout"
	equals "$(stat -c %a "$ROOTFS/a" "$ROOTFS/a/b" "$ROOTFS/a/b/c" "$ROOTFS/d/e" | sort -u)" 755
	equals "$(stat -c '%F %a' "$ROOTFS/d/fifo")" "regular empty file 644"
}

@test "a destination behind links to what is not there yet is made inside the rootfs" {
	requires ours
	mkdir "$WORK/source"
	echo text >"$WORK/source/file"
	# as images bring it: /etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf
	ln -s ../run/resolve/stub.conf "$ROOTFS/etc/resolv.conf"
	ln -s "$WORK/made/outside" "$ROOTFS/away"
	config_set '.root.readonly = false'
	bind "$WORK/source/file" /etc/resolv.conf '["bind"]'
	bind "$WORK/source" /away/folder '["bind"]'
	probe_run cat /etc/resolv.conf "$WORK/made/outside/folder/file"
	equals "$stdout" $'text\ntext'
	[ -f "$ROOTFS/run/resolve/stub.conf" ]
	[ ! -e "$WORK/made" ]
}

@test "a folder does not go onto a file, nor a file onto a folder" {
	mkdir "$WORK/source"
	touch "$WORK/source/file" "$ROOTFS/file"
	bind "$WORK/source" /file '["bind"]'
	fails run -b "$BUNDLE" "$ID"
	contains "not a directory"
	config_set 'del(.mounts[-1])'
	bind "$WORK/source/file" /tmp '["bind"]'
	fails run -b "$BUNDLE" "$ID"
	contains "not a directory"
}

@test "a type without the option is a bind, an option with another type, too" {
	requires ours
	mkdir "$WORK/source"
	add_mount "{ \"destination\": \"/tmp\", \"type\": \"bind\", \"source\": \"$WORK/source\" }"
	add_mount "{ \"destination\": \"/etc\", \"type\": \"tmpfs\", \"source\": \"$WORK/source\", \"options\": [\"bind\"] }"
	touch "$WORK/source/seen"
	probe_run ls /tmp then ls /etc
	equals "$stdout" $'seen\nseen'
}

@test "copy-symlink makes the link of the source instead of a mount" {
	requires ours
	ln -s /target "$WORK/link"
	touch "$WORK/file"
	config_set '.root.readonly = false'
	bind "$WORK/link" /new/link '["bind", "copy-symlink"]'
	bind "$WORK/file" /file '["bind", "copy-symlink"]'
	probe_run stat /new/link /file then mounts
	contains "/new/link 120777 0:0 0:0 /target" "$stdout"
	contains "/file 100644" "$stdout"
	equals "$(flags /new/link)" ""
	[ -n "$(flags /file)" ]
	# it may be there already, but nothing else
	ok run -b "$BUNDLE" "$ID"
	rm "$ROOTFS/new/link"
	ln -s /other "$ROOTFS/new/link"
	fails run -b "$BUNDLE" "$ID"
	contains '"/new/link" exists and is not a symlink to "/target"'
}

@test "src-nofollow and dest-nofollow bind the links themselves" {
	requires ours
	ln -s /of/the/host "$WORK/link"
	touch "$WORK/file" "$ROOTFS/behind"
	ln -s behind "$ROOTFS/covered"
	ln -s behind "$ROOTFS/replaced"
	config_set '.root.readonly = false'
	bind "$WORK/file" /covered '["bind", "ro", "dest-nofollow"]'
	bind "$WORK/link" /replaced '["bind", "src-nofollow", "dest-nofollow"]'
	probe_run stat /covered /replaced /behind then open /behind /covered
	contains "/covered 100644" "$stdout"
	contains "/replaced 120777 0:0 0:0 /of/the/host" "$stdout"
	contains "/behind ok" "$stdout"
	contains "/covered EROFS" "$stdout"
}

@test "a source that is a link is followed without src-nofollow" {
	mkdir "$WORK/source"
	touch "$WORK/source/seen"
	ln -s source "$WORK/link"
	bind "$WORK/link" /tmp '["bind"]'
	probe_run ls /tmp
	equals "$stdout" seen
}

@test "a bind with options of a file system is refused" {
	mkdir "$WORK/source"
	bind "$WORK/source" /tmp '["bind", "size=3"]'
	fails run -b "$BUNDLE" "$ID"
	contains "bind mounts cannot have any filesystem-specific options applied"
}

@test "options for binds alone are refused elsewhere" {
	requires ours
	for option in copy-symlink src-nofollow dest-nofollow; do
		config_set '.mounts |= map(select(.destination != "/tmp"))'
		add_mount "{ \"destination\": \"/tmp\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"$option\"] }"
		fails run -b "$BUNDLE" "$ID"
		contains "$option can be used only with bind mounts"
	done
}
