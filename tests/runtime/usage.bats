#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The command line: its syntax, the texts of its failures, the log and exit statuses.

load cli

commands="create delete events exec features gc kill list pause ps resume run spec start state update"

@test "help: of the program and of every command, exit 0, on stdout" {
	rt --help
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	for command in $commands; do
		grep -qE "^  $command " <<<"$output"
	done
	for command in $commands; do
		rt "$command" --help
		[ "$status" = 0 ]
	[ -z "$stderr" ]
		[[ ${lines[0]} == "Usage: orlop-runtime $command "* ]]
		rt "$command" -h
		[ "$status" = 0 ]
	done
}

@test "unknown flags and missing values in the words that callers know, with help, exit 1" {
	rt create --nonsense c1
	[ "$status" = 1 ]
	[[ $stderr == *"flag provided but not defined: -nonsense"* ]]
	[[ $output == "Incorrect Usage."*"Usage: orlop-runtime create "* ]]
	rt create c1 --bundle
	[ "$status" = 1 ]
	[[ $stderr == *"flag needs an argument: --bundle"* ]]
	run --separate-stderr -- "$R" --nonsense
	[ "$status" = 1 ]
	[[ $stderr == *"flag provided but not defined: -nonsense"* ]]
	[[ $output == *"Commands:"* ]]
}

@test "a mistyped option or command is told the nearest" {
	rt create --bundel x c1
	[[ $stderr == *"did you mean --bundle?"* ]]
	rt delte c1
	[ "$status" = 1 ]
	[[ $stderr == *'unknown command "delte" (did you mean "delete"?)'* ]]
}

@test "help is --help, of a command, too" {
	rt help
	[ "$status" = 0 ]
	local all=$output
	rt --help
	[ "$output" = "$all" ]
	rt help create
	[ "$status" = 0 ]
	[[ $output == "Usage: orlop-runtime create "* ]]
	rt help --help
	[ "$status" = 0 ]
	[ "$output" = "$all" ]
	# what is one of its own words belongs to the verb
	rt help mounts add
	[ "$status" = 0 ]
	[[ $output == "Usage: orlop-runtime mounts "* ]]
	rt help creat
	[ "$status" = 1 ]
	[[ $stderr == *'unknown command "creat" (did you mean "create"?)'* ]]
}

@test "wrong numbers of arguments" {
	rt create
	[ "$status" = 1 ]
	[ "$stderr" = 'orlop-runtime: "create" requires exactly 1 argument(s)' ]
	rt state a b
	[[ $stderr == *'"state" requires exactly 1 argument(s)' ]]
	rt kill
	[[ $stderr == *'"kill" requires a minimum of 1 argument(s)' ]]
	rt kill a 1 2
	[[ $stderr == *'"kill" requires a maximum of 2 argument(s)' ]]
	rt
	[ "$status" = 1 ]
	[[ $stderr == *"a command is needed" ]]
}

@test "long options with one dash, values with =, options after the id, switches with values" {
	rt delete nope -force
	[ "$status" = 0 ]
	rt delete nope --force=true
	[ "$status" = 0 ]
	rt delete nope --force=false
	[ "$status" = 1 ]
	rt delete -f -- nope
	[ "$status" = 0 ]
	mkdir "$state_root"
	rt list -format=json
	[ "$output" = null ]
	rt list --format json
	[ "$output" = null ]
	run -- "$R" -root "$state_root" -log="$BATS_TEST_TMPDIR/log" list -q
	[ "$status" = 0 ]
}

@test "ids: what is refused" {
	local long
	long=$(printf 'x%.0s' {1..300})
	for id in '' . .. a/b ../x 'a b' 'a:b' $'a\nb' "$long"; do
		for command in state start delete create; do
			rt "$command" "$id"
			[ "$status" = 1 ]
			[[ $stderr == *"invalid container ID format"* ]]
		done
	done
	rt state A-z_0.9+x
	[ "$stderr" = "container does not exist" ]
}

@test "what does not exist" {
	rt state nope
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ "$stderr" = "container does not exist" ]
	rt start nope
	[ "$status" = 1 ]
	[ "$stderr" = "container does not exist" ]
	rt kill nope 9
	[ "$status" = 1 ]
	[ "$stderr" = "container does not exist" ]
	rt delete nope
	[ "$status" = 1 ]
	[ "$stderr" = "container does not exist" ]
	rt delete --force nope
	[ "$status" = 0 ]
	[ -z "$stderr" ]
}

