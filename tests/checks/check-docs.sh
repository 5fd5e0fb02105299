#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command and option that a program knows is in its man page, and the page names no other;
# the tables behind --help are the truth. TAP.
set -u
source=${ORLOP_SOURCE:-.}
build=${ORLOP_BUILD:-.}

number=0
report() {
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# The first column of a section of a help text: "Commands:" or "Options:".
section() {
	awk -v title="$1" '$0 == title { on = 1; next } /^[^ ]/ || /^$/ { on = 0 } on && /^  [^ ]|^      --/'
}

commands() {
	"$@" --help | section Commands: | awk '{ print $1 }'
}

groups() {
	"$1" --help | section Groups: | awk '{ print $1 }'
}

# options PROGRAM [COMMAND]: "--name" and "-c", one a line, without the help option itself
options() {
	"$@" --help | section Options: | sed 's/^ *//; s/   *.*//' | tr -d ',' | tr ' ' '\n' |
		grep -E '^--?[A-Za-z]' | grep -vxE -- '-h|--help'
}

# What the page documents: ".It Fl b , Fl -bundle Ar DIR" in a list of options.
page_options() {
	sed -nE 's/^\.It (Fl .*)/\1/p' "$1" | tr ' ' '\n' |
		awk 'previous == "Fl" { print "-" $0 } { previous = $0 }' | grep -vxE -- '-h|--help'
}

check_program() {
	program=$1
	page=$2
	all=$(mktemp)
	options "$program" >"$all"
	missing=
	for command in $(commands "$program"); do
		grep -qE "^\.Ss $command\$" "$page" || missing="$missing $command"
		options "$program" "$command" >>"$all"
	done
	for group in $(groups "$program"); do
		grep -qE "^\.Ss $group\$" "$page" || missing="$missing $group"
		for word in $(commands "$program" "$group"); do
			options "$program" "$group" "$word" >>"$all"
		done
	done
	report "$(basename "$page"): every command has a section" "$missing"
	report "$(basename "$page"): no section of an unknown command" "$(
		sed -n 's/^\.Ss \([a-z]*\)$/\1/p' "$page" | while read -r command; do
			{ commands "$program" && groups "$program"; } | grep -qx "$command" || echo "$command"
		done)"
	report "$(basename "$page"): every option is described" "$(
		sort -u "$all" | while read -r option; do
			page_options "$page" | grep -qxF -- "$option" || echo "$option"
		done)"
	report "$(basename "$page"): no unknown option" "$(
		page_options "$page" | sort -u | while read -r option; do
			grep -qxF -- "$option" "$all" || echo "$option"
		done)"
	rm -f "$all"
}

# pair PROGRAM PAGE: one that is not built here (--disable-builder) has nothing to compare.
pair() {
	if [ -x "$1" ]; then
		check_program "$1" "$2"
	else
		number=$((number + 1))
		echo "ok $number - $(basename "$2") # SKIP $(basename "$1") is not built"
	fi
}

pair "$build/orlop-runtime" "$source/docs/man/orlop-runtime.8"
pair "$build/orlop-builder" "$source/docs/man/orlop-builder.1"
if command -v mandoc >/dev/null; then
	report "mandoc has nothing to say about our pages" "$(
		for page in "$source"/docs/man/*.[1-8]; do
			mandoc -T lint -W warning "$page"
		done)"
else
	number=$((number + 1))
	echo "ok $number - mandoc has nothing to say about our pages # SKIP no mandoc"
fi
# the rules of config.json: rows of the tables against rows of the page
rules=$(sed -nE 's/^\t\{ "([a-z-]+)", +(rule|ask)_.*/\1/p; s/^#define RULE_[A-Z]+ "([a-z-]+)"$/\1/p' \
	"$source"/spec/config-check*.c "$source/spec/json-decoder.h" "$source/runtime/plan/plan.c" \
	"$source/runtime/lifecycle/host.c" | sort)
page_rules=$(sed -nE 's/^\| `([a-z-]+)` \|.*/\1/p' "$source/docs/validation.md" | sort)
report "validation.md: the rules, and no others" "$(
	[ -n "$rules" ] || echo "no rules found in spec/config-check*.c"
	printf '%s\n' "$rules" "$page_rules" | sort | uniq -u)"
report "each rule has a name of its own" "$(printf '%s\n' "$rules" | uniq -d)"
# the words of docker: those that are said to be ours, and those that are said not to be
docker_words() {
	grep "| .*$1" "$source/docs/docker-to-orlop.md" | sed 's/^| *//; s/ | .*//' | grep -oE '`[^`]*`' |
		sed 's/`//g; s/^docker //' | grep -v '^-'
}
if [ -x "$build/orlop-builder" ]; then
	ours=$(commands "$build/orlop-builder"; groups "$build/orlop-builder")
	report "docker-to-orlop.md: which words of docker are words of ours" "$(
		[ -n "$(docker_words 'the same words of')" ] || echo "no words found"
		for word in $(docker_words 'the same words'); do
			echo "$ours" | grep -qxF -- "$word" || echo "not ours: $word"
		done
		for word in $(docker_words 'has none of them'); do
			! echo "$ours" | grep -qxF -- "$word" || echo "ours: $word"
		done)"
else
	number=$((number + 1))
	echo "ok $number - docker-to-orlop.md # SKIP orlop-builder is not built"
fi
echo "1..$number"
