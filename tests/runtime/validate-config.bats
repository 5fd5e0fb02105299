#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bad config.json: refused before anything is made, with the place.

load cli

setup() {
	bundle
}

# refused PATTERN: create fails with this text and leaves nothing behind
refused() {
	rt create c1
	[ "$status" = 1 ]
	[[ $stderr == "orlop-runtime create failed: "$1 ]]
	[ "$(wc -l <<<"$stderr")" = 1 ]
	nothing_left
}

@test "no config.json" {
	rm config.json
	refused "JSON specification file config.json not found*"
	rt create -b /no/such/bundle c1
	[ "$status" = 1 ]
	nothing_left
}

@test "no JSON: line and column" {
	printf '{\n  "ociVersion": "1.0.0",\n  "process": [,]\n}\n' >config.json
	refused "*config.json:3:*"
	: >config.json
	refused "*config.json*"
	head -c 100000 /dev/zero | tr '\0' '[' >config.json
	refused "*config.json*"
}

@test "wrong types and duplicate members: the JSON pointer" {
	config '.process.args = "sh"'
	refused "*/process/args*"
	rm config.json && bundle
	sed -i '0,/"ociVersion"/s//"ociVersion": "1.0.0", "ociVersion"/' config.json
	refused "*ociVersion*"
}

@test "rules: the JSON pointer" {
	config '.process.cwd = "x"'
	refused "*/process/cwd: Cwd must be an absolute path"
	config '.process.cwd = "/" | .linux.namespaces += [{"type":"pid"}]'
	refused "*/linux/namespaces/6*"
}

@test "what cannot be done is refused by its pointer" {
	config '.linux.netDevices = {"eth0": {}} | .linux.namespaces |= map(select(.type != "network"))'
	refused "*/linux/netDevices: *"
}

@test "a rootfs that is not there" {
	rmdir rootfs
	refused "*/root/path: rootfs: open \"rootfs\": no such file or directory"
	touch rootfs
	refused "*/root/path: rootfs: open \"rootfs\": not a directory"
}

@test "run says that run failed" {
	config '.linux.resources.memory.swap = 5'
	rt run c1
	[ "$status" = 1 ]
	[[ $stderr == "orlop-runtime run failed: "* ]]
	nothing_left
}

@test "the log has the pointer as a member of its own" {
	config '.linux.resources.memory.swap = 5'
	rt --log log --log-format json create c1
	[ "$(wc -l <log)" = 1 ]
	[ "$(jq -r .error.json_pointer log)" = /linux/resources/memory/swap ]
	[ "$(jq -r .error.code log)" = invalid ]
	[ "$(jq -r .error.phase log)" = plan ]
}

@test "--config instead of the bundle's" {
	mv config.json other.json
	jq '.process.cwd = "x"' other.json >bad.json
	rt create --config bad.json c1
	[ "$status" = 1 ]
	[[ $stderr == *"/process/cwd"* ]]
}
