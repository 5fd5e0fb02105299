# shell library of the builder's suites: a store of their own, small root file systems, the program
# SPDX-License-Identifier: Apache-2.0
load ../helpers/suite

builder=$ORLOP_BUILD/orlop-builder

# Every test has its own store and scratch folder: in memory when there is room, because every image
# costs a sync of the file system, else on a disk; both can be an overlay's upper.
setup_store() {
	local free base=/var/tmp
	free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)
	[ "${free:-0}" -lt 1000000 ] || base=/dev/shm
	work=$(mktemp -d "$base/orlop-test.XXXXXX")
	export ORLOP_STORE=$work/store
}

# Nothing of ours may stay: mounts would be visible outside of the builder's namespace.
teardown_store() {
	[ -n "${work:-}" ] || return 0
	if grep -F " $work" /proc/self/mountinfo; then
		echo "mounts were left behind" >&2
		return 1
	fi
	rm -rf "$work"
}

# duration COMMAND...: in microseconds
duration() {
	local start=${EPOCHREALTIME/./}
	"$@" >/dev/null 2>&1
	echo $((${EPOCHREALTIME/./} - start))
}

# killed_midway COMMAND...: SIGKILL it at a random moment of $whole, which is the microseconds that it takes; fails if
# it has ended before. By then it needed less than it was thought to (the machine has less to do now), and $whole is
# less for the next ones, so that about as many are killed as come through on any machine.
killed_midway() {
	local delay=$((SRANDOM % whole)) pid
	"$@" >/dev/null 2>&1 &
	pid=$!
	sleep "$((delay / 1000000)).$(printf '%06d' $((delay % 1000000)))"
	kill -KILL "$pid" 2>/dev/null || true
	if wait "$pid" 2>/dev/null; then
		whole=$((delay + 1000))
		return 1
	fi
}

# ob ARGS...: the builder, its command line and output shown when the test fails.
ob() {
	echo "\$ orlop-builder $*" >&2
	"$builder" "$@"
}

# A root file system in $work/root with a bit of everything, as $work/root.tar.
make_root() {
	local root=$work/root
	mkdir -p "$root"/{bin,etc,tmp,var/empty}
	printf 'hello\n' >"$root/etc/motd"
	printf '#!/bin/sh\n' >"$root/bin/tool"
	chmod 4755 "$root/bin/tool"
	ln "$root/bin/tool" "$root/bin/hard"
	ln -s ../etc/motd "$root/bin/soft"
	ln -s /nowhere/outside "$root/bin/dangling"
	chmod 1777 "$root/tmp"
	chown 7:8 "$root/var/empty"
	touch -d @1000000000 "$root/etc/motd" "$root/bin/tool" "$root/var/empty" "$root/etc" \
		"$root/bin" "$root/tmp" "$root/var"
	tar -C "$root" -cf "$work/root.tar" .
}

# make_box APPLET...: a root file system in $work/box that has these of busybox, as $work/box.tar.
make_box() {
	local root=$work/box applet
	mkdir -p "$root"/{bin,etc,tmp}
	cp "$(command -v busybox)" "$root/bin/busybox"
	for applet; do
		ln -s busybox "$root/bin/$applet"
	done
	tar -C "$root" -cf "$work/box.tar" .
}

# The store works: an import, a listing, a removal.
store_works() {
	ob import -q "$work/root.tar" works:again >"$work/id"
	[ "$(ob images -q works)" = "$(cut -c8-19 "$work/id")" ]
	ob export works:again | tar tf - >/dev/null
	ob rmi works:again
}
