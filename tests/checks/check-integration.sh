#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a page of docs/integration tells its reader to write, link or set, the suites of the orchestrators take from that
# page; a page of which nothing is taken says that no test runs its program. TAP.
set -u
source=${ORLOP_SOURCE:-.}
suites=$source/tests/orchestrators

# taken PATTERN: by some suite
taken() {
	cat "$suites"/*.bats "$suites"/*.bash | grep -qE "^[^#]*$1"
}

# page_things PAGE: "file PATH", "links", "variable NAME"
page_things() {
	sed -nE -e 's/^.*`(\/[^`]*)`:$/file \1/p' -e 's/^ln -s .*/links/p' -e 's/^([A-Z_]+)=.*/variable \1/p' \
		"$source/docs/integration/$1.md" | sort -u
}

# not_taken PAGE: those of which no suite knows
not_taken() {
	page_things "$1" | while read -r kind name; do
		case $kind in
		file) taken "configure $1 $name" || taken "containers_configure $1\$" ;;
		links) taken "page_links $1" ;;
		variable) taken "page_variable $1 $name" ;;
		esac || echo "$kind $name"
	done
}

number=0
for page in "$source"/docs/integration/*.md; do
	name=$(basename "$page" .md)
	left=$(not_taken "$name")
	number=$((number + 1))
	if [ -z "$left" ] || tr '\n' ' ' <"$page" | grep -q 'No test runs [^.]*: *no release of Debian'; then
		echo "ok $number - $name: what the page says is what the tests use, or the page says that it is not"
	else
		echo "not ok $number - $name: what the page says is what the tests use"
		echo "$left" | sed 's/^/# /'
	fi
done
echo "1..$number"
