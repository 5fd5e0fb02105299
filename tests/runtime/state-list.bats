#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# state and list: what callers decode.
load helpers

@test "state has the members and the order that callers know" {
	config_set '.annotations = { "k": "v/w" }'
	start_container
	ok state "$ID"
	equals "$stderr" ""
	equals "$(jq -r 'keys_unsorted | join(" ")' <<<"$stdout")" \
		"ociVersion id pid status bundle rootfs created annotations owner"
	equals "$(jq -r .id <<<"$stdout")" "$ID"
	equals "$(jq -r .bundle <<<"$stdout")" "$BUNDLE"
	equals "$(jq -r .rootfs <<<"$stdout")" "$ROOTFS"
	equals "$(jq -r .annotations.k <<<"$stdout")" v/w
	[[ $(jq -r .ociVersion <<<"$stdout") =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]
	[[ $(jq -r .created <<<"$stdout") =~ ^20[0-9-]+T[0-9:]+\.[0-9]+Z$ ]]
	[ "$(date -d "$(jq -r .created <<<"$stdout")" +%s)" -gt "$(($(date +%s) - 100))" ]
}

@test "state of a stopped container has pid 0" {
	probe true
	ok create -b "$BUNDLE" "$ID"
	ok start "$ID"
	wait_for 5 is_status stopped
	equals "$(container_pid)" 0
}

@test "state is paused when the cgroup is frozen" {
	requires ours
	start_container
	echo 1 >"$CGROUP_ROOT/orlop/$ID/cgroup.freeze"
	wait_for 5 is_status paused
	echo 0 >"$CGROUP_ROOT/orlop/$ID/cgroup.freeze"
	wait_for 5 is_status running
}

@test "state of an unknown container fails with words that callers know" {
	fails state "$ID"
	contains "does not exist"
}

@test "list shows all containers in its three forms" {
	start_container
	probe sleep
	ok create -b "$BUNDLE" "$ID-2"
	ok list -q
	equals "$stdout" "$ID"$'\n'"$ID-2"
	ok list -f json
	equals "$(jq -r '[.[].status] | sort | join(" ")' <<<"$stdout")" "created running"
	ok list
	contains "ID " "$stdout"
	contains "$ID " "$stdout"
}

@test "list of an empty state directory is null in JSON" {
	mkdir "$ROOT"
	ok list -f json
	equals "$stdout" null
}

@test "list leaves half-made containers out" {
	requires ours
	start_container
	mkdir "$ROOT/half"
	ok list -q
	equals "$stdout" "$ID"
}
