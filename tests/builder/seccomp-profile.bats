#!/usr/bin/env bats
# Our seccomp profile gives the same verdicts as the one that containers-common installs, whatever
# capabilities a container has. Both files are reduced to the same form by jq and compared.

ours=$ORLOP_SOURCE/builder/build/seccomp.json
theirs=/usr/share/containers/seccomp.json

setup() {
	[ -r "$theirs" ] || skip "$theirs (Debian: golang-github-containers-common) is missing"
}

# name -> the rules that apply, in order; without conditions the first one is the verdict
reduce='
	def verdicts: group_by(.name) | map({ key: .[0].name, value: (
		map(select(.args == [])) as $plain
		| if $plain != [] then $plain[0].action
		  else map({ action, args }) | unique end) }) | from_entries;'

their_verdicts() { # CAPS-as-JSON
	jq -S --argjson caps "$1" "$reduce"'
		[.syscalls[]
		| select((.includes.caps // []) - $caps == [])
		| select((.excludes.caps // []) - ((.excludes.caps // []) - $caps) == [])
		| select(.includes.arches == null or (.includes.arches | index("amd64")))
		| . as $rule | .names[]
		| { name: ., action: (if $rule.action == "SCMP_ACT_ALLOW" then "allow" else $rule.errnoRet end),
		    args: [($rule.args // [])[] | { index, op, value }] }] | verdicts' "$theirs"
}

our_verdicts() {
	jq -S --argjson caps "$1" "$reduce"'
		{ "EPERM": 1, "EINVAL": 22, "ENOSYS": 38 } as $numbers
		| [.rules[]
		| select(.with == null or (.with as $c | $caps | index($c)))
		| select(.without == null or (.without as $c | $caps | index($c) | not))
		| select(.arch == null or (.arch | index("x86_64")))
		| . as $rule | (.allow // .refuse)[]
		| { name: ., action: (if $rule.allow then "allow" else $numbers[$rule.errno] end),
		    args: ($rule.when // []) }] | verdicts' "$ours"
}

compare() {
	diff <(their_verdicts "$1") <(our_verdicts "$1")
	# not trivially equal: there is something in it
	[ "$(our_verdicts "$1" | jq length)" -gt 400 ]
}

@test "the default is ENOSYS in both" {
	[ "$(jq -r .default "$ours")" = ENOSYS ]
	[ "$(jq -r .defaultErrno "$theirs")" = ENOSYS ]
}

@test "same verdicts with the default capabilities" {
	compare '["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FSETID","CAP_FOWNER","CAP_MKNOD","CAP_NET_RAW",
		"CAP_SETGID","CAP_SETUID","CAP_SETFCAP","CAP_SETPCAP","CAP_NET_BIND_SERVICE",
		"CAP_SYS_CHROOT","CAP_KILL","CAP_AUDIT_WRITE"]'
}

@test "same verdicts with no capability" {
	compare '[]'
}

@test "same verdicts with each capability that opens something" {
	for cap in DAC_READ_SEARCH SYS_ADMIN SYS_CHROOT SYS_MODULE SYS_PACCT SYS_PTRACE SYS_RAWIO \
		SYS_TIME SYS_TTY_CONFIG AUDIT_WRITE; do
		compare "[\"CAP_$cap\"]"
	done
}
