#!/usr/bin/env bats
# Several builders in one store at once: all of them succeed, and what they make is what one alone
# makes.
# SPDX-License-Identifier: Apache-2.0
load helpers

setup() {
	requires root busybox jq
	setup_store
	make_box sh cat echo mkdir rm sleep
	ob import -q "$work/box.tar" box >/dev/null
	mkdir -p "$work/context/tree"
	for i in {1..50}; do echo "$i" >"$work/context/tree/$i"; done
	export SOURCE_DATE_EPOCH=1000000000
}

teardown() {
	teardown_store
}

# dockerfile NAME: steps that several share, then its own
dockerfile() {
	cat >"$work/context/$1" <<-END
		FROM box AS base
		RUN echo shared >/shared && sleep 0.2
		COPY tree /tree/
		FROM base AS other
		RUN echo "$1" >/own && sleep 0.1
		FROM base
		COPY --from=other /own /from/
		WORKDIR /work
		RUN echo "$1" >file && cat /tree/* >all
	END
}

# start TAG DOCKERFILE [OPTION...]: a builder in the background, its output in $work/log.TAG
start() {
	local tag=$1 file=$2
	shift 2
	"$builder" build --network none -t "$tag" -f "$work/context/$file" "$@" "$work/context" \
		>"$work/log.$tag" 2>&1 &
	pids+=($!)
}

finish() {
	local pid failed=0
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=1
	done
	[ "$failed" = 0 ] || tail -n 30 "$work"/log.*
	pids=()
	return "$failed"
}

image_id() {
	"$builder" inspect "$1" | jq -r '.[0].Id'
}

# made PATTERN TAG...: by how many of these builders the step was made, and not taken
made() {
	local pattern=$1 tag step count=0
	shift
	for tag; do
		step=$(grep -oE "^#[0-9]+ $pattern" "$work/log.$tag" | cut -d' ' -f1)
		grep -q "^$step CACHED" "$work/log.$tag" || count=$((count + 1))
	done
	echo "$count"
}

@test "two and four builders of one Dockerfile make each step once, and one image" {
	pids=()
	for count in 2 4; do
		dockerfile "same$count"
		for n in {1..400}; do echo "$count" >"$work/context/tree/more$n"; done
		tags=()
		for n in $(seq "$count"); do
			tags+=("same$count-$n")
			start "same$count-$n" "same$count"
		done
		finish
		for n in $(seq "$count"); do
			[ "$(image_id "same$count-$n")" = "$(image_id "same$count-1")" ]
		done
		# each step was made by one of them and taken by the others
		[ "$(made '\[base 3/3\] COPY' "${tags[@]}")" = 1 ]
		[ "$(made '\[stage-2 2/4\] COPY' "${tags[@]}")" = 1 ]
		[ "$(made '\[stage-2 4/4\] RUN' "${tags[@]}")" = 1 ]
	done
	wait_for 10 idle_store
}

@test "four builders of different Dockerfiles that begin alike" {
	pids=()
	for n in 1 2 3 4; do
		dockerfile "d$n"
		start "t$n" "d$n"
	done
	finish
	for n in 1 2 3 4; do
		ob export "t$n" >"$work/tar"
		[ "$(tar xOf "$work/tar" work/file from/own | sort -u)" = "d$n" ]
		[ "$(tar xOf "$work/tar" shared)" = shared ]
		[ "$(tar xOf "$work/tar" work/all | sort -n | tail -1)" = 50 ]
	done
	[ "$(cat "$work"/log.* | grep -c 'RUN echo shared')" = 4 ]
	wait_for 10 idle_store
}

@test "what builders make at once is what one makes alone" {
	pids=()
	for n in 1 2 3 4; do
		dockerfile "d$n"
		start "t$n" "d$n"
	done
	finish
	export ORLOP_STORE=$work/another
	ob import -q "$work/box.tar" box >/dev/null
	for n in 1 2 3 4; do
		"$builder" build -q --network none -t "t$n" -f "$work/context/d$n" "$work/context" >/dev/null
	done
	# whole seconds of the commands' own files differ; names, owners, sizes and contents don't
	for n in 1 2 3 4; do
		"$builder" export "t$n" | tar tvf - | awk '{ print $1, $2, $3, $6 }'
	done >"$work/alone"
	export ORLOP_STORE=$work/store
	for n in 1 2 3 4; do
		"$builder" export "t$n" | tar tvf - | awk '{ print $1, $2, $3, $6 }'
	done >"$work/together"
	diff "$work/alone" "$work/together"
}

@test "builders without the cache, beside imports, removals and runs" {
	pids=()
	dockerfile same
	for n in 1 2; do
		start "n$n" same --no-cache
	done
	for n in 1 2 3 4 5 6; do
		"$builder" import -q "$work/box.tar" "passing:$n" -c "CMD $n" >/dev/null
		"$builder" run --rm --network none box echo "run $n" >>"$work/runs"
		"$builder" rmi "passing:$n" 2>/dev/null
	done
	finish
	[ "$(wc -l <"$work/runs")" = 6 ]
	for n in 1 2; do
		[ "$(ob export "n$n" | tar xOf - work/file)" = same ]
	done
	[ "$(ob images -q passing)" = "" ]
	wait_for 10 idle_store
}

@test "a builder whose neighbour is killed in a step that both need makes it itself" {
	pids=()
	mkdir "$work/flag"
	printf '%s\n' 'FROM box' 'RUN : >/flag/begun; until [ -e /flag/go ]; do sleep 0.05; done; echo done >/file' \
		>"$work/context/wait"
	start first wait -v "$work/flag:/flag"
	victim=$!
	wait_for 10 test -e "$work/flag/begun"
	pids=()
	start second wait -v "$work/flag:/flag"
	wait_for 10 grep -q 'waiting for another builder' "$work/log.second"
	kill -KILL "$victim"
	wait "$victim" || true
	touch "$work/flag/go"
	finish
	[ "$(ob export second | tar xOf - file)" = "done" ]
	ob import -q "$work/box.tar" sweep >/dev/null
	wait_for 10 idle_store
}
