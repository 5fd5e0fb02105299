#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.sysctl: which names belong to which namespace, both ways to write them, and what is refused.
load helpers

without_namespace() {
	config_set '.linux.namespaces |= map(select(.type != $type))' --arg type "$1"
}

@test "kernel parameters of each namespace are set in the container, and nowhere else" {
	requires root user_namespace
	before=$(cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmni /proc/sys/kernel/domainname)
	config_set '.linux.sysctl = { "net.ipv4.ip_default_ttl": "33", "kernel.shmmni": "777", "kernel.domainname": "inside.example",
		"kernel.msgmax": "9000", "kernel.sem": "250 32000 100 100", "kernel.shm_rmid_forced": "1", "fs.mqueue.msg_max": "11" }'
	probe_run cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmni /proc/sys/kernel/msgmax \
		/proc/sys/kernel/shm_rmid_forced /proc/sys/fs/mqueue/msg_max then hostname
	equals "$(head -5 <<<"$stdout" | tr '\n' ' ')" "33 777 9000 1 11 "
	contains inside.example "$stdout"
	equals "$(cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmni /proc/sys/kernel/domainname)" "$before"
}

@test "user.* belongs to a user namespace" {
	requires root user_namespace
	config_set '.linux.sysctl = { "user.max_mnt_namespaces": "5" }'
	fails run -b "$BUNDLE" "$ID"
	contains 'sysctl "user.max_mnt_namespaces" is not in a separate kernel namespace'
	config_set '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }] | .linux.gidMappings = .linux.uidMappings'
	probe_run cat /proc/sys/user/max_mnt_namespaces
	equals "$stdout" 5
}

@test "both separators work, and the other one is then part of a name" {
	requires root
	config_set '.linux.sysctl = { "net/ipv4/ip_default_ttl": "34", "net.ipv4.conf.lo.rp_filter": "2", "net/ipv4/conf/lo/forwarding": "1" }'
	probe_run cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/net/ipv4/conf/lo/rp_filter /proc/sys/net/ipv4/conf/lo/forwarding
	equals "$(tr '\n' ' ' <<<"$stdout")" "34 2 1 "
}

@test "a parameter whose namespace is the host's is refused" {
	requires ours
	config_set '.mounts |= map(select(.type | IN("sysfs", "mqueue") | not)) | del(.hostname)'
	cp "$BUNDLE/config.json" "$WORK/good.json"
	while read -r type name; do
		cp "$WORK/good.json" "$BUNDLE/config.json"
		without_namespace "$type"
		config_set '.linux.sysctl = { ($name): "1" }' --arg name "$name"
		fails run -b "$BUNDLE" "$ID"
		contains "is not in a separate kernel namespace"
		contains "$name"
	done <<-END
		network net.ipv4.ip_forward
		network net/ipv4/ip_forward
		ipc kernel.shmmax
		ipc fs.mqueue.msg_max
		uts kernel.domainname
	END
	cp "$WORK/good.json" "$BUNDLE/config.json"
	config_set '.linux.namespaces |= map(if .type == "network" then . + { path: "/proc/self/ns/net" } else . end)
		| .linux.sysctl = { "net.ipv4.ip_forward": "1" }'
	fails run -b "$BUNDLE" "$ID"
	contains "is not in a separate kernel namespace"
}

@test "names of the host, of no namespace, or that lead elsewhere are refused" {
	requires ours
	for name in kernel.panic vm.swappiness fs.file-max kernel.shmmax.x kernel.shm net fs.mqueue net..x net.ipv4. /net/ipv4/ip_forward \
		net/../kernel/panic net/./x "net.ipv4.ip_forward/../x" ""; do
		config_set '.linux.sysctl = { ($name): "1" }' --arg name "$name"
		fails run -b "$BUNDLE" "$ID"
		contains "sysctl"
	done
	config_set '.linux.sysctl = { "kernel.hostname": "x" }'
	fails run -b "$BUNDLE" "$ID"
	contains 'sysctl "kernel.hostname" conflicts'
	config_set '.linux.sysctl = { "kernel/hostname": "x" }'
	fails run -b "$BUNDLE" "$ID"
	contains 'sysctl "kernel/hostname" conflicts'
}

@test "what the kernel refuses is told with name and value" {
	requires root
	config_set '.linux.sysctl = { "net.ipv4.ip_default_ttl": "99999" }'
	fails run -b "$BUNDLE" "$ID"
	contains 'write "99999" to kernel parameter "net/ipv4/ip_default_ttl"'
	config_set '.linux.sysctl = { "net.ipv4.no_such": "1" }'
	fails run -b "$BUNDLE" "$ID"
	contains "net/ipv4/no_such"
	contains "no such file or directory"
	[ ! -e "$ROOT/$ID" ]
}
