#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a build removes by itself (nothing, unless the cache is over a limit), the limits of prune,
# how large logs may become, and a store that was copied to another place.

load build

# five: five steps of 1 MB that no image needs, used the longer ago the smaller their number
five() {
	local n
	for n in 1 2 3 4 5; do
		build <<-X
			FROM base
			RUN dd if=/dev/zero of=/f$n bs=1M count=1 2>/dev/null
		X
		touch -d "-$((10 - n)) days" "$(grep -l "/f$n bs" "$ORLOP_STORE"/steps/*)"
	done
	wait_for 10 idle_store # what a session has used stays as long as it lives
	"$B" prune -f --filter type=image >/dev/null
}

# left: which of them are there
left() {
	local i all=
	for i in 1 2 3 4 5; do
		! grep -qs "/f$i bs" "$ORLOP_STORE"/steps/* || all+=$i
	done
	echo "$all"
}

setup() {
	context_begin
	export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
	rm -f "$ORLOP_STORE/gc"
}

teardown() {
	"$B" prune -af >/dev/null 2>&1
}

something() {
	build "$@" <<-X
		FROM base
		RUN echo $BATS_TEST_NUMBER $((++SOMETHING)) > /new
	X
}

@test "gc: a cache within its limits is left alone" {
	five
	something
	[ "$(left)" = 12345 ]
	refute said 'collecting the cache'
}

@test "gc: over max-used-space the longest unused goes, and the build says so" {
	five
	something --gc interval=0s,max-used-space=3500k,reserved-space=0,min-free-space=0 -t kept
	[ "$(left)" = 345 ]
	said 'collecting the cache'
	said 'removed 2 steps of the cache \(2 MiB\), unused the longest: it may have 3 MiB'
	"$B" logs last | grep -q 'removed 2 steps'
	"$B" inspect kept >/dev/null
	"$B" fsck
}

@test "gc: reserved-space stays, whatever the disk has" {
	five
	something --gc interval=0s,max-used-space=1m,reserved-space=4500k
	[ "$(left)" = 2345 ]
	something --gc interval=0s,max-used-space=0,reserved-space=2500k,min-free-space=100%
	[ "$(left)" = 45 ]
	said 'of the disk [0-9]+ MiB were free'
}

@test "gc: images, also without a name, containers' layers and running builds keep what they need" {
	build -t named <<-'X'
		FROM base
		RUN echo named > /named
	X
	build <<-'X'
		FROM base
		RUN echo unnamed > /unnamed
	X
	local unnamed
	unnamed=$("$B" images -q | head -1)
	something --gc interval=0s,max-used-space=1,reserved-space=0
	tree named "$BATS_TEST_TMPDIR/named"
	[ "$(cat "$BATS_TEST_TMPDIR/named/named")" = named ]
	"$B" export "$unnamed" >/dev/null
	[ "$("$B" images -q | wc -l)" -ge 3 ]
	"$B" fsck
}

@test "gc: not looked for after a build from the cache, nor again at once" {
	five
	something
	[ -e "$ORLOP_STORE/gc" ]
	something --gc max-used-space=1m,reserved-space=0
	[ "$(left)" = 12345 ] # somebody has just looked
	again --gc interval=0s,max-used-space=1m,reserved-space=0
	[ "$(left)" = 12345 ] # nothing was made
	touch -d '-11 minutes' "$ORLOP_STORE/gc"
	something --gc max-used-space=1m,reserved-space=0
	[ "$(left)" != 12345 ]
}

@test "gc: notes on where blobs are do not grow without end; what an image needs stays" {
	build -t noted <<-'X'
		FROM base
		RUN echo noted > /noted
	X
	local notes=$ORLOP_STORE/origins needed
	needed=$("$B" images -q --no-trunc noted | cut -d: -f2)
	mkdir -p "$notes" "$ORLOP_STORE/packed"
	(cd "$notes" && seq -f %064.0f 1 4090 | xargs touch -d '-1 day')
	(cd "$ORLOP_STORE/packed" && seq -f '%064.0f-gzip4' 1 20 | xargs touch -d '-2 days')
	touch -d '-9 days' "$notes/$needed"
	[ "$("$B" du --format json | jq .notes.count)" = 4111 ]
	something --gc interval=0s
	# the oldest of those that nothing needs
	[ "$(ls "$notes" | wc -l)" = 4091 ]
	[ "$(ls "$ORLOP_STORE/packed" | wc -l)" = 6 ]
	"$B" prune -f --filter type=note | tail -1
	[ "$(ls "$notes" "$ORLOP_STORE/packed" | grep -c .)" = 3 ] # two headings and
	[ -e "$notes/$needed" ]
	"$B" rmi noted
	"$B" prune -af >/dev/null
	[ -z "$(ls "$notes")" ]
	"$B" fsck
}

@test "gc: limits of the user's file, over which the command line stands" {
	five
	mkdir -p "$XDG_CONFIG_HOME/orlop"
	cat >"$XDG_CONFIG_HOME/orlop/builder.toml" <<-'X'
		[gc]
		max-used-space = "1m"
		reserved-space = "0"
		interval = "0s"
		[other]
		anything = 1
	X
	something --gc off
	[ "$(left)" = 12345 ]
	something --gc max-used-space=4500k
	[ "$(left)" = 2345 ]
	something
	[ "$(left)" = 5 ] || [ "$(left)" = "" ]
	local bad
	for bad in 'nonsense = "1"' 'max-used-space = "many"' 'min-free-space = "120%"' 'enabled = "no"'; do
		printf '[gc]\n%s\n' "$bad" >"$XDG_CONFIG_HOME/orlop/builder.toml"
		try_again
		[ "$status" != 0 ]
		said 'builder.toml'
	done
	rm "$XDG_CONFIG_HOME/orlop/builder.toml"
	for bad in on max-used-space=x nonsense=1; do
		try_again --gc "$bad"
		[ "$status" = 2 ]
	done
}

@test "prune: max-used-space, reserved-space and min-free-space" {
	five
	ob prune -f --max-used-space 6m
	[ "$(left)" = 12345 ]
	ob prune -f --max-used-space 4500k
	[ "$(left)" = 2345 ]
	ob prune -f --max-used-space 1m --reserved-space 3500k
	[ "$(left)" = 345 ]
	ob prune -f --min-free-space 1k
	[ "$(left)" = 345 ]
	ob prune -f --min-free-space 1000000g --reserved-space 1500k
	[ "$(left)" = 5 ]
	ob prune -f --min-free-space x
	[ "$status" = 2 ]
}

# uses WHAT: of the step whose command has this
uses() {
	"$B" du -v --format json | jq --arg what "$1" '.[] | select(.type == "step" and (.what // "" | contains($what))) | .uses'
}

@test "du: how often builds have used a step" {
	five
	[ "$(uses /f5)" = 1 ]
	again
	again
	[ "$(uses /f5)" = 3 ]
	printf 'FROM base\nRUN echo another >/f9\n' >"$C/Dockerfile"
	again
	[ "$(uses /f5) $(uses /f9)" = "3 1" ]
	ob du -v
	grep -q '^ID  *TYPE .* USED  *USES  *WHAT' <<<"$output"
	# of no other kind there is a number
	"$B" du -v --format json | jq -e 'all(.[]; has("uses") == (.type == "step"))'
}

@test "prune and du: by id" {
	five
	ob du -v
	[ "$status" = 0 ]
	grep -q '^ID  *TYPE  *SIZE  *RECLAIMABLE' <<<"$output"
	local id
	id=$(grep '/f2 bs' <<<"$output" | cut -d' ' -f1)
	[ "${#id}" = 12 ]
	ob prune -f --filter "id=$id"
	[ "$(left)" = 1345 ]
	id=$("$B" du -v --format json | jq -r '.[] | select(.type == "step" and (.what // "" | contains("/f4"))) | .id')
	ob prune -f --filter "id~=^${id:0:20}"
	[ "$(left)" = 135 ]
	"$B" du -v --format json | jq -e '.[0] | has("used") and has("shared") and has("reclaimable") and has("size")'
	for id in 'id~=(' 'id=x y'; do
		ob prune -f --filter "$id"
		[ "$status" = 2 ]
	done
}

@test "logs: the oldest go when all of them are too large, and one alone ends at the limit" {
	local i
	for i in 1 2 3; do
		build --gc logs=1m <<-X
			FROM base
			RUN echo $i $BATS_TEST_NUMBER && yes 0123456789012345678901234567890123456789 | head -c 300000
		X
	done
	local first
	first=$("$B" du --format json | jq .logs.count)
	build --gc logs=1m <<-X
		FROM base
		RUN echo more $BATS_TEST_NUMBER && yes 0123456789012345678901234567890123456789 | head -c 400000
	X
	[ "$("$B" du --format json | jq .logs.count)" -lt $((first + 1)) ]
	[ "$(find "$ORLOP_STORE/builds" -name '*.log' -printf '%s\n' | awk '{ n += $1 } END { print n }')" -le 1048576 ]
	build --gc logs=100k <<-X
		FROM base
		RUN echo large $BATS_TEST_NUMBER && yes 0123456789012345678901234567890123456789 | head -c 3000000
	X
	"$B" logs last | tail -n 1 | grep -q 'the log ends here'
	[ "$(find "$ORLOP_STORE/builds" -name '*.log' -printf '%s\n' | sort -n | tail -1)" -lt 250000 ]
}

# -- copies ----------------------------------------------------------------------------------------

steps_of_copy() {
	cat <<-'X'
		FROM base
		COPY d /d
		RUN cat /d/* > /all && rm /d/b && ln -s all /link && chown 5:6 /all
		RUN --mount=type=cache,target=/c echo x > /c/x
		WORKDIR /w
	X
}

@test "a store that was copied is the same store: cp, tar" {
	mkdir "$C/d"
	echo a >"$C/d/a"
	echo b >"$C/d/b"
	build -t copied < <(steps_of_copy)
	local id there=$WORK/there
	id=$(config .Id copied)
	wait_for 10 idle_store
	cp -a "$ORLOP_STORE" "$there.cp"
	mkdir "$there.tar"
	tar -C "$ORLOP_STORE" --xattrs --xattrs-include='*' -cf - . |
		tar -C "$there.tar" --xattrs --xattrs-include='*' --numeric-owner -xpf -
	local store=$ORLOP_STORE kind
	for kind in cp tar; do
		export ORLOP_STORE=$there.$kind
		"$B" fsck
		again -t again
		cached 5
		[ "$(config .Id again)" = "$id" ]
		# the context has another device and inode there, too
		cp -a "$C/d" "$C/new" && rm -r "$C/d" && mv "$C/new" "$C/d"
		again
		cached 5
		echo c >"$C/d/c"
		again -t changed
		cached 1
		tree changed "$BATS_TEST_TMPDIR/tree.$kind"
		[ "$(cat "$BATS_TEST_TMPDIR/tree.$kind/all")" = $'a\nb\nc' ]
		rm "$C/d/c"
		"$B" fsck
	done
	export ORLOP_STORE=$store
	rm -rf "$there".*
}

@test "a store that was copied by rsync is the same store" {
	requires rsync
	skip_missing
	mkdir "$C/d"
	echo a >"$C/d/a"
	echo b >"$C/d/b"
	build -t copied < <(steps_of_copy)
	local store=$ORLOP_STORE
	wait_for 10 idle_store
	rsync -aHAX --numeric-ids "$store/" "$WORK/there.rsync/"
	export ORLOP_STORE=$WORK/there.rsync
	"$B" fsck
	again
	cached 5
	"$B" export copied >/dev/null
	export ORLOP_STORE=$store
	rm -rf "$WORK/there.rsync"
}
