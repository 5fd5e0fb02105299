#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# explain: the plan, without side effects.

load cli

setup() {
	bundle
}

# has FILTER: the JSON output satisfies it
has() {
	jq -e "$1" <<<"$output" >/dev/null
}

@test "text has a section for each part" {
	rt explain
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	for title in Container Namespaces Cgroup "Device access" "Root file system" "Mounts, in this order" \
		"Device nodes" Process Capabilities "Limits of the process"; do
		[[ $output == *"$title"* ]]
	done
	grep -qE '^  mount +new$' <<<"$output"
	grep -qE '^ +0 +fs +proc +proc +/proc' <<<"$output"
	nothing_left
}

@test "JSON has the same, under stable keys" {
	config '.process.capabilities.bounding = ["CAP_KILL"] | .process.rlimits =
		[{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 9223372036854776000}]
		| .hooks = {"poststop": [{"path": "/bin/true", "args": ["true", "-x"], "timeout": 3}]}
		| .linux.resources.pids.limit = 7 | .linux.maskedPaths = ["/proc/kcore"]
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"}
		| .linux.resources.devices = [{"allow": false, "access": "rwm"},
			{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]'
	rt explain --format json
	[ "$status" = 0 ]
	has '(.namespaces | length) == 8'
	has '.namespaces[] | select(.type == "pid").mode == "new"'
	has '.namespaces[] | select(.type == "time").mode == "host"'
	has '.cgroup == {"manager": "cgroupfs", "path": "/orlop/ID"}'
	has '.cgroupWrites == [{"file": "pids.max", "value": "7", "optional": false, "from": "/linux/resources/pids/limit"}]'
	has '.deviceRules[0] == {"verdict": "deny", "type": "a", "major": null, "minor": null, "access": "rwm"}'
	has 'any(.deviceRules[]; . == {"verdict": "allow", "type": "c", "major": 10, "minor": 229, "access": "rw"})'
	has '.rootfs.propagation == ["rslave"] and .rootfs.entered == "pivot_root"'
	has '.mounts[1].destination == "/dev" and .mounts[1].options == ["nosuid", "strictatime"]'
	has '[.mounts[].index] == [range(.mounts | length)]'
	has 'any(.devices[]; .path == "/dev/null" and .major == 1 and .minor == 3 and .default)'
	has '.paths.masked == ["/proc/kcore"]'
	has '.sysctl == [{"file": "net/ipv4/ip_forward", "value": "1"}]'
	has '.hooks == [{"when": "poststop", "path": "/bin/true", "args": ["true", "-x"], "env": [], "timeout": 3}]'
	has '.process.args == ["sh"] and .process.uid == 0'
	has '.capabilities.bounding == ["CAP_KILL"] and .capabilities.ambient == []'
	has '.rlimits == [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": null}]'
}

@test "mount options are the final ones" {
	config '.mounts += [{"destination": "/data", "type": "bind", "source": "data",
		"options": ["rbind", "ro", "rw", "nosuid", "rnoexec", "noatime", "rprivate", "slave"]}]'
	rt explain --format json
	[ "$status" = 0 ]
	has '.mounts[-1] == {"index": 7, "kind": "bind", "source": "'"$PWD"'/data", "destination": "/data",
		"options": ["rw", "nosuid", "noatime", "rnoexec"], "how": ["recursive"],
		"propagation": ["rprivate", "slave"], "data": []}'
}

@test "seccomp: counts by verdict" {
	config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
		"architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
		{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
		{"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]},
		{"names": ["exit_group"], "action": "SCMP_ACT_ALLOW"},
		{"names": ["ptrace"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}'
	rt explain --format json
	[ "$status" = 0 ]
	has '.seccomp.default == "SCMP_ACT_ERRNO" and .seccomp.errno == "ENOSYS"'
	has '.seccomp.architectures == ["SCMP_ARCH_X86_64"] and .seccomp.instructions > 5'
	has '.seccompRules == [{"action": "SCMP_ACT_ALLOW", "calls": 3, "byArguments": 1},
		{"action": "SCMP_ACT_ERRNO", "errno": "EPERM", "calls": 1, "byArguments": 0}]'
}

@test "nothing of it needs to be there, and nothing is made" {
	rmdir rootfs
	config '.process.apparmorProfile = "nobody-has-this" | .linux.namespaces[0].path = "/no/such"'
	run --separate-stderr strace -f -qq -e trace=open,openat,openat2,mkdir,mkdirat,mount,clone,clone3,unshare,setns,socket \
		-o trace.log "$R" --root "$state_root" explain
	[ "$status" = 0 ]
	sed -i '\|"/dev/null"|d' trace.log
	refute grep -E 'O_(WRONLY|RDWR|CREAT)|mkdir|mount\(|clone|unshare|setns|socket' trace.log
	nothing_left
}

@test "the text is the same without privilege" {
	[ "$(id -u)" = 0 ] || skip "needs root to compare with"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/b"
	rt explain
	local root_text=$output
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$R" --rootless false explain -f - <config.json
	[ "$status" = 0 ]
	[ "$output" = "$root_text" ]
}

@test "a document that is wrong: what create says" {
	config '.process.cwd = "x"'
	rt explain
	[ "$status" = 1 ]
	[ -z "$output" ]
	[[ $stderr == *"/process/cwd: Cwd must be an absolute path" ]]
	config '.process.cwd = "/" | .linux.resources.cpu.idle = 3'
	rt explain --format json
	[ "$status" = 1 ]
	[[ $stderr == *"/linux/resources/cpu/idle"* ]]
}

@test "a hostile document cannot speak to the terminal" {
	config '.process.args = ["\u001b[2J"] | .hostname = "a\u001bb"'
	rt explain
	[ "$status" = 0 ]
	[[ $output != *$'\e'* ]]
}

@test "colors on a terminal only, and not with NO_COLOR" {
	command -v script >/dev/null || skip "no script(1)"
	run script -qec "$R explain" /dev/null
	[[ $output == *$'\e[1mContainer\e[0m'* ]]
	NO_COLOR=1 run script -qec "$R explain" /dev/null
	[[ $output != *$'\e'* ]]
}

@test "seccomp: a program by annotation is told instead of the profile that it replaces" {
	config '.linux.seccomp = {"defaultAction": "SCMP_ACT_ERRNO"} | .annotations["run.oci.seccomp_bpf_data"] =
		"IAAAAAAAAAAVAAABUwAAAAYAAAAFAAUABgAAAAAA/38="'
	rt explain --format json
	[ "$status" = 0 ]
	has '.seccomp.program == "run.oci.seccomp_bpf_data" and .seccomp.instructions == 4'
	has '.seccomp | has("default") | not'
	has '.seccompRules == []'
}
