#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Attacks that have worked on runtimes, each by the number it is known by. Nothing may come of them,
# whether the container starts or not. "Guard" names what in our code holds it: each test was seen to
# fail with that taken out.
load helpers

# A folder of the host with things that nobody may touch.
outside() {
	OUTSIDE=$WORK/outside
	mkdir "$OUTSIDE"
	echo untouched >"$OUTSIDE/file"
	touch "$OUTSIDE/empty"
	[ "$(id -u)" -ne 0 ] || mknod "$OUTSIDE/node" c 1 5
	chmod 600 "$OUTSIDE"/*
	BEFORE=$(cd "$OUTSIDE" && stat -c '%n %a %u:%g %F %s %Z' ./*)
}

is_untouched() {
	equals "$(cd "$OUTSIDE" && stat -c '%n %a %u:%g %F %s %Z' ./*)" "$BEFORE"
	equals "$(cat "$OUTSIDE/file")" untouched
}

without_mounts_below() {
	config_set '.root.readonly = false | .mounts |= map(select(.destination | startswith($below) | not))' \
		--arg below "$1"
}

# racing A B TIMES: run the container while another process exchanges A and B all the time
racing() {
	"$PROBE" swap "$1" "$2" 2>/dev/null 3>&- &
	local swapper=$!
	for ((i = 0; i < $3; i++)); do
		rt run -b "$BUNDLE" "$ID" >/dev/null
	done
	kill "$swapper"
	wait "$swapper" 2>/dev/null || true
}

# -- symlinks in place of folders, and races for them: CVE-2019-19921, CVE-2021-30465, CVE-2023-27561,
#    CVE-2024-45310, CVE-2026-41579, CVE-2026-47766 --------------------------------------------------

@test "CVE-2021-30465: mount destinations that become symlinks while they are looked up" {
	# Guard: RESOLVE_IN_ROOT (lib/inroot.c)
	requires root ours
	outside
	mkdir -p "$ROOTFS/mnt" "$WORK/source"
	touch "$WORK/source/seen"
	ln -s "$OUTSIDE" "$ROOTFS/other"
	config_set '.root.readonly = false | .mounts += [
		{ destination: "/mnt/bound", type: "bind", source: $source, options: ["bind"] },
		{ destination: "/mnt/file", type: "bind", source: "/etc/passwd", options: ["bind"] },
		{ destination: "/mnt/tmpfs", type: "tmpfs", source: "tmpfs" }]' --arg source "$WORK/source"
	racing "$ROOTFS/mnt" "$ROOTFS/other" 30
	is_untouched
}

@test "CVE-2024-45310: working directories and device folders made through a symlink that comes and goes" {
	# Guard: RESOLVE_IN_ROOT, and that make_in (lib/inroot.c) makes nothing where a look-up failed
	requires root ours
	outside
	mkdir -p "$ROOTFS/srv"
	ln -s "$OUTSIDE" "$ROOTFS/other"
	config_set '.root.readonly = false | .process.cwd = "/srv/made/cwd"
		| .linux.devices = [{ path: "/srv/dev/ices/x", type: "c", major: 1, minor: 5 }, { path: "/srv/y", type: "p" }]'
	racing "$ROOTFS/srv" "$ROOTFS/other" 30
	is_untouched
}

@test "CVE-2026-41579: an image whose /dev is a symlink to the host" {
	# Guard: RESOLVE_IN_ROOT (lib/inroot.c)
	requires root ours
	outside
	rmdir "$ROOTFS/dev"
	without_mounts_below /dev
	for target in "$OUTSIDE" "../../outside" "/proc/1/cwd$OUTSIDE" "/proc/self/root$OUTSIDE"; do
		ln -sfn "$target" "$ROOTFS/dev"
		config_set '.process.terminal = false'
		rt run -b "$BUNDLE" "$ID"
		is_untouched
	done
	# and with the usual mounts in it
	(cd "$BUNDLE" && rm config.json && "$RUNTIME" spec)
	probe true
	config_set '.process.terminal = false'
	rt run -b "$BUNDLE" "$ID"
	is_untouched
}

@test "CVE-2026-41579: nodes and links of /dev that exist as symlinks to the host" {
	# Guard: AT_SYMLINK_NOFOLLOW and O_NOFOLLOW in runtime/init/devices.c
	requires root ours
	outside
	without_mounts_below /dev
	for name in null zero ptmx fd core tty; do
		ln -sfn "$OUTSIDE/file" "$ROOTFS/dev/$name"
		rt run -b "$BUNDLE" "$ID"
		is_untouched
		rm -f "$ROOTFS/dev/$name"
	done
	# a listed device gets its mode and owner, but not through a link
	ln -s "$OUTSIDE/node" "$ROOTFS/dev/x"
	config_set '.linux.devices = [{ path: "/dev/x", type: "c", major: 1, minor: 5, fileMode: 511, uid: 7, gid: 7 }]'
	fails run -b "$BUNDLE" "$ID"
	is_untouched
}

@test "CVE-2026-41579: a bound device whose place is a symlink to the host (user namespace)" {
	# Guard: is_bind_target looks at the link itself, open_target takes no link (runtime/init/devices.c)
	requires root ours user_namespace
	outside
	chown 100000 "$OUTSIDE" "$OUTSIDE/empty"
	BEFORE=$(cd "$OUTSIDE" && stat -c '%n %a %u:%g %F %s %Z' ./*)
	without_mounts_below /dev
	config_set '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }] | .linux.gidMappings = .linux.uidMappings'
	for target in "$OUTSIDE/empty" "$OUTSIDE/file" "$OUTSIDE/made"; do
		ln -sfn "$target" "$ROOTFS/dev/null"
		fails run -b "$BUNDLE" "$ID"
		contains '"/dev/null" exists and is not the device c 1:3'
		is_untouched
	done
}

@test "CVE-2019-19921, CVE-2023-27561: /proc and /sys as symlinks of the image" {
	# Guard: PLAN_MOUNT_REAL_DIR (runtime/init/mounts.c)
	requires ours
	for name in proc sys; do
		rmdir "$ROOTFS/$name"
		mkdir -p "$ROOTFS/fake"
		ln -s fake "$ROOTFS/$name"
		fails run -b "$BUNDLE" "$ID"
		contains "must be mounted on ordinary directory"
		rm "$ROOTFS/$name"
		mkdir "$ROOTFS/$name"
	done
}

# -- the runtime's own executable and file descriptors: CVE-2019-5736, CVE-2016-9962, CVE-2024-21626 --

# The attack keeps what it found, and opens it for writing when nobody executes it any more.
cannot_be_written() {
	local status=0

	(exec 8>>"/proc/self/fd/$1") 2>"$WORK/why" || status=$?
	[ "$status" -ne 0 ]
	contains "Read-only file system" "$(cat "$WORK/why")"
}

@test "CVE-2019-5736: /proc/PID/exe of the entrypoint is no file of the host" {
	# Guard: sealing (runtime/lifecycle/seal.c)
	requires root ours
	cp "$RUNTIME" "$WORK/runtime"
	RUNTIME=$WORK/runtime
	probe true
	ok create -b "$BUNDLE" "$ID"
	exec 9<"/proc/$(container_pid)/exe"
	ok delete --force "$ID"
	cannot_be_written 9
	exec 9<&-
	# the image's entrypoint is the runtime itself
	sum=$(sha256sum <"$WORK/runtime")
	process_args /proc/self/exe features
	rt run -b "$BUNDLE" "$ID"
	equals "$(sha256sum <"$WORK/runtime")" "$sum"
}

# find_intruder /proc/PID: another process in the mount namespace of this one, in $found
find_intruder() {
	for found in /proc/[0-9]*; do
		[ "$found" = "$1" ] || ! [ "$found/ns/mnt" -ef "$1/ns/mnt" ] || return 0
	done
	return 1
}

@test "CVE-2019-5736: /proc/PID/exe of an exec is no file of the host" {
	# Guard: sealing (runtime/lifecycle/seal.c)
	requires root ours program strace
	cp "$RUNTIME" "$WORK/runtime"
	RUNTIME=$WORK/runtime
	start_container
	inside=/proc/$(container_pid)
	# stopped between the container's namespaces and the execve
	strace -f -o /dev/null -e trace=close_range -e inject=close_range:signal=STOP:when=1 \
		"$RUNTIME" --root "$ROOT" exec "$ID" /bin/probe true >/dev/null 2>&1 3>&- &
	tracer=$!
	wait_for 30 find_intruder "$inside"
	exec 9<"$found/exe"
	kill -KILL "${found#/proc/}"
	wait "$tracer" || true
	cannot_be_written 9
	exec 9<&-
}

@test "CVE-2016-9962, CVE-2024-21626: a waiting init has no file descriptor of the host" {
	# Guard: drop_fds (runtime/init/init.c)
	requires root ours
	probe true
	exec 7</ 8<"$WORK"
	ok --log "$WORK/log" create -b "$BUNDLE" "$ID"
	exec 7<&- 8<&-
	for fd in "/proc/$(container_pid)/fd"/*; do
		target=$(readlink "$fd")
		case ${fd##*/}:$target in
		[012]:*) ;;
		*:"$ROOT/$ID/exec.fifo") ;;
		*:"/proc/$(container_pid)") ;;
		*) echo "leaked: $fd $target"; false ;;
		esac
	done
}

