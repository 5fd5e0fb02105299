#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The six hooks: when they run, where, with what, and what their failure does.
load helpers

# hook KIND SCRIPT [JSON]: a shell script of the host as a hook; JSON adds members
hook() {
	config_set '.hooks[$kind] += [{ path: "/bin/sh", args: ["sh", "-c", $script], env: ["PATH=/usr/bin:/bin"] } + $more]' \
		--arg kind "$1" --arg script "$2" --argjson more "${3:-{\}}"
}

# recorder KIND: a hook that records its input, kind by kind
recorder() {
	hook "$1" "(printf '%s ' $1; cat; echo) >>$WORK/record"
}

recorded() {
	grep "^$1 " "$WORK/record" | cut -d' ' -f2-
}

@test "all hooks of the host run once, in their order, with the state on stdin" {
	for kind in prestart createRuntime createContainer poststart poststop; do
		recorder $kind
	done
	config_set '.annotations = { "a/b": "c" }'
	start_container
	pid=$(container_pid)
	ok delete --force "$ID"
	equals "$(cut -d' ' -f1 "$WORK/record" | tr '\n' ' ')" "prestart createRuntime createContainer poststart poststop "
	for kind in prestart createRuntime; do
		equals "$(recorded $kind | jq -r '[.id, .status, .pid, .bundle, .annotations["a/b"]] | map(tostring) | join(" ")')" \
			"$ID creating $pid $BUNDLE c"
	done
	equals "$(recorded createContainer | jq -r '[.status, .pid] | map(tostring) | join(" ")')" "creating 1"
	equals "$(recorded poststart | jq -r '[.status, .pid] | map(tostring) | join(" ")')" "running $pid"
	equals "$(recorded poststop | jq -r '[.status, .pid] | map(tostring) | join(" ")')" "stopped 0"
	# one line, slashes as they are
	equals "$(recorded prestart | wc -l)" 1
	lacks '\/' "$(cat "$WORK/record")"
}

@test "run runs them all, too" {
	for kind in prestart createRuntime createContainer poststart poststop; do
		recorder $kind
	done
	probe_run true
	equals "$(cut -d' ' -f1 "$WORK/record" | tr '\n' ' ')" "prestart createRuntime createContainer poststart poststop "
}

@test "startContainer hooks run in the container, after start" {
	config_set '.root.readonly = false
		| .hooks.startContainer = [{ path: "/bin/probe", args: ["probe", "write", "/tmp/hooked", "then", "cat"] }]'
	probe stat /tmp/hooked
	ok create -b "$BUNDLE" "$ID"
	[ ! -e "$ROOTFS/tmp/hooked" ]
	ok start "$ID"
	wait_for 5 is_status stopped
	[ -e "$ROOTFS/tmp/hooked" ]
}

@test "hooks get exactly their environment, their arguments and the bundle as folder" {
	hook createRuntime "{ env; pwd; echo \$0 \$#; ls /proc/self/fd; } >$WORK/seen"
	config_set '.hooks.createRuntime[0].args += ["one", "two"] | .hooks.createRuntime[0].env += ["X=1"]'
	LEAK=1 probe_run true
	contains "X=1" "$(cat "$WORK/seen")"
	lacks LEAK "$(cat "$WORK/seen")"
	contains "$BUNDLE" "$(cat "$WORK/seen")"
	contains "one 1" "$(cat "$WORK/seen")"
	# 0, 1, 2 and ls's own
	equals "$(grep -c '^[0-9]*$' "$WORK/seen")" 4
}

@test "a failing hook of the host undoes create, and its output is in the message" {
	recorder poststop
	hook createRuntime "true"
	hook createRuntime "echo out; echo why >&2; exit 3"
	fails create -b "$BUNDLE" "$ID"
	contains "error running createRuntime hook #1: "
	contains "exit status 3"
	contains "stdout: out"
	contains "stderr: why"
	[ ! -e "$ROOT/$ID" ]
	grep -q ^poststop "$WORK/record"
}

@test "a hook that cannot be executed, or dies, is a failure" {
	config_set '.hooks.prestart = [{ path: "/nowhere" }]'
	fails run -b "$BUNDLE" "$ID"
	contains "error running prestart hook #0: "
	contains "no such file or directory"
	config_set 'del(.hooks)'
	hook createContainer 'kill -KILL $$'
	fails run -b "$BUNDLE" "$ID"
	contains "error running createContainer hook #0: signal: 9"
}

@test "a failing startContainer hook fails start" {
	config_set '.hooks.startContainer = [{ path: "/bin/probe", args: ["probe", "exit", "4"] }]'
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	fails start "$ID"
	contains "error running startContainer hook"
	wait_for 5 is_status stopped
}

@test "a failing poststart hook stops the container" {
	hook poststart "exit 5"
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	fails start "$ID"
	contains "error running poststart hook"
	wait_for 5 is_status stopped
}

@test "a failing poststop hook is no failure of delete" {
	hook poststop "exit 5"
	start_container
	ok delete --force "$ID"
	[ ! -e "$ROOT/$ID" ]
}

@test "a hook that runs past its timeout is killed with its children" {
	hook prestart "sleep 98765 & sleep 98765" '{ "timeout": 1 }'
	fails run -b "$BUNDLE" "$ID"
	contains "hook ran past specified timeout of 1.0s"
	! pgrep -f "sleep 98765"
}

@test "a hook need not read its input" {
	hook createRuntime "exec 0<&-; true"
	probe_run echo fine
	equals "$stdout" fine
}

@test "hooks of the host can change the rootfs before the payload sees it" {
	requires program nsenter
	hook createRuntime "pid=\$(sed 's/.*\"pid\":\([0-9]*\).*/\1/'); nsenter -t \$pid -m sh -c 'echo hooked >$ROOTFS/etc/by-hook; mount -t tmpfs tmpfs $ROOTFS/tmp; echo mounted >$ROOTFS/tmp/by-hook'"
	probe_run cat /etc/by-hook /tmp/by-hook
	equals "$stdout" $'hooked\nmounted'
	[ ! -e "$ROOTFS/tmp/by-hook" ]
}

@test "createContainer hooks are in the container's mount namespace, with the host's paths" {
	hook createContainer "readlink /proc/self/ns/mnt >$WORK/ns; test -d $ROOTFS"
	probe_run namespaces
	contains "mnt $(cat "$WORK/ns")" "$stdout"
}

@test "SIGTERM stops a create that waits for a hook, and undoes it" {
	hook createRuntime "sleep 87654"
	probe true
	"$RUNTIME" --root "$ROOT" create -b "$BUNDLE" "$ID" 2>"$WORK/err" 3>&- &
	wait_for 10 pgrep -f "sleep 87654"
	kill -TERM $!
	status=0
	wait $! || status=$?
	equals "$status" 1
	[ ! -e "$ROOT/$ID" ]
	! pgrep -f "sleep 87654"
}
