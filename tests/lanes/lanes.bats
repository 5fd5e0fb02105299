#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is said about the results of the lanes: sums, shares, tests that ran nowhere.

load ../helpers/suite

tally=$ORLOP_SOURCE/tests/lanes/tally

trs() {
	printf ':test-result: %s\n' "${@:2}" >"$BATS_TEST_TMPDIR/$1.trs"
}

@test "tally: the results of all programs are summed up" {
	trs a PASS PASS FAIL
	trs b SKIP XFAIL ERROR XPASS
	run -0 "$tally" trs "$BATS_TEST_TMPDIR" a.log b.log
	[ "$output" = "3 3 1" ]
}

@test "tally: a program that left no result has failed, and is named" {
	trs a PASS
	: >"$BATS_TEST_TMPDIR/b.trs"
	run -0 --separate-stderr "$tally" trs "$BATS_TEST_TMPDIR" a.log b.log c.log
	[ "$output" = "1 2 0" ]
	grep -x 'tally: no result from b' <<<"$stderr"
	grep -x 'tally: no result from c' <<<"$stderr"
}

@test "tally: a result of a program that is no more is not counted" {
	trs a PASS
	trs old PASS FAIL
	run -0 "$tally" trs "$BATS_TEST_TMPDIR" a.log
	[ "$output" = "1 0 0" ]
}

@test "tally: TAP, with what a plan promised and did not bring" {
	printf '%s\n' 1..6 'ok 1 a' 'not ok 2 b' '# not ok 9' 'ok 3 c # skip why' \
		'not ok 4 d # TODO' >"$BATS_TEST_TMPDIR/tap"
	run -0 "$tally" tap "$BATS_TEST_TMPDIR/tap"
	[ "$output" = "2 3 1" ]
}

@test "tally: a lane that said nothing has failed" {
	: >"$BATS_TEST_TMPDIR/tap"
	run -0 "$tally" tap "$BATS_TEST_TMPDIR/tap"
	[ "$output" = "0 1 0" ]
}

lanes=$ORLOP_SOURCE/tests/lanes

# unrun LANE...: of the TAPs with these names
unrun() {
	printf '%s\n' '# comment' 'full	needs the v2 controller (cpuset|hugetlb) | a why' \
		'nowhere  needs a stone | stones are rare' >"$BATS_TEST_TMPDIR/table"
	local lane taps=()
	for lane; do
		taps+=("$lane:$BATS_TEST_TMPDIR/$lane")
	done
	run --separate-stderr "$lanes/unrun" "$BATS_TEST_TMPDIR/table" "${taps[@]}"
	echo "$status: $output$stderr"
}

# tap LANE LINE...
tap() {
	printf '%s\n' "${@:2}" >"$BATS_TEST_TMPDIR/$1"
}

@test "unrun: what ran in one lane, well or not, is fine" {
	tap host '# suite tests/a' 'ok 1 - first' 'ok 2 second # skip needs x' 'not ok 3 third' '1..3'
	tap uml '# suite tests/a.bats' 1..3 'ok 1 first in 12ms # skip needs y' 'ok 2 second in 1234ms' \
		'ok 3 third in 1ms # skip needs y'
	unrun host uml
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "unrun: what was skipped in all lanes is named with what each lacks" {
	tap host '# suite tests/a' 1..1 'ok 1 first in 3ms # skip needs x' '# suite tests/b' '1..0 # SKIP no b'
	tap uml '# suite tests/a' 'ok 1 first in 9ms # skip needs y' '# suite tests/other' 'ok 1 all of it'
	unrun host uml
	[ "$status" = 1 ]
	[ "${lines[0]}" = "tests/a: first: needs x; needs y: NO LANE HAS IT" ]
	[ "${lines[1]}" = "tests/b: all of it: no b: NO LANE HAS IT" ]
	[ "${#lines[@]}" = 2 ]
}

@test "unrun: a test of the same name in another suite is another test" {
	tap host '# suite tests/a' 'ok 1 same # skip' '# suite tests/b' 'ok 1 same'
	unrun host
	[ "$status" = 1 ]
	[ "$output" = "tests/a: same: : NO LANE HAS IT" ]
}

@test "unrun: the table excuses a test while its lane is not run" {
	tap host '# suite tests/a' 'ok 1 first # skip needs the v2 controller cpuset' \
		'ok 2 second # skip needs a stone' 'ok 3 third # skip needs a stone or so'
	tap uml '# suite tests/a' 'ok 1 first # skip'
	unrun host uml
	[ "$status" = 1 ]
	[ "${lines[0]}" = "tests/a: first: needs the v2 controller cpuset: full: a why" ]
	[ "${lines[1]}" = "tests/a: second: needs a stone: nowhere: stones are rare" ]
	[ "${lines[2]}" = "tests/a: third: needs a stone or so: NO LANE HAS IT" ]
	tap full '# suite tests/a' 'ok 1 first # skip needs the v2 controller cpuset' 'ok 3 third'
	unrun host uml full
	[ "$status" = 1 ]
	[[ ${lines[0]} == *"NO LANE HAS IT" ]]
	[ "${#lines[@]}" = 2 ]
}

@test "unrun: every reason of the real table excuses something of the suites" {
	local lane reason rest all
	all=$(grep -rhE 'skip "|CHECK_SKIP\("|# SKIP' "$ORLOP_SOURCE/tests" --include='*.bats' \
		--include='*.bash' --include='*.c' --include='*.sh')
	while read -r lane rest; do
		reason=${rest%% | *}
		[ "$reason" != "$rest" ]
		grep -F -e "${reason%%[(.[*]*}" <<<"$all"
		[[ $lane =~ ^(host|uml|systemd|full|selinux|apparmor|newest|user|nowhere)$ ]]
	done < <(grep -vE '^(#|$)' "$lanes/skips")
}

@test "share: every suite is in one share, and shares are alike" {
	local i k
	for i in 1 2 3 4 5 6 7; do
		for k in $(seq $((i * 3))); do echo "@test \"t$k\" {"; done >"$BATS_TEST_TMPDIR/$i.bats"
	done
	for k in 1 2 3; do
		"$lanes/share" "$k" 3 "$BATS_TEST_TMPDIR"/*.bats >"$BATS_TEST_TMPDIR/share$k"
		# 84 tests
		[ "$(xargs cat <"$BATS_TEST_TMPDIR/share$k" | wc -l)" -ge 27 ]
	done
	[ "$(cat "$BATS_TEST_TMPDIR"/share? | sort | uniq | wc -l)" = 7 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/share? | wc -l)" = 7 ]
}
