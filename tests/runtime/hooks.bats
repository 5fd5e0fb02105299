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
	hook prestart "sleep $NAP & sleep $NAP" '{ "timeout": 1 }'
	fails run -b "$BUNDLE" "$ID"
	contains "hook ran past specified timeout of 1.0s"
	wait_for 5 no_sleepers "$NAP"
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
	hook createRuntime "sleep $NAP"
	probe true
	"$RUNTIME" --root "$ROOT" create -b "$BUNDLE" "$ID" 2>"$WORK/err" 3>&- &
	wait_for 10 sleepers "$NAP"
	kill -TERM $!
	status=0
	wait $! || status=$?
	equals "$status" 1
	[ ! -e "$ROOT/$ID" ]
	wait_for 5 no_sleepers "$NAP"
}

@test "a startContainer hook sees the container as its process does, with the state on stdin" {
	config_set '.root.readonly = false | .annotations = { "a/b": "c" }
		| .hooks.startContainer = [{ path: "/bin/probe", args: ["probe", "save", "/tmp/state"] }]'
	start_container
	equals "$(jq -r '[.id, .status, .pid, .bundle, .annotations["a/b"]] | map(tostring) | join(" ")' "$ROOTFS/tmp/state")" \
		"$ID created 1 $BUNDLE c"
	equals "$(wc -l <"$ROOTFS/tmp/state")" 0
	lacks '\/' "$(cat "$ROOTFS/tmp/state")"
}

@test "a hook without arguments has its path, one without environment has none" {
	cat >"$WORK/hook" <<-END
		#!/bin/sh
		{ echo "arguments \$#"; cat /proc/self/environ; } >$WORK/seen
	END
	chmod 755 "$WORK/hook"
	config_set '.hooks.createRuntime = [{ path: $path }]' --arg path "$WORK/hook"
	LEAK=1 probe_run true
	equals "$(grep -a arguments "$WORK/seen")" "arguments 0"
	lacks LEAK "$(tr '\0' '\n' <"$WORK/seen")"
}

@test "a failure before the start leaves nothing, whichever hook it was" {
	recorder poststop
	for kind in prestart createRuntime createContainer; do
		hook $kind "echo $kind-out; exit 9"
		for verb in create run; do
			fails $verb -b "$BUNDLE" "$ID"
			contains "error running $kind hook #0: exit status 9, stdout: $kind-out"
			[ ! -e "$ROOT/$ID" ]
		done
		config_set "del(.hooks.$kind)"
	done
	equals "$(grep -c ^poststop "$WORK/record")" 6
}

@test "run: a failing startContainer or poststart hook takes the container with it" {
	recorder poststop
	config_set '.hooks.startContainer = [{ path: "/bin/probe", args: ["probe", "exit", "4"] }]'
	probe sleep
	fails run -b "$BUNDLE" "$ID"
	contains "error running startContainer hook #0: exit status 4"
	[ ! -e "$ROOT/$ID" ]
	config_set 'del(.hooks.startContainer)'
	hook poststart "exit 5"
	for detach in "" -d; do
		# shellcheck disable=SC2086
		fails run $detach -b "$BUNDLE" "$ID"
		contains "error running poststart hook #0: exit status 5"
		[ ! -e "$ROOT/$ID" ]
	done
	equals "$(grep -c ^poststop "$WORK/record")" 3
}

@test "a failing poststop hook is told, and the next ones run all the same" {
	requires ours
	hook poststop "exit 5"
	hook poststop "exec sleep $NAP" '{ "timeout": 1 }'
	recorder poststop
	start_container
	ok delete --force "$ID"
	contains "error running poststop hook #0: exit status 5" "$stderr"
	contains "error running poststop hook #1: hook ran past specified timeout of 1.0s" "$stderr"
	equals "$(recorded poststop | jq -r .status)" stopped
}

@test "poststop hooks run though the bundle is gone" {
	requires ours
	hook poststop "pwd >$WORK/cwd"
	start_container
	mv "$BUNDLE" "$WORK/elsewhere"
	ok delete --force "$ID"
	equals "$(cat "$WORK/cwd")" /
}

