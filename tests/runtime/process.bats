#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What else `process` says: groups, limits, umask, environment, terminal size; what is wrong in it.
load helpers

# with_user_namespace [SIZE]: ids of the container are 100000 and up outside
with_user_namespace() {
	config_set '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 1000 }]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$ROOTFS"
}

# refused POINTER TEXT: create names the place and what is wrong with it
refused() {
	fails create -b "$BUNDLE" "$ID"
	contains "$1: "
	contains "$2"
	[ ! -e "$ROOT/$ID" ]
}

@test "an annotation keeps the groups of the caller" {
	requires root program setpriv
	config_set '.annotations = { "run.oci.keep_original_groups": "1" }
		| .process.user = { "uid": 5, "gid": 6, "additionalGids": [7] }'
	RT_UNDER=(setpriv --groups 12,13)
	start_container id then sleep
	ok exec "$ID" /bin/probe id
	equals "$stdout" "uid=5 gid=6 groups=12,13"
	RT_UNDER=()
	ok delete --force "$ID"
	RT_UNDER=(setpriv --groups 12,13)
	config_set '.annotations = { "run.oci.keep_original_groups": "0" }'
	probe_run id
	equals "$stdout" "uid=5 gid=6 groups=7"
	config_set '.annotations = { "run.oci.keep_original_groups": "yes" }'
	refused /annotations/run.oci.keep_original_groups '"yes" is not 0 or 1'
}

@test "groups that a user namespace cannot name are kept, too" {
	requires root user_namespace program setpriv
	with_user_namespace
	config_set '.annotations = { "run.oci.keep_original_groups": "1" }'
	echo theirs >"$ROOTFS/etc/theirs"
	chown 0:12 "$ROOTFS/etc/theirs"
	chmod 640 "$ROOTFS/etc/theirs"
	# (65534 stands for what has no name)
	RT_UNDER=(setpriv --groups 12)
	config_set '.process.capabilities = {}'
	start_container id then cat /etc/theirs then sleep
	ok exec "$ID" /bin/probe id then cat /etc/theirs
	equals "$stdout" $'uid=0 gid=0 groups=65534\ntheirs'
	ok delete --force "$ID"
	config_set 'del(.annotations)'
	probe cat /etc/theirs
	fails run -b "$BUNDLE" "$ID"
	contains "Permission denied"
}

@test "supplementary groups where setgroups is denied are an error" {
	requires root user_namespace program setpriv
	config_set '.linux.namespaces += [{ "type": "user" }] | .linux.resources = null
		| .mounts |= map(select(.type != "cgroup") | if .options then .options -= ["gid=5"] else . end)
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 4321, "size": 1 }]
		| .linux.gidMappings = .linux.uidMappings | .process.user.additionalGids = [0]'
	chmod 755 "$WORK" "$BUNDLE"
	chown -R 4321:4321 "$WORK"
	RT_UNDER=(setpriv --reuid 4321 --regid 4321 --clear-groups)
	fails create -b "$BUNDLE" "$ID"
	contains "set the supplementary groups: operation not permitted"
	config_set '.process.user.additionalGids = [7]'
	refused /process/user/additionalGids/0 "group 7 is not mapped in the user namespace"
	config_set '.process.user.additionalGids = []'
	probe_run id
	contains "uid=0 gid=0" "$stdout"
}

# The sixteen types by number, each with limits of its own that a process can live with and that
# may be set without privilege: NICE and RTPRIO only go down.
rlimits() {
	local high=$((1 << 40))
	jq -n --argjson high "$high" --argjson raised "$1" '[
		["CPU", 1000, 1001], ["FSIZE", $high + 1, $high + 2], ["DATA", $high + 3, $high + 4],
		["STACK", 8000000, 8000001], ["CORE", 5, 6], ["RSS", $high + 7, $high + 8], ["NPROC", 9009, 9010],
		["NOFILE", 100, 101], ["MEMLOCK", 4096, 8192], ["AS", $high + 11, $high + 12],
		["LOCKS", $high + 13, $high + 14], ["SIGPENDING", 115, 116], ["MSGQUEUE", 1017, 1018],
		["NICE", 0, $raised], ["RTPRIO", 0, $raised], ["RTTIME", $high + 15, $high + 16] ]'
}

set_rlimits() {
	config_set '.process.rlimits = ($list | map({ type: "RLIMIT_\(.[0])", soft: .[1], hard: .[2] }))' \
		--argjson list "$(rlimits "$1")"
}

# what the probe says of them: the numbers are those of sys/resource.h
expected_rlimits() {
	rlimits "$1" | jq -r 'to_entries[] | "\(.key) \(.value[1]) \(.value[2])"'
}

@test "each of the sixteen limits is set, for exec, too" {
	requires x86_64
	set_rlimits 0
	start_container
	ok exec "$ID" /bin/probe rlimit {0..15}
	equals "$stdout" "$(expected_rlimits 0)"
	ok delete --force "$ID"
	probe_run rlimit {0..15}
	equals "$stdout" "$(expected_rlimits 0)"
	[ "$(ulimit -Hc)" = unlimited ] || return 0
	config_set '.process.rlimits = [{ "type": "RLIMIT_CORE", "soft": "infinity", "hard": "infinity" }]'
	probe rlimit 4
	sed -i 's/"infinity"/18446744073709551615/' "$BUNDLE/config.json" # jq would round it
	ok run -b "$BUNDLE" "$ID"
	equals "$stdout" "4 18446744073709551615 18446744073709551615"
}

@test "limits are raised by who may" {
	requires root x86_64 capability sys_resource
	set_rlimits 20
	probe_run rlimit {0..15}
	equals "$stdout" "$(expected_rlimits 20)"
}

