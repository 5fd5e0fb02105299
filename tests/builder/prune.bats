#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# prune, du and fsck: what goes, what stays, and what is found damaged.

load build

# a store of its own for every test, with the base image
setup() {
	context_begin
	ORLOP_STORE=$WORK/store.$BATS_TEST_NUMBER
	"$B" import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
}

teardown() {
	[ -n "${MISSING:-}" ] || rm -rf "$ORLOP_STORE"
}

# number KIND FIELD: of du
number() {
	"$B" du --format json | jq ".$1.$2"
}

age() { # of all records: DAYS
	touch -d "-$1 days" "$ORLOP_STORE"/steps/*
}

two_images() {
	build -t kept <<-'X'
		FROM base
		RUN echo kept > /kept
	X
	build -t lost <<-'X'
		FROM base
		RUN echo lost > /lost
		RUN echo more > /more
	X
}

@test "prune: keeps what images with names have, asks, and needs --force without a terminal" {
	two_images
	"$B" rmi lost
	ob prune </dev/null
	[ "$status" = 2 ]
	grep -q 'needs --force' <<<"$stderr"
	[ "$(number steps count)" = 3 ]
	ob prune --dry-run
	[ "$status" = 0 ]
	grep -q '^2 build steps: ' <<<"$stderr"
	[ "$(number steps count)" = 3 ]
	ob prune -f
	[ "$status" = 0 ]
	[ "$(number steps count)" = 1 ]
	build -t kept <<-'X'
		FROM base
		RUN echo kept > /kept
	X
	cached 2
	ob prune -f
	grep -q 'reclaimed space: 0B' <<<"$output"
	[ "$(find "$ORLOP_STORE/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ]
}

@test "prune: answers on a terminal" {
	requires script
	two_images
	"$B" rmi lost
	script -qec "$B prune" /dev/null <<<"n" >/dev/null
	[ "$(number steps count)" = 3 ]
	script -qec "$B prune" /dev/null <<<"y" >/dev/null
	[ "$(number steps count)" = 1 ]
}

@test "prune: images without a name go, with and without labels" {
	local label
	for label in one two; do
		build -t moving --label "which=$label" <<-X
			FROM base
			RUN echo $label > /f
		X
	done
	build -t moving <<-'X'
		FROM base
	X
	[ "$(number untagged count)" = 2 ]
	ob prune -f --filter label=which=none
	[ "$(number untagged count)" = 2 ]
	ob prune -f --filter label=which=one
	[ "$(number untagged count)" = 1 ]
	ob prune -f --filter 'label!=which'
	[ "$(number untagged count)" = 1 ]
	ob prune -f --filter type=image
	[ "$(number untagged count)" = 0 ]
	[ "$(number steps count)" = 2 ]
}

@test "prune: --all makes the cache empty, images stay whole" {
	two_images
	build <<-'X'
		FROM base
		RUN --mount=type=cache,target=/c echo > /c/f
	X
	[ "$(number mounts count)" = 1 ]
	ob prune -af
	[ "$status" = 0 ]
	local kind
	for kind in steps mounts logs stats untagged; do
		[ "$(number "$kind" count)" = 0 ]
	done
	tree kept "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/kept")" = kept ]
	tree lost "$BATS_TEST_TMPDIR/tree2"
	[ "$(cat "$BATS_TEST_TMPDIR/tree2/more")" = more ]
	ob fsck
	[ "$status" = 0 ]
}

@test "prune: until means the last use" {
	two_images
	"$B" rmi kept lost
	age 3
	build <<-'X'
		FROM base
		RUN echo kept > /kept
	X
	cached 2
	ob prune -f --filter until=24h
	build <<-'X'
		FROM base
		RUN echo kept > /kept
	X
	cached 2
	build <<-'X'
		FROM base
		RUN echo lost > /lost
	X
	cached 1
	for bad in until=x type=x nonsense label; do
		ob prune -f --filter "$bad"
		[ "$status" = 2 ]
	done
}

@test "prune: --keep-storage lets the oldest go first" {
	local i
	for i in 1 2 3 4; do
		build <<-X
			FROM base
			RUN dd if=/dev/zero of=/f$i bs=1M count=1 2>/dev/null
		X
		age 1
	done
	"$B" prune -f --filter type=image >/dev/null
	touch -d '-5 days' "$(grep -l '/f2 bs' "$ORLOP_STORE"/steps/*)"
	touch -d '-4 days' "$(grep -l '/f4 bs' "$ORLOP_STORE"/steps/*)"
	ob prune -f --keep-storage 2500k
	[ "$status" = 0 ]
	[ "$(number steps count)" = 2 ]
	grep -q '/f1 bs' "$ORLOP_STORE"/steps/*
	grep -q '/f3 bs' "$ORLOP_STORE"/steps/*
	ob prune -f --keep-storage many
	[ "$status" = 2 ]
}

@test "prune: takes nothing from a build that runs" {
	mkdir "$C/lent"
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN echo first > /first
		RUN --mount=type=cache,target=/c echo used > /c/f; echo > /lent/started; while [ ! -e /lent/go ]; do sleep 0.05; done; cat /c/f
		RUN cat /first
	X
	"$B" build -v "$C/lent:/lent" -t raced "$C" 2>"$BATS_TEST_TMPDIR/err" &
	local pid=$!
	wait_for 10 test -e "$C/lent/started"
	ob prune -af
	[ "$status" = 0 ]
	[ "$(number mounts count)" = 1 ]
	[ "$(number logs count)" = 1 ]
	touch "$C/lent/go"
	wait "$pid"
	tree raced "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/first")" = first ]
}

@test "prune: beside builders, again and again, loses nothing" {
	local i pids=() pid
	for i in 1 2; do
		mkdir "$C/$i"
		printf 'FROM base\nRUN echo %s > /a\nCOPY Dockerfile /c%s\nRUN cat /a > /b\n' "$i" "$i" >"$C/$i/Dockerfile"
		(for _ in $(seq 8); do "$B" build -q -t "beside$i" "$C/$i" >/dev/null || exit 1; done) &
		pids+=($!)
	done
	for _ in $(seq 10); do
		"$B" prune -af >/dev/null 2>&1
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for i in 1 2; do
		tree "beside$i" "$BATS_TEST_TMPDIR/tree$i"
		[ "$(cat "$BATS_TEST_TMPDIR/tree$i/b")" = "$i" ]
	done
	ob fsck
	[ "$status" = 0 ]
	wait_for 10 idle_store
}

# -- fsck ------------------------------------------------------------------------------------------

# the layer of an image's last step, as a folder
last_layer() {
	local id
	id=$(config '.RootFS.Layers[-1]' "$1" | tr -d '"')
	echo "$ORLOP_STORE/layers/${id#sha256:}"
}

@test "fsck: a whole store has no problems" {
	two_images
	ob fsck
	[ "$status" = 0 ]
	[ -z "$output" ]
	grep -q '0 problems$' <<<"$stderr"
}

@test "fsck: damaged layers are named; what the cache alone has is removed and made again" {
	two_images
	local lost kept
	lost=$(last_layer lost)
	kept=$(last_layer kept)
	"$B" rmi lost
	echo damaged >"$lost/tree/more"
	ob fsck
	[ "$status" = 1 ]
	grep -q "^layers/${lost##*/}: .*(--repair removes it)" <<<"$output"
	grep -qE '^steps/[0-9a-f.-]+: its layer .* is damaged' <<<"$output"
	[ -e "$lost" ]
	ob fsck --repair
	[ "$status" = 0 ]
	[ ! -e "$lost" ]
	ob fsck
	[ "$status" = 0 ]
	build -t lost <<-'X'
		FROM base
		RUN echo lost > /lost
		RUN echo more > /more
	X
	cached 2
	tree lost "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/more")" = more ]
	# one that an image needs: nobody takes it any more, and the image is named
	truncate -s 1 "$kept/tree/kept"
	ob fsck --repair
	[ "$status" = 1 ]
	grep -q "^layers/${kept##*/}: .*image kept:latest needs it" <<<"$output"
	[ -e "$kept" ]
	ob fsck
	[ "$(wc -l <<<"$output")" = 1 ]
}

