#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# exec: additional processes, where they are and what they may do.
load helpers

# exec ARG...: run the probe with these arguments in the running container
probe_exec() {
	ok exec "$ID" /bin/probe "$@"
}

@test "exec gives the streams and the exit status of its process" {
	start_container
	rt exec "$ID" /bin/probe echo out then stderr err then exit 9
	equals "$status" 9
	equals "$stdout" out
	equals "$stderr" err
}

@test "exec reads standard input" {
	start_container
	echo text >"$WORK/input"
	RT_INPUT=$WORK/input probe_exec cat
	equals "$stdout" text
}

@test "exec reports death by a signal as 128+n" {
	start_container
	"$RUNTIME" --root "$ROOT" exec --pid-file "$WORK/pid" "$ID" /bin/probe sleep 3>&- &
	wait_for 10 test -s "$WORK/pid"
	wait_for 5 grep -qz '^/bin/probe$' "/proc/$(cat "$WORK/pid")/cmdline" # it is more than a number by then
	kill -KILL "$(cat "$WORK/pid")"
	status=0
	wait $! || status=$?
	equals "$status" 137
}

@test "exec's own failures are 255" {
	requires ours
	FAILS_WITH=255 fails exec "$ID" true
	contains "does not exist"
	start_container
	FAILS_WITH=255 fails exec "$ID" nothing
	contains 'exec: "nothing": executable file not found in $PATH'
	FAILS_WITH=255 fails exec "$ID" /bin
	contains "is a directory: permission denied"
	FAILS_WITH=255 fails exec "$ID" /bin/nothing
	contains "no such file or directory"
	FAILS_WITH=255 fails exec "$ID"
	contains "exec args cannot be empty"
}

@test "exec needs a container that lives" {
	requires ours
	start_container
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	FAILS_WITH=255 fails exec "$ID" /bin/probe true
	contains "cannot exec in a stopped container"
}

@test "exec works before start, as debuggers want it" {
	requires ours
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	probe_exec echo early
	equals "$stdout" early
}

@test "exec is in all namespaces and in the cgroup of the container" {
	start_container
	probe_exec namespaces
	for ns in cgroup ipc mnt net pid uts; do
		contains "$ns $(readlink "/proc/$(container_pid)/ns/$ns")" "$stdout"
	done
	probe_exec cat /proc/self/cgroup
	contains "0::/" "$stdout"
	lacks "0::/../" "$stdout"
}

@test "exec sees the root, the environment and the user of config.json" {
	config_set '.process.env += ["FROM=config"] | .process.user = { "uid": 5, "gid": 6, "additionalGids": [7, 8] }
		| .process.cwd = "/tmp"'
	start_container
	probe_exec id then env then cwd then ls /
	contains "uid=5 gid=6 groups=7,8" "$stdout"
	contains FROM=config "$stdout"
	contains /tmp "$stdout"
	contains bin "$stdout"
}

@test "exec options change user, directory, environment, groups" {
	start_container
	ok exec -u 11:12 -g 13 --cwd /bin -e NEW=1 --env PATH=/x:/bin "$ID" probe id then cwd then env
	contains "uid=11 gid=12" "$stdout"
	contains "13" "$stdout"
	contains /bin "$stdout"
	contains NEW=1 "$stdout"
	contains PATH=/x:/bin "$stdout"
}

@test "exec --user is strict: a name, a sign or a blank is no number" {
	requires ours
	start_container
	for user in root -1 +1 ' 1' '1 ' 1:x 0x0 4294967295 ''; do
		FAILS_WITH=255 fails exec -u "$user" "$ID" /bin/probe id
	done
}

@test "exec --process runs the whole process of a file" {
	config_set '.process.env += ["FROM=config"]'
	start_container
	jq -n '{ args: ["/bin/probe", "id", "then", "env", "then", "cwd", "then", "nnp"], cwd: "/tmp", env: ["ONLY=this"],
		user: { uid: 3, gid: 4 }, noNewPrivileges: true }' >"$WORK/process.json"
	ok exec --process "$WORK/process.json" "$ID"
	contains "uid=3 gid=4" "$stdout"
	contains ONLY=this "$stdout"
	lacks FROM=config "$stdout"
	contains /tmp "$stdout"
	contains $'\n1' "$stdout"
}

