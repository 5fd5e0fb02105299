#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Where no overlay can be mounted, steps work on copies, and what comes out is the same.

load build

setup_file() {
	requires jq setfattr
	builder_begin
}

# Everything that a step can do to what is below it, at fixed times.
dockerfile() {
	cat <<-'X'
		FROM base
		RUN mkdir -p /d/sub /gone/deep /opaque/deep /tmp/l && echo f >/d/sub/f && ln /d/sub/f /d/hard && \
		    echo g >/gone/deep/g && echo o >/opaque/deep/o && echo k >/opaque/keep && ln -s sub /d/soft && \
		    truncate -s 1M /d/sparse && echo end >>/d/sparse && mkfifo /d/fifo && touch /d/same && \
		    chown 5:6 /d/sub/f && chmod 4755 /d/same && \
		    find /d /gone /opaque /tmp -exec touch -h -d @1100000000 {} + && touch -d @1100000000 /
		RUN echo new >/d/new && rm -rf /gone /d/soft && chmod 600 /d/hard && touch -d @1200000000 /d/new /d /
		RUN rm -rf /opaque && mkdir /opaque && echo k >/opaque/keep && touch -d @1200000000 /opaque /opaque/keep / && \
		    chmod 4755 /d/same && chmod u-s /d/same && chmod u+s /d/same
		RUN mv /d/sub /d/moved && ln /d/moved/f /d/f2 && touch -d @1300000000 /d /d/moved && \
		    mkdir /gone && touch -d @1300000000 /gone /
		COPY data /opaque/data
		FROM base
		COPY --from=0 /d /opaque /q/
		RUN --mount=type=bind,from=0,target=/m [ ! -e /m/opaque/deep ] && [ -s /m/d/moved/f ] && touch -d @1200000000 /q
		RUN --mount=type=bind,from=0,target=/m,rw rm -r /m/d && echo more >/q/more && touch -d @1200000000 /q /q/more
	X
}

export SOURCE_DATE_EPOCH=1700000000

# fixture DIR: a context and the script "same", which builds it in the store of its environment and prints the layers
# of both stages
fixture() {
	mkdir -p "$1/ctx"
	dockerfile >"$1/ctx/Dockerfile"
	echo data >"$1/ctx/data"
	touch -d @1000000000 "$1/ctx/data"
	cat >"$1/same" <<-'X'
		set -eu
		orlop-builder import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
		orlop-builder build -q --target 0 -t first "$1/ctx" >/dev/null
		orlop-builder build -q -t second "$1/ctx" >/dev/null
		orlop-builder inspect first second | jq -c '.[].RootFS.Layers'
		orlop-builder fsck >&2
	X
}

# on_overlay SCRIPT ARG...: in a mount namespace where $BATS_TEST_TMPDIR/over is an overlay
on_overlay() {
	mkdir -p "$BATS_TEST_TMPDIR/over"
	run --separate-stderr -- unshare -m --propagation private bash -c '
		set -eu
		mount -t tmpfs tmpfs "$0"
		mkdir "$0"/{lower,upper,work,lower/old}
		mount -t overlay overlay -o "lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" "$0"
		cd "$0"
		export ORLOP_STORE=$0/store
		bash "$@"' "$BATS_TEST_TMPDIR/over" "$@"
	printf -- '-> %s\n%s\n%s\n' "$status" "$output" "$stderr"
}

# what the overlays of this machine make
expected() {
	fixture "$BATS_TEST_TMPDIR"
	ORLOP_STORE=$WORK/expected bash "$BATS_TEST_TMPDIR/same" "$BATS_TEST_TMPDIR" 2>"$BATS_TEST_TMPDIR/log"
	refute grep overlayfs "$BATS_TEST_TMPDIR/log" >&2
	rm -rf "$WORK/expected"
}

@test "snapshots: overlays where the kernel has them" {
	build <<-'X'
		FROM base
		RUN grep ' / overlay ' /proc/mounts && mkdir /d
		RUN grep ' / overlay ' /proc/mounts
	X
	refute said 'overlayfs'
}

