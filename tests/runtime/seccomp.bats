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
	equals "$stdout" $'135 EIO\n135 EIO\n135 0\n62 ENXIO\n62 EINVAL\n140 E2BIG\n140 E2BIG\n140 20'
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
	equals "$stdout" $'452 EIO\n462 EIO\n452 EFAULT'
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
