#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The runtime inside one of its own containers, as in kind, in a build in a pod, in docker's dind; and a
# container in the namespaces of a pod, as kubelets ask for with hostUsers: false.

load helpers

setup() {
	setup_work
	setup_bundle
	inner_bundle
}

# The outer container has the runtime as /bin/runtime, and the bundle of the inner one as /inner.
inner_bundle() {
	[ "$(id -u)" = 0 ] || return 0
	mkdir "$WORK/inner"
	cp -a "$BUNDLE/." "$WORK/inner"
	mv "$WORK/inner" "$ROOTFS/inner"
	cp "$RUNTIME" "$ROOTFS/bin/runtime"
}

# inner_config FILTER [JQ-ARGS]: of the inner container's config.json
inner_config() {
	local BUNDLE=$ROOTFS/inner
	config_set "$@"
}

# As docker run --privileged: all capabilities, nothing masked, the cgroup files writable.
privileged() {
	local capabilities
	capabilities=$(setpriv --dump | sed -n 's/^Capability bounding set: //p' |
		jq -cR 'split(",") | map("CAP_" + ascii_upcase)')
	config_set '.process.capabilities |= with_entries(.value = $all) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .mounts |= map(if .options then .options -= ["ro"] else . end)' --argjson all "$capabilities"
}

nested() {
	process_args /bin/runtime --root /dev/shm/state "$@"
}

@test "nested: a container in a privileged container, and nothing of it stays" {
	requires root ours
	privileged
	nested run -b /inner inner
	inner_config '.process.args = ["/bin/probe", "echo", "deep inside"]'
	ok run -b "$BUNDLE" "$ID"
	equals "$stdout" "deep inside"
	equals "$stderr" ""
}

@test "nested: exec, state, kill and delete from within" {
	requires root ours
	privileged
	inner_config '.process.args = ["/bin/probe", "sleep"]'
	start_container
	inside() {
		ok exec "$ID" /bin/runtime --root /dev/shm/state "$@"
	}
	inside create -b /inner inner
	inside start inner
	inside exec inner /bin/probe echo in
	equals "$stdout" in
	inside state inner
	contains '"running"' "$stdout"
	inside delete --force inner
	rt exec "$ID" /bin/runtime --root /dev/shm/state state inner
	[ "$status" -ne 0 ]
}

@test "nested: an inner container in a user namespace of its own" {
	requires root ours user_namespace
	privileged
	nested run -b /inner inner
	inner_config '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 1000, "size": 10 }] | .linux.gidMappings = .linux.uidMappings
		| .process.args = ["/bin/probe", "id", "then", "cat", "/proc/self/uid_map"]'
	ok run -b "$BUNDLE" "$ID"
	contains "uid=0 gid=0" "$stdout"
	contains 1000 "$stdout"
}

@test "nested: where cgroups are read-only, without a cgroup, or with an error that says so" {
	requires root ours
	privileged
	config_set '.mounts |= map(if .type == "cgroup" then .options += ["ro"] else . end)'
	nested run -b /inner inner
	fails run -b "$BUNDLE" "$ID"
	contains "cgroup" "$stderr"
	contains "read-only file system" "$stderr"
	process_args /bin/runtime --root /dev/shm/state --cgroup-manager disabled run -b /inner inner
	inner_config '.process.args = ["/bin/probe", "echo", "without"]'
	ok run -b "$BUNDLE" "$ID"
	equals "$stdout" without
}

@test "nested: a limit where the outer container's processes are in the way says so, and works when they are not" {
	local controller=memory limits='{ "memory": { "limit": 67108864 } }'
	requires root ours
	if ! grep -qw memory "$CGROUP_ROOT/cgroup.controllers"; then # a hybrid host may have the other
		requires cgroup_controller hugetlb
		controller=hugetlb limits='{ "hugepageLimits": [{ "pageSize": "2MB", "limit": 4194304 }] }'
	fi
	privileged
	inner_config '.linux.resources += $limits | .process.args = ["/bin/probe", "echo", "limited"]' \
		--argjson limits "$limits"
	nested run -b /inner inner
	fails run -b "$BUNDLE" "$ID"
	contains "needs the controller \"$controller\", which \"/sys/fs/cgroup\" cannot pass on while it has processes of its own" \
		"$stderr"

	# what the first process of such a container does: it moves into a cgroup below, and exec goes after it
	start_container mkdir /sys/fs/cgroup/init then write /sys/fs/cgroup/init/cgroup.procs 1 \
		then write /sys/fs/cgroup/cgroup.subtree_control "+$controller" then sleep
	wait_for 5 moved_below "$(container_pid)" "$controller"
	ok exec "$ID" /bin/runtime --root /dev/shm/state run -b /inner inner
	equals "$stdout" limited
}

# moved_below PID CONTROLLER: and has passed it on
moved_below() {
	local place
	place=$CGROUP_ROOT$(sed -n 's/^0:://p' "/proc/$1/cgroup")
	[ "${place##*/}" = init ] && grep -qw "$2" "${place%/init}/cgroup.subtree_control"
}

@test "nested: a masked /proc of the outer container shows through no user namespace, and the error says which part" {
	requires root ours user_namespace
	nested --cgroup-manager disabled run -b /inner inner
	config_set '.process.capabilities[] |= (. + ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_SETGID",
		"CAP_SETUID", "CAP_SETPCAP", "CAP_NET_RAW", "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_SETFCAP"] | unique)'
	inner_config '.linux.namespaces |= (map(select(.type != "network" and .type != "cgroup")) + [{ "type": "user" }])
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 0, "size": 1 }] | .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(select(.type | IN("sysfs", "cgroup") | not)) | del(.linux.resources) | del(.process.rlimits)'
	fails run -b "$BUNDLE" "$ID"
	contains "parts of the visible one are covered: /proc/" "$stderr"
}

@test "a pod with users of its own: namespaces by path, a cgroup namespace and mounts anew, a mapped volume" {
	requires root user_namespace kernel 5.19
	local pid volume=$WORK/volume
	mkdir "$volume"
	touch "$volume/file"
	chown 5:6 "$volume/file"
	config_set '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }] | .linux.gidMappings = .linux.uidMappings'
	chown 100000:100000 "$ROOTFS" "$ROOTFS/tmp"
	start_container
	pid=$(container_pid)
	config_set '.linux.namespaces |= map(if .type | IN("user", "network", "ipc", "uts", "pid") then
			. + { path: "/proc/\($pid)/ns/\(if .type == "network" then "net" else .type end)" } else . end)
		| del(.hostname)
		| .mounts += [{ destination: "/tmp", source: $volume, options: ["rbind"],
			uidMappings: .linux.uidMappings, gidMappings: .linux.gidMappings }]' \
		--argjson pid "$pid" --arg volume "$volume"
	probe namespaces then id then pid then stat /tmp/file then write /tmp/new
	ok run -b "$BUNDLE" "$ID-2"
	for ns in user net ipc uts pid; do
		contains "$ns $(readlink "/proc/$pid/ns/$ns")" "$stdout"
	done
	lacks "cgroup $(readlink "/proc/$pid/ns/cgroup")" "$stdout"
	lacks "mnt $(readlink "/proc/$pid/ns/mnt")" "$stdout"
	contains "uid=0 gid=0" "$stdout"
	contains "/tmp/file 100644 5:6" "$stdout"
	equals "$(stat -c %u:%g "$volume/new")" 0:0
}