@test "snapshots: a store on an overlay makes the same layers" {
	want=$(expected)
	[ "$(grep -c '^\["sha256:' <<<"$want")" = 2 ]
	on_overlay "$BATS_TEST_TMPDIR/same" "$BATS_TEST_TMPDIR"
	[ "$status" = 0 ]
	[ "$output" = "$want" ]
	# one word for each build
	[ "$(said '^warning: overlayfs cannot be used in ".*/store" \(.*\): every step works on a copy' | wc -l)" = 2 ]
	said ': 0 problems$'
}

@test "snapshots: a kernel that refuses overlays, and its reason" {
	want=$(expected)
	export ORLOP_STORE=$WORK/refused
	run --separate-stderr -- "$ORLOP_BUILD/tests/helpers/failcall" fsmount:2=0 ENODEV \
		bash "$BATS_TEST_TMPDIR/same" "$BATS_TEST_TMPDIR"
	printf -- '-> %s\n%s\n%s\n' "$status" "$output" "$stderr"
	[ "$status" = 0 ]
	[ "$output" = "$want" ]
	said '\(mount a snapshot: fsmount: No such device\): every step works on a copy'
	rm -rf "$WORK/refused"
}

@test "snapshots: overlays of a kernel before 6.5, which takes unknown options and refuses them at the end" {
	build -t crate:1 <<-'X'
		FROM base
		RUN echo one >/one
		RUN echo two >/two
	X
	# all is cached: what is mounted is for the list of packages alone
	run --separate-stderr -- "$ORLOP_BUILD/tests/helpers/failcall" fsconfig:1=6 EINVAL \
		orlop-builder build --sbom -t crate:2 "$C"
	printf -- '-> %s\n%s\n%s\n' "$status" "$output" "$stderr"
	[ "$status" = 0 ]
	cached 3
	refute said 'overlayfs'
}

@test "snapshots: a file system without xattrs, as an old tmpfs" {
	want=$(expected)
	export ORLOP_STORE=$WORK/bare
	run --separate-stderr -- "$ORLOP_BUILD/tests/helpers/failcall" fsetxattr EOPNOTSUPP \
		bash "$BATS_TEST_TMPDIR/same" "$BATS_TEST_TMPDIR"
	printf -- '-> %s\n%s\n%s\n' "$status" "$output" "$stderr"
	[ "$status" = 0 ]
	[ "$output" = "$want" ]
	said 'has no room for its marks'
	# the store stays what it was made as
	[ "$(jq -r .xattr "$ORLOP_STORE/format")" = none ]
	ob run --rm first sh -c '[ ! -e /opaque/deep ] && [ -e /opaque/keep ] && [ ! -e /d/soft ]'
	[ "$status" = 0 ]
	rm -rf "$ORLOP_STORE"
}

@test "snapshots: containers and shells of steps work on copies too" {
	fixture "$BATS_TEST_TMPDIR"
	cat >"$BATS_TEST_TMPDIR/more" <<-'X'
		set -eu
		orlop-builder import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
		printf '%s\n' 'FROM base' 'RUN echo one >/one; mkdir /d; touch /d/a /d/b' \
			'RUN rm -r /one /d/a; echo two >/two; exit 3' >"$1/ctx/Dockerfile"
		orlop-builder build "$1/ctx" && exit 1
		# the step's own files, and nothing that it had removed
		echo 'ls / /d; cat /two' | orlop-builder shell last#3
		orlop-builder run --rm --name c base sh -c 'echo x >/etc/own; rm /bin/tar; ls /etc; [ ! -e /bin/tar ]'
		orlop-builder run --rm base ls /bin/tar
	X
	on_overlay "$BATS_TEST_TMPDIR/more" "$BATS_TEST_TMPDIR"
	[ "$status" = 0 ]
	refute grep -x one <<<"$output"
	refute grep -x a <<<"$output"
	grep -x b <<<"$output"
	[ "$(grep -cx two <<<"$output")" = 2 ]
	grep -x own <<<"$output"
	grep -x /bin/tar <<<"$output"
}

@test "snapshots: programs and devices work in a copy although the store's mount forbids them" {
	cat >"$BATS_TEST_TMPDIR/setid" <<-'X'
		set -eu
		mount -o remount,bind,nosuid,nodev,noexec "$PWD"
		orlop-builder import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
		mkdir ctx
		printf '%s\n' 'FROM base' 'RUN mknod /sink c 1 3' \
			'RUN echo it is gone >/sink && ls -l /sink' >ctx/Dockerfile
		orlop-builder build ctx
	X
	on_overlay "$BATS_TEST_TMPDIR/setid"
	[ "$status" = 0 ]
	said ' 1, +3 .* /sink$'
}

@test "snapshots: a store of another file system is not read through an overlay" {
	mkdir -p "$BATS_TEST_TMPDIR/over"
	ORLOP_STORE=$BATS_TEST_TMPDIR/plain ob import "$BATS_FILE_TMPDIR/base.tar" base
	[ "$status" = 0 ]
	cat >"$BATS_TEST_TMPDIR/moved" <<-'X'
		cp -a "$1" "$ORLOP_STORE"
		orlop-builder images
	X
	on_overlay "$BATS_TEST_TMPDIR/moved" "$BATS_TEST_TMPDIR/plain"
	[ "$status" = 1 ]
	said 'was made on another file system: on an overlay its layers cannot be read: use another with --store'
}
