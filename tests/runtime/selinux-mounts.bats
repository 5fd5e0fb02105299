#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.mountLabel where SELinux is on (./dev check --full: the selinux lane), and where it is not.
load helpers

mount_label=system_u:object_r:container_file_t:s0:c1,c2

needs_selinux() {
	requires root
	[ -e /sys/fs/selinux/enforce ] || skip "needs SELinux"
	printf %s "$mount_label" >/sys/fs/selinux/context 2>/dev/null || skip "needs a policy with container_file_t"
	config_set '.linux.mountLabel = $text' --arg text "$mount_label"
}

# label PATH: of what the container has there
label() {
	stat -c %C "/proc/$(container_pid)/root$1"
}

@test "new file systems, mqueue and masks get the label of mounts" {
	needs_selinux
	config_set '.linux.maskedPaths += ["/etc"] | .mounts += [{ destination: "/tmp", type: "tmpfs", source: "tmpfs" }]'
	start_container
	for path in /dev /dev/shm /dev/pts /dev/mqueue /tmp /etc; do
		echo "$path"
		equals "$(label $path)" "$mount_label"
	done
	for path in /proc /sys /sys/fs/cgroup; do
		lacks container_file_t "$(label $path)"
	done
}

@test "a bind keeps the labels of its source" {
	needs_selinux
	mkdir "$WORK/source"
	chcon system_u:object_r:tmp_t:s0 "$WORK/source"
	config_set '.mounts += [{ destination: "/tmp", type: "bind", source: $source, options: ["bind"] }]' --arg source "$WORK/source"
	start_container
	contains ":tmp_t:" "$(label /tmp)"
}

@test "the kind of label is that of crun's annotation" {
	needs_selinux
	config_set '.mounts |= map(select(.type != "devpts"))'
	for type in context fscontext rootcontext; do
		config_set '.annotations["run.oci.mount_context_type"] = $type' --arg type "$type"
		probe_run mounts
		contains "$type=" "$(awk '$5 == "/dev/shm" { print $NF }' <<<"$stdout")"
	done
	# the kernel has a default context for file systems with xattrs only
	config_set '.annotations["run.oci.mount_context_type"] = "defcontext"'
	fails run -b "$BUNDLE" "$ID"
	contains 'error mounting "tmpfs"'
	contains "invalid argument"
}

@test "an option of the mount itself wins over the label" {
	needs_selinux
	config_set '.mounts |= map(if .destination == "/dev/shm" then .options += ["context=\"system_u:object_r:tmp_t:s0:c3,c4\""] else . end)'
	start_container
	equals "$(label /dev/shm)" system_u:object_r:tmp_t:s0:c3,c4
}

@test "a label that the policy does not know is an error" {
	needs_selinux
	config_set '.linux.mountLabel = "not:a:known:label"'
	fails run -b "$BUNDLE" "$ID"
	contains "error mounting"
	contains "not:a:known:label"
}

@test "a kind of label that is none is refused with its place" {
	requires ours
	config_set '.linux.mountLabel = "a:b:c:s0" | .annotations["run.oci.mount_context_type"] = "nonsense"'
	fails run -b "$BUNDLE" "$ID"
	contains 'unknown type of context "nonsense"'
	contains "/annotations/run.oci.mount_context_type"
}

@test "a label without SELinux is refused" {
	requires ours
	[ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is on"
	config_set '.linux.mountLabel = "a:b:c:s0"'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/mountLabel: selinux label is specified in config, but selinux is disabled or not supported"
}