@test "CVE-2024-21626: no number of /proc/self/fd is a way out, for run or exec" {
	# Guard: fd_close_except (lib/fd.c), by keep_only and drop_fds (runtime/init/init.c) and the joiner; behind it,
	# for working directories, verify_cwd (runtime/init/process.c)
	requires root ours
	echo secret >"$WORK/secret"
	cp "$PROBE" "$WORK/program"
	exec 7</ 8<"$WORK"
	for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		for tail in "" /.. /../../..; do
			config_set '.process.cwd = $cwd | .process.args = ["/bin/probe", "ls", "."]' \
				--arg cwd "/proc/self/fd/$fd$tail"
			rt run -b "$BUNDLE" "$ID"
			lacks secret "$stdout"
			lacks "lost+found" "$stdout"
			lacks "usr" "$stdout"
		done
	done
	# nor to a program of the host: the path is looked up before the exec closes anything
	config_set '.process.cwd = "/"'
	for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		for program in "$WORK/program" program; do
			process_args "/proc/self/fd/$fd/$program" echo escaped
			fails run -b "$BUNDLE" "$ID"
			lacks escaped "$stdout"
		done
	done
	start_container
	for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		rt exec --cwd "/proc/self/fd/$fd" "$ID" /bin/probe ls .
		lacks secret "$stdout"
		lacks usr "$stdout"
		for program in "$WORK/program" program; do
			FAILS_WITH=255 fails exec --cwd / "$ID" "/proc/self/fd/$fd/$program" echo escaped
			lacks escaped "$stdout"
		done
	done
	exec 7<&- 8<&-
}

