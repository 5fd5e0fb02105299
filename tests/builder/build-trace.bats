#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build --trace: the timeline of a build, with the runtime's own of each step.

load build
load loopback

teardown() {
	http_end
}

setup_file() {
	requires jq
	builder_begin
}

# Two stages side by side, a third that takes from both.
stages() {
	cat >"$C/Dockerfile" <<-'X'
		FROM base AS one
		RUN head -c 2000000 /dev/urandom >/one
		RUN echo "</script>\"'&"
		FROM base AS two
		RUN head -c 3000000 /dev/urandom >/two
		COPY Dockerfile /two.d
		FROM base
		COPY --from=one /one /
		COPY --from=two /two /
		RUN echo last
	X
}

# holds FILTER: of the trace
holds() {
	jq -e "$1" "$BATS_TEST_TMPDIR/t.json" >/dev/null || {
		echo "does not hold: $1"
		jq -c '.traceEvents[]' "$BATS_TEST_TMPDIR/t.json"
		return 1
	}
}

# What the tests ask for, in nanoseconds: rows of spans, and whether one lies in another.
FILTERS='def spans: [.traceEvents[] | select(.ph == "X") | .begin = (.ts * 1000 | round)
		| .end = .begin + (.dur * 1000 | round)];
	def inside($outer): .begin >= $outer.begin and .end <= $outer.end;
	def nest: [.[] as $a | .[] as $b | select($a != $b and $a.begin <= $b.begin and $b.begin < $a.end)
		| ($b | inside($a)) or ($a | inside($b))] | all;
	def named($what): [.traceEvents[] | select(.ph == "M" and .name == $what) | .args.name];'

@test "every step is there, in the row of its stage, and spans nest" {
	stages
	again --no-cache --trace "$BATS_TEST_TMPDIR/t.json" -t t
	# each event that progress has told: three FROM and seven steps
	holds "$FILTERS"'[spans[] | select(.cat == "step")] | length == 10 and
		(map(.args.step) | unique | length) == 10 and
		(map(select(.name | contains("FROM")) | .args.state) | unique) == ["cached"] and
		(map(select(.name | contains("FROM") | not) | .args.state) | unique) == ["done"]'
	holds "$FILTERS"'[spans[] | .name] | contains(["[one 2/3] RUN head", "[two 3/3] COPY Dockerfile /two.d"])'
	holds "$FILTERS"'[named("thread_name")[] | select(. == ("build", "one", "two", "stage-2"))] | length == 4'
	holds "$FILTERS"'spans | group_by([.pid, .tid]) | map(nest) | all'
	# what a RUN is made of, and what goes on beside it
	holds "$FILTERS"'spans | ["lookup", "snapshot", "runtime", "layer scan", "hash", "publish"] - map(select(.args.step == 2) | .cat) == []'
	holds "$FILTERS"'spans | any(.cat == "copy") and any(.cat == "export") and any(.name == "plan")'
	holds '.traceEvents | any(.ph == "B" or .ph == "E") | not'
}

@test "a layer is hashed from the beginning of its scan on, in a row beside its stage" {
	stages
	again --no-cache --trace "$BATS_TEST_TMPDIR/t.json" -t t
	# of each of the four RUNs: the one span begins before the other ends
	holds "$FILTERS"'[spans[] | select(.cat == ("layer scan", "hash"))] | group_by(.args.step) |
		length == 4 and all(.[]; (map(select(.cat == "layer scan"))[0]) as $scan | (map(select(.cat == "hash"))[0]) as $hash |
			length == 2 and $hash.begin < $scan.end and $hash.tid != $scan.tid)'
}

@test "the runtime's own spans lie inside of their step, in a process named after it" {
	stages
	again --no-cache --trace "$BATS_TEST_TMPDIR/t.json" -t t
	holds "$FILTERS"'named("process_name") | map(select(startswith("#"))) | length == 4 and any(endswith("RUN echo last"))'
	holds "$FILTERS"'[named("thread_name")[] | select(. == ("orlop-runtime", "container"))] | length == 8'
	# 4 runtimes, each with its container side, all in the span "runtime" of the step they name
	holds "$FILTERS"'. as $all | [.traceEvents[] | select(.ph == "M" and .name == "process_name" and (.args.name | startswith("#")))
		| .pid as $pid | (.args.name | capture("^#(?<n>[0-9]+)").n | tonumber) as $step
		| ($all | spans | map(select(.cat == "runtime" and .args.step == $step))) as $of
		| ($all | spans | map(select(.pid == $pid))) as $own
		| ($of | length) == 1 and ($own | length) > 20 and ($own | map(inside($of[0])) | all) and
			($own | any(.cat == "init" and .name == "exec"))] | length == 4 and all'
}

@test "a cached build has no runtime in its trace" {
	stages
	again -t t
	again --trace "$BATS_TEST_TMPDIR/t.json" -t t
	holds "$FILTERS"'[spans[] | select(.cat == "step") | .args.state] | length == 10 and unique == ["cached"]'
	holds "$FILTERS"'spans | any(.cat == ("runtime", "hash", "layer scan", "snapshot")) | not'
}

@test "a failure is in the trace: the step that failed, and its message" {
	try_build --trace "$BATS_TEST_TMPDIR/t.json" -t t <<-X
		FROM base
		RUN true
		RUN exit 7
		RUN never
	X
	[ "$status" = 1 ]
	holds "$FILTERS"'[spans[] | select(.cat == "step") | .args.state] == ["cached", "done", "failed"]'
	holds '.traceEvents | any(.ph == "i" and .name == "failed" and (.args.message | contains("exit code: 7")))'
	# before there is a graph, too
	try_build --trace "$BATS_TEST_TMPDIR/t.json" -t t <<<"FORM base"
	[ "$status" = 1 ]
	holds '.traceEvents | any(.name == "failed" and (.args.message | contains("FORM")))'
}

@test "a download is a span of its own, without user and password" {
	requires python3
	skip_missing
	http_begin "$C"
	echo hello >"$C/file"
	build --trace "$BATS_TEST_TMPDIR/t.json" -t t <<-X
		FROM base
		ADD ${HTTP/:\/\//://user:secret@}/file /
	X
	holds "$FILTERS"'named("thread_name") | any(. == "transfers")'
	holds "$FILTERS"'[spans[] | select(.cat == "transfer") | .name] == ["'"$HTTP"'/file"]'
}

@test "a runtime that knows no --trace is run without it" {
	cat >"$BATS_TEST_TMPDIR/plain-runtime" <<-X
		#!/bin/sh
		for word; do [ "\$word" != --trace ] || { echo "unknown option" >&2; exit 64; }; done
		exec "$ORLOP_BUILD/orlop-runtime" "\$@"
	X
	chmod 755 "$BATS_TEST_TMPDIR/plain-runtime"
	build --trace "$BATS_TEST_TMPDIR/t.json" --runtime "$BATS_TEST_TMPDIR/plain-runtime" -t t <<-X
		FROM base
		RUN echo plain
	X
	holds "$FILTERS"'(named("process_name") == ["orlop-builder"]) and (spans | any(.cat == "runtime"))'
}

@test "a trace that cannot be written is an error before anything is built" {
	try_build --trace "$BATS_TEST_TMPDIR/none/t.json" -t never <<-X
		FROM base
		RUN true
	X
	[ "$status" = 1 ]
	[[ $stderr == *"trace"*"none/t.json"* ]]
	[[ $stderr != *"RUN true"* ]]
	ob images
	[[ $output != *never* ]]
}
