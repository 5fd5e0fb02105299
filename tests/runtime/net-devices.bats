#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.netDevices: devices of the host move into the container's network namespace. The "host" of
# these tests is a network namespace of their own, so that the machine's devices stay where they are.
load helpers

setup() {
	setup_work
	setup_bundle
	requires root program ip program nsenter
	unshare -n sleep 1000 3>&- &
	HOST=$!
	wait_for 5 has_own_network
	cat >"$WORK/runtime" <<-END
		#!/bin/sh
		exec nsenter --net=/proc/$HOST/ns/net -- "$RUNTIME" "\$@"
	END
	chmod 755 "$WORK/runtime"
	RUNTIME=$WORK/runtime
	host_ip link set lo up
	host_ip link add veth-host type veth peer name veth-peer
}

has_own_network() {
	[ "$(readlink "/proc/$HOST/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

teardown() {
	local left=0

	for state in "$ROOT"/*/; do
		[ -d "$state" ] && "$RUNTIME" --root "$ROOT" delete --force "$(basename "$state")" 3>&- || true
	done
	[ -z "${HOST:-}" ] || kill "$HOST" 2>/dev/null || true
	check_leaks || left=1
	rm -rf --one-file-system "$WORK"
	return $left
}

host_ip() {
	nsenter --net="/proc/$HOST/ns/net" -- ip "$@"
}

@test "a network device moves into the container, under its own name and up" {
	config_set '.linux.netDevices = { "veth-host": {} }'
	probe_run links
	contains "veth-host up" "$stdout"
	contains "lo up" "$stdout"
	lacks veth-peer "$stdout"
}

@test "a network device is renamed on the way" {
	host_ip link set veth-host up
	config_set '.linux.netDevices = { "veth-host": { "name": "eth0" } }'
	start_container
	lacks veth-host "$(host_ip -o link)"
	contains veth-peer "$(host_ip -o link)"
	ok exec "$ID" /bin/probe links
	contains "eth0 up" "$stdout"
	lacks veth-host "$stdout"
}

@test "permanent global addresses are kept, both families, all others not" {
	host_ip link set veth-host up
	host_ip addr add 10.20.30.40/24 brd + dev veth-host
	host_ip addr add 10.20.30.41/32 dev veth-host label veth-host:x
	host_ip addr add 10.9.9.1 peer 10.9.9.2 dev veth-host
	host_ip addr add fd00:1::2/64 dev veth-host
	host_ip addr add 10.50.0.1/24 scope link dev veth-host
	host_ip addr add 10.60.0.1/24 dev veth-host valid_lft 1000 preferred_lft 1000
	config_set '.linux.netDevices = { "veth-host": { "name": "eth0" } }'
	start_container
	ok exec "$ID" /bin/probe links
	contains "10.20.30.40" "$stdout"
	contains "10.20.30.41" "$stdout"
	contains "fd00:1::2" "$stdout"
	lacks "10.50.0.1" "$stdout"
	lacks "10.60.0.1" "$stdout"
	pid=$(container_pid)
	inside=$(nsenter --net="/proc/$pid/ns/net" -- ip -o addr show dev eth0)
	contains "10.20.30.40/24 brd 10.20.30.255 scope global eth0" "$inside"
	contains "10.9.9.1 peer 10.9.9.2/32 scope global" "$inside"
	contains "fd00:1::2/64 scope global" "$inside"
}

@test "a name may be a template for the first free number" {
	host_ip link add second type veth peer name second-peer
	config_set '.linux.netDevices = { "veth-host": { "name": "net%d" }, "second": { "name": "net%d" } }'
	probe_run links
	contains "net0 up" "$stdout"
	contains "net1 up" "$stdout"
}

@test "devices can swap their names" {
	host_ip link add one type veth peer name one-peer
	host_ip link add two type veth peer name two-peer
	host_ip addr add 10.1.1.1/24 dev one
	host_ip addr add 10.2.2.2/24 dev two
	config_set '.linux.netDevices = { "one": { "name": "two" }, "two": { "name": "one" } }'
	probe_run links
	contains "two up 10.1.1.1" "$stdout"
	contains "one up 10.2.2.2" "$stdout"
}

@test "the device is there before the createRuntime hooks run" {
	cat >"$WORK/hook" <<-'END'
		#!/bin/sh
		pid=$(sed 's/.*"pid":\([0-9]*\).*/\1/')
		nsenter --net="/proc/$pid/ns/net" -- ip -o link show dev eth7 >"$1" 2>&1
	END
	chmod 755 "$WORK/hook"
	config_set '.linux.netDevices = { "veth-host": { "name": "eth7" } }
		| .hooks.createRuntime = [{ path: $hook, args: ["hook", $out], env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] }]' \
		--arg hook "$WORK/hook" --arg out "$WORK/seen"
	probe_run true
	contains "eth7" "$(cat "$WORK/seen")"
	contains "UP" "$(cat "$WORK/seen")"
}

@test "kernel parameters of a device that has moved are set" {
	config_set '.linux.netDevices = { "veth-host": { "name": "eth0.7" } }
		| .linux.sysctl = { "net/ipv4/conf/eth0.7/forwarding": "1", "net.ipv4.conf.eth0/7.rp_filter": "2" }'
	probe_run cat /proc/sys/net/ipv4/conf/eth0.7/forwarding /proc/sys/net/ipv4/conf/eth0.7/rp_filter
	equals "$stdout" $'1\n2'
}

@test "a device moves into a network namespace that is joined, as in a pod" {
	unshare -n sleep 1000 3>&- &
	pod=$!
	wait_for 5 eval '[ "$(readlink /proc/$pod/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
	config_set '.linux.netDevices = { "veth-host": { "name": "eth0" } }
		| .linux.namespaces |= map(if .type == "network" then . + { path: $path } else . end)' \
		--arg path "/proc/$pod/ns/net"
	probe links
	rt run -b "$BUNDLE" "$ID"
	inside=$(nsenter --net="/proc/$pod/ns/net" -- ip -o link)
	kill "$pod"
	[ "$status" -eq 0 ]
	contains "eth0 up" "$stdout"
	# and stays there when the container is gone
	contains eth0 "$inside"
}

@test "a device moves into a container with a user namespace" {
	requires user_namespace
	host_ip addr add 10.20.30.40/24 dev veth-host
	config_set '.linux.netDevices = { "veth-host": {} } | .linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	probe_run links
	contains "veth-host up 10.20.30.40" "$stdout"
}

@test "a device is not moved back by delete" {
	config_set '.linux.netDevices = { "veth-host": {} }'
	start_container
	ok delete --force "$ID"
	wait_for 5 eval '! host_ip -o link | grep -q veth-'
}

@test "a device that is not there, or cannot move, is an error in the kernel's words" {
	config_set '.linux.netDevices = { "nowhere": {} }'
	fails run -b "$BUNDLE" "$ID"
	contains 'find network device "nowhere" of the host'
	contains 'no such device'
	config_set '.linux.netDevices = { "lo": { "name": "eth0" } }'
	fails run -b "$BUNDLE" "$ID"
	contains 'move network device "lo" to "eth0"'
	config_set '.linux.netDevices = { "veth-host": { "name": "lo" } }'
	fails run -b "$BUNDLE" "$ID"
	contains 'move network device "veth-host" to "lo"'
	contains "exists"
	[ ! -e "$ROOT/$ID" ]
}

@test "a create that fails gives devices back as they were" {
	host_ip link set veth-host up
	host_ip addr add 10.20.30.40/24 dev veth-host
	host_ip addr add fd00:1::2/64 dev veth-host
	before=$(host_ip -o addr show dev veth-host scope global | sed 's/ *tentative//')
	# after others had moved already; after all had; when the program is not there
	config_set '.linux.netDevices = { "veth-host": { "name": "eth0" }, "lo": {} }'
	fails run -b "$BUNDLE" "$ID"
	equals "$(host_ip -o addr show dev veth-host scope global | sed 's/ *tentative//')" "$before"
	config_set 'del(.linux.netDevices.lo) | .hooks.createRuntime = [{ path: "/bin/false" }]'
	fails create -b "$BUNDLE" "$ID"
	equals "$(host_ip -o addr show dev veth-host scope global | sed 's/ *tentative//')" "$before"
	config_set 'del(.hooks) | .process.args = ["/nothing"]'
	fails run -b "$BUNDLE" "$ID"
	equals "$(host_ip -o addr show dev veth-host scope global | sed 's/ *tentative//')" "$before"
	# the flag; the state of operation follows some time later
	contains "MULTICAST,UP" "$(host_ip -o link show dev veth-host)"
}

@test "a create that fails gives the routes back, too" {
	host_ip link set veth-peer up
	host_ip link set veth-host up
	host_ip addr add 10.20.30.40/24 dev veth-host
	host_ip addr add fd00:1::2/64 dev veth-host nodad
	host_ip route add default via 10.20.30.1
	host_ip route add 10.99.0.0/16 dev veth-host src 10.20.30.40 metric 50 table 77
	host_ip route add 10.98.0.0/16 via 10.20.30.2 mtu 1400
	host_ip -6 route add fd00:99::/48 via fd00:1::1
	before=$(routes)
	contains "default via 10.20.30.1" "$before"
	config_set '.linux.netDevices = { "veth-host": {} } | .process.args = ["/nothing"]'
	fails run -b "$BUNDLE" "$ID"
	equals "$(routes)" "$before"
}

# what administrators set; the kernel's own come and go with the addresses
routes() {
	host_ip -4 route show table all | grep -v 'proto kernel' | sort
	host_ip -6 route show table all | grep -v 'proto kernel' | sed 's/ pref .*//' | sort
}

@test "network devices need a network namespace, privilege and names that can be" {
	requires ours
	config_set '.linux.netDevices = { "veth-host": {} }'
	cp "$BUNDLE/config.json" "$WORK/good.json"
	config_set '.linux.namespaces |= map(select(.type != "network")) | .mounts |= map(select(.type != "sysfs"))'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/netDevices: unable to move network devices without a private NET namespace"
	cp "$WORK/good.json" "$BUNDLE/config.json"
	config_set '.linux.namespaces |= map(if .type == "network" then . + { path: "/proc/self/ns/net" } else . end)'
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/netDevices: unable to move network devices without a private NET namespace"
	cp "$WORK/good.json" "$BUNDLE/config.json"
	RT_GLOBAL=(--rootless true)
	fails run -b "$BUNDLE" "$ID"
	contains "/linux/netDevices: network devices cannot be moved by a rootless runtime"
	RT_GLOBAL=()
	for name in a/b . .. "a b" x%s %d%d sixteen-letters-; do
		config_set '.linux.netDevices = { "veth-host": { "name": $name } }' --arg name "$name"
		fails run -b "$BUNDLE" "$ID"
		contains "/linux/netDevices/veth-host: invalid network device name"
	done
	contains veth-host "$(host_ip -o link)"
}
