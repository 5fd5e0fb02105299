#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --trace FILE: the timeline of both sides, as Chrome and Perfetto read it.
load helpers

# traced VERB...: with a trace in $WORK/t.json
traced() {
	RT_GLOBAL=(--trace "$WORK/t.json")
	rt "$@"
	RT_GLOBAL=()
	jq -e '.traceEvents | length > 0' "$WORK/t.json"
}

# events FILTER: satisfied by the array of events ($e)
events() {
	jq -e ".traceEvents as \$e | $1" "$WORK/t.json" >/dev/null && return 0
	echo "not: $1"
	jq -c '.traceEvents[]' "$WORK/t.json"
	return 1
}

# in_order CATEGORY NAME...: these spans begin one after the other
in_order() {
	local names
	names=$(printf '%s\n' "${@:2}" | jq -R . | jq -s -c .)
	events "[\$e[] | select(.ph != \"M\" and .cat == \"$1\")] | sort_by(.ts) | map(.name) as \$all
		| $names | map(. as \$n | \$all | index(\$n)) | (all(. != null) and . == sort)"
}

# no time is negative, nothing lasts longer than the whole
is_sane() {
	events '($e | map(select(.ph == "X") | .ts + .dur) | max) as $whole
		| $e | all(.ph == "M" or (.ts >= 0 and (.ph != "X" or (.dur >= 0 and .ts + .dur <= $whole))))'
	events '$e | map(select(.ph == "M")) | all(.name == "process_name" and .pid > 0)'
	events '[$e[] | select(.ph == "M") | .pid] as $pids | $e | all(.pid as $p | $pids | index($p) != null)'
	# nanoseconds, and less than a minute in all
	events '($e | map(select(.ph == "X") | .ts + .dur) | max) < 60000000'
	events '$e | any(.ph == "X" and .dur * 1000 % 1000 != 0)'
}

@test "run: the steps of both sides, in order" {
	requires ours root
	probe true
	traced run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	is_sane
	in_order create "reserve id" "load config" "compile plan" "record intent" "prepare cgroup" "start init" go commit
	# what needs no network namespace comes before it: the host side makes that meanwhile
	in_order init "begin session" mounts devices "network namespace" "mounts of /sys" \
		"pivot root" credentials ready exec
	in_order run "wait for the end" "clean up"
	events '[$e[] | select(.ph == "M") | .args.name] == ["orlop-runtime", "container"]'
	events '([$e[] | select(.cat == "init") | .pid] | unique | length) == 1'
	events '$e | map(select(.cat == "init").pid) | unique[0] as $init | ($e | map(select(.cat == "create").pid) | unique) | index($init) == null'
	# the exec ends when the host side sees it, not with the payload
	events '$e | any(.cat == "init" and .name == "exec" and .ph == "X")'
}

@test "the payload gets nothing of it" {
	requires ours root
	probe fds
	traced run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	lacks t.json
	equals "$(grep -c . <<<"$stdout")" "$("$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" 3>&- </dev/null | grep -c .)"
	# also not under a number that the caller wants to be passed on
	FAILS_WITH=1 fails --trace "$WORK/t.json" run --preserve-fds 1 -b "$BUNDLE" "$ID"
	contains "file descriptor 3 to preserve is not open"
	start_container
	FAILS_WITH=255 fails exec --preserve-fds 1 "$ID" /bin/probe fds
	contains "file descriptor 3 to preserve is not open"
}

@test "create, start, exec, kill, delete" {
	requires ours root
	probe sleep
	traced create -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	is_sane
	in_order create "reserve id" "publish record" commit
	in_order init rootfs ready
	traced start "$ID"
	[ "$status" -eq 0 ]
	is_sane
	in_order start "check status" "open the gate" "wait for exec"
	# of the container side, what can be seen from outside
	events '[$e[] | select(.cat == "init") | .name] == ["start to exec"]'
	events '[$e[] | select(.ph == "M") | .args.name] == ["orlop-runtime", "container"]'
	events "[\$e[] | select(.cat == \"init\") | .pid] == [$(container_pid)]"
	traced exec "$ID" /bin/probe true
	[ "$status" -eq 0 ]
	is_sane
	in_order exec "open container" "compile process" "start process" commit
	in_order joiner "enter namespaces" "create init"
	in_order init "begin session" credentials exec
	events '[$e[] | select(.ph == "M") | .args.name] == ["orlop-runtime", "joiner", "container"]'
	traced kill "$ID" KILL
	[ "$status" -eq 0 ]
	wait_for 5 is_status stopped
	traced delete "$ID"
	[ "$status" -eq 0 ]
	is_sane
	events '[$e[].name] | index("kill what is left") != null'
}

@test "hooks are spans of their own" {
	requires ours root
	config_set '.hooks = { "poststart": [{ "path": "/bin/sleep", "args": ["sleep", "0.2"] }] }'
	probe true
	traced run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	events '$e | any(.cat == "hook" and .name == "poststart" and .dur >= 200000 and .dur < 10000000)'
}

@test "another clock in the container's time namespace does not matter" {
	requires ours root
	config_set '.linux.namespaces += [{ "type": "time" }] | .linux.timeOffsets = { "monotonic": { "secs": 1000000 } }'
	probe true
	traced run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	is_sane
}

@test "a verb that fails leaves a whole trace, with the reason" {
	requires ours root
	probe true
	process_args /no/such/program
	traced run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	is_sane
	events '[$e[] | select(.ph == "i")] | length == 1 and (.[0].args.message | contains("/no/such/program"))'
	events '$e | any(.name == "undo")'
	config_set '.process.cwd = "a\u001b\"b"'
	traced create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	events '$e | any(.ph == "i" and (.args.message | contains("Cwd must be an absolute path")))'
}

@test "who is killed leaves an empty trace, not half of one" {
	requires ours root
	config_set '.hooks = { "prestart": [{ "path": "/bin/sleep", "args": ["sleep", "30"] }] }'
	probe true
	"$RUNTIME" --root "$ROOT" --trace "$WORK/t.json" create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
	local pid=$!
	wait_for 5 test -s "$WORK/t.json"
	wait_for 5 is_status creating
	kill -KILL "$pid"
	wait "$pid" || true
	jq -e '.traceEvents == []' "$WORK/t.json"
}

@test "a file that cannot be written is an error before anything is made" {
	requires ours
	RT_GLOBAL=(--trace "$WORK/no/such/folder/t.json")
	fails create -b "$BUNDLE" "$ID"
	contains "write trace \"$WORK/no/such/folder/t.json\": no such file or directory"
	RT_GLOBAL=()
	fails state "$ID"
}

@test "the debug log has the same spans" {
	requires ours root
	probe true
	RT_GLOBAL=(--debug)
	ok run -b "$BUNDLE" "$ID"
	grep -qE '^debug: create: compile plan \([0-9]+ us\)$' <<<"$stderr"
	grep -qE '^debug: init: pivot root \([0-9]+ us\)$' <<<"$stderr"
}
