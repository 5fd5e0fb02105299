#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# gc: what killed commands left is found and removed, and nothing else is.
load helpers

# A createRuntime hook holds create in the middle, until it is killed; the hook ends by itself then.
hold_create() {
	mkfifo "$WORK/held" "$WORK/release"
	config_set '.hooks.createRuntime = [{ path: "/bin/sh",
		args: ["sh", "-c", "echo x >$0/held; read x <$0/release", $work] }]' --arg work "$WORK"
	"$RUNTIME" --root "$ROOT" create -b "$BUNDLE" "$ID" 2>/dev/null 3>&- &
	creator=$!
	BACKGROUND+=("$creator")
	read -r _ <"$WORK/held"
}

kill_create() {
	kill -KILL "$creator"
	wait "$creator" || true
	BACKGROUND=()
	echo x >"$WORK/release"
}

# init notices the end of the socket
no_processes() {
	[ ! -e "$CGROUP_ROOT/orlop/$ID" ] || [ -z "$(cat "$CGROUP_ROOT/orlop/$ID/cgroup.procs")" ]
}

@test "gc removes what a killed create left, and leaves alone one that is at work" {
	requires ours
	config_set '.hooks.poststop = [{ path: "/bin/sh", args: ["sh", "-c", "cat >$0/poststop", $work] }]' \
		--arg work "$WORK"
	hold_create
	ok gc
	equals "$output" ""
	kill_create
	wait_for 5 no_processes
	[ -e "$ROOT/$ID/state.json" ]
	[ -d "$CGROUP_ROOT/orlop/$ID" ]
	ok gc --dry-run
	equals "$output" "$ID"
	[ -e "$ROOT/$ID/state.json" ]
	[ -d "$CGROUP_ROOT/orlop/$ID" ]
	ok gc
	equals "$output" "$ID"
	[ ! -e "$ROOT/$ID" ]
	[ ! -e "$CGROUP_ROOT/orlop/$ID" ]
	equals "$(jq -r .id "$WORK/poststop")" "$ID"
	ok gc
	equals "$output" ""
}

# Its own container was killed between its intent and its end, and the cgroup was free then.
@test "gc, delete and kill leave a cgroup that is another state directory's container's by now" {
	requires ours root
	hold_create
	kill_create
	wait_for 5 no_processes
	process_args /bin/probe sleep
	config_set 'del(.hooks)'
	ROOT=$WORK/other ok run -d -b "$BUNDLE" "$ID"
	local pid
	pid=$(ROOT=$WORK/other container_pid)
	grep -qx "$pid" "$CGROUP_ROOT/orlop/$ID/cgroup.procs"
	cp -a "$ROOT/$ID" "$WORK/kept"
	rt kill --all "$ID" KILL
	contains "cgroup \"/orlop/$ID\" is another container's by now: it stays"
	ok gc
	contains "cgroup \"/orlop/$ID\" is another container's by now: it stays"
	[ ! -e "$ROOT/$ID" ]
	cp -a "$WORK/kept" "$ROOT/$ID"
	ok delete --force "$ID"
	equals "$(grep -c "another container's" <<<"$output")" 1
	[ ! -e "$ROOT/$ID" ]
	ROOT=$WORK/other is_status running
	grep -qx "$pid" "$CGROUP_ROOT/orlop/$ID/cgroup.procs"
	ROOT=$WORK/other ok delete --force "$ID"
	[ ! -e "$CGROUP_ROOT/orlop/$ID" ]
}

@test "gc leaves containers alone, whatever they do" {
	requires ours
	probe sleep
	for n in created running stopped; do
		ok create -b "$BUNDLE" "$ID-$n"
	done
	ok start "$ID-running"
	ok kill "$ID-stopped" KILL
	wait_for 5 is_stopped "$ID-stopped"
	ok gc
	equals "$output" ""
	ok list -q
	equals "$output" "$(printf '%s\n' "$ID-created" "$ID-running" "$ID-stopped")"
	ok delete --force --regex "^$ID"
}

is_stopped() {
	[ "$(container_status "$1")" = stopped ]
}

@test "gc takes folders without a word in them, unless a create may have just made them" {
	requires ours
	mkdir -p "$ROOT/$ID-old" "$ROOT/$ID-empty" "$ROOT/$ID-new"
	: >"$ROOT/$ID-empty/state.json"
	touch -d '1 minute ago' "$ROOT/$ID-old" "$ROOT/$ID-empty"
	touch -d '1 minute' "$ROOT/$ID-new"
	ok gc
	equals "$output" "$(printf '%s\n' "$ID-empty" "$ID-old")"
	[ ! -e "$ROOT/$ID-old" ]
	[ ! -e "$ROOT/$ID-empty" ]
	[ -e "$ROOT/$ID-new" ]
	rmdir "$ROOT/$ID-new"
}

@test "gc says which state it cannot read, and goes on" {
	requires ours
	mkdir -p "$ROOT/$ID-a" "$ROOT/$ID-b"
	echo '{' >"$ROOT/$ID-a/state.json"
	touch -d '1 minute ago' "$ROOT/$ID-b"
	fails gc
	contains "container \"$ID-a\": "
	contains "$ID-b" "$stdout"
	[ -e "$ROOT/$ID-a" ]
	[ ! -e "$ROOT/$ID-b" ]
	rm -r "$ROOT/$ID-a"
}

@test "gc without a state directory" {
	requires ours
	fails gc
	contains "$ROOT"
}
