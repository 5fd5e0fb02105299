#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# examples/bases: the files of the base images, before any builder has seen them.

load helpers

setup_file() {
	requires root busybox mmdebstrap
	[ -z "${MISSING:-}" ] || return 0
	export DEBIAN NODE BUSYBOX
	BUSYBOX=$("$examples/bases/busybox" --tar)
	DEBIAN=$("$examples/bases/debian" --tar)
	NODE=$("$examples/bases/node" --tar)
}

names() {
	tar -tf "$1" | sed 's|^\./||; s|/$||'
}

@test "bases: a tar that is there is not made again" {
	run "$examples/bases/busybox" --tar
	[ "$output" = "$BUSYBOX" ]
}

@test "bases: busybox has a shell and its applets, and no bash" {
	names "$BUSYBOX" >"$BATS_TEST_TMPDIR/names"
	grep -x bin/sh "$BATS_TEST_TMPDIR/names"
	grep -x bin/busybox "$BATS_TEST_TMPDIR/names"
	refute grep -x bin/bash "$BATS_TEST_TMPDIR/names"
}

@test "bases: debian's apt knows the public archive alone" {
	tar -xOf "$DEBIAN" ./etc/apt/sources.list >"$BATS_TEST_TMPDIR/sources"
	grep -E '^deb http://deb.debian.org/debian ' "$BATS_TEST_TMPDIR/sources"
	refute grep -vE '^deb http://deb\.debian\.org/' "$BATS_TEST_TMPDIR/sources"
	names "$DEBIAN" >"$BATS_TEST_TMPDIR/names"
	refute grep -E '^etc/apt/(sources\.list\.d/.|auth\.conf$|apt\.conf\.d/99)' \
		"$BATS_TEST_TMPDIR/names"
	refute grep -E '^(etc/resolv\.conf|etc/hostname|var/lib/apt/lists/[^/]*_)' \
		"$BATS_TEST_TMPDIR/names"
}

@test "bases: debian's apt has this machine's options nowhere" {
	mkdir "$BATS_TEST_TMPDIR/apt"
	tar -xf "$DEBIAN" -C "$BATS_TEST_TMPDIR/apt" ./etc/apt ./etc/dpkg
	refute grep -rE 'Check-Valid-Until|Proxy|CaInfo|SslCert' "$BATS_TEST_TMPDIR/apt"
}

@test "bases: node has node and npm" {
	names "$NODE" >"$BATS_TEST_TMPDIR/names"
	grep -x usr/bin/node "$BATS_TEST_TMPDIR/names"
	grep -x usr/bin/npm "$BATS_TEST_TMPDIR/names"
	refute grep -E '^(root|usr/etc|etc)/\.?npmrc$' "$BATS_TEST_TMPDIR/names"
}

@test "bases: apt's caches are left out" {
	refute grep -E '^var/cache/apt/.*(\.bin|\.deb)$' < <(names "$DEBIAN"; names "$NODE")
}
