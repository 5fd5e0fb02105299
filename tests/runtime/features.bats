#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# features: what engines ask before they use something.

load cli

@test "one JSON object, nothing on stderr" {
	rt --debug features
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	jq -e 'type == "object"' <<<"$output"
	rt features extra
	[ "$status" = 1 ]
}

@test "versions and hooks" {
	rt features
	[ "$(jq -r .ociVersionMin <<<"$output")" = 1.0.0 ]
	[ "$(jq -r .ociVersionMax <<<"$output")" = "$("$R" --version | sed -n 's/^spec: //p')" ]
	jq -e '.hooks | sort == (["prestart","createRuntime","createContainer","startContainer",
		"poststart","poststop"] | sort)' <<<"$output"
}

@test "mount options: sorted, the recursive ones among them, and not what is not done yet" {
	rt features
	jq -e '.mountOptions | . == sort' <<<"$output"
	jq -e '.mountOptions | index("rro") and index("rbind") and index("nosymfollow")' <<<"$output"
	jq -e '(.mountOptions | index("idmap") | not) and
		.linux.mountExtensions.idmap.enabled == false' <<<"$output"
}

@test "namespaces and capabilities" {
	rt features
	jq -e '.linux.namespaces | sort == ["cgroup","ipc","mount","network","pid","time","user","uts"]' <<<"$output"
	jq -e '.linux.capabilities | length >= 41 and .[0] == "CAP_CHOWN"
		and all(test("^CAP_[A-Z_]+$"))' <<<"$output"
}

@test "seccomp: actions, operators, architectures, flags" {
	rt features
	jq -e '.linux.seccomp.enabled' <<<"$output"
	jq -e '.linux.seccomp.actions | index("SCMP_ACT_ERRNO") and index("SCMP_ACT_ALLOW")' <<<"$output"
	jq -e '.linux.seccomp.actions | index("SCMP_ACT_NOTIFY") | not' <<<"$output"
	jq -e '.linux.seccomp.operators | length == 7' <<<"$output"
	jq -e '.linux.seccomp.archs | index("SCMP_ARCH_X86_64") and index("SCMP_ARCH_AARCH64")' <<<"$output"
	jq -e '.linux.seccomp | (.supportedFlags - .knownFlags == []) and
		(.supportedFlags | index("SECCOMP_FILTER_FLAG_LOG"))' <<<"$output"
}

@test "cgroups: v2 alone" {
	rt features
	jq -e '.linux.cgroup | .v2 and (.v1 | not)' <<<"$output"
}
