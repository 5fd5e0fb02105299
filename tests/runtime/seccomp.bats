#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# seccomp, from inside: what calls answer. (That every action, operator and architecture compiles to
# what it means is in tests/unit/test-plan-seccomp.c.)
load helpers

seccomp() {
	config_set '.linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{ "names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38 },
		{ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO" } ] }'
}

@test "seccomp filters with no_new_privs" {
	requires seccomp
	seccomp
	probe_run seccomp then try sethostname then try mkdir
	equals "$stdout" $'2\nsethostname ENOSYS\nmkdir EPERM'
}

@test "seccomp filters without no_new_privs, and for a plain user" {
	requires seccomp
	seccomp
	config_set '.process.noNewPrivileges = false | .process.user = { "uid": 1000, "gid": 1000 }'
	probe_run seccomp then try mkdir then nnp
	equals "$stdout" $'2\nmkdir EPERM\n0'
}

@test "a filter that kills what is not listed lets the payload start" {
	requires seccomp ours
	config_set '.linux.seccomp = { "defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [ { "names":
		["execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlink",
		"getrandom", "mprotect", "newfstatat", "fstat", "write", "exit_group", "ioctl", "close", "exit", "readlinkat"],
		"action": "SCMP_ACT_ALLOW" } ] }'
	probe_run echo alive
	equals "$stdout" alive
	probe try mkdir
	rt run -b "$BUNDLE" "$ID"
	equals "$status" 159
}

# profile DEFAULT MEMBERS [RULE...]: a profile of this default action
profile() {
	config_set ".linux.seccomp = { \"defaultAction\": \"$1\"${2:+, $2}, \"syscalls\": [$(
		shift 2
		local IFS=,
		echo "$*"
	)] }"
}

# rule ACTION NAME...: one of its rules, allowing or denying
rule() {
	local action=$1

	shift
	printf '{ "names": %s, "action": "%s" }' "$(jq -nc '$ARGS.positional' --args "$@")" "$action"
}

# What a static program and the runtime's last steps before it need.
basics=(execve brk arch_prctl set_tid_address set_robust_list rseq prlimit64 readlink getrandom mprotect newfstatat
	fstat write exit_group ioctl close exit readlinkat)

@test "every action does what it is for" {
	requires seccomp x86_64
	profile SCMP_ACT_ALLOW '' "$(rule SCMP_ACT_LOG getppid)" "$(rule SCMP_ACT_ERRNO getpgid)" \
		"$(rule SCMP_ACT_KILL_PROCESS mkdir)" "$(rule SCMP_ACT_TRAP rmdir)" "$(rule SCMP_ACT_TRACE sethostname)" \
		"$(rule SCMP_ACT_KILL umask)" "$(rule SCMP_ACT_KILL_THREAD mknod)"
	probe_run syscall 110 then syscall 121 then try sethostname
	equals "$stdout" $'110 0\n121 EPERM\nsethostname ENOSYS'
	for call in "try mkdir" "syscall 84" "umask" "syscall 133"; do
		# shellcheck disable=SC2086
		probe $call
		rt run -b "$BUNDLE" "$ID"
		equals "$status" 159
	done
}

