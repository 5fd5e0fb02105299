#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# spec: the document to begin with.

load cli

@test "writes config.json into the working directory" {
	cd "$BATS_TEST_TMPDIR"
	rt spec
	[ "$status" = 0 ]
	[ -z "$output" ]
	[ -z "$stderr" ]
	jq -e '.ociVersion and .process.args == ["sh"] and .root.path == "rootfs"' config.json
	jq -e '[.linux.namespaces[].type] | sort == ["cgroup","ipc","mount","network","pid","uts"]' config.json
	# readable: a tab per level, a newline at the end
	grep -q $'^\t"process": {$' config.json
	[ -z "$(tail -c1 config.json)" ]
}

@test "writes into --bundle" {
	mkdir "$BATS_TEST_TMPDIR/x"
	rt spec --bundle "$BATS_TEST_TMPDIR/x"
	[ "$status" = 0 ]
	[ -s "$BATS_TEST_TMPDIR/x/config.json" ]
	rt spec -b "$BATS_TEST_TMPDIR/none"
	[ "$status" = 1 ]
	[[ $stderr == *"no such file or directory" ]]
}

@test "never replaces a file" {
	cd "$BATS_TEST_TMPDIR"
	echo mine >config.json
	rt spec
	[ "$status" = 1 ]
	[ "$stderr" = "File config.json exists. Remove it first" ]
	[ "$(cat config.json)" = mine ]
	rm config.json
	ln -s /no/such/file config.json
	rt spec
	[ "$status" = 1 ]
}

@test "honours the caller's umask" {
	cd "$BATS_TEST_TMPDIR"
	(umask 027 && "$R" spec)
	[ "$(stat -c %a config.json)" = 640 ]
}

@test "--rootless maps the caller to root" {
	cd "$BATS_TEST_TMPDIR"
	rt spec --rootless
	[ "$status" = 0 ]
	jq -e '[.linux.namespaces[].type] | index("user")' config.json
	[ "$(jq -c .linux.uidMappings config.json)" = "[{\"containerID\":0,\"hostID\":$(id -u),\"size\":1}]" ]
	[ "$(jq -c .linux.gidMappings config.json)" = "[{\"containerID\":0,\"hostID\":$(id -g),\"size\":1}]" ]
	jq -e '.linux.resources == null' config.json
	jq -e '[.mounts[].options // [] | .[] | select(startswith("gid=") or startswith("uid="))] == []' config.json
}

@test "spec --config gives the file another name" {
	cd "$BATS_TEST_TMPDIR"
	rt spec --config other.json
	[ "$status" = 0 ]
	jq -e .ociVersion other.json
	[ ! -e config.json ]
	rt spec -f other.json
	[ "$status" = 1 ]
	[[ $stderr == *"File other.json exists. Remove it first"* ]]
	rt spec --file third.json
	[ "$status" = 0 ]
	cmp other.json third.json
}
