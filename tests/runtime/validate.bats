#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# validate: all that is wrong with a config.json, where, and by which rule.

load cli

setup() {
	bundle
}

# finding RULE POINTER: the JSON output has exactly one like this
finding() {
	[ "$(jq --arg rule "$1" --arg pointer "$2" \
		'[.[] | select(.rule == $rule and .pointer == $pointer)] | length' <<<"$output")" = 1 ]
}

@test "nothing is wrong with what spec writes" {
	rt validate
	[ "$status" = 0 ]
	[ "$output" = "config.json: valid" ]
	[ -z "$stderr" ]
	rt validate --format json
	[ "$status" = 0 ]
	[ "$(jq -c . <<<"$output")" = "[]" ]
	nothing_left
}

@test "everything is reported, in the order of the document, and nothing is made" {
	config '.process.cwd = "x" | .process.env += ["A"] | .ociVersion = "3" | .hostname = 5'
	rt validate --format json
	[ "$status" = 1 ]
	[ -z "$stderr" ]
	[ "$(jq length <<<"$output")" = 4 ]
	jq -e '[.[].line] | . == sort' <<<"$output"
	jq -e 'all(.[]; .file == "config.json" and .severity == "error" and .column > 0 and .message != "")' <<<"$output"
	finding version /ociVersion
	finding json-type /hostname
	finding process-cwd /process/cwd
	finding process-env "/process/env/$(($(jq '.process.env | length' config.json) - 1))"
	# the place is that of the value
	[ "$(sed -n "$(jq '.[] | select(.rule == "process-cwd").line' <<<"$output")p" config.json | tr -d '\t ,')" = '"cwd":"x"' ]
	nothing_left
}

@test "text: place, severity, pointer, message, rule, excerpt, and a line that counts" {
	printf '%s\n' '{ "ociVersion": "1.0.0", "root": { "path": "r" },' \
		'  "process": { "cwd": "x", "args": [] } }' >config.json
	rt validate
	[ "$status" = 1 ]
	[ "${lines[0]}" = 'config.json:2:23: error: /process/cwd: Cwd must be an absolute path [process-cwd]' ]
	[ "${lines[1]}" = '     2 | "process": { "cwd": "x", "args": [] } }' ]
	[ "${lines[2]}" = '       |                     ^~~' ]
	[ "${lines[6]}" = 'config.json: 2 errors' ]
}

@test "the first finding of the rules is what create says" {
	config '.process.cwd = "x" | .linux.sysctl = {"vm.swappiness": "1"}'
	rt validate --format json
	local pointer message
	pointer=$(jq -r '.[0].pointer' <<<"$output") message=$(jq -r '.[0].message' <<<"$output")
	rt create c1
	[ "$status" = 1 ]
	[[ $stderr == *"$pointer: $message" ]]
}

@test "from a file, a bundle, and stdin" {
	mkdir elsewhere
	mv config.json elsewhere/other.json
	config_of() { jq '.process.cwd = "x"' elsewhere/other.json; }
	rt validate
	[ "$status" = 1 ]
	[ "$stderr" = 'open "config.json": no such file or directory' ]
	rt validate -f elsewhere/other.json
	[ "$output" = "elsewhere/other.json: valid" ]
	mv elsewhere/other.json elsewhere/config.json
	rt validate -b elsewhere
	[ "$output" = "elsewhere/config.json: valid" ]
	run bash -c "'$R' validate - <elsewhere/config.json"
	[ "$output" = "stdin: valid" ]
	run bash -c "jq '.root = 1' elsewhere/config.json | '$R' validate --format json -"
	[ "$status" = 1 ]
	[ "$(jq -r '.[0].file' <<<"$output")" = stdin ]
	rt validate elsewhere/config.json
	[ "$status" = 1 ]
	[[ $stderr == *'the only argument is "-"'* ]]
}

@test "broken JSON is one finding, with exit status 1" {
	printf '{ "ociVersion": "1.0.0", "process": { "args": [ }' >config.json
	rt validate --format json
	[ "$status" = 1 ]
	[ "$(jq -r '.[].rule' <<<"$output")" = json-syntax ]
	: >config.json
	rt validate
	[ "$status" = 1 ]
}

@test "a hostile document cannot speak to the terminal" {
	config '.process.cwd = "\u001b]0;title\u0007"'
	rt validate
	[ "$status" = 1 ]
	[[ $output != *$'\e'* ]]
	[[ $output != *$'\a'* ]]
}

@test "what no plan can be made of is found, too" {
	config '.linux.resources.memory.swap = 5 | .linux.resources.cpu.idle = 7
		| .mounts += [{"destination": "/proc/sys", "type": "tmpfs", "source": "x"}]'
	rt validate --format json
	[ "$status" = 1 ]
	finding plan /linux/resources/memory/swap
	finding plan "/mounts/$(($(jq '.mounts | length' config.json) - 1))"
}

@test "what only cgroup v1 has is a warning, and the document is valid" {
	config '.linux.resources.memory.swappiness = 5 | .linux.resources.network.classID = 7'
	rt validate --format json
	[ "$status" = 0 ]
	finding plan /linux/resources/memory/swappiness
	finding plan /linux/resources/network/classID
	jq -e 'all(.[]; .severity == "warning")' <<<"$output"
	rt validate
	[ "$status" = 0 ]
	[[ $output == *"warning: /linux/resources/network/classID: classID is ignored: cgroup v2 has none [plan]"* ]]
	[[ $output == *$'\nconfig.json: valid, 2 warnings' ]]
	config '.process.cwd = "x"'
	rt validate
	[ "$status" = 1 ]
	[[ $output == *$'\nconfig.json: 1 error, 2 warnings' ]]
}