@test "conditions: alternatives on one argument, all on several" {
	requires seccomp x86_64
	config_set '.linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{ "names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "args": [
			{ "index": 0, "value": 8, "op": "SCMP_CMP_EQ" }, { "index": 0, "value": 9, "op": "SCMP_CMP_EQ" } ] },
		{ "names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 6, "args": [
			{ "index": 0, "value": 1, "op": "SCMP_CMP_EQ" }, { "index": 1, "value": 0, "op": "SCMP_CMP_EQ" } ] },
		{ "names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 7, "args": [
			{ "index": 0, "value": 6, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ" } ] } ] }'
	probe_run syscall 135 8 then syscall 135 9 then syscall 135 0xffffffff \
		then syscall 62 1 0 then syscall 62 1 99 then syscall 140 2 then syscall 140 3 then syscall 140 0
	equals "$stdout" $'135 EIO\n135 EIO\n135 0\n62 ENXIO\n62 EINVAL\n140 E2BIG\n140 E2BIG\n140 '"$((20 - $(nice)))"
}

@test "a call newer than anything in the profile does not exist, an older one is denied" {
	requires seccomp x86_64 ours
	profile SCMP_ACT_ERRNO '' "$(rule SCMP_ACT_ALLOW "${basics[@]}")"
	# rseq (334) is the newest; 424 is pidfd_send_signal, 437 openat2, 83 mkdir
	probe_run syscall 437 -1 then syscall 424 -1 then syscall 83
	equals "$stdout" $'437 ENOSYS\n424 ENOSYS\n83 EPERM'
	profile SCMP_ACT_KILL_PROCESS '' "$(rule SCMP_ACT_ALLOW "${basics[@]}" openat2)"
	probe_run syscall 438 -1
	equals "$stdout" "438 ENOSYS"
	probe syscall 424 -1
	rt run -b "$BUNDLE" "$ID"
	equals "$status" 159
	profile SCMP_ACT_ALLOW '' "$(rule SCMP_ACT_ERRNO mkdir)"
	probe_run syscall 424 -1
	equals "$stdout" "424 EBADF"
}

@test "calls that libseccomp does not know are filtered by number" {
	requires seccomp x86_64 ours
	config_set '.linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{ "names": ["fchmodat2", "mseal"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "args": [
			{ "index": 0, "value": 4096, "op": "SCMP_CMP_GE" } ] },
		{ "names": ["no_such_call"], "action": "SCMP_ACT_ERRNO" } ] }'
	probe_run syscall 452 4096 then syscall 462 0x100000000000 then syscall 452 7
	# EFAULT from the kernel, ENOSYS from one before 6.6
	equals "$stdout" $'452 EIO\n462 EIO\n'"$("$PROBE" syscall 452 7)"
}

@test "exec gets the container's filter, with and without no_new_privs" {
	requires seccomp
	for nnp in true false; do
		seccomp
		config_set ".process.noNewPrivileges = $nnp"
		start_container
		# what the bundle says by now has no effect
		config_set 'del(.linux.seccomp)'
		ok exec "$ID" /bin/probe seccomp then try mkdir then try sethostname then nnp
		equals "$stdout" $'2\nmkdir EPERM\nsethostname ENOSYS\n'"$([ $nnp = true ] && echo 1 || echo 0)"
		jq -n '{ args: ["/bin/probe", "try", "mkdir"], cwd: "/", user: { uid: 1000, gid: 1000 } }' >"$WORK/process.json"
		ok exec --process "$WORK/process.json" "$ID"
		equals "$stdout" "mkdir EPERM"
		ok delete --force "$ID"
	done
}

@test "flags are the kernel's, unknown ones are refused" {
	requires seccomp ours
	seccomp
	config_set '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
		"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
	probe_run try mkdir
	config_set '.linux.seccomp.flags += ["SECCOMP_FILTER_FLAG_NONE"]'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/seccomp/flags/4"
}

@test "a program from an annotation is the filter" {
	requires seccomp ours
	# ld nr; jeq 83 (mkdir): return ERRNO(5); else ALLOW
	config_set 'del(.linux.seccomp) | .annotations["run.oci.seccomp_bpf_data"] =
		"IAAAAAAAAAAVAAABUwAAAAYAAAAFAAUABgAAAAAA/38="'
	start_container
	ok exec "$ID" /bin/probe try mkdir then seccomp
	equals "$stdout" $'mkdir EIO\n2'
	ok delete --force "$ID"
	config_set '.annotations["run.oci.seccomp_bpf_data"] = "IAAAAAAAAAA="'
	fails create -b "$BUNDLE" "$ID"
	contains "/annotations/run.oci.seccomp_bpf_data: the program does not end with a return"
}

@test "an unknown call can be an error, by annotation" {
	requires ours
	profile SCMP_ACT_ALLOW '' "$(rule SCMP_ACT_ERRNO mkdir no_such_call)"
	probe_run true
	config_set '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"'
	fails create -b "$BUNDLE" "$ID"
	contains '/linux/seccomp/syscalls/0/names/1: unknown system call "no_such_call"'
}