@test "the timeout counts in the container, too" {
	hook createContainer "sleep $NAP & sleep $NAP" '{ "timeout": 1 }'
	fails run -b "$BUNDLE" "$ID"
	contains "error running createContainer hook #0: hook ran past specified timeout of 1.0s"
	wait_for 5 no_sleepers "$NAP"
	config_set 'del(.hooks)
		| .hooks.startContainer = [{ path: "/bin/probe", args: ["probe", "sleep", "100000"], timeout: 1 }]'
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	fails start "$ID"
	contains "error running startContainer hook #0: hook ran past specified timeout of 1.0s"
	wait_for 5 is_status stopped
}

@test "a timeout is a positive number of seconds, however large" {
	hook createRuntime "true" '{ "timeout": 4611686018427387904 }'
	probe_run true
	for timeout in 0 -1; do
		config_set ".hooks.createRuntime[0].timeout = $timeout"
		fails create -b "$BUNDLE" "$ID"
		contains "/hooks/createRuntime/0"
	done
	config_set '.hooks.createRuntime = [{ path: "bin/sh" }]'
	fails create -b "$BUNDLE" "$ID"
	contains "/hooks/createRuntime/0"
}

@test "what a hook leaves running does not hold us up" {
	hook createRuntime "sleep 1000 & echo \$! >$WORK/daemon"
	probe_run true
	kill "$(cat "$WORK/daemon")" # it is still there
}

@test "the output of all hooks can go to files, by annotation" {
	requires ours
	for kind in prestart createRuntime createContainer poststart poststop; do
		hook $kind "echo $kind; echo $kind-error >&2"
	done
	config_set '.hooks.startContainer = [{ path: "/bin/probe", args: ["probe", "echo", "startContainer", "then", "stderr", "startContainer-error"] }]
		| .annotations = { "run.oci.hooks.stdout": "out", "run.oci.hooks.stderr": ($work + "/err") }' --arg work "$WORK"
	echo before >"$BUNDLE/out"
	start_container fds
	wait_for 5 is_status stopped
	# the payload has got none of it
	equals "$(cut -d' ' -f1 "$WORK/stdout" | tr '\n' ' ')" "0 1 2 "
	ok delete "$ID"
	equals "$(tr '\n' ' ' <"$BUNDLE/out")" \
		"before prestart createRuntime createContainer startContainer poststart poststop "
	equals "$(wc -l <"$WORK/err")" 6
	contains startContainer-error "$(cat "$WORK/err")"
	# what a failing one wrote is in the message all the same
	hook createRuntime "echo again; exit 3"
	fails run -b "$BUNDLE" "$ID"
	contains "exit status 3, stdout: again, stderr:"
	lacks before
	config_set '.annotations["run.oci.hooks.stdout"] = "/nowhere/out"'
	fails run -b "$BUNDLE" "$ID"
	contains 'open "/nowhere/out" for the output of hooks: no such file or directory'
	[ ! -e "$ROOT/$ID" ]
}

@test "in a user namespace hooks of the host are the host's, those of the container root there" {
	requires root user_namespace
	chown -R 100000:100000 "$ROOTFS"
	for kind in createRuntime createContainer poststart; do
		hook $kind "echo $kind \$(id -u) \$(sed 's/ .*//' /proc/self/uid_map | head -1) \$(awk '{print \$2}' /proc/self/uid_map) >>$WORK/ids"
	done
	touch "$WORK/ids"
	chmod 666 "$WORK/ids"
	config_set '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	probe_run true
	equals "$(awk '{ print $1, $2, $NF }' "$WORK/ids")" $'createRuntime 0 0\ncreateContainer 0 100000\npoststart 0 0'
}

@test "SIGTERM ends a start that waits for a poststart hook, and the container" {
	hook poststart "sleep $NAP"
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	"$RUNTIME" --root "$ROOT" start "$ID" 2>"$WORK/err" 3>&- &
	wait_for 10 sleepers "$NAP"
	kill -TERM $!
	status=0
	wait $! || status=$?
	equals "$status" 1
	contains "error running poststart hook #0" "$(cat "$WORK/err")"
	wait_for 5 is_status stopped
	wait_for 5 no_sleepers "$NAP"
}