@test "limits are raised in a user namespace, for exec, too" {
	requires root x86_64 capability sys_resource user_namespace
	with_user_namespace
	set_rlimits 20
	start_container
	ok exec "$ID" /bin/probe rlimit {0..15}
	equals "$stdout" "$(expected_rlimits 20)"
	ok exec "$ID" /bin/probe cat /proc/1/limits
	contains "Max realtime priority     0                    20" "$stdout"
}

@test "limits that may not be raised are an error" {
	requires no_capability sys_resource
	config_set '.process.rlimits = [{ "type": "RLIMIT_RTPRIO", "soft": 0, "hard": 20 }]'
	[ "$(ulimit -Hr)" = 0 ] || skip "needs a limit to be raised"
	fails run -b "$BUNDLE" "$ID"
	contains "set RLIMIT_RTPRIO to 0:20: operation not permitted"
}

@test "what is wrong in a process is said with its place" {
	config_set '.process.rlimits = [{ "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
		{ "type": "RLIMIT_CORE", "soft": 0, "hard": 0 }]'
	refused /process/rlimits/1/type "duplicated rlimit RLIMIT_CORE"
	config_set '.process.rlimits = [{ "type": "RLIMIT_NO", "soft": 0, "hard": 0 }]'
	refused /process/rlimits/0/type "invalid rlimit type"
	config_set '.process.rlimits = [{ "type": "RLIMIT_CPU", "soft": 2, "hard": 1 }]'
	refused /process/rlimits/0/soft "above the hard limit"
	config_set '.process.rlimits = [] | .process.user.umask = 512'
	refused /process/user/umask "512 is above 511"
	config_set '.process.user = {} | .process.env += ["NOVALUE"]'
	refused /process/env/1 "missing '='"
	config_set '.process.env = ["=x"]'
	refused /process/env/0 "name cannot be empty"
	config_set '.process.env = [] | .process.oomScoreAdj = -1001'
	refused /process/oomScoreAdj "-1001 is not from -1000 to 1000"
	config_set 'del(.process.oomScoreAdj) | .process.consoleSize = { "height": 70000, "width": 1 }'
	refused /process/consoleSize/height ""
	config_set 'del(.process.consoleSize) | .process.cwd = "tmp"'
	refused /process/cwd "Cwd must be an absolute path"
	config_set '.process.cwd = "/" | .process.args = []'
	refused /process/args "args must not be empty"
}

@test "a name of more than 64 bytes is an error with its place" {
	config_set '.hostname = ("h" * 65)'
	refused /hostname "longer than 64 bytes"
	config_set '.hostname = ("h" * 64) | .domainname = ("d" * 65)'
	refused /domainname "longer than 64 bytes"
	config_set '.domainname = ("d" * 64)'
	probe_run hostname
	contains "hhhhhh ddddd" "$stdout"
}

@test "exec has the umask and the groups that its document says" {
	config_set '.process.user.umask = 63'
	start_container
	ok exec "$ID" /bin/probe umask
	equals "$stdout" 0077
	jq -n '{ args: ["/bin/probe", "umask", "then", "id"], cwd: "/", user: { uid: 1, gid: 2, umask: 7,
		additionalGids: [3, 3, 4] } }' >"$WORK/process.json"
	ok exec -p "$WORK/process.json" "$ID"
	equals "$stdout" $'0007\nuid=1 gid=2 groups=3,3,4'
}

@test "an exec on a terminal has the size that config.json or its document says" {
	config_set '.process.consoleSize = { "height": 10, "width": 110 }'
	start_container
	for options in "-t" "-p $WORK/process.json"; do
		jq -n '{ args: ["/bin/probe", "tty"], cwd: "/", terminal: true, consoleSize: { height: 33, width: 44 } }' \
			>"$WORK/process.json"
		"$RECVTTY" "$WORK/socket" >"$WORK/received" 3>&- &
		wait_for 5 test -S "$WORK/socket"
		# shellcheck disable=SC2086 # words
		ok exec -d --console-socket "$WORK/socket" $options "$ID" /bin/probe tty
		wait $! || true
		[ "$options" = -t ] && size="10 110" || size="33 44"
		contains "size $size" "$(cat "$WORK/received")"
		contains "/dev/pts/0 $size" "$(cat "$WORK/received")"
		rm -f "$WORK/socket"
	done
}

# hint ARG...: what the log says to do about a run of this program
hint() {
	rm -f "$WORK/log"
	process_args "$@"
	RT_GLOBAL=(--log "$WORK/log" --log-format json)
	rt run -b "$BUNDLE" "$ID"
	RT_GLOBAL=()
	[ "$status" -ne 0 ]
	equals "$(jq -r .msg "$WORK/log")" "$stderr"
	equals "$(jq -r .error.phase "$WORK/log")" exec
	HINT=$(jq -r .error.hint "$WORK/log")
}

@test "the log says what to do about a program that cannot be executed" {
	requires ours
	printf 'no program\n' >"$ROOTFS/bin/strange"
	printf '#!/nowhere/sh\n' >"$ROOTFS/bin/script"
	chmod 755 "$ROOTFS/bin/strange" "$ROOTFS/bin/script"
	hint /bin/strange
	contains "exec format error"
	contains "another architecture" "$HINT"
	hint /bin/script
	contains "exec /bin/script: no such file or directory"
	contains "the program behind #!" "$HINT"
	hint nothing-of-that-name
	contains "executable file not found"
	contains "PATH of process.env" "$HINT"
	hint /bin/nothing
	contains "inside the container's root file system" "$HINT"
	# nothing that would help
	"$RUNTIME" --root "$ROOT" --log "$WORK/other" --log-format json state "$ID" 2>/dev/null 3>&- && false
	equals "$(jq -c .error "$WORK/other")" '{"code":"not-found"}'
}
