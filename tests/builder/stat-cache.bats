#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The stat cache: files that are known are not read again, and no change goes unnoticed.

load build

# opened ARG...: build once more; prints which of the files "one" and "two" were opened, a line each time
opened() {
	strace -f -y -qq -e trace=openat -o "$BATS_TEST_TMPDIR/trace" "$B" build "$@" "$C" \
		>"$BATS_TEST_TMPDIR/out" 2>&1
	sed -nE "s#.*openat\([0-9]+<$C[^>]*>, \"(one|two)\", O_RDONLY.*#\1#p" "$BATS_TEST_TMPDIR/trace" | sort
}

files() {
	mkdir -p "$C/d/sub"
	echo one >"$C/d/one"
	echo two >"$C/d/sub/two"
	printf 'FROM base\nCOPY d /%s\n' "$1" >"$C/Dockerfile"
	settle
}

setup() {
	requires strace
	context_begin
}

@test "stat cache: an unchanged context is not read, a changed file alone is" {
	files first
	[ "$(opened | xargs)" = "one two" ]
	[ -z "$(opened)" ]
	grep -q '^#2 CACHED' "$BATS_TEST_TMPDIR/out"
	echo three >"$C/d/one"
	settle
	[ "$(opened | xargs)" = "one one" ] # to see and to copy; the other one is linked
	[ -z "$(opened)" ]
	touch "$C/d/sub/two"
	settle
	[ "$(opened | xargs)" = two ]
	grep -q '^#2 CACHED' "$BATS_TEST_TMPDIR/out"
	[ -z "$(opened)" ]
}

@test "stat cache: it may be lost, damaged or somebody else's" {
	files odd
	opened >/dev/null
	[ -z "$(opened)" ]
	local file
	file=$(ls "$ORLOP_STORE"/stat/* | head -n 1)
	[ "$(stat -c %a "$file")" = 600 ]
	for change in 'rm -f' 'truncate -s 20' 'chmod 666' 'chown 1'; do
		$change "$ORLOP_STORE"/stat/*
		[ "$(opened | xargs)" = "one two" ]
		[ -z "$(opened)" ]
	done
}

@test "stat cache: the same size and the same mtime hide no change" {
	files hidden
	again -t before
	local stamp
	stamp=$(stat -c %y "$C/d/one")
	printf 'ONE\n' >"$C/d/one"
	touch -d "$stamp" "$C/d/one"
	again -t after
	cached 1
	tree after "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/hidden/one")" = ONE ]
}

@test "stat cache: files are replaced, linked, chmodded and rewritten as fast as builds follow" {
	files fast
	local round
	for round in $(seq 12); do
		case $((round % 4)) in
		0) echo "$round" >"$C/d/one" ;;
		1) echo "$round" >"$C/d/new" && mv "$C/d/new" "$C/d/one" ;;
		2) ln -f "$C/d/sub/two" "$C/d/one" ;;
		3) rm "$C/d/one" && echo "$round" >"$C/d/one" && chmod $((600 + round)) "$C/d/one" ;;
		esac
		again -q -t "fast$round"
		tree "fast$round" "$BATS_TEST_TMPDIR/tree$round"
		diff -r "$C/d" "$BATS_TEST_TMPDIR/tree$round/fast"
		[ "$(stat -c %a "$C/d/one")" = "$(stat -c %a "$BATS_TEST_TMPDIR/tree$round/fast/one")" ]
	done
}

@test "stat cache: several builders of one context at once" {
	files several
	local i pids=()
	for i in 1 2 3 4; do
		"$B" build -q -t "several$i" "$C" >/dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ -z "$(opened)" ]
	[ "$(ls "$ORLOP_STORE"/stat | wc -l)" -ge 1 ]
	wait_for 10 idle_store
}