@test "CVE-2024-21626: a working directory outside of the root is refused" {
	# Guard: verify_cwd (runtime/init/process.c)
	requires root ours
	# --preserve-fds hands a folder of the host over on purpose: not even so
	status=0
	config_set '.process.cwd = "/proc/self/fd/3" | .process.args = ["/bin/probe", "ls", "."]'
	"$RUNTIME" --root "$ROOT" run --preserve-fds 1 -b "$BUNDLE" "$ID" >"$WORK/out" 2>&1 3<"$WORK" || status=$?
	cat "$WORK/out"
	[ "$status" -ne 0 ]
	contains 'the working directory "/proc/self/fd/3" is outside of the container' "$(cat "$WORK/out")"
}

# -- masks, terminals: CVE-2025-31133, CVE-2025-52565 -------------------------------------------------

@test "CVE-2025-31133: a mask is no door, whatever the image has as /dev/null" {
	# Guard: open_null (runtime/init/masks.c) takes the host's
	requires root ours
	outside
	without_mounts_below /dev
	echo secret >"$ROOTFS/etc/secret"
	config_set '.linux.maskedPaths = ["/etc/secret", "/proc/kcore", "/proc/sys/kernel/hostname"]'
	for make in 'ln -s /proc/sys/kernel/core_pattern' "ln -s $OUTSIDE/file" 'ln -s /etc/secret'; do
		$make "$ROOTFS/dev/null"
		rt run -b "$BUNDLE" "$ID"
		rm -f "$ROOTFS/dev/null"
	done
	# a node of that name that is another device
	config_set '.linux.devices = [{ path: "/dev/null", type: "c", major: 1, minor: 5 }]'
	probe_run stat /etc/secret then stat /dev/null then cat /etc/secret
	contains "/etc/secret 020666 0:0 1:3" "$stdout"
	contains "/dev/null 020666 0:0 1:5" "$stdout"
	is_untouched
}

# create with a terminal; whatever comes of it
rt_create_with_terminal() {
	local receiver

	"$RECVTTY" "$WORK/socket" >/dev/null 3>&- &
	receiver=$!
	wait_for 5 test -S "$WORK/socket"
	rt create -b "$BUNDLE" --console-socket "$WORK/socket" "$ID"
	kill "$receiver" 2>/dev/null || true
	wait "$receiver" 2>/dev/null || true
	rm -f "$WORK/socket"
}

