#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Budgets that keep slow paths from creeping in: system calls and memory.
load helpers

# system_calls VERB...: how many, children and sealing included
system_calls() {
	strace -f -c -o "$WORK/trace" "$RUNTIME" --root "$ROOT" "$@" >/dev/null 3>&-
	awk '$NF == "total" { print $4 }' "$WORK/trace"
}

quiet_bundle() {
	mkdir -p "$ROOTFS"/{dev,proc,sys}
	cp "$ORLOP_BUILD/tests/helpers/quiet" "$ROOTFS/bin/quiet"
	process_args /bin/quiet
}

# Each path that is hidden or made read-only takes three, when this kernel has it; four are for what else
# differs between kernels.
@test "run takes at most 281 system calls, all processes together, and three for each path that it covers" {
	requires ours root program strace
	quiet_bundle
	local path most=$((281 + 4))
	while IFS= read -r path; do
		[ ! -e "$path" ] || most=$((most + 3))
	done < <(jq -r '.linux.maskedPaths[], .linux.readonlyPaths[]' "$BUNDLE/config.json")
	# the first one makes parents and turns controllers on
	ok run -b "$BUNDLE" "$ID"
	calls=$(system_calls run -b "$BUNDLE" "$ID")
	awk '$4 ~ /^[0-9]+$/ { print $4, $NF }' "$WORK/trace" | paste -sd, # all of them: they differ in the rare ones
	echo "$calls system calls of at most $most"
	[ "$calls" -le "$most" ]
}

@test "state takes at most 40 system calls" {
	requires ours program strace
	start_container
	calls=$(system_calls state "$ID")
	echo "$calls system calls"
	[ "$calls" -le 40 ]
}

# Of one and of two containers, because whether one lives takes four calls where a pidfd has an inode of its own
# (Linux 6.9), and three of /proc elsewhere.
@test "list takes at most 35 system calls, and 12 for each container" {
	requires ours program strace
	start_container
	local one two
	one=$(system_calls list)
	probe sleep
	ok create -b "$BUNDLE" "$ID-2"
	ok start "$ID-2"
	two=$(system_calls list)
	echo "$one system calls for one container, $two for two"
	[ "$((two - one))" -le 12 ]
	[ "$((one - (two - one)))" -le 35 ]
}

@test "the pages that every verb writes, of data and stack, are asked for at once" {
	requires ours program strace
	readelf -lW "$RUNTIME" | grep -q INTERP && skip "the entry of a dynamic program is the loader's"
	start_container
	strace -e trace=madvise -o "$WORK/trace" "$RUNTIME" --root "$ROOT" state "$ID" >/dev/null 3>&-
	cat "$WORK/trace"
	equals "$(grep -cE 'MADV_POPULATE_WRITE|0x17 ' "$WORK/trace")" 2
}

@test "run stays below 3 MiB of memory" {
	requires ours root program /usr/bin/time
	quiet_bundle
	/usr/bin/time -f %M -o "$WORK/memory" "$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" 3>&-
	echo "$(cat "$WORK/memory") KiB"
	[ "$(tail -1 "$WORK/memory")" -le 3072 ]
}

# As orchestrators ask for it again and again; from a small program, because a child starts with the peak of
# who forked it.
@test "state, list, ps and kill with signal 0 take at most 1 MiB of memory" {
	requires ours root
	start_container
	printf '%s\n' "contestant ours" "time state $RUNTIME --root $ROOT state $ID" \
		"time list $RUNTIME --root $ROOT list" "time ps $RUNTIME --root $ROOT ps -f json $ID" \
		"time kill $RUNTIME --root $ROOT kill $ID 0" >"$WORK/plan"
	"$ORLOP_BUILD/tests/bench/measure" -n 9 -w 0 "$WORK/plan" >"$WORK/samples" 3>&-
	cat "$WORK/samples"
	# the median of each: the kernel counts pages by processor, and tells a hundred KiB more now and then
	local most
	most=$(sort -k 3,3 -k 5,5n "$WORK/samples" | awk '++count[$3] == 5 && $5 > most { most = $5 } END { print most + 0 }')
	[ "$most" -gt 0 ]
	[ "$most" -le 1024 ]
}
