#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The builder's help, of every verb and group that its tables have: no store is needed, nor made.

load helpers

setup() {
	requires builder
	export ORLOP_STORE=$BATS_TEST_TMPDIR/store
}

teardown() {
	[ ! -e "$ORLOP_STORE" ]
}

# section TITLE: the first words of a list of a help text
section() {
	awk -v title="$1" '$0 == title { on = 1; next } /^$/ { on = 0 } on && /^  [^ ]/ { print $1 }'
}

# helps USAGE WORD...: exit 0, this usage first, nothing on stderr; $output is the text
helps() {
	local usage=$1
	shift
	run --separate-stderr ob "$@"
	[ "$status" = 0 ] && [ -z "$(grep -v '^\$ ' <<<"$stderr")" ] ||
		{ echo "$* -> $status" && return 1; }
	[[ $output == "Usage: orlop-builder $usage"* ]] || { echo "wanted: $usage, got: ${lines[0]}" && return 1; }
}

# refused MESSAGE WORD...: a wrong command line
refused() {
	local message=$1
	shift
	run --separate-stderr ob "$@"
	[ "$status" = 2 ] && [ -z "$output" ] && [[ $stderr == *"$message"*'See "orlop-builder'* ]] ||
		{ echo "$* -> $status" && return 1; }
}

@test "help: of the program, three ways" {
	helps "[OPTIONS] COMMAND" --help
	local all=$output way
	for way in help "help --help" "help -h" -h; do
		# shellcheck disable=SC2086 # several words
		helps "[OPTIONS] COMMAND" $way
		[ "$output" = "$all" ]
	done
	[ "$(section Commands: <<<"$all" | wc -l)" -ge 50 ]
	[ "$(section Groups: <<<"$all" | tr '\n' ' ')" = "builder container image manifest system volume " ]
}

@test "help: of every verb, with its usage and --help among its options" {
	local verb text
	for verb in $("$builder" --help | section Commands:); do
		helps "$verb " "$verb" --help
		text=$output
		# -h, too, unless the verb has another option of this letter
		grep -qE '^  (-h,|   ) --help ' <<<"$text"
		[ "$(grep -c '^  -h, ' <<<"$text")" = 1 ]
		if grep -q '^  -h, --help ' <<<"$text"; then
			helps "$verb " "$verb" -h
			[ "$output" = "$text" ]
		fi
		helps "$verb " help "$verb"
		[ "$output" = "$text" ]
	done
	# the usage is what the verb wants
	helps "pull [OPTIONS] IMAGE" help pull
	helps "rmi [OPTIONS] IMAGE..." help rmi
	helps "run [OPTIONS] IMAGE" help run
	grep -q '^  -h, --hostname ' <<<"$output"
}

@test "help: of every group and each of its words" {
	local group word text
	for group in $("$builder" --help | section Groups:); do
		helps "$group COMMAND" "$group" --help
		text=$output
		helps "$group COMMAND" help "$group"
		[ "$output" = "$text" ]
		helps "$group COMMAND" "$group"
		[ "$output" = "$text" ]
		[ "$(section Commands: <<<"$text" | wc -l)" -ge 2 ]
		for word in $(section Commands: <<<"$text"); do
			helps "" "$group" "$word" --help
			text=$output
			helps "" help "$group" "$word"
			[ "$output" = "$text" ]
		done
	done
	# of the word, not of the group
	helps "images [OPTIONS] [NAME]" help image ls
	helps "manifest inspect [OPTIONS] NAME" help manifest inspect
}

@test "help: of what there is not is a usage error, with the nearest" {
	refused 'unknown command "pul" (did you mean "pull"?)' help pul
	refused 'unknown command "pul" (did you mean "pull"?)' pul
	refused 'unknown command "zzzzzz"' help zzzzzz
	refused 'unknown command "image lss" (did you mean "image ls"?)' help image lss
	refused 'unknown command "image lss" (did you mean "image ls"?)' image lss --help
	refused 'a command is needed'
	refused 'flag provided but not defined: -nonsense' pull --nonsense
}
