#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: what is taken from the cache and what is not; several builders; builders that are killed.

load build

image_id() {
	config .Id "$1"
}

@test "cache: a second build takes every step and makes the same image" {
	mkdir "$C/d"
	echo x >"$C/d/f"
	build -t one <<-'X'
		FROM base
		ENV A=1
		RUN echo $A > /a
		WORKDIR /w
		COPY d .
		ADD d/f /g
		LABEL x=y
	X
	cached 1
	again -t two
	cached 5
	[ "$(image_id one)" = "$(image_id two)" ]
	touch "$C/d/f" # times are not contents
	again
	cached 5
}

@test "cache: a changed file remakes its COPY and what follows, nothing before" {
	echo 1 >"$C/package.json"
	echo 1 >"$C/main.js"
	build <<-'X'
		FROM base
		COPY package.json /app/
		RUN echo install
		COPY . /app
	X
	echo 2 >"$C/main.js"
	again
	cached 3
	echo 2 >"$C/package.json"
	again
	cached 1
	echo 1 >"$C/package.json"
	echo 1 >"$C/main.js"
	again
	cached 4
}

@test "cache: modes, names and kinds count, also those of symlinks" {
	mkdir "$C/d"
	echo x >"$C/d/f"
	build <<-'X'
		FROM base
		COPY d /d
	X
	again
	cached 2
	chmod 755 "$C/d/f"
	again
	cached 1
	mv "$C/d/f" "$C/d/g"
	again
	cached 1
	ln -s g "$C/d/h"
	again
	cached 1
	ln -sf x "$C/d/i"
	again
	cached 1
	again
	cached 2
}

@test "cache: a build arg counts from its ARG on, in what a command sees" {
	build --build-arg A=1 <<-'X'
		FROM base
		RUN echo before
		ARG A
		RUN echo $A
	X
	again --build-arg A=1
	cached 3
	again --build-arg A=2
	cached 2
}

@test "cache: options of COPY, users and working directories count" {
	echo x >"$C/f"
	for options in "" "--chown=1" "--chown=2" "--chmod=600"; do
		build <<-X
			FROM base
			COPY $options f /
		X
		cached 1
	done
	for line in "USER app" "WORKDIR /w" "ENV A=1" 'SHELL ["/bin/sh", "-ec"]'; do
		build <<-X
			FROM base
			$line
			RUN true
		X
		cached 1
	done
}

@test "cache: a step after a COPY that became equal again is taken" {
	echo 1 >"$C/f"
	build <<-'X'
		FROM base AS made
		COPY f /f
		RUN sort /f > /sorted
		FROM base
		COPY --from=made /sorted /
		RUN echo after
	X
	echo 2 >"$C/f"
	again
	echo 1 >"$C/f"
	again
	cached 6
	printf '1\n' >"$C/f"
	build <<-'X'
		FROM base AS made
		COPY f /other
		RUN sort /other > /sorted && chmod 644 /sorted
		FROM base
		COPY --from=made /sorted /
		RUN echo after
	X
	cached 3
}

@test "cache: --no-cache takes nothing, and what it makes is taken later" {
	build <<-'X'
		FROM base
		RUN cat /proc/sys/kernel/random/uuid > /u
		RUN true
	X
	again --no-cache -t two
	cached 1
	again -t three
	cached 3
	[ "$(image_id two)" = "$(image_id three)" ]
}

@test "cache: it outlives the names of the image" {
	build -t t <<-'X'
		FROM base
		RUN echo kept
	X
	ob rmi t
	again -t t
	cached 2
}

@test "cache: stages are cached too, unneeded ones are not run" {
	build --target two <<-'X'
		FROM base AS one
		RUN echo 1 > /one
		FROM base AS two
		COPY --from=one /one /
		FROM base AS three
		RUN --mount=type=cache,target=/not/built/yet false
	X
	again --target one
	cached 2
	again --target 1
	cached 4
	try_again
	[ "$status" = 1 ]
}

@test "two builders at once make a step once" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN sleep 1; cat /proc/sys/kernel/random/uuid > /u
	X
	local i pids=()
	for i in 1 2 3; do
		"$B" build -q -t "par$i" "$C" >"$BATS_TEST_TMPDIR/id$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ "$(cat "$BATS_TEST_TMPDIR"/id? | sort -u | wc -l)" = 1 ]
}

@test "a builder that waits goes on when the one it waits for fails" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN --network=none touch /flag/begun; until [ -e /flag/go ]; do sleep 0.05; done; test -e /flag/there
	X
	mkdir "$C/empty" "$C/full"
	touch "$C/full/there" "$C/full/go"
	"$B" build -v "$C/empty:/flag" "$C" &
	local first=$! second status=0
	wait_for 10 test -e "$C/empty/begun"
	timeout 200 "$B" build -v "$C/full:/flag" "$C" 2>"$BATS_TEST_TMPDIR/second" &
	second=$!
	wait_for 10 grep -q 'waiting for another builder' "$BATS_TEST_TMPDIR/second"
	touch "$C/empty/go"
	refute wait "$first"
	wait "$second" || status=$?
	cat "$BATS_TEST_TMPDIR/second"
	[ "$status" = 0 ]
}