@test "exec: failures of its own are 255, a wrong command line is 1" {
	rt exec nope true
	[ "$status" = 255 ]
	[[ $stderr == *"container does not exist" ]]
	rt exec nope
	[ "$status" = 255 ]
	[[ $stderr == *"exec args cannot be empty"* ]]
	rt exec --nonsense nope true
	[ "$status" = 1 ]
}

@test "kill: unknown signals" {
	rt kill nope FOO
	[ "$status" = 1 ]
	[ "$stderr" = 'unknown signal "FOO"' ]
	rt kill nope 9999
	[ "$status" = 1 ]
}

@test "list: of nothing" {
	rt list
	[ "$status" = 1 ]
	mkdir "$state_root"
	rt list
	[ "$status" = 0 ]
	[ "$output" = "ID          PID         STATUS      BUNDLE      CREATED     OWNER" ]
	rt list -q
	[ "$status" = 0 ]
	[ -z "$output" ]
	rt list --format yaml
	[ "$status" = 1 ]
	[ "$stderr" = 'invalid format option: yaml (table or json)' ]
}

@test "the log: one JSON object for a failure, the same text on stderr" {
	local log=$BATS_TEST_TMPDIR/log.json
	rt --log "$log" --log-format json state nope
	[ "$status" = 1 ]
	[ "$stderr" = "container does not exist" ]
	[ "$(wc -l <"$log")" = 1 ]
	[ "$(jq -r .level "$log")" = error ]
	[ "$(jq -r .msg "$log")" = "container does not exist" ]
	jq -r .time "$log" | grep -E '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$'
	[ "$(stat -c %a "$log")" = 644 ]
	# appended to, never cut
	rt --log "$log" --log-format=json --debug state nope
	[ "$(jq -rs 'map(select(.level == "error")) | length' "$log")" = 2 ]
}

@test "the log: text form, and nothing for a success" {
	local log=$BATS_TEST_TMPDIR/log
	rt --log "$log" delete -f nope
	[ "$status" = 0 ]
	[ ! -s "$log" ]
	rt --log "$log" --log-format text state nope
	grep -E '^time="[^"]+" level=error msg="container does not exist"$' "$log"
	rt --log-format xml state nope
	[ "$status" = 1 ]
	[[ $stderr == *"invalid log-format: xml"* ]]
}

@test "the log: also for a wrong command line" {
	local log=$BATS_TEST_TMPDIR/log.json
	rt --log "$log" --log-format json create
	[ "$status" = 1 ]
	[ "$(jq -r .msg "$log")" = "$stderr" ]
	[[ $stderr == *"requires exactly 1 argument"* ]]
}

@test "wrong global values" {
	run --separate-stderr -- "$R" --root / list
	[ "$status" = 1 ]
	[[ $stderr == *"--root"* ]]
	rt --cgroup-manager nonsense list
	[ "$status" = 1 ]
	[[ $stderr == *"invalid cgroup-manager: nonsense"* ]]
	rt --rootless maybe list
	[ "$status" = 1 ]
	[[ $stderr == *"invalid --rootless: maybe"* ]]
	rt --log-level loud list
	[ "$status" = 1 ]
	rt --log /no/such/dir/log list
	[ "$status" = 1 ]
	[[ $stderr == *"no such file or directory" ]]
}

@test "a relative --root is the caller's" {
	cd "$BATS_TEST_TMPDIR"
	mkdir sub
	run --separate-stderr -- "$R" --root sub list -f json
	[ "$status" = 0 ]
	[ "$output" = null ]
	run --separate-stderr -- "$R" --root gone list -f json
	[ "$status" = 1 ]
}

@test "output that cannot be written is a failure" {
	[ -c /dev/full ] || skip "needs /dev/full"
	run bash -c '"$1" features >/dev/full' - "$R"
	[ "$status" = 1 ]
	[[ $output == *"no space left on device"* ]]
}

@test "works with closed standard streams" {
	run bash -c '"$1" --root "$2" delete -f nope <&- >&- 2>&-' - "$R" "$state_root"
	[ "$status" = 0 ]
	run bash -c '"$1" --root "$2" state nope <&- >&- 2>&-' - "$R" "$state_root"
	[ "$status" = 1 ]
}
