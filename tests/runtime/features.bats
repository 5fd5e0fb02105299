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

@test "mount options: sorted, once each, the recursive ones among them" {
	rt features
	jq -e '.mountOptions | . == unique' <<<"$output"
	jq -e '.mountOptions | . == sort' <<<"$output"
	jq -e '.mountOptions | index("rro") and index("rbind") and index("nosymfollow")' <<<"$output"
	# the engines' question and the option are one
	jq -e '.linux.mountExtensions.idmap.enabled == (.mountOptions | index("idmap") and index("ridmap"))' <<<"$output"
	# MUST and SHOULD of the specification, besides idmap and ridmap
	jq -e '("async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec
		noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave
		runbindable rw shared silent slave strictatime suid sync unbindable nosymfollow symfollow ratime rdev rdiratime
		rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow rrelatime rro rrw rstrictatime
		rsuid rsymfollow rnodev tmpcopyup" | split(" |\n|\t"; null) | map(select(. != ""))) - .mountOptions == []' \
		<<<"$output"
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
	jq -e '.linux.seccomp.actions == (["ALLOW","ERRNO","KILL","KILL_PROCESS","KILL_THREAD","LOG","NOTIFY","TRACE","TRAP"]
		| map("SCMP_ACT_" + .))' <<<"$output"
	jq -e '.linux.seccomp.operators == (["EQ","GE","GT","LE","LT","MASKED_EQ","NE"] | map("SCMP_CMP_" + .))' <<<"$output"
	jq -e '.linux.seccomp.archs | index("SCMP_ARCH_X86_64") and index("SCMP_ARCH_AARCH64")' <<<"$output"
	jq -e '.linux.seccomp.knownFlags | sort == (["LOG","SPEC_ALLOW","TSYNC","WAIT_KILLABLE_RECV"]
		| map("SECCOMP_FILTER_FLAG_" + .))' <<<"$output"
	jq -e '.linux.seccomp | (.supportedFlags - .knownFlags == []) and
		(.supportedFlags | index("SECCOMP_FILTER_FLAG_LOG"))' <<<"$output"
}

@test "cgroups: v2 alone" {
	rt features
	jq -e '.linux.cgroup | .v2 and (.v1 | not)' <<<"$output"
}

@test "security modules, resctrl, memory policies, network devices, annotations" {
	rt features
	jq -e '.linux | .apparmor.enabled and .selinux.enabled and .netDevices.enabled' <<<"$output"
	jq -e '.linux.intelRdt | .enabled and .schemata and .monitoring' <<<"$output"
	jq -e '.linux.memoryPolicy | (.modes | length == 7 and all(startswith("MPOL_")))
		and (.flags | length == 3 and all(startswith("MPOL_F_")))' <<<"$output"
	jq -e '.annotations["io.github.seccomp.libseccomp.version"] | test("^[0-9]+\\.[0-9]+\\.[0-9]+$")' <<<"$output"
	# not ours to give: the specification says so
	jq -e '.annotations | has("org.opencontainers.runc.commit") | not' <<<"$output"
	jq -e '.potentiallyUnsafeConfigAnnotations | index("run.oci.")' <<<"$output"
}

@test "the document is what the schema of the specification says" {
	rt features
	# the schema by hand: which members there are, and of which type
	jq -e '
		def strings: type == "array" and all(type == "string");
		def booleans(names): (keys - names == []) and all(type == "boolean");
		(keys - ["ociVersionMin","ociVersionMax","hooks","mountOptions","linux","annotations",
			"potentiallyUnsafeConfigAnnotations"] == [])
		and (.ociVersionMin, .ociVersionMax | type == "string" and test("^[0-9]+\\.[0-9]+\\.[0-9]+"))
		and (.hooks, .mountOptions, .potentiallyUnsafeConfigAnnotations | strings)
		and (.annotations | type == "object" and all(type == "string"))
		and (.linux | (keys - ["namespaces","capabilities","cgroup","seccomp","apparmor","selinux","intelRdt","memoryPolicy",
			"mountExtensions","netDevices"] == [])
			and (.namespaces, .capabilities | strings)
			and (.cgroup | booleans(["v1","v2","systemd","systemdUser","rdma"]))
			and (.intelRdt | booleans(["enabled","schemata","monitoring"]))
			and (.apparmor, .selinux, .netDevices, .mountExtensions.idmap | booleans(["enabled"]))
			and (.memoryPolicy | (keys == ["flags","modes"]) and all(strings))
			and (.seccomp | (.enabled | type == "boolean") and (del(.enabled) | all(strings))))' <<<"$output"
}
