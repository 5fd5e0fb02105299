#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# checkpoint and restore with the real criu: that of Debian sid, see tests/helpers/sid-criu.
load helpers

# A machine's own criu may do; a virtual machine has no other.
setup_file() {
	CRIU_PATH=
	if ! criu check >/dev/null 2>&1 && command -v mmdebstrap >/dev/null; then
		CRIU_PATH=$("$ORLOP_SOURCE/tests/helpers/sid-criu" 3>&-)
	fi
	PATH=${CRIU_PATH:+$CRIU_PATH:}$PATH
	criu check >/dev/null 2>&1 || export MISSING="needs criu, and a kernel that it can work with"
	export CRIU_PATH
}

setup() {
	setup_work
	setup_bundle
	requires ours root
	skip_missing
	PATH=${CRIU_PATH:+$CRIU_PATH:}$PATH
	IMAGES=$WORK/images
}

# A payload with something in its memory: it waits for a line, and says it.
start_reader() {
	mkfifo "$WORK/in"
	probe read then sleep
	exec {in}<>"$WORK/in"
	"$RUNTIME" --root "$ROOT" run -d -b "$BUNDLE" "$ID" <&$in >"$WORK/out" 2>&1 3>&-
	wait_for 5 is_status running
	exec {in}>&-
}

# restore_reader ARG...: its streams are others now; in them it says the line
restore_reader() {
	mkfifo "$WORK/in2"
	exec {in}<>"$WORK/in2"
	"$RUNTIME" --root "$ROOT" restore -d "$@" <&$in >"$WORK/out2" 2>&1 3>&- || {
		cat "$WORK/out2"
		return 1
	}
	equals "$(container_status)" running
	echo "the line" >&$in
	wait_for 5 grep -qx "read the line" "$WORK/out2"
	exec {in}>&-
}

@test "a container goes on in another one, with other streams" {
	start_reader
	ok checkpoint --image-path "$IMAGES" --work-path "$WORK/logs" "$ID"
	equals "$output" ""
	[ -s "$WORK/logs/dump.log" ]
	fails state "$ID"
	contains "does not exist"
	[ ! -e "$CGROUP_ROOT/orlop/$ID" ]
	restore_reader --image-path "$IMAGES" --work-path "$WORK/logs" --pid-file "$WORK/pid" -b "$BUNDLE" "$ID"
	equals "$(cat "$WORK/pid")" "$(container_pid)"
	grep -qx "0::/orlop/$ID" "/proc/$(container_pid)/cgroup"
	ok exec "$ID" /bin/probe echo inside
	equals "$output" inside
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
}

@test "restore in the foreground ends as the process does" {
	start_container sleep
	ok checkpoint --image-path "$IMAGES" "$ID"
	local code keep restorer
	jq '.annotations.restored = "yes"' "$BUNDLE/config.json" >"$WORK/other.json"
	for keep in --keep ""; do
		"$RECVTTY" -n "$WORK/socket" >"$WORK/received" 3>&- &
		local receiver=$!
		wait_for 5 test -S "$WORK/socket"
		"$RUNTIME" --root "$ROOT" restore --image-path "$IMAGES" -b "$BUNDLE" --config "$WORK/other.json" $keep \
			--pidfd-socket "$WORK/socket" "$ID" </dev/null >"$WORK/out" 2>&1 3>&- &
		restorer=$!
		BACKGROUND+=("$restorer")
		wait_for 5 is_status running
		wait "$receiver"
		rm "$WORK/socket"
		contains "payload standard" "$(cat "$WORK/received")"
		ok state "$ID"
		equals "$(jq -r .annotations.restored <<<"$stdout")" yes
		ok kill "$ID" KILL
		code=0
		wait "$restorer" || code=$?
		BACKGROUND=()
		equals "$code" 137
		[ -z "$keep" ] || { is_status stopped && ok delete "$ID"; }
	done
	fails state "$ID"
}

