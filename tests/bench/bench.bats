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

# table FILE: what the raw samples become
table() {
	echo '{"load_at_start":1}' >"$BATS_TEST_TMPDIR/machine"
	jq -n -R -f "$bench/samples.jq" --slurpfile machine "$BATS_TEST_TMPDIR/machine" \
		--arg versions "" --arg adapted "" --arg date 2026-01-01 --arg commit c "$1" \
		>"$BATS_TEST_TMPDIR/json"
	jq -r -L "$bench" -f "$bench/table.jq" "$BATS_TEST_TMPDIR/json"
}

@test "a builder's ratio is one of each round, and the worst of them decides" {
	command -v jq >/dev/null || skip "jq is missing"
	# in the second round the machine is twice as slow, in the third one ours alone is
	printf 'builder\trun20\t%s\t%s\tcold\t%s\t9000\t1\t2\n' \
		orlop 0 100000000 docker 0 1000000000 orlop 1 200000000 docker 1 2000000000 \
		orlop 2 160000000 docker 2 1000000000 >"$BATS_TEST_TMPDIR/raw"
	printf 'builder\trun20\torlop\t%s\tsha256\t%s\t1\t1\t1\n' 0 100000000 0 80000000 1 160000000 \
		2 160000000 >>"$BATS_TEST_TMPDIR/raw"
	run table "$BATS_TEST_TMPDIR/raw"
	echo "$output"
	[[ $output == *"at most 0.17x docker: 0.1 (0.1 to 0.16), met in every round"* ]]
	[[ $output == *"sha256 105 MB/s (105 to 210 beside single builds)"* ]]
	sed -i 's/160000000\t9000/200000000\t9000/' "$BATS_TEST_TMPDIR/raw"
	run table "$BATS_TEST_TMPDIR/raw"
	[[ $output == *"at most 0.17x docker: 0.1 (0.1 to 0.2), met by the median only"* ]]
	sed -i 's/100000000\t9000/190000000\t9000/' "$BATS_TEST_TMPDIR/raw"
	run table "$BATS_TEST_TMPDIR/raw"
	[[ $output == *"at most 0.17x docker: 0.19 (0.1 to 0.2), missed"* ]]
}

@test "what a RUN takes beyond its command is compared with reading and hashing, round by round" {
	command -v jq >/dev/null || skip "jq is missing"
	printf 'builder\twritten\t%s\t%s\t%s\t%s\t9000\t1\t2\n' \
		orlop 0 cold 3000000000 floor 0 command 1000000000 \
		floor 0 hash 1500000000 floor 0 hash-files 500000000 \
		orlop 1 cold 7000000000 floor 1 command 3000000000 \
		floor 1 hash 3000000000 floor 1 hash-files 1000000000 >"$BATS_TEST_TMPDIR/raw"
	run table "$BATS_TEST_TMPDIR/raw"
	echo "$output"
	[[ $output == *"at most 1.3x floor: 1 (1 to 1), met in every round"* ]]
	jq -e '.rows[] | select(.row == "written beyond" and .contestant == "orlop") | .samples_us == [2000000, 4000000]' \
		"$BATS_TEST_TMPDIR/json"
}
