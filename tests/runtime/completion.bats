#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Completion of both programs: bash's is run for real, the others' syntax is checked.

load cli

B=$ORLOP_BUILD/orlop-builder

# complete_line WORD...: what bash would offer for the last word, in $replies
complete_line() {
	local function
	function=_$(basename "$1" | tr -c 'a-z\n' _)
	PATH=$ORLOP_BUILD:$PATH
	eval "$("$1" completion bash)"
	COMP_WORDS=("$(basename "$1")" "${@:2}")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	"$function"
	replies=" ${COMPREPLY[*]} "
	printf '%s ->%s\n' "$*" "$replies"
}

@test "bash: commands and global options" {
	complete_line "$R" ""
	for word in create start exec validate explain completion --root --trace --help; do
		[[ $replies == *" $word "* ]]
	done
	complete_line "$R" "cr"
	[ "$replies" = " create " ]
	complete_line "$R" --root /tmp --log-f
	[ "$replies" = " --log-format " ]
	complete_line "$R" --root = /tmp del
	[ "$replies" = " delete " ]
}

@test "bash: options of a command, and of no other" {
	complete_line "$R" create --
	for word in --bundle --config --pid-file --no-pivot; do
		[[ $replies == *" $word "* ]]
	done
	[[ $replies != *" --force "* ]]
	complete_line "$R" --root x delete --f
	[ "$replies" = " --force " ]
}

@test "bash: choices, folders and files as values" {
	mkdir "$BATS_TEST_TMPDIR/w" && cd "$BATS_TEST_TMPDIR/w"
	mkdir folder && touch file
	complete_line "$R" list --format ""
	[ "$replies" = " table json " ]
	complete_line "$R" explain --format = j
	[ "$replies" = " json " ]
	complete_line "$R" explain --format =
	[ "$replies" = " text json " ]
	complete_line "$R" create -b f
	[ "$replies" = " folder " ]
	complete_line "$R" create --pid-file f
	[[ $replies == *" file "* ]]
	touch "file with blanks" 'file*'
	complete_line "$R" create --pid-file "file w"
	[ "${COMPREPLY[0]}" = "file with blanks" ]
	complete_line "$R" create --pid-file "file"
	[ ${#COMPREPLY[@]} = 3 ]
	# an option without a value is followed by what it would be without it
	complete_line "$R" create --no-pivot --bu
	[ "$replies" = " --bundle " ]
}

@test "bash: containers by their ids" {
	list() { echo one two; }
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\n[ "$*" = "list -q" ] && printf "one\\nother\\ntwo\\n"\n' >"$BATS_TEST_TMPDIR/bin/orlop-runtime"
	chmod +x "$BATS_TEST_TMPDIR/bin/orlop-runtime"
	ORLOP_BUILD=$BATS_TEST_TMPDIR/bin complete_line "$R" delete --force o
	[ "$replies" = " one other " ]
}

@test "bash: the builder" {
	[ -x "$B" ] || skip "the builder is not built"
	complete_line "$B" ""
	for word in build run images --store; do
		[[ $replies == *" $word "* ]]
	done
	complete_line "$B" build --no-c
	[ "$replies" = " --no-cache --no-cache-filter " ]
	complete_line "$B" --store /x images --format ""
	[ "$replies" = " table json TEMPLATE " ]
}

@test "the scripts are well-formed" {
	for program in "$R" "$B"; do
		[ -x "$program" ] || continue
		for shell in bash zsh fish; do
			"$program" completion "$shell" >"$BATS_TEST_TMPDIR/script"
			[ "$(wc -l <"$BATS_TEST_TMPDIR/script")" -gt 10 ]
			if command -v "$shell" >/dev/null; then
				"$shell" -n "$BATS_TEST_TMPDIR/script"
			fi
		done
	done
}

@test "every option of --help is in each script" {
	for shell in bash zsh fish; do
		"$R" completion "$shell" >"$BATS_TEST_TMPDIR/$shell"
	done
	for command in $("$R" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
		grep -qw "$command" "$BATS_TEST_TMPDIR"/bash
		for option in $("$R" "$command" --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
			[ "$option" = --help ] && continue
			grep -q -- "$option" "$BATS_TEST_TMPDIR/bash"
			grep -q -- "$option" "$BATS_TEST_TMPDIR/zsh"
			grep -q -- "-l ${option#--}" "$BATS_TEST_TMPDIR/fish"
		done
	done
}

@test "an unknown shell" {
	rt completion csh
	[ "$status" = 1 ]
	[ "$stderr" = 'no completion for "csh": bash, zsh or fish' ]
}

@test "make makes them" {
	[ -f "$ORLOP_BUILD/Makefile" ] || skip "no build folder"
	cmp "$ORLOP_BUILD/completions/bash/orlop-runtime" <("$ORLOP_BUILD/orlop-runtime" completion bash)
	cmp "$ORLOP_BUILD/completions/zsh/_orlop-runtime" <("$ORLOP_BUILD/orlop-runtime" completion zsh)
	cmp "$ORLOP_BUILD/completions/fish/orlop-runtime.fish" <("$ORLOP_BUILD/orlop-runtime" completion fish)
}

@test "bash: groups of verbs, and their words" {
	[ -x "$B" ] || skip "needs builder"
	complete_line "$B" ima
	[ "$replies" = " image images " ] || [ "$replies" = " images image " ]
	complete_line "$B" image ""
	for word in ls pull rm prune inspect; do
		[[ $replies == *" $word "* ]]
	done
	complete_line "$B" manifest cr
	[ "$replies" = " create " ]
}
