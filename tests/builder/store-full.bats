#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A store without room: builds say so, and nothing of them is in the way when there is room again.

load build

# in_small SIZE COMMAND...: with a store on a tmpfs of this size, in a mount namespace of its own
in_small() {
	local size=$1
	shift
	mkdir -p "$BATS_TEST_TMPDIR/small"
	SMALL=$BATS_TEST_TMPDIR/small SIZE=$size C=$C B=$B BASE=$BATS_FILE_TMPDIR/base.tar \
		run --separate-stderr -- unshare -m --propagation private bash -euc '
		if [ "${FS:-tmpfs}" = tmpfs ]; then
			mount -t tmpfs -o "size=$SIZE" none "$SMALL"
		else
			truncate -s "$SIZE" "$SMALL.img"
			mkfs.ext4 -q -m 0 "$SMALL.img"
			mount -o loop "$SMALL.img" "$SMALL"
		fi
		export ORLOP_STORE=$SMALL/store
		fails() { if "$@"; then echo "unexpected: $*" >&2; exit 9; fi; }
		"$B" import -q "$BASE" base >/dev/null
		'"$*"
	printf '%s\n%s\n' "$output" "$stderr"
}

# After it: what was taken is given back, the store is whole, and a smaller build works.
AFTER='
	for i in $(seq 600); do [ -n "$(ls "$ORLOP_STORE/tmp")" ] || break; sleep 0.1; done # what takes long goes on behind
	[ -z "$(ls "$ORLOP_STORE/tmp")" ]
	"$B" fsck
	printf "FROM base\nRUN echo small > /small\n" >"$C/Dockerfile"
	"$B" build -q -t small "$C"
	[ "$("$B" export small | tar -xOf - small)" = small ]
'