@test "SIGINT ends a build with 130 and leaves nothing behind" {
	local nap=$((100000 + SRANDOM)) # so long sleeps nobody else's step
	cat >"$C/Dockerfile" <<-X
		FROM base
		RUN echo started > /lent/started; sleep $nap
	X
	mkdir "$C/lent"
	"$B" build -v "$C/lent:/lent" -t interrupted "$C" 2>"$BATS_TEST_TMPDIR/err" &
	local pid=$! status=0
	wait_for 10 test -e "$C/lent/started"
	kill -INT "$pid"
	wait "$pid" || status=$?
	cat "$BATS_TEST_TMPDIR/err"
	[ "$status" = 130 ]
	grep '^#2 CANCELED' "$BATS_TEST_TMPDIR/err"
	wait_for 5 no_sleepers "$nap"
	refute "$B" inspect interrupted
	grep -F "$ORLOP_STORE" /proc/self/mountinfo && return 1
	wait_for 10 idle_store
}

@test "a hundred builders that are killed leave a store that works" {
	mkdir "$C/d"
	local i
	for i in $(seq 200); do
		echo "$i" >"$C/d/$i"
	done
	for i in $(seq 100); do
		cat >"$C/Dockerfile" <<-X
			FROM base
			RUN echo $i > /i
			COPY d /d$i
			WORKDIR /w$i
		X
		"$B" build -q -t killed "$C" >/dev/null 2>&1 &
		local pid=$!
		sleep "0.$(printf %03d $((RANDOM % 180)))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
	build -t alive <<-'X'
		FROM base
		RUN echo alive > /alive
		COPY d /d
	X
	tree alive "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/alive")" = alive ]
	[ "$(ls "$BATS_TEST_TMPDIR/tree/d" | wc -l)" = 200 ]
	# whatever was recorded is whole
	local image
	for image in $("$B" images -q); do
		"$B" export "$image" | tar -tf - >/dev/null
	done
	wait_for 10 idle_store
}

# On ext4 a file that takes the place of another one, or is truncated, goes to the disk at once: who
# does that waits for whatever the disk is busy with.
all_is_known() {
	again -t all
	[ -n "$(ls "$ORLOP_STORE/stat")" ]
}

@test "cache: a build that takes all from the cache waits for no disk" {
	requires strace
	build -t all <<-'X'
		FROM base
		RUN echo > /a
		COPY Dockerfile /b
	X
	# the stat cache believes a file only when its times are older than a tick of the clock; others' contexts are known
	rm -f "$ORLOP_STORE"/stat/*
	wait_for 10 all_is_known
	cached 3
	strace -f -qq -e trace=openat,rename,renameat,renameat2,fsync,fdatasync,syncfs,sync_file_range \
		-o "$BATS_TEST_TMPDIR/trace" "$B" build -q -t all "$C" >/dev/null
	grep -q 'builds/next' "$BATS_TEST_TMPDIR/trace"
	run ! grep -E 'sync|O_TRUNC' "$BATS_TEST_TMPDIR/trace"
	# the journal's document has a name that nothing had before, and so have journals that are too
	# old; there is nothing else
	sed -i '/"builds\/[0-9]*", [0-9]*, "tmp\//d' "$BATS_TEST_TMPDIR/trace"
	run grep rename "$BATS_TEST_TMPDIR/trace"
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ $output == *'/build.json")'* ]]
}

# A disk that fails for a moment must not make a collection take the layers of records that it did not read.
@test "cache: while a record cannot be read, nothing that it may need is collected" {
	build -t kept <<-'X'
		FROM base
		RUN echo > /a
	X
	local record layers
	record=$ORLOP_STORE/steps/$(printf '0%.0s' {1..64})
	layers=$(ls "$ORLOP_STORE/layers")
	mkdir "$record" # read(2) gives EISDIR
	ob prune -f
	[ "$status" = 1 ]
	[[ $stderr == *"read \"$record\": is a directory"* ]]
	ob rmi kept
	[ "$status" = 1 ]
	[ "$(ls "$ORLOP_STORE/layers")" = "$layers" ]
	ob fsck --repair
	ob fsck
	[ "$status" = 0 ]
	again
	cached 2
	wait_for 10 idle_store
	ob prune -a -f
	[ "$status" = 0 ]
	[ "$(ls "$ORLOP_STORE/layers")" != "$layers" ]
}
