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

# record_says JQ-EXPRESSION: the status, with that changed in the record
record_says() {
	jq -c "$1" "$WORK/state.json" >"$ROOT/$ID/state.json"
	ok state "$ID" >&2
	jq -r .status <<<"$stdout"
	cp "$WORK/state.json" "$ROOT/$ID/state.json"
}

@test "the process is known by the inode of its pidfd or, without one, by its start time" {
	requires ours
	start_container
	cp "$ROOT/$ID/state.json" "$WORK/state.json"
	equals "$(record_says .)" running
	equals "$(record_says 'del(.pidfdInode)')" running
	equals "$(record_says 'del(.pidfdInode) | .startTime += 1')" stopped
	equals "$(record_says '.pidfdInode = 1')" stopped
	RT_UNDER=("$FAILCALL" pidfd_open ENOSYS)
	equals "$(record_says '.pidfdInode = 1')" running
	RT_UNDER=()
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
