#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SELinux labels of processes, enforced: tests/vm/selinux.cil is the policy of container_t.
load helpers

label=system_u:system_r:container_t:s0:c1,c2

# a root filesystem that the container may use
labelled() {
	chcon -R "system_u:object_r:container_file_t:${1:-s0:c1,c2}" "$ROOTFS"
	config_set '.process.selinuxLabel = $text' --arg text "$label"
}

@test "the process and its keyring have the label of config.json" {
	requires root selinux
	labelled
	probe_run label
	equals "$stdout" "$label"$'\n'"keyring $label"
	# how it is written does not matter to the kernel: it shows c1,c2 all the same
	config_set '.process.selinuxLabel = "system_u:system_r:container_t:s0:c1.c2"'
	probe_run label
	contains "$label" "$stdout"
}

@test "the label is enforced" {
	requires root selinux
	labelled
	echo mine >"$ROOTFS/etc/mine"
	echo theirs >"$ROOTFS/etc/theirs"
	echo host >"$ROOTFS/etc/host"
	chcon system_u:object_r:container_file_t:s0:c1,c2 "$ROOTFS/etc/mine"
	chcon system_u:object_r:container_file_t:s0:c3,c4 "$ROOTFS/etc/theirs"
	chcon system_u:object_r:shadow_t:s0 "$ROOTFS/etc/host"
	probe_run cat /etc/mine
	equals "$stdout" mine
	for file in theirs host; do
		probe cat "/etc/$file"
		fails run -b "$BUNDLE" "$ID"
		contains "/etc/$file: Permission denied"
	done
}

@test "with and without no_new_privs, for a plain user, with a filter" {
	requires root selinux seccomp
	labelled
	config_set '.process.user = { "uid": 5, "gid": 5 }
		| .linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [] }'
	for privileges in true false; do
		config_set ".process.noNewPrivileges = $privileges"
		probe_run label then nnp
		contains "$label" "$stdout"
	done
}

@test "exec has the container's label, or its own" {
	requires root selinux
	labelled
	start_container
	ok exec "$ID" /bin/probe label
	contains "$label" "$stdout"
	ok exec --process-label "system_u:system_r:container_t:s0:c1,c2,c9" "$ID" /bin/probe label
	contains "container_t:s0:c1,c2,c9" "$stdout"
	jq -n '{ args: ["/bin/probe", "label"], cwd: "/", selinuxLabel: "system_u:system_r:container_t:s0:c1,c2,c5" }' \
		>"$WORK/process.json"
	ok exec -p "$WORK/process.json" "$ID"
	contains "container_t:s0:c1,c2,c5" "$stdout"
	FAILS_WITH=255 fails exec --process-label system_u:system_r:nothing_t:s0 "$ID" /bin/probe label
	contains "system_u:system_r:nothing_t:s0"
}

@test "a label that the policy does not know is an error, and nothing is left" {
	requires root selinux
	labelled
	config_set '.process.selinuxLabel = "not:a:label:s0"'
	fails run -b "$BUNDLE" "$ID"
	contains "not:a:label:s0"
	contains "invalid argument"
	[ ! -e "$ROOT/$ID" ]
}

@test "a label in a user namespace" {
	requires root selinux user_namespace
	config_set '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$ROOTFS"
	labelled
	probe_run label
	contains "$label" "$stdout"
}

@test "without a label the container is what its caller is" {
	requires root selinux
	labelled
	config_set 'del(.process.selinuxLabel)'
	probe_run label
	contains "$(tr -d '\0' </proc/self/attr/current)" "$stdout"
}