@test "many at once fill the cache of filters, and all have their filter" {
	requires seccomp root ours
	seccomp
	start_container
	for i in 1 2 3 4 5 6; do
		jq ".process.args = [\"/bin/probe\", \"seccomp\", \"then\", \"try\", \"mkdir\"]" "$BUNDLE/config.json" \
			>"$BUNDLE/config-$i.json"
	done
	# a /run of their own, so that it begins empty and is seen by nobody else
	RUNTIME=$RUNTIME ROOT=$ROOT BUNDLE=$BUNDLE ID=$ID WORK=$WORK unshare -m sh -c '
		mount -t tmpfs tmpfs /run
		for i in 1 2 3 4 5 6; do
			"$RUNTIME" --root "$ROOT" run -b "$BUNDLE" -f "$BUNDLE/config-$i.json" "$ID-$i" >"$WORK/out.$i" 2>&1 3>&- &
		done
		wait
		ls /run/orlop-runtime-cache >"$WORK/cached"'
	for i in 1 2 3 4 5 6; do
		equals "$(cat "$WORK/out.$i")" $'2\nmkdir EPERM'
	done
	equals "$(grep -c '^[0-9a-f]*\.bpf$' "$WORK/cached")" 1
	equals "$(wc -l <"$WORK/cached")" 1
}

# -- notification -----------------------------------------------------------------------------------

AGENT=$ORLOP_BUILD/tests/helpers/agent

# agent ERRNO CALL...: an agent at $WORK/agent, what it says in $WORK/told; stopped by pid
start_agent() {
	"$AGENT" "$WORK/agent" "$@" >"$WORK/told" 2>&1 3>&- &
	agent=$!
	BACKGROUND+=("$agent")
	wait_for 5 test -S "$WORK/agent"
}

stop_agent() {
	kill "$agent"
	wait "$agent" || true
	BACKGROUND=()
}

# notifying NAME...: these calls are reported
notifying() {
	profile SCMP_ACT_ALLOW "\"listenerPath\": \"$WORK/agent\", \"listenerMetadata\": \"the text\"" \
		"$(rule SCMP_ACT_NOTIFY "$@")"
}

# told N FILTER: from the Nth message to the agent
told() {
	sed -n 's/^message //p' "$WORK/told" | sed -n "${1}p" | jq -r "$2"
}

@test "an agent gets the listener with the state, and answers calls" {
	requires seccomp x86_64 ours
	for nnp in true false; do
		notifying mkdir
		config_set ".process.noNewPrivileges = $nnp | .annotations = { \"a/b\": \"c\" }"
		start_agent 18 83
		probe sleep
		ok create -b "$BUNDLE" "$ID"
		pid=$(container_pid)
		equals "$(told 1 '[.ociVersion, .fds[0], (.fds | length), .pid, .metadata] | map(tostring) | join(" ")')" \
			"1.3.0 seccompFd 1 $pid the text"
		equals "$(told 1 '.state | [.ociVersion, .id, .status, .pid, .bundle, .annotations["a/b"]] | map(tostring) | join(" ")')" \
			"1.3.0 $ID creating $pid $BUNDLE c"
		lacks '\/' "$(cat "$WORK/told")"
		ok start "$ID"
		# each exec has a filter, and a connection, of its own
		ok exec "$ID" /bin/probe try mkdir
		equals "$stdout" "mkdir EXDEV"
		equals "$(told 2 '[.state.status, .state.pid, .state.id, .metadata] | map(tostring) | join(" ")')" \
			"running $pid $ID the text"
		[ "$(told 2 .pid)" != "$pid" ]
		contains "call 83 of $(told 2 .pid)" "$(cat "$WORK/told")"
		ok exec "$ID" /bin/probe try mkdir
		equals "$(grep -c ^message "$WORK/told")" 3
		ok delete --force "$ID"
		stop_agent
		rm "$WORK/agent"
	done
}

@test "run with an agent; all calls that the runtime itself makes may be reported, but write" {
	requires seccomp x86_64 ours
	for nnp in true false; do
		notifying mkdir sendmsg recvmsg read close openat execve umask setgroups capset prctl prlimit64 close_range \
			fork vfork clone3
		config_set ".process.noNewPrivileges = $nnp"
		start_agent 18 83
		probe_run try mkdir
		equals "$stdout" "mkdir EXDEV"
		equals "$(told 1 .state.status)" creating
		probe try mkdir
		ok create -b "$BUNDLE" "$ID"
		ok start "$ID"
		wait_for 5 is_status stopped
		ok delete "$ID"
		stop_agent
		rm "$WORK/agent"
	done
	notifying mkdir write
	fails create -b "$BUNDLE" "$ID"
	contains "SCMP_ACT_NOTIFY cannot be used for the write syscall"
}

