#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The bench stays alive: one run of the floor, and what the samples become. Figures are not judged.

setup() {
	: "${ORLOP_SOURCE:=$(readlink -f "$BATS_TEST_DIRNAME/../..")}"
	: "${ORLOP_BUILD:=$ORLOP_SOURCE/build}"
	bench=$ORLOP_SOURCE/tests/bench
	export ORLOP_BUILD
}

require_world() {
	[ "$(id -u)" = 0 ] || skip "must be root"
	command -v jq >/dev/null || skip "jq is missing"
	grep -q ' cgroup2 ' /proc/mounts || skip "no cgroup2 mount"
	unshare --mount --pid --fork true 2>/dev/null || skip "no mount and pid namespaces"
}

@test "the floor runs, with a row in the table and an entry in the JSON file" {
	require_world
	BENCH_DIR=$BATS_TEST_TMPDIR run "$bench/run" runtime --only floor --rows run -n 1 \
		--json "$BATS_TEST_TMPDIR/bench.json"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"runtime: run"* ]]
	grep -Eq '^  floor +[0-9.]+ m?s +.* MiB +1$' <<<"$output"
	jq -e '.format == 1 and .failed == [] and .machine.cpus >= 1 and (.rows | length) == 1' \
		"$BATS_TEST_TMPDIR/bench.json"
	jq -e '.rows[0] | .suite == "runtime" and .row == "run" and .contestant == "floor" and
		.runs == 1 and .ratio.floor == 1 and .median_us > 100 and .peak_rss_kib > 100 and
		.samples_us == [.median_us]' "$BATS_TEST_TMPDIR/bench.json"
	# nothing stays: the work directory is gone with all that was mounted in it
	[ -z "$(find "$BATS_TEST_TMPDIR" -maxdepth 1 -name 'orlop-bench-*')" ]
}

@test "a contestant that fails is named and the others are still measured" {
	[ "$(id -u)" = 0 ] || skip "must be root"
	printf '%s\n' 'contestant bad' 'time run /bin/false' 'contestant good' 'time run /bin/true' \
		'after /bin/true' >"$BATS_TEST_TMPDIR/plan"
	run "$ORLOP_BUILD/tests/bench/measure" -n 2 "$BATS_TEST_TMPDIR/plan"
	echo "$output"
	[ "$status" -eq 1 ]
	[ "$(grep -c $'^good\t[01]\trun\t' <<<"$output")" -eq 2 ]
	[ "$(grep -c $'^bad\t-1\tfailed\t' <<<"$output")" -eq 1 ]
}

@test "a command over the time limit is killed and counts as failed" {
	printf '%s\n' 'contestant slow' 'time run /bin/sleep 60' >"$BATS_TEST_TMPDIR/plan"
	run timeout 20 "$ORLOP_BUILD/tests/bench/measure" -n 1 -t 1 "$BATS_TEST_TMPDIR/plan"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"slow"*"(limit or signal)"* ]]
}

@test "an unknown word in a plan is an error that quotes it" {
	echo 'contestnat x' >"$BATS_TEST_TMPDIR/plan"
	run "$ORLOP_BUILD/tests/bench/measure" "$BATS_TEST_TMPDIR/plan"
	[ "$status" -eq 2 ]
	[[ $output == *'"contestnat"'* ]]
}

@test "medians, nearest-rank p10, sums of verbs and ratios are right" {
	command -v jq >/dev/null || skip "jq is missing"
	for round in 0 1 2 3; do
		printf 'runtime\trun\t%s\t%s\trun\t%s\t%s\t1\t2\n' \
			floor $round $((1000000 + round * 1000)) 800 \
			crun $round $((4000000 + round * 4000)) $((3000 + round))
		printf 'runtime\tcreate\tcrun\t%s\t%s\t%s\t3000\t1\t2\n' $round create 5000000 \
			$round start 2000000 $round delete 1000000
	done >"$BATS_TEST_TMPDIR/raw"
	echo '{}' >"$BATS_TEST_TMPDIR/machine"
	jq -n -R -f "$bench/samples.jq" --slurpfile machine "$BATS_TEST_TMPDIR/machine" \
		--arg versions "" --arg adapted "" --arg date d --arg commit c \
		"$BATS_TEST_TMPDIR/raw" >"$BATS_TEST_TMPDIR/json"
	jq -e '.rows[] | select(.row == "run" and .contestant == "crun") |
		.median_us == 4006 and .p10_us == 4000 and .min_us == 4000 and .max_us == 4012 and
		.peak_rss_kib == 3003 and .ratio.floor == 4 and .ratio.crun == 1 and .runs == 4' \
		"$BATS_TEST_TMPDIR/json"
	jq -e '.rows[] | select(.row == "create+start+delete") | .median_us == 8000 and .runs == 4' \
		"$BATS_TEST_TMPDIR/json"
}