# A builder that is killed leaves a record that nobody has synced; it counts as long as the file
# system stays mounted.
@test "no disk: what was not synced is forgotten when the file system was mounted again" {
	printf 'FROM base\nCOPY Dockerfile /one\nRUN echo up >&2; sleep 1000\n' >"$C/Dockerfile"
	# shellcheck disable=SC2016
	FS=ext4 in_small 64m '
		steps() { grep -cE "^#2 CACHED" "$SMALL.log" || true; }
		killed() {
			: >"$SMALL.log" # the last one is not read for this one
			"$B" build --network none --progress plain "$C" >"$SMALL.log" 2>&1 &
			for i in $(seq 600); do grep -q "^#3 .* up$" "$SMALL.log" && break; sleep 0.1; done
			kill -KILL $!
			wait $! || true
			"$B" sweep
			steps
		}
		[ "$(killed)" = 0 ]
		ls "$ORLOP_STORE"/steps/*.*-*
		[ "$(killed)" = 1 ]
		for i in $(seq 600); do umount "$SMALL" && break; sleep 0.1; done
		mount -o loop "$SMALL.img" "$SMALL"
		[ "$(killed)" = 0 ]
		[ "$(killed)" = 1 ]
		"$B" fsck'
	[ "$status" = 0 ]
}

@test "no room: a RUN that fills the store fails, and the store works after it" {
	printf 'FROM base\nRUN dd if=/dev/zero of=/big bs=1M count=64\n' >"$C/Dockerfile"
	# shellcheck disable=SC2016
	in_small 24m 'fails "$B" build "$C"' "$AFTER"
	[ "$status" = 0 ]
	grep -q 'No space left on device' <<<"$stderr"
}

@test "no room: a COPY that is too large fails with the reason" {
	head -c 40000000 /dev/urandom >"$C/big"
	printf 'FROM base\nCOPY big /big\n' >"$C/Dockerfile"
	# shellcheck disable=SC2016
	in_small 24m 'fails "$B" build "$C"' "$AFTER"
	[ "$status" = 0 ]
	grep -qi 'no space left on device' <<<"$stderr"
}

@test "no room: not even for the log of a step, which is no failure" {
	printf 'FROM base\nRUN seq 100000\n' >"$C/Dockerfile"
	# shellcheck disable=SC2016
	in_small 24m '
		mkdir -p "$ORLOP_STORE/builds"
		mount -t tmpfs -o size=64k none "$ORLOP_STORE/builds"
		"$B" build -t logged "$C" >"$C/out" 2>&1
		grep -q "the log of the build is not complete: No space left on device" "$C/out"
		[ "$(grep -c "not complete" "$C/out")" = 1 ]
		umount "$ORLOP_STORE/builds"
	' "$AFTER"
	[ "$status" = 0 ]
}

@test "no room: at any point of a build" {
	mkdir "$C/d"
	local i
	for ((i = 0; i < 20; i++)); do head -c 50000 /dev/urandom >"$C/d/$i"; done
	# the room that is left grows until the build succeeds
	# shellcheck disable=SC2016
	in_small 32m '
		room=20 failed=0
		while :; do
			printf "FROM base\nRUN echo 1 > /one\nCOPY d /d%s\nRUN cat /d%s/* > /two\nWORKDIR /w\n" "$room" "$room" >"$C/Dockerfile"
			free=$(df --output=avail -k "$SMALL" | tail -n 1)
			[ "$free" -le "$room" ] || head -c "$(((free - room) * 1024))" /dev/zero >"$SMALL/fill"
			if "$B" build -q -t any "$C" >"$C/out" 2>&1; then
				break
			fi
			grep -qi "no space left on device" "$C/out"
			failed=$((failed + 1))
			rm -f "$SMALL/fill"
			"$B" fsck
			"$B" prune -af >/dev/null 2>&1
			room=$((room + 180))
		done
		rm -f "$SMALL/fill"
		[ "$failed" -ge 5 ]
		[ "$("$B" export any | tar -xOf - two | wc -c)" = 1000000 ]
	' "$AFTER"
	[ "$status" = 0 ]
}

# Two builders with parallel stages; the room that is left grows until both succeed.
PARALLEL='
	room=20 failed=0
	while :; do
		{
			for i in 1 2 3; do
				printf "FROM base AS s$i\nRUN echo $i $room > /one\nCOPY d /d$room\nRUN cat /d$room/* > /two\n"
			done
			printf "FROM base\nCOPY --from=s1 /two /1\nCOPY --from=s2 /two /2\nCOPY --from=s3 /two /3\n"
		} >"$C/Dockerfile"
		free=$(df --output=avail -k "$SMALL" | tail -n 1)
		[ "$free" -le "$room" ] || head -c "$(((free - room) * 1024))" /dev/zero >"$SMALL/fill" 2>/dev/null || true
		"$B" build -q --jobs 3 -t any "$C" >"$C/out1" 2>&1 & first=$!
		"$B" build -q --jobs 3 -t other --target s2 "$C" >"$C/out2" 2>&1 & second=$!
		bad=0
		wait "$first" || bad=1
		wait "$second" || bad=$((bad + 2))
		rm -f "$SMALL/fill"
		[ "$bad" != 0 ] || break
		[ "$((bad & 1))" = 0 ] || grep -qi "no space left on device" "$C/out1"
		[ "$((bad & 2))" = 0 ] || grep -qi "no space left on device" "$C/out2"
		failed=$((failed + 1))
		"$B" fsck
		"$B" prune -af >/dev/null 2>&1
		room=$((room + 350))
	done
	[ "$failed" -ge 5 ]
	"$B" fsck
	[ "$("$B" export any | tar -xOf - 1 2 3 | wc -c)" = 1500000 ]
'

@test "no room: at any point of two builders with parallel stages" {
	mkdir "$C/d"
	local i
	for ((i = 0; i < 10; i++)); do head -c 50000 /dev/urandom >"$C/d/$i"; done
	in_small 32m "$PARALLEL" "$AFTER"
	[ "$status" = 0 ]
}

@test "no room: the same on a small ext4" {
	requires root mkfs.ext4
	[ -e /dev/loop-control ] || skip "needs loop devices"
	skip_missing
	mkdir "$C/d"
	local i
	for ((i = 0; i < 10; i++)); do head -c 50000 /dev/urandom >"$C/d/$i"; done
	FS=ext4 in_small 40m "$PARALLEL" "$AFTER"
	[ "$status" = 0 ]
}