@test "an agent for containers in a user namespace, found by annotation, at a long path" {
	requires seccomp x86_64 ours root user_namespace
	long=$WORK/$(printf 'a%.0s' {1..120})
	mkdir "$long"
	notifying mkdir
	config_set "del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)
		| .annotations[\"run.oci.seccomp.receiver\"] = \"$long/agent\"
		| .linux.namespaces += [{ type: \"user\" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings"
	chown -R 100000:100000 "$ROOTFS"
	(cd "$long" && exec "$AGENT" agent 18 83 >"$WORK/told" 2>&1 3>&-) &
	agent=$!
	BACKGROUND+=("$agent")
	wait_for 5 test -S "$long/agent"
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	ok start "$ID"
	ok exec "$ID" /bin/probe try mkdir
	equals "$stdout" "mkdir EXDEV"
	equals "$(told 2 '.metadata')" null
	ok delete --force "$ID"
	stop_agent
}

@test "without its agent a container is not made" {
	requires seccomp ours
	notifying mkdir
	fails create -b "$BUNDLE" "$ID"
	contains "failed to connect with seccomp agent"
	contains "no such file or directory"
	[ ! -e "$ROOT/$ID" ]
	# nor is an exec, whose failure leaves the container as it is
	start_agent 18 83
	start_container
	stop_agent
	FAILS_WITH=255 fails exec "$ID" /bin/probe true
	contains "failed to connect with seccomp agent"
	is_status running
}

@test "when the agent ends, reported calls do not exist" {
	requires seccomp x86_64 ours
	notifying mkdir
	start_agent 18 83
	probe read then try mkdir
	mkfifo "$WORK/input"
	exec 9<>"$WORK/input"
	RT_INPUT=$WORK/input ok run -d -b "$BUNDLE" "$ID"
	stop_agent
	echo >&9
	wait_for 5 is_status stopped
	contains "mkdir ENOSYS" "$(cat "$WORK/stdout")"
	exec 9>&-
}

@test "what makes no sense about a listener is refused" {
	requires ours
	profile SCMP_ACT_ALLOW '' "$(rule SCMP_ACT_NOTIFY mkdir)"
	fails create -b "$BUNDLE" "$ID"
	contains "needs a listenerPath"
	profile SCMP_ACT_ALLOW '"listenerMetadata": "x"'
	fails create -b "$BUNDLE" "$ID"
	contains "listenerMetadata without a listenerPath"
	profile SCMP_ACT_NOTIFY '"listenerPath": "/x"'
	fails create -b "$BUNDLE" "$ID"
	contains "SCMP_ACT_NOTIFY cannot be used as default action"
	# a listener that has nothing to do is not looked for
	profile SCMP_ACT_ALLOW '"listenerPath": "/x"' "$(rule SCMP_ACT_ERRNO mkdir)"
	probe_run try mkdir
	equals "$stdout" "mkdir EPERM"
}

# bpf "CODE JT JF K"...: a program, as the annotation has it
bpf() {
	local instruction code jt jf k

	for instruction; do
		read -r code jt jf k <<<"$instruction"
		printf '%b' "$(printf '\\x%02x' $((code)) 0 $((jt)) $((jf)) \
			$((k & 255)) $((k >> 8 & 255)) $((k >> 16 & 255)) $((k >> 24 & 255)))"
	done | base64 -w 0
}

# reporting NUMBER...: a program by annotation that reports these calls
reporting() {
	local program=("0x20 0 0 0") left=$#

	for number; do
		program+=("0x15 $left 0 $number")
		left=$((left - 1))
	done
	program+=("0x06 0 0 0x7fff0000" "0x06 0 0 0x7fc00000")
	config_set 'del(.linux.seccomp) | .annotations = { "run.oci.seccomp_bpf_data": $program,
		"run.oci.seccomp.receiver": $agent }' --arg program "$(bpf "${program[@]}")" --arg agent "$WORK/agent"
}

@test "a program that reports the runtime's own message is refused before anything is made" {
	requires seccomp x86_64 ours
	start_agent 18 83
	# 1 is write, 46 sendmsg: the listener can be handed over by either
	for calls in 1 46 "1 0 47" "46 0 47"; do
		# shellcheck disable=SC2086
		reporting 83 $calls
		probe_run try mkdir
		contains "mkdir EXDEV" "$stdout"
	done
	reporting 83 1 46
	for verb in create run; do
		RT_UNDER=(timeout -s KILL 20)
		fails $verb -b "$BUNDLE" "$ID"
		contains "/annotations/run.oci.seccomp_bpf_data: the filter must let sendmsg(2) or write(2) pass"
		[ ! -e "$ROOT/$ID" ]
	done
	fails validate -b "$BUNDLE"
	contains "/annotations/run.oci.seccomp_bpf_data: the filter must let"
	stop_agent
}

@test "an agent of a plain user" {
	requires seccomp x86_64 ours root user_namespace program setpriv
	cp "$RUNTIME" "$WORK/runtime"
	mkdir -m 777 "$WORK/user"
	config_set '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 4321, size: 1 }]
		| .linux.gidMappings = .linux.uidMappings | del(.linux.resources) | .linux.cgroupsPath = ""
		| .mounts |= map(if .options then .options -= ["gid=5"] else . end)'
	chown -R 4321:4321 "$BUNDLE"
	plain=(setpriv --reuid 4321 --regid 4321 --clear-groups "$WORK/runtime" --root "$WORK/user/state")
	for nnp in true false; do
		notifying mkdir
		config_set ".process.noNewPrivileges = $nnp"
		start_agent 18 83
		chmod 777 "$WORK/agent"
		probe sleep
		"${plain[@]}" run -d -b "$BUNDLE" "$ID" 3>&- </dev/null >/dev/null
		"${plain[@]}" exec "$ID" /bin/probe try mkdir >"$WORK/out" 2>&1 3>&-
		equals "$(cat "$WORK/out")" "mkdir EXDEV"
		"${plain[@]}" delete --force "$ID" 3>&-
		# what only the fetching of the fd would allow takes a right that is named
		notifying mkdir sendmsg
		status=0
		"${plain[@]}" run -b "$BUNDLE" "$ID" >"$WORK/out" 2>&1 3>&- || status=$?
		equals "$status" 1
		contains "this needs CAP_SYS_PTRACE" "$(cat "$WORK/out")"
		[ ! -e "$WORK/user/state/$ID" ]
		stop_agent
		rm "$WORK/agent"
	done
}

@test "an agent of a plain user, who is root of a user namespace" {
	requires seccomp x86_64 ours root user_namespace program setpriv
	# by the way that asks for rights
	notifying mkdir sendmsg
	config_set '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }]
		| .linux.gidMappings = .linux.uidMappings | del(.linux.resources) | .linux.cgroupsPath = ""'
	probe try mkdir
	start_agent 18 83
	cp "$RUNTIME" "$WORK/runtime"
	chmod 777 "$WORK/agent"
	chown -R 4321:4321 "$BUNDLE"
	mkdir -m 777 "$WORK/user"
	setpriv --reuid 4321 --regid 4321 --clear-groups unshare -Ur \
		"$WORK/runtime" --root "$WORK/user/state" run -b "$BUNDLE" "$ID" >"$WORK/out" 2>&1 3>&- || true
	equals "$(cat "$WORK/out")" "mkdir EXDEV"
}

@test "a kernel that cannot do it is named before the payload runs" {
	requires seccomp x86_64 ours
	seccomp
	probe echo ran
	# 317 is seccomp(2), 1 to set a filter
	status=0
	"$ORLOP_BUILD/tests/helpers/failcall" 317:0=1 EINVAL "$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" \
		>"$WORK/out" 2>&1 3>&- || status=$?
	equals "$status" 1
	contains "install the seccomp filter: invalid argument" "$(cat "$WORK/out")"
	lacks ran "$(cat "$WORK/out")"
	notifying mkdir
	start_agent 18 83
	"$ORLOP_BUILD/tests/helpers/failcall" 317:0=1 EBUSY "$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" \
		>"$WORK/out" 2>&1 3>&- || status=$?
	contains "seccomp notify unsupported: install the filter: device or resource busy" "$(cat "$WORK/out")"
	[ ! -e "$ROOT/$ID" ]
}
