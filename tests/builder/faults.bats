#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A disk that fails here and there: calls of the builder that reach a file system fail at random, in
# the middle of builds of parallel stages. Such a build ends and says why, or succeeds; what is in the store
# after it is whole, and a build with it makes what a clean one makes. More rounds by ORLOP_FAULT_ROUNDS
# (300 take some five minutes), the same ones by ORLOP_FAULT_SEED.

load build

setup() {
	context_begin
	mkdir -p "$C/d/sub"
	export SOURCE_DATE_EPOCH=1700000000 # one config, whoever makes it
}

# context ROUND: a part of it is another one each time
context() {
	local i
	for i in 1 2 3 4 5; do echo "$i of $1" >"$C/d/$i"; done
	for i in 6 7 8 9; do echo "always $i" >"$C/d/sub/$i"; done
	touch -d @1500000000 "$C"/d/* "$C"/d/sub/* "$C/d"
	tar -C "$C" --mtime=@1500000000 -czf "$C/pack.tar.gz" d
	cat >"$C/Dockerfile" <<-X
		FROM base AS left
		RUN echo $1 >/one && mkdir /gone && touch /gone/file && touch -d @1500000000 /one /gone /gone/file /
		COPY d /d/
		RUN rm -r /gone /d/1 && touch -d @1500000000 /d /
		FROM base AS right
		ADD pack.tar.gz /packed/
		RUN echo $(($1 / 4)) >/packed/d/1 && ln /packed/d/1 /packed/hard && touch -d @1500000000 /packed/d/1 /packed /packed/d
		FROM base
		WORKDIR /work
		COPY --from=left /one /d /from/
		COPY --from=right /packed /packed/
		ENV ROUND=$1
	X
}

one() {
	"$B" build --network none --jobs 3 -t "$@" "$C"
}

# says_why STATUS LOG: not by a signal, and with a reason; the loader of its libraries has words of its own
says_why() {
	[ "$1" = 1 ] || [ "$1" = 127 ] || return 1
	grep -v '^failsome:' "$2" |
		grep -qiE 'input/output error|no space left|cannot allocate memory|too many open files|loading shared libraries'
}

# is_clean IMAGE [OPTION...]: the image is what a build in another store makes
is_clean() {
	ORLOP_STORE=$clean one clean -q "${@:2}" >/dev/null
	[ "$("$B" inspect "$1" | jq -r '.[0].Id')" != "$(ORLOP_STORE=$clean "$B" inspect clean | jq -r '.[0].Id')" ] || return 0
	diff <(ORLOP_STORE=$clean "$B" export clean | tar -tvf - --full-time) <("$B" export "$1" | tar -tvf - --full-time)
	diff <(ORLOP_STORE=$clean "$B" inspect clean | jq .) <("$B" inspect "$1" | jq .)
	return 1
}

@test "calls fail at random: the build says so or is right, and the store is whole" {
	local rounds=${ORLOP_FAULT_ROUNDS:-12} seed=${ORLOP_FAULT_SEED:-$RANDOM} round failed=0 clean=$WORK/clean status
	local failsome=$ORLOP_BUILD/tests/helpers/failsome log=$BATS_TEST_TMPDIR/log rate
	echo "ORLOP_FAULT_SEED=$seed"
	RANDOM=$seed
	"$B" import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null # as old as the other one
	ORLOP_STORE=$clean "$B" import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
	for ((round = 1; round <= rounds; round++)); do
		context "$round"
		rate=$((50 << round % 7)) # from some hundred in a build to one or none
		# by a pipe: the messages reach us, whatever the disk does
		"$failsome" "$rate" "$seed$round" EIO,ENOSPC,ENOMEM,EMFILE "$B" \
			"$B" build --network none --jobs 3 -t "faulty:$round" "$C" 2>&1 3>&- | cat >"$log"
		status=${PIPESTATUS[0]}
		if [ "$status" != 0 ]; then
			failed=$((failed + 1))
			says_why "$status" "$log" || {
				echo "round $round: status $status"
				cat "$log"
				return 1
			}
		else
			is_clean "faulty:$round"
		fi
		# whatever came of it, the next builder goes on with it
		one "next:$round" -q >"$log.next" 2>&1 || { cat "$log.next"; false; }
		"$B" fsck >"$log.fsck" 2>&1 || { cat "$log.fsck"; false; }
		wait_for 10 idle_store
		if [ $((round % 4)) = 0 ]; then
			is_clean "next:$round" --no-cache
		fi
		[ $((round % 50)) != 0 ] || echo "# $round rounds, $failed failed, $SECONDS s" >&3
	done
	echo "$failed of $rounds builds failed"
	[ "$failed" -ge $((rounds / 4)) ]
	rm -rf "$clean"
}