@test "CVE-2025-52565: /dev/pts and /dev/pts/ptmx that lead elsewhere" {
	# Guard: RESOLVE_NO_SYMLINKS and the check for a devpts in open_master (runtime/init/console.c)
	requires root ours
	outside
	without_mounts_below /dev
	config_set '.process.terminal = true | .mounts += [{ destination: "/real", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"] }]'
	for link in "../real pts" "$OUTSIDE pts" "../../real/ptmx pts/ptmx" "$OUTSIDE/node pts/ptmx"; do
		rm -rf "$ROOTFS/dev"
		mkdir -p "$ROOTFS/dev/pts"
		rm -rf "${ROOTFS:?}/dev/${link#* }"
		ln -s "${link% *}" "$ROOTFS/dev/${link#* }"
		rt_create_with_terminal
		[ "$status" -ne 0 ]
		is_untouched
	done
}

@test "CVE-2025-52565: a /dev/console that is a link to something else" {
	# Guard: O_NOFOLLOW in mount_console (runtime/init/console.c)
	requires root ours
	config_set '.process.terminal = true | .root.readonly = false
		| .mounts |= map(select(.destination != "/dev" and (.destination | startswith("/dev/") | not) or .destination == "/dev/pts"))'
	echo victim >"$ROOTFS/etc/victim"
	ln -s ../etc/victim "$ROOTFS/dev/console"
	probe sleep
	rt_create_with_terminal
	if [ "$status" -eq 0 ]; then
		lacks /etc/victim "$(cat "/proc/$(container_pid)/mountinfo")"
	fi
	equals "$(cat "$ROOTFS/etc/victim")" victim
}

@test "CVE-2025-52565: a regular file or another node as /dev/pts/ptmx is not opened" {
	# Guard: the check for a devpts in open_master (runtime/init/console.c)
	requires root ours
	without_mounts_below /dev
	config_set '.process.terminal = true'
	mkdir -p "$ROOTFS/dev/pts"
	for make in touch mkfifo "mknod -m 666 NODE c 5 2" "mknod -m 666 NODE c 1 5"; do
		rm -f "$ROOTFS/dev/pts/ptmx"
		case $make in
		*NODE*) ${make/NODE/"$ROOTFS/dev/pts/ptmx"} ;;
		*) $make "$ROOTFS/dev/pts/ptmx" ;;
		esac
		rt_create_with_terminal
		contains '"/dev/pts/ptmx" is not the multiplexer of a devpts'
	done
}

# -- writes to a procfs that is none: CVE-2019-16884, CVE-2025-52881 ----------------------------------

@test "CVE-2025-52881: kernel parameters go to the kernel, not to an image's or a volume's /proc" {
	# Guard: sysctl_apply (runtime/init/sysctl.c) writes below an fd of the host's procfs
	requires root ours
	mkdir -p "$WORK/fake/sys/net/ipv4" "$ROOTFS/proc/sys/net/ipv4"
	echo fake | tee "$WORK/fake/sys/net/ipv4/ip_forward" >"$ROOTFS/proc/sys/net/ipv4/ip_forward"
	config_set '.linux.sysctl = { "net.ipv4.ip_forward": "1" } | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .mounts |= map(select(.destination | startswith("/proc") | not))'
	start_container
	forwarding=$(nsenter --net="/proc/$(container_pid)/ns/net" cat /proc/sys/net/ipv4/ip_forward)
	ok delete --force "$ID"
	equals "$forwarding" 1
	equals "$(cat "$ROOTFS/proc/sys/net/ipv4/ip_forward")" fake
	config_set '.mounts += [{ destination: "/proc", type: "bind", source: $fake, options: ["bind"] }]' --arg fake "$WORK/fake"
	rt run -b "$BUNDLE" "$ID"
	equals "$(cat "$WORK/fake/sys/net/ipv4/ip_forward")" fake
}

@test "CVE-2025-52881: what is written about a process is not redirected by an image's /proc" {
	# Guard: limits_set_oom_score writes below an fd of the host's /proc/self (runtime/init/init.c)
	requires root ours
	mkdir -p "$ROOTFS/proc/self/attr"
	for file in oom_score_adj attr/exec attr/keycreate; do
		echo fake >"$ROOTFS/proc/self/$file"
	done
	config_set '.process.oomScoreAdj = 500 | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .mounts |= map(select(.destination | startswith("/proc") | not))'
	start_container
	equals "$(cat "/proc/$(container_pid)/oom_score_adj")" 500
	ok exec -d "$ID" /bin/probe sleep
	for file in oom_score_adj attr/exec attr/keycreate; do
		equals "$(cat "$ROOTFS/proc/self/$file")" fake
	done
}

