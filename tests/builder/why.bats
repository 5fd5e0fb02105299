#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build --why, logs, du --build, history --build: why a step was made, what it said, what it cost.

load build

why() {
	said 'why: '
}

@test "why: the first build has nothing to compare with, a cached one says nothing" {
	build --why <<-'X'
		FROM base
		RUN echo only-here-$RANDOM
	X
	why | grep -qx '#2 why: nothing like it was made in this store before'
	again --why
	refute why
}

@test "why: each file that differs, with its modes, sizes and digests" {
	mkdir "$C/d"
	echo one >"$C/d/changed"
	echo same >"$C/d/mode"
	echo gone >"$C/d/gone"
	echo same >"$C/d/same"
	ln -s same "$C/d/link"
	build <<-'X'
		FROM base
		COPY d /why-files
	X
	echo three >"$C/d/changed"
	chmod 755 "$C/d/mode"
	rm "$C/d/gone"
	echo new >"$C/d/new"
	ln -sfn mode "$C/d/link"
	again --why
	why | grep -qx '#2 why: 5 files changed'
	local one three
	one=$(printf 'one\n' | sha256sum | cut -c1-12)
	three=$(printf 'three\n' | sha256sum | cut -c1-12)
	why | grep -qx "#2 why:   ~ changed, 4 -> 6 bytes, sha256 $one -> $three"
	why | grep -qx '#2 why:   ~ mode, mode 100644 -> 100755'
	why | grep -qx '#2 why:   ~ link, to "same" -> "mode"'
	why | grep -qx '#2 why:   - gone, mode 100644, 5 bytes'
	why | grep -qx '#2 why:   + new, mode 100644, 4 bytes'
	refute grep -q 'same,' <<<"$stderr"
}

@test "why: many files are counted, the first ones are named" {
	mkdir "$C/d"
	local i
	for i in $(seq 10 60); do echo "$i" >"$C/d/$i"; done
	build <<-'X'
		FROM base
		COPY d /why-many
	X
	for i in $(seq 10 60); do echo "new $i" >"$C/d/$i"; done
	again --why
	why | grep -qx '#2 why: 51 files changed'
	why | grep -qx '#2 why:   ... and 31 more'
	[ "$(why | grep -c '  ~ ')" = 20 ]
}

@test "why: names with control characters do not reach the terminal" {
	mkdir "$C/d"
	echo 1 >"$C/d/"$'esc\033[31m'
	build <<-'X'
		FROM base
		COPY d /why-names
	X
	echo 2 >"$C/d/"$'esc\033[31m'
	again --why
	why | grep -qF '  ~ esc?[31m'
}

@test "why: ARG, ENV, command, network and what lies below" {
	build --build-arg V=1 <<-'X'
		FROM base
		ARG V
		RUN echo why-args
	X
	again --why --build-arg V=2
	why | grep -qx '#2 why: ARG V: "1" -> "2"'
	again --why
	why | grep -qx '#2 why: ARG V: .* -> not set'
	build <<-'X'
		FROM base
		ENV E=1
		RUN echo why-env
	X
	build --why <<-'X'
		FROM base
		ENV E=2
		RUN echo why-env
	X
	why | grep -qx '#2 why: ENV E: "1" -> "2"'
	build --why --network none <<-'X'
		FROM base
		ENV E=2
		RUN echo why-env
	X
	why | grep -qx '#2 why: network: "host" -> "none"'
	build <<-'X'
		FROM base
		RUN echo why-first
		RUN echo why-second
	X
	build --why <<-'X'
		FROM base
		RUN echo why-first, changed
		RUN echo why-second
	X
	why | grep -qx '#2 why: the command: "/bin/sh -c echo why-first" -> "/bin/sh -c echo why-first, changed"'
	why | grep -qx '#3 why: what it stands on: "RUN echo why-first" -> "RUN echo why-first, changed"'
}

@test "why: another base image under the same name" {
	"$B" import -q "$BATS_FILE_TMPDIR/base.tar" why-base >/dev/null
	build <<-'X'
		FROM why-base
		RUN echo why-base
	X
	local before after
	before=$(config '.RootFS.Layers[0]' why-base | tr -d '"')
	cp -a "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/other"
	echo other >"$BATS_TEST_TMPDIR/other/etc/other"
	tar -C "$BATS_TEST_TMPDIR/other" -cf "$BATS_TEST_TMPDIR/other.tar" .
	"$B" import -q "$BATS_TEST_TMPDIR/other.tar" why-base >/dev/null
	after=$(config '.RootFS.Layers[0]' why-base | tr -d '"')
	again --why
	why | grep -qx "#2 why: the base image: \"why-base $before\" -> \"why-base $after\""
}