@test "memory in two steps: a pre-dump, and what has changed since" {
	criu check --feature mem_dirty_track >/dev/null 2>&1 || skip "needs a kernel that tracks changed memory"
	start_reader
	ok checkpoint --pre-dump --image-path "$IMAGES/first" "$ID"
	equals "$(container_status)" running
	ok checkpoint --image-path "$IMAGES/second" --parent-path ../first "$ID"
	[ -L "$IMAGES/second/parent" ]
	restore_reader --image-path "$IMAGES/second" -b "$BUNDLE" "$ID"
}

@test "a container that goes on after its checkpoint, and the past of it" {
	start_container sleep
	ok checkpoint --leave-running --image-path "$IMAGES" "$ID"
	equals "$(container_status)" running
	ok exec "$ID" /bin/probe true
	ok restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID-past"
	equals "$(container_status "$ID-past")" running
	ok delete --force "$ID-past"
	equals "$(container_status)" running
}

@test "a paused container can be checkpointed, and goes on restored" {
	start_container sleep
	ok pause "$ID"
	ok checkpoint --image-path "$IMAGES" "$ID"
	ok restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	equals "$(container_status)" running
}

@test "binds come from the bundle of the restore, onto places that a new root lacks" {
	mkdir -p "$WORK/data" "$WORK/data2"
	echo before >"$WORK/data/file"
	echo after >"$WORK/data2/file"
	cp -a "$BUNDLE" "$WORK/bundle2"
	config_set '.mounts += [{ destination: "/srv/data", type: "bind", source: $data, options: ["bind", "ro"] }]' \
		--arg data "$WORK/data"
	start_container sleep
	ok exec "$ID" /bin/probe cat /srv/data/file
	equals "$output" before
	ok checkpoint --image-path "$IMAGES" "$ID"
	jq --arg data "$WORK/data2" '(.mounts[] | select(.destination == "/srv/data")).source = $data' \
		"$BUNDLE/config.json" >"$WORK/bundle2/config.json"
	ok restore -d --image-path "$IMAGES" -b "$WORK/bundle2" "$ID"
	ok exec "$ID" /bin/probe cat /srv/data/file
	equals "$output" after
}

@test "hooks: createRuntime before a restored container goes on, poststop behind a checkpoint" {
	config_set '.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "cat >>$0/runtime", $work] }],
		poststop: [{ path: "/bin/sh", args: ["sh", "-c", "cat >>$0/poststop", $work] }] }' --arg work "$WORK"
	start_container sleep
	rm "$WORK/runtime"
	ok checkpoint --image-path "$IMAGES" "$ID"
	equals "$(jq -r .id "$WORK/poststop")" "$ID"
	ok restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	equals "$(jq -r '.id, .pid' "$WORK/runtime" | paste -sd' ')" "$ID $(container_pid)"
}

@test "a network that hooks set up is a new one after a restore, with its loopback up before they run" {
	local up='{ path: "/bin/sh", args: ["sh", "-c", "pid=$(jq .pid); nsenter -t $pid -n ip -o link >>$0/links; exec nsenter -t $pid -n ip link add from-hook type veth peer name other-end", $work] }'
	config_set ".hooks.createRuntime = [$up] | .hooks.createRuntime[0].env = [\"PATH=\" + \$path]" --arg work "$WORK" --arg path "$PATH"
	start_container sleep
	ok checkpoint --image-path "$IMAGES" "$ID"
	rm "$WORK/links"
	ok restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	cat "$WORK/links"
	equals "$(cut -d: -f2,3 "$WORK/links" | cut -d' ' -f2,3 | tr '\n' ' ')" "lo: <LOOPBACK,UP,LOWER_UP> "
	ok exec "$ID" /bin/probe cat /proc/net/dev
	contains from-hook
}

@test "a container in a delegated cgroup is restored into it" {
	config_set '.annotations = {"run.oci.delegate-cgroup": "init"}'
	start_container sleep
	ok checkpoint --image-path "$IMAGES" "$ID"
	ok restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	equals "$(cat "$CGROUP_ROOT/orlop/$ID/cgroup.procs")" ""
	equals "$(cat "$CGROUP_ROOT/orlop/$ID/init/cgroup.procs")" "$(container_pid)"
	ok delete --force "$ID"
}