@test "what the plan and the host lack is found beside broken rules, each place once" {
	config '.process.cwd = "x" | .linux.resources.memory.swappiness = 5 | .linux.resources.memory.kernel = 7
		| .mounts += [{"destination": "/proc/sys", "type": "tmpfs", "source": "x"},
			{"destination": "/x", "type": "bind", "source": "/no/such/source", "options": ["bind"]},
			{"destination": "/proc/x", "type": "tmpfs", "source": "x"}]
		| .hooks = {"prestart": [{"path": "x"}, {"path": "/no/such/hook"}]} | .hostname = 5'
	rt validate --host --format json
	[ "$status" = 1 ]
	local mounts
	mounts=$(jq '.mounts | length' config.json)
	finding json-type /hostname
	finding process-cwd /process/cwd
	finding hooks /hooks/prestart/0/path
	finding plan /linux/resources/memory/swappiness
	finding plan /linux/resources/memory/kernel
	finding plan "/mounts/$((mounts - 3))"
	finding plan "/mounts/$((mounts - 1))"
	finding host-mounts "/mounts/$((mounts - 2))/source"
	finding host-hooks /hooks/prestart/1/path
	jq -e '[.[].pointer] | . == unique or (length == (unique | length))' <<<"$output"
	nothing_left
	# a text that is no JSON is no reason to ask the host
	printf '{' >config.json
	rt validate --host --format json
	[ "$(jq length <<<"$output")" = 1 ]
}

@test "no rootfs and no labels of this host are needed" {
	rmdir rootfs
	config '.process.selinuxLabel = "a:b:c:s0" | .process.apparmorProfile = "nobody-has-this"'
	rt validate
	[ "$status" = 0 ]
}

@test "--host: what this host cannot give" {
	rmdir rootfs
	config '.mounts += [{"destination": "/x", "type": "bind", "source": "/no/such/source", "options": ["bind"]}]
		| .hooks = {"prestart": [{"path": "/no/such/hook"}], "poststop": [{"path": "/etc/passwd"}],
			"startContainer": [{"path": "/in/the/container"}]}
		| .linux.namespaces |= map(if .type == "network" then .path = "/no/such/ns"
			elif .type == "ipc" then .path = "/proc/self/ns/uts" else . end)
		| .linux.sysctl = {"net.no.such": "1"}'
	rt validate
	[ "$status" = 0 ]
	rt validate --host --format json
	[ "$status" = 1 ]
	jq -e 'all(.[]; .severity == "host")' <<<"$output"
	finding host-rootfs /root/path
	finding host-mounts "/mounts/$(($(jq '.mounts | length' config.json) - 1))/source"
	finding host-hooks /hooks/prestart/0/path
	finding host-hooks /hooks/poststop/0/path
	refute grep -q startContainer <<<"$output"
	finding host-namespaces "/linux/namespaces/$(jq '.linux.namespaces | map(.type) | index("network")' config.json)/path"
	finding host-namespaces "/linux/namespaces/$(jq '.linux.namespaces | map(.type) | index("ipc")' config.json)/path"
	finding host-sysctl /linux/sysctl/net.no.such
	rt validate --host
	[[ $output == *"things that this host cannot give" ]]
	[[ $output == *'source "/no/such/source": no such file or directory [host-mounts]'* ]]
}

@test "--host: security modules that are not there" {
	[ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is there"
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || skip "AppArmor is there"
	config '.process.selinuxLabel = "a:b:c:s0" | .process.apparmorProfile = "p"'
	rt validate --host --format json
	[ "$status" = 1 ]
	finding host-lsm /process/selinuxLabel
	finding host-lsm /process/apparmorProfile
}

@test "--host: capabilities and limits that the caller does not have" {
	config '.process.capabilities.bounding = ["CAP_SYS_ADMIN", "CAP_KILL"]
		| .process.rlimits = [{"type": "RLIMIT_NOFILE", "hard": 20, "soft": 20},
			{"type": "RLIMIT_NPROC", "hard": 99999999999, "soft": 5}]'
	if [ "$(id -u)" = 0 ]; then
		run --separate-stderr bash -c 'ulimit -Hu 1000; ulimit -n 64; exec setpriv \
			--bounding-set=-sys_admin,-sys_resource --inh-caps=-all \
			"$@"' - "$R" --root "$state_root" validate --host --format json
	else
		run --separate-stderr bash -c 'ulimit -Hu 1000; exec "$@"' - "$R" --root "$state_root" validate --host --format json
	fi
	[ "$status" = 1 ]
	finding host-capabilities /process/capabilities/bounding ||
		[ "$(jq '[.[] | select(.rule == "host-capabilities")] | length' <<<"$output")" -ge 1 ]
	finding host-rlimits /process/rlimits/1/hard
}

@test "--host: controllers that cgroup2 does not have here" {
	local mount
	mount=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	[ -n "$mount" ] || skip "no cgroup2"
	! grep -qw memory "$mount/cgroup.controllers" || skip "the memory controller is there"
	config '.linux.resources.memory.limit = 100000000'
	rt validate --host --format json
	[ "$status" = 1 ]
	finding host-cgroup /linux/resources/memory/limit
}

@test "an unknown form of the output" {
	rt validate --format xml
	[ "$status" = 1 ]
	[ "$stderr" = "invalid format: xml (text or json)" ]
}

@test "fast also for 100,000 mistakes" {
	jq -c '.process.env = [range(100000) | "A"]' config.json >config.new && mv config.new config.json
	rt validate --format json
	[ "$status" = 1 ]
	[ "$(jq length <<<"$output")" = 1000 ]
	rt validate
	[[ ${lines[-1]} == "config.json: 1000 errors, and more that are not shown" ]]
}