@test "exec -d returns and leaves the process in the container" {
	start_container
	ok exec -d --pid-file "$WORK/pid" "$ID" /bin/probe sleep
	kill -0 "$(cat "$WORK/pid")"
	grep -q "/$ID$" "/proc/$(cat "$WORK/pid")/cgroup"
}

@test "exec leaves no fd of the runtime open" {
	start_container
	exec 7</etc/passwd
	probe_exec fds
	exec 7<&-
	equals "$(wc -l <"$WORK/stdout")" 3
}

@test "exec --cap adds to bounding, effective and permitted only" {
	start_container
	ok exec --cap CAP_CHOWN "$ID" /bin/probe caps
	contains "CapBnd:	0000000020000421" "$stdout"
	contains "CapEff:	0000000020000421" "$stdout"
	contains "CapPrm:	0000000020000421" "$stdout"
	contains "CapInh:	0000000000000000" "$stdout"
	contains "CapAmb:	0000000000000000" "$stdout"
}

@test "exec has the capabilities, limits and seccomp filter of the container" {
	requires seccomp
	config_set '.process.rlimits = [ { "type": "RLIMIT_NOFILE", "soft": 100, "hard": 200 } ]
		| .linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95 } ] }'
	start_container
	rm "$BUNDLE/config.json"
	probe_exec caps then rlimit 7 then seccomp then try mkdir then nnp
	contains "CapEff:	0000000020000420" "$stdout"
	contains "7 100 200" "$stdout"
	contains "mkdir EOPNOTSUPP" "$stdout"
}

@test "exec --cgroup refuses paths that climb" {
	requires ours
	start_container
	FAILS_WITH=255 fails exec --cgroup ../.. "$ID" /bin/probe true
	contains "bad sub cgroup path"
	FAILS_WITH=255 fails exec --cgroup a/../../b "$ID" /bin/probe true
	contains "bad sub cgroup path"
	FAILS_WITH=255 fails exec --cgroup memory:x "$ID" /bin/probe true
	contains "unknown controller"
	FAILS_WITH=255 fails exec --cgroup missing "$ID" /bin/probe true
	contains "no such file or directory"
}

@test "exec --cgroup enters a cgroup below the container's" {
	requires ours
	start_container
	mkdir "$CGROUP_ROOT/orlop/$ID/sub"
	ok exec --cgroup sub "$ID" /bin/probe cat /proc/self/cgroup
	contains "0::/sub" "$stdout"
}

@test "exec refuses a paused container unless told otherwise" {
	requires ours
	start_container
	echo 1 >"$CGROUP_ROOT/orlop/$ID/cgroup.freeze"
	wait_for 5 is_status paused
	FAILS_WITH=255 fails exec "$ID" /bin/probe true
	contains "cannot exec in a paused container (use --ignore-paused to override)"
	echo 0 >"$CGROUP_ROOT/orlop/$ID/cgroup.freeze"
	wait_for 5 is_status running
}

@test "many execs at once all work" {
	start_container
	for i in 1 2 3 4 5 6 7 8; do
		"$RUNTIME" --root "$ROOT" exec "$ID" /bin/probe echo "number $i" 3>&- &
	done >"$WORK/many"
	wait
	equals "$(sort -u "$WORK/many" | grep -c number)" 8
}

@test "exec --pidfd-socket sends a pidfd with the payload \"setns\"" {
	requires ours
	start_container
	"$RECVTTY" -n "$WORK/socket" >"$WORK/received" 3>&- &
	wait_for 5 test -S "$WORK/socket"
	ok exec --pidfd-socket "$WORK/socket" "$ID" /bin/probe true
	wait $!
	contains "payload setns" "$(cat "$WORK/received")"
}
