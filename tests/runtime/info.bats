#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# info: what it says is what is so.
load helpers

@test "info says what is so, in JSON" {
	requires ours
	ok info --format json
	equals "$(jq -r .program.version <<<"$stdout")" \
		"$("$RUNTIME" --version | awk 'NR == 1 { print $3 }')"
	equals "$(jq -r .program.executable <<<"$stdout")" "$(readlink -f "$RUNTIME")"
	contains "libseccomp $("$RUNTIME" --version | sed -n 's/^libseccomp: //p')" "$(jq -r '.program.libraries[]' <<<"$stdout")"
	equals "$(jq -r .places.root <<<"$stdout")" "$ROOT"
	equals "$(jq -r .kernel.release <<<"$stdout")" "$(uname -r)"
	equals "$(jq -r .cgroup.mount <<<"$stdout")" "$CGROUP_ROOT"
	equals "$(jq -r '.cgroup.controllers | join(" ")' <<<"$stdout")" "$(cat "$CGROUP_ROOT/cgroup.controllers")"
	equals "$(jq -r .security.rootless <<<"$stdout")" "$([ "$(id -u)" = 0 ] && echo false || echo true)"
	contains kill_process "$(jq -r '.security.seccompActions | join(" ")' <<<"$stdout")"
	equals "$(jq -r '.kernel.namespaces | index("mount") != null' <<<"$stdout")" true
	equals "$(jq -r 'keys_unsorted | join(" ")' <<<"$stdout")" "program places kernel cgroup security criu"
}

@test "info knows the mode of cgroups and the manager that was asked for" {
	requires ours
	local mode=unified
	! grep -q ' - cgroup ' /proc/self/mountinfo || mode=hybrid
	RT_GLOBAL=(--cgroup-manager disabled)
	ok info --format json
	equals "$(jq -r .cgroup.mode <<<"$stdout")" $mode
	equals "$(jq -r .cgroup.manager <<<"$stdout")" disabled
}

@test "info in words" {
	requires ours
	ok info
	contains "Program"
	contains "$(uname -r)"
	[ ! -e "$ROOT" ]
	fails info --format yaml
	contains "yaml"
}

@test "info says which criu there is, or why there is none" {
	requires ours
	mkdir "$WORK/path"
	PATH=$WORK/path "$RUNTIME" info >"$WORK/none"
	grep -q 'need the program "criu"' "$WORK/none"
	ln -s "$ORLOP_SOURCE/tests/helpers/fake-criu" "$WORK/path/criu"
	PATH=$WORK/path:$PATH
	ok info --format json
	equals "$(jq -c .criu <<<"$stdout")" '{"available":true,"version":"4.2.0"}'
}
