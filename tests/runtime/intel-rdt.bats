#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.intelRdt over the life of a container, on a tree that only looks like resctrl.
load helpers

with_tree() {
	requires root ours
	export ORLOP_RESCTRL=$WORK/resctrl
	mkdir -p "$ORLOP_RESCTRL"/{info,mon_groups,gold}
	printf '    MB:0=100\n    L3:0=7ff\n' | tee "$ORLOP_RESCTRL/schemata" >"$ORLOP_RESCTRL/gold/schemata"
}

@test "without resctrl, intelRdt is an error before anything starts" {
	requires ours
	[ ! -e /sys/fs/resctrl/tasks ] || skip "resctrl is mounted here"
	config_set '.linux.intelRdt = { "closID": "gold" }'
	fails run -b "$BUNDLE" "$ID"
	contains "intelRdt is specified in config, but Intel RDT is not enabled"
	[ ! -e "$ROOT/$ID" ]
}

@test "without closID a container has a group of its own, which delete removes" {
	with_tree
	config_set '.linux.intelRdt = { "l3CacheSchema": "L3:0=f\nMB:0=10", "memBwSchema": "MB:0=20", "schemata": ["L2:0=3"] }'
	start_container
	equals "$(cat "$ORLOP_RESCTRL/$ID/tasks")" "$(container_pid)"
	equals "$(cat "$ORLOP_RESCTRL/$ID/schemata")" "$(printf 'L3:0=f\nMB:0=20\nL2:0=3')"
	# what exec adds is in it, too
	ok exec "$ID" /bin/probe true
	equals "$(wc -l <"$ORLOP_RESCTRL/$ID/tasks")" 2
	ok delete --force "$ID"
	[ ! -e "$ORLOP_RESCTRL/$ID" ]
}

@test "a group that closID names is made once, shared, compared, and never removed" {
	with_tree
	config_set '.linux.intelRdt = { "closID": "silver", "schemata": ["L3:0=f"] }'
	probe_run true
	equals "$(cat "$ORLOP_RESCTRL/silver/schemata")" "L3:0=f"
	probe_run true
	equals "$(wc -l <"$ORLOP_RESCTRL/silver/tasks")" 2
	config_set '.linux.intelRdt.schemata = ["L3:0=1"]'
	fails run -b "$BUNDLE" "$ID"
	contains 'resctrl group "silver" has other schemata than config.json'
	equals "$(cat "$ORLOP_RESCTRL/silver/schemata")" "L3:0=f"
	[ ! -e "$ROOT/$ID" ]
}

@test "closID alone names a group that must be there" {
	with_tree
	config_set '.linux.intelRdt = { "closID": "gold" }'
	probe_run true
	[ -s "$ORLOP_RESCTRL/gold/tasks" ]
	config_set '.linux.intelRdt = { "closID": "/" }'
	probe_run true
	[ -s "$ORLOP_RESCTRL/tasks" ]
	config_set '.linux.intelRdt = { "closID": "nothing" }'
	fails run -b "$BUNDLE" "$ID"
	contains 'resctrl group "nothing" must be there'
	[ ! -e "$ORLOP_RESCTRL/nothing" ]
	for name in . .. a/b; do
		config_set '.linux.intelRdt = { "closID": $name }' --arg name "$name"
		fails run -b "$BUNDLE" "$ID"
		contains "invalid intelRdt.ClosID"
	done
}

@test "a monitoring group is the container's, also in a shared group" {
	with_tree
	config_set '.linux.intelRdt = { "closID": "gold", "enableMonitoring": true }'
	start_container
	equals "$(cat "$ORLOP_RESCTRL/gold/mon_groups/$ID/tasks")" "$(container_pid)"
	ok exec "$ID" /bin/probe true
	equals "$(wc -l <"$ORLOP_RESCTRL/gold/mon_groups/$ID/tasks")" 2
	ok delete --force "$ID"
	[ -d "$ORLOP_RESCTRL/gold" ]
	[ ! -e "$ORLOP_RESCTRL/gold/mon_groups/$ID" ]
}

@test "a create that fails removes what it made, and only that" {
	with_tree
	config_set '.linux.intelRdt = { "closID": "silver", "schemata": ["L3:0=f"], "enableMonitoring": true }
		| .process.args = ["/nothing"]'
	fails create -b "$BUNDLE" "$ID"
	[ ! -e "$ORLOP_RESCTRL/silver" ]
	config_set '.linux.intelRdt.closID = "gold" | .linux.intelRdt.schemata = ["L3:0=7ff"]'
	fails create -b "$BUNDLE" "$ID"
	[ -d "$ORLOP_RESCTRL/gold" ]
	[ -z "$(ls "$ORLOP_RESCTRL/gold/mon_groups")" ]
	# a folder of the container's name that is not the container's
	mkdir "$ORLOP_RESCTRL/$ID"
	config_set '.linux.intelRdt = { "schemata": ["L3:0=f"] }'
	fails create -b "$BUNDLE" "$ID"
	[ -d "$ORLOP_RESCTRL/$ID" ]
}

@test "containers without intelRdt do not touch resctrl" {
	with_tree
	probe_run true
	[ ! -e "$ORLOP_RESCTRL/tasks" ]
	[ ! -e "$ORLOP_RESCTRL/$ID" ]
}
