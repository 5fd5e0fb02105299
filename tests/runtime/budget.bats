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

@test "run takes at most 300 system calls, all processes together" {
	requires ours root program strace
	quiet_bundle
	# the first one makes parents and turns controllers on
	ok run -b "$BUNDLE" "$ID"
	calls=$(system_calls run -b "$BUNDLE" "$ID")
	sort -k4 -n -r "$WORK/trace" | head -40
	echo "$calls system calls"
	[ "$calls" -le 300 ]
}

@test "state takes at most 40 system calls" {
	requires ours program strace
	start_container
	calls=$(system_calls state "$ID")
	echo "$calls system calls"
	[ "$calls" -le 40 ]
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
@test "state and kill with signal 0 take at most 1.6 MiB of memory" {
	requires ours root
	start_container
	printf '%s\n' "contestant ours" "time state $RUNTIME --root $ROOT state $ID" \
		"time kill $RUNTIME --root $ROOT kill $ID 0" >"$WORK/plan"
	"$ORLOP_BUILD/tests/bench/measure" -n 3 -w 0 "$WORK/plan" >"$WORK/samples" 3>&-
	cat "$WORK/samples"
	local most
	most=$(awk '$5 > most { most = $5 } END { print most + 0 }' "$WORK/samples")
	[ "$most" -gt 0 ]
	[ "$most" -le 1638 ]
}