@test "why: --no-cache, a layer that is gone, a list that is gone" {
	echo 1 >"$C/f"
	build <<-'X'
		FROM base
		COPY f /why-gone
	X
	again --why --no-cache
	why | grep -qx '#2 why: --no-cache'
	rm "$ORLOP_STORE"/lists/*
	echo 2 >"$C/f"
	again --why
	why | grep -qF 'the files that are copied (the list of what they were is gone)'
	build -t whole <<-'X'
		FROM base
		RUN echo why-layer > /f
	X
	local id
	id=$(config '.RootFS.Layers[-1]' whole | tr -d '"')
	mv "$ORLOP_STORE/layers/${id#sha256:}" "$BATS_TEST_TMPDIR/layer"
	again --why
	why | grep -qx '#2 why: there is a record of it, but not its layer'
}

@test "logs: all that a step said, byte for byte, with its time on demand" {
	build <<-'X'
		FROM base
		RUN for i in $(seq 3000); do echo "line $i of the log"; done; printf 'no end'
	X
	ob logs last#2
	[ "$status" = 0 ]
	[ "$(wc -l <<<"$output")" = 3001 ]
	"$B" logs last#2 | cmp - <(for i in $(seq 3000); do echo "line $i of the log"; done; printf 'no end')
	"$B" logs last:stage-0/2 | cmp - <("$B" logs last#2)
	[ "$("$B" logs -t last | grep -cE '^20[0-9]{2}-[0-9-]*T[0-9:]*\.[0-9]{3}Z line')" = 3000 ]
	again
	ob logs last#2
	[ "$(wc -l <<<"$output")" = 3001 ] # of the build that made it
	grep -q '^(from the cache: made as [0-9]*#2)' <<<"$stderr"
}

@test "logs: of a step that failed; builds are listed; what is not there is named" {
	try_build <<-'X'
		FROM base
		RUN seq 100; exit 3
	X
	[ "$status" = 1 ]
	ob logs last#2
	[ "$(tail -n 1 <<<"$output")" = 100 ]
	grep -q 'exit code: 3' <<<"$stderr"
	ob logs
	sed -n 2p <<<"$output" | grep -qE '^[0-9]+ .* failed +2 '
	for word in last#99 99999 last:none/3 nonsense ''; do
		ob logs "$word"
		[ "$status" = 1 ]
		grep -q "\"$word\": no such build or step" <<<"$stderr"
	done
}

@test "logs: builds keep their numbers, and only a hundred are kept" {
	build <<-'X'
		FROM base
	X
	local i last
	for i in $(seq 104); do "$B" build -q "$C" >/dev/null; done
	[ "$(find "$ORLOP_STORE/builds" -mindepth 1 -maxdepth 1 -type d | wc -l)" = 100 ]
	last=$("$B" logs | sed -n '2s/ .*//p')
	"$B" prune -f --filter type=log >/dev/null
	again
	[ "$("$B" logs | sed -n '2s/ .*//p')" = "$((last + 1))" ]
}

@test "du --build and history --build: what each step cost" {
	build -t cost <<-'X'
		FROM base
		RUN dd if=/dev/zero of=/big bs=1M count=3 2>/dev/null; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done
		LABEL a=b
		COPY Dockerfile /why-cost
	X
	local json
	json=$("$B" du --build --format json | jq -c '[.[] | select(.what | startswith("RUN dd"))][0]')
	echo "$json"
	[ "$(jq '.size > 3000000 and .wallMicroseconds > 0 and .userMicroseconds + .systemMicroseconds > 0 and .peakRSS > 100000' <<<"$json")" = true ]
	[ "$("$B" logs | sed -n '2s/ .*//p')" = "$(jq .build <<<"$json")" ]
	[ "$(jq .step <<<"$json")" = 2 ]
	json=$("$B" history --build --format json cost)
	[ "$(jq -c '[.[].build > 0]' <<<"$json")" = '[true,false,true,false]' ]
	"$B" history --build cost | grep -qE '^[0-9]+#2 .* 3.1[0-9]?MB .*RUN /bin/sh -c dd'
	"$B" du --build | grep -qE '^[0-9]+#3 .* COPY Dockerfile /why-cost'
}

@test "du --build and history --build: what a COPY cost us" {
	head -c 16000000 /dev/zero >"$C/large"
	mkdir "$C/small"
	(cd "$C/small" && seq 500 | xargs touch)
	build -t copied <<-'X'
		FROM base
		COPY large /large
		COPY small /small/
	X
	local json large small
	json=$("$B" history --build --format json copied)
	large=$(jq -c '[.[] | select(.what | startswith("COPY large"))][0]' <<<"$json")
	small=$(jq -c '[.[] | select(.what | startswith("COPY small"))][0]' <<<"$json")
	echo "$large $small"
	# hashing 16 MB twice, by two threads, takes milliseconds on any machine; and it was this step's
	[ "$(jq '.userMicroseconds > 5000 and .peakRSS > 1000000' <<<"$large")" = true ]
	[ "$(jq '.userMicroseconds + .systemMicroseconds > 0 and .peakRSS > 1000000' <<<"$small")" = true ]
	"$B" du --build | grep -qE '#2 +[0-9.]+s +([1-9][0-9]*\.[0-9]+|0\.[0-9]*[1-9][0-9]*)s .* COPY large'
}