@test "fsck: damaged headers, documents, records and lists" {
	echo 1 >"$C/f"
	build -t image <<-'X'
		FROM base
		COPY f /f
	X
	local layer list record blob
	layer=$(last_layer image)
	truncate -s 10 "$layer/headers.zst"
	list=$(ls "$ORLOP_STORE"/lists/*)
	echo x >>"$list"
	record=$(ls "$ORLOP_STORE"/steps/* | head -n 1)
	echo '{' >"$record"
	blob=$(config .Id image | tr -d '"')
	echo >>"$ORLOP_STORE/blobs/sha256/${blob#sha256:}"
	rm "$(last_layer base)/meta.json"
	ob fsck
	[ "$status" = 1 ]
	grep -q "^layers/${layer##*/}: " <<<"$output"
	grep -q "^lists/${list##*/}: it is damaged" <<<"$output"
	grep -q "^steps/${record##*/}: it is no record, or damaged" <<<"$output"
	grep -q "^blobs/sha256/${blob#sha256:}: it is damaged" <<<"$output"
	grep -q '^image base:latest: ' <<<"$output"
}

@test "prune: what came of pulls that broke off goes after a day, unless somebody goes on with it" {
	ingest=$ORLOP_STORE/ingest
	mkdir "$ingest"
	for digit in 1 2 3; do
		echo part >"$ingest/$(printf "$digit%.0s" {1..64})"
	done
	touch -d '-2 days' "$ingest"/[12]*
	exec 9<"$ingest/$(printf '2%.0s' {1..64})"
	flock 9
	"$B" prune -f >/dev/null 9<&-
	[ "$(ls "$ingest" | cut -c 1 | xargs)" = "2 3" ]
	exec 9<&-
	"$B" prune -f >/dev/null
	[ "$(ls "$ingest" | cut -c 1)" = 3 ]
}
