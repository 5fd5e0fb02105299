#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# state and list: the forms that engines decode, of a container that was created.

load cli

setup() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	bundle '.process.terminal = false | .process.args = ["/probe"] | .annotations = {"b/c": "x\"y", "a": ""}'
	cp -L /bin/sh rootfs/probe # never started
	"$R" --root "$state_root" create c1
}

teardown() {
	"$R" --root "$state_root" delete -f c1
}

@test "state: members in their order, indented by two" {
	rt state c1
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ "$(jq -c keys_unsorted <<<"$output")" = \
		'["ociVersion","id","pid","status","bundle","rootfs","created","annotations","owner"]' ]
	[ "${lines[0]}" = "{" ]
	[ "${lines[2]}" = '  "id": "c1",' ]
	jq -e --arg b "$PWD" '.status == "created" and .bundle == $b and .rootfs == $b + "/rootfs"
		and .pid > 1 and .owner == "" and .annotations == {"b/c": "x\"y", "a": ""}' <<<"$output"
	jq -r .created <<<"$output" | grep -E '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$'
	grep -F '"b/c": "x\"y"' <<<"$output"
}

@test "state: a reader of stdout and stderr together gets one document" {
	run -- "$R" --root "$state_root" --debug --log "$BATS_TEST_TMPDIR/log" state c1
	jq -e .pid <<<"$output"
}

@test "list: one line of JSON, with the owner's name" {
	rt list --format json
	[ "${#lines[@]}" = 1 ]
	[ "$(jq -c '[.[] | .id, .status, .owner]' <<<"$output")" = "[\"c1\",\"created\",\"$(id -un)\"]" ]
	rt list -q
	[ "$output" = c1 ]
}

@test "list: an owner without a name is its number" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	run --separate-stderr unshare -m sh -c 'grep -v ^root: /etc/passwd >"$1" && mount --bind "$1" /etc/passwd && shift &&
		exec "$@"' sh "$BATS_TEST_TMPDIR/passwd" "$R" --root "$state_root" list --format json
	[ "$status" = 0 ]
	[ "$(jq -r '.[].owner' <<<"$output")" = "#0" ]
}

@test "list: columns at least three blanks apart" {
	rt list
	[ "${#lines[@]}" = 2 ]
	[[ ${lines[1]} =~ ^c1\ {10}[0-9]+\ {3,}created\ {5}${PWD}\ {3}20[0-9TZ:.-]+\ {3}root$ ]]
	# each column begins where its title does
	local before=${lines[0]%%CREATED*}
	[ "${lines[1]:${#before}:2}" = 20 ]
}

is_stopped() {
	rt state c1
	[ "$(jq -r .status <<<"$output")" = stopped ]
}

@test "state: a container whose process is gone is stopped, with pid 0" {
	local pid
	pid=$("$R" --root "$state_root" state c1 | jq .pid)
	kill -KILL "$pid"
	wait_for 5 is_stopped
	jq -e '.status == "stopped" and .pid == 0' <<<"$output"
}