@test "CVE-2019-16884: a volume over part of /proc is refused, by name and by symlink" {
	# Guard: mount_check_proc (runtime/plan/mounts.c), and its like for what a look-up has led to
	requires ours
	mkdir "$WORK/fake"
	ln -s /proc/self "$ROOTFS/innocent"
	cp "$BUNDLE/config.json" "$WORK/good.json"
	for place in /proc/self/attr /proc/sys /proc/../proc/sys/kernel /innocent/attr; do
		config_set '.mounts += [{ destination: $place, type: "bind", source: $fake, options: ["bind"] }]' \
			--arg place "$place" --arg fake "$WORK/fake"
		fails run -b "$BUNDLE" "$ID"
		contains "inside /proc"
		cp "$WORK/good.json" "$BUNDLE/config.json"
	done
}

# -- who one is: CVE-2026-30892, CVE-2022-29162, CVE-2022-24769, CVE-2022-27650 ----------------------

@test "CVE-2026-30892: what is not exactly a user is nobody" {
	# Guard: parse_user (runtime/lifecycle/exec.c) and lib/number.c
	requires ours
	start_container
	for user in root 0x10 -1 +1 " 1" "1 " 1a 1:a : 1: :1 1:2:3 4294967295 4294967296 18446744073709551617 ""; do
		FAILS_WITH=255 fails exec -u "$user" "$ID" /bin/probe id
		lacks "uid=" "$stdout"
	done
	ok exec -u 4294967294:7 "$ID" /bin/probe id
	contains "uid=4294967294 gid=7" "$stdout"
}

@test "CVE-2022-29162, CVE-2022-24769: nothing becomes inheritable by itself" {
	# Guard: add_capabilities (runtime/lifecycle/exec.c), spec/config-default.c
	requires root
	(cd "$BUNDLE" && rm config.json && "$RUNTIME" spec)
	equals "$(jq -c '.process.capabilities.inheritable // []' "$BUNDLE/config.json")" "[]"
	config_set '.process.terminal = false'
	start_container
	ok exec --cap CAP_NET_RAW --cap CAP_SYS_ADMIN "$ID" /bin/probe caps
	contains "CapInh:	0000000000000000" "$stdout"
	contains "CapAmb:	0000000000000000" "$stdout"
}

# -- what shows inside: CVE-2023-25809, --no-pivot ---------------------------------------------------

@test "CVE-2023-25809: without a cgroup namespace only the container's own cgroup shows" {
	# Guard: make_cgroup (runtime/init/mounts.c) binds the subtree
	requires root
	config_set '.linux.namespaces |= map(select(.type != "cgroup")) | .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	probe_run ls /sys/fs/cgroup then cat /sys/fs/cgroup/cgroup.procs
	lacks "orlop" "$stdout"
	lacks "$ID" "$stdout"
	contains 1 "$stdout"
}

@test "CVE-2023-25809: a container without a cgroup does not get the host's" {
	# Guard: where there is no cgroup of the container's own, an empty folder is mounted (runtime/init)
	requires root ours
	RT_GLOBAL=(--cgroup-manager disabled)
	config_set '.linux.namespaces |= map(select(.type != "cgroup")) | del(.linux.resources)
		| .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	probe_run ls /sys/fs/cgroup
	equals "$stdout" ""
}

@test "--no-pivot leaves no procfs of the host that would allow a fresh one without masks" {
	# Guard: drop_kernel_mounts (runtime/init/rootfs.c)
	requires root ours user_namespace
	probe newproc /tmp
	fails run --no-pivot -b "$BUNDLE" "$ID"
	contains "probe: /tmp: Operation not permitted"
	# the kernel would give one where nothing is masked
	config_set '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	ok run --no-pivot -b "$BUNDLE" "$ID"
}

# -- what the image says about users -----------------------------------------------------------------

@test "an image's /etc/passwd that is a fifo, a device or a link to the host" {
	# Guard: inroot_read_file (lib/inroot.c): O_NONBLOCK, RESOLVE_IN_ROOT, regular files only
	requires root ours
	echo "root:x:0:0:root:/of-the-host:/bin/sh" >"$WORK/passwd"
	for make in "mkfifo PLACE" "mknod PLACE c 1 5" "ln -s $WORK/passwd PLACE" "mkdir PLACE"; do
		rm -rf "$ROOTFS/etc/passwd"
		${make/PLACE/"$ROOTFS/etc/passwd"}
		probe env
		status=0
		timeout 20 "$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" >"$WORK/out" 2>&1 3>&- || status=$?
		equals "$status" 0
		contains "HOME=/" "$(cat "$WORK/out")"
		lacks of-the-host "$(cat "$WORK/out")"
	done
}