@test "a hook that fails undoes a restore" {
	start_container sleep
	ok checkpoint --image-path "$IMAGES" "$ID"
	config_set '.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "echo no >&2; exit 4"] }]'
	fails restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	contains "error running createRuntime hook #"
	fails state "$ID"
	[ ! -e "$CGROUP_ROOT/orlop/$ID" ]
}

@test "a network namespace by path is joined again" {
	unshare -n sleep "$NAP" 3>&- &
	local holder=$!
	BACKGROUND+=("$holder")
	wait_for 5 has_own_network "$holder"
	config_set '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "/proc/$holder/ns/net"
	start_container sleep
	ok checkpoint --image-path "$IMAGES" "$ID"
	ok restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	equals "$(readlink "/proc/$(container_pid)/ns/net")" "$(readlink "/proc/$holder/ns/net")"
	ok delete --force "$ID"
	kill "$holder"
	BACKGROUND=()
}

has_own_network() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

@test "a terminal: its new master is handed over" {
	config_set '.process.terminal = true'
	probe sleep
	"$RECVTTY" "$WORK/console" >"$WORK/tty" 2>&1 3>&- &
	BACKGROUND+=("$!")
	wait_for 5 test -S "$WORK/console"
	ok create --console-socket "$WORK/console" -b "$BUNDLE" "$ID"
	ok start "$ID"
	ok checkpoint --image-path "$IMAGES" "$ID"
	"$RECVTTY" "$WORK/console2" >"$WORK/tty2" 2>&1 3>&- &
	BACKGROUND+=("$!")
	wait_for 5 test -S "$WORK/console2"
	ok restore -d --console-socket "$WORK/console2" --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	wait_for 5 grep -q "^fd /.*/ptmx" "$WORK/tty2"
	equals "$(container_status)" running
	ok delete --force "$ID"
}

@test "images that are damaged restore nothing, and criu's log says why" {
	start_container sleep
	ok checkpoint --image-path "$IMAGES" "$ID"
	: >"$IMAGES/pstree.img"
	fails restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	contains "criu failed: restore: Error ("
	contains "(log file: $IMAGES/restore.log)"
	fails state "$ID"
	[ ! -e "$CGROUP_ROOT/orlop/$ID" ]
}

@test "a checkpoint that criu cannot make leaves the container as it was" {
	config_set ".root.readonly = false"
	start_container lock /tmp/file then sleep
	wait_for 5 locks
	fails checkpoint --image-path "$IMAGES" "$ID"
	contains "criu failed: checkpoint: Error ("
	contains "--file-locks"
	contains "(log file: $IMAGES/dump.log)"
	equals "$(container_status)" running
	ok exec "$ID" /bin/probe true
	ok checkpoint --file-locks --image-path "$IMAGES" "$ID"
	ok restore -d --file-locks --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	locks
}

locks() {
	grep -q ":$(stat -c %i "$ROOTFS/tmp/file") " /proc/locks
}

# Whoever kills us does not kill criu, which puts everything back when we are gone.
@test "checkpoint and restore killed at random moments leave what delete --force removes" {
	for i in 1 2 3 4 5 6; do
		start_container sleep
		killed checkpoint --image-path "$IMAGES" "$ID"
		ok delete --force "$ID"
		wait_for 5 nothing_left
	done
	rm -rf "$IMAGES"
	start_container sleep
	ok checkpoint --image-path "$IMAGES" "$ID"
	for i in 1 2 3 4 5 6; do
		killed restore -d --image-path "$IMAGES" --work-path "$WORK/logs" -b "$BUNDLE" "$ID"
		ok delete --force "$ID"
		wait_for 5 nothing_left
	done
}

killed() {
	"$RUNTIME" --root "$ROOT" "$@" </dev/null >/dev/null 2>&1 3>&- &
	sleep "0.$(printf %02d $((RANDOM % 30)))"
	kill -KILL $! 2>/dev/null || true
	wait $! 2>/dev/null || true
}

nothing_left() {
	[ ! -e "$ROOT/$ID" ] && [ ! -e "$CGROUP_ROOT/orlop/$ID" ] && ! grep -qs "/$ID\$" /proc/[0-9]*/cgroup
}
