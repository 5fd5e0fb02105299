#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A COPY of which some files changed: the others are hardlinks of those in the layer before, which
# stays as it was; the new layer is the same as one that was copied.

load build

# make ARG...: build; $tree is the tree of its last layer
make() {
	local id
	settle
	again -t image "$@"
	id=$("$B" inspect image | jq -r '.[0].RootFS.Layers[-1]')
	tree=$ORLOP_STORE/layers/${id#sha256:}/tree
	[ -d "$tree" ]
}

# what can be told of all files of a tree, but for their number of links
look() {
	(cd "$1" && find . -printf '%p %y %m %U %G %s %T@ %l\n' | sort &&
		find . -type f -exec sha256sum {} + | sort)
}

# links: which of the files of $tree have another name
links() {
	(cd "$tree/to" && find . -type f -links +1 -printf '%P\n' | sort | xargs)
}

setup() {
	context_begin
	mkdir -p "$C/d/sub"
	export SOURCE_DATE_EPOCH=1700000000 # of folders that no source has
	echo "$BATS_TEST_NUMBER" >"$C/d/a"
	echo "$BATS_TEST_NUMBER" >"$C/d/b"
	echo one >"$C/d/sub/c"
	: >"$C/d/sub/empty"
	head -c 9000000 /dev/urandom >"$C/d/large"
	printf 'FROM base\nCOPY d /to\n' >"$C/Dockerfile"
}

@test "twins: files that did not change are links, and the layer before is as it was" {
	local first before
	make
	first=$tree
	before=$(look "$first")
	[ -z "$(links)" ]
	echo two >"$C/d/sub/c"
	make
	cached 1
	[ "$first" != "$tree" ]
	[ "$(links)" = "a b large sub/empty" ]
	[ "$first/to/large" -ef "$tree/to/large" ]
	[ "$(look "$first")" = "$before" ]
	diff -r "$C/d" "$tree/to"
	ob fsck
	[ "$status" = 0 ]

	# the third takes them from the second, also when the first is gone
	echo three >"$C/d/sub/c"
	make
	[ "$first/to/large" -ef "$tree/to/large" ]
}

@test "twins: the layer is the one that a copy makes" {
	make
	echo two >"$C/d/a"
	chmod 600 "$C/d/a"
	make
	[ "$(links)" = "b large sub/c sub/empty" ]
	local linked=$tree
	"$B" export image >"$BATS_TEST_TMPDIR/linked.tar"
	make --no-cache
	[ "$tree" = "$linked" ] # by its digest
	"$B" --store "$WORK/other" import "$BATS_FILE_TMPDIR/base.tar" base
	ORLOP_STORE=$WORK/other make
	rm -rf "$WORK/other"
	[ "${tree##*/layers/}" = "${linked##*/layers/}" ]
}

@test "twins: another mode, owner, time or size is another file" {
	make
	chmod 640 "$C/d/a"
	make
	[ "$(links)" = "b large sub/c sub/empty" ]
	touch -d @1000000007 "$C/d/b"
	echo changed >"$C/d/sub/c"
	make
	[ "$(links)" = "a large sub/empty" ]
	[ "$(stat -c %Y "$tree/to/b")" = 1000000007 ]
	echo 'x' >>"$C/d/large"
	make
	[ "$(links)" = "a b sub/c sub/empty" ]
	setfattr -n user.mark -v 1 "$C/d/a"
	make
	[ "$(links)" = "b large sub/c sub/empty" ]
}

@test "twins: hardlinks of the context are those of the layer, whatever was before" {
	make
	ln -f "$C/d/a" "$C/d/sub/c"
	make
	[ "$tree/to/a" -ef "$tree/to/sub/c" ]
	cp --remove-destination "$C/d/a" "$C/d/sub/c"
	echo more >"$C/d/b"
	make
	[ ! "$tree/to/a" -ef "$tree/to/sub/c" ]
	cmp "$tree/to/a" "$tree/to/sub/c"
	diff -r "$C/d" "$tree/to"
}

@test "twins: a file that was changed in the store is not taken" {
	local first stamp name
	make
	first=$tree
	for name in a large; do
		stamp=$(stat -c %y "$first/to/$name")
		printf '%s' X | dd of="$first/to/$name" conv=notrunc status=none
		touch -d "$stamp" "$first/to/$name"
	done
	echo two >"$C/d/sub/c"
	make
	diff -r "$C/d" "$tree/to"
	[ "$(links)" = "b sub/empty" ]
	"$B" export image | tar -C "$BATS_TEST_TMPDIR" -xf - to
	diff -r "$C/d" "$BATS_TEST_TMPDIR/to"
	cp "$C/d/a" "$first/to/a" # what fsck of the next tests would find
	cp "$C/d/large" "$first/to/large"
}

@test "twins: where no link can be made they are copied" {
	local failcall=$ORLOP_BUILD/tests/helpers/failcall error linked
	[ -x "$failcall" ] || skip "needs $failcall: make check builds it"
	for error in EMLINK EXDEV EPERM; do
		make
		echo "$error" >"$C/d/sub/c"
		settle
		"$failcall" linkat "$error" "$B" build -q -t image "$C"
		make
		cached 2
		[ -z "$(cd "$tree/to" && find a b sub -type f -links +1)" ]
		diff -r "$C/d" "$tree/to"
		linked=$tree
		make --no-cache
		[ "$tree" = "$linked" ]
	done
}

@test "twins: what steps do to the new layer's files changes no layer" {
	local first second before
	make
	first=$tree
	echo two >"$C/d/sub/c"
	make
	second=$tree
	before=$(look "$first" && look "$second")
	cat >>"$C/Dockerfile" <<-'END'
		RUN echo more >>/to/a && chown 7:7 /to/b && chmod 777 /to/large && touch -d @1 /to/sub/c && ln /to/sub/empty /to/e
	END
	again -t image
	[ "$(look "$first" && look "$second")" = "$before" ]
	tree image "$BATS_TEST_TMPDIR/tree"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/tree/to/a")" = more ]
	[ "$(stat -c %u "$BATS_TEST_TMPDIR/tree/to/b")" = 7 ]
}

@test "twins: --chown, --chmod and --link" {
	local option
	for option in --chown=5:6 --chmod=604 '--link --chown=3'; do
		printf 'FROM base\nCOPY %s d /to\n' "$option" >"$C/Dockerfile"
		make
		echo "$option" >"$C/d/sub/c"
		make
		[ "$(links)" = "a b large sub/empty" ]
		diff -r "$C/d" "$tree/to"
		ob fsck
		[ "$status" = 0 ]
	done
}

@test "twins: the older layer can go" {
	make
	echo two >"$C/d/sub/c"
	make
	local new=$tree
	[ "$(links)" = "a b large sub/empty" ]
	"$B" prune -f --all --filter until=0s >/dev/null 2>&1 || "$B" prune -f --all
	[ -d "$new" ]
	diff -r "$C/d" "$new/to"
	ob fsck
	[ "$status" = 0 ]
}

@test "twins: two names of one file in the layer before that are two files now" {
	local linked
	cp -p "$C/d/a" "$C/d/z"
	make
	ln -f "$C/d/a" "$C/d/z"
	make
	linked=$tree
	[ "$linked/to/a" -ef "$linked/to/z" ]
	# as at first: that is in the cache, and the layer before stays the one with the link
	cp -p "$C/d/a" "$C/d/copy"
	mv "$C/d/copy" "$C/d/z"
	make
	cached 2
	echo two >"$C/d/sub/c"
	make
	[ "$linked/to/a" -ef "$tree/to/a" ]
	[ ! "$tree/to/a" -ef "$tree/to/z" ]
	diff -r "$C/d" "$tree/to"
	ob fsck
	[ "$status" = 0 ]
}

# on KIND COMMAND...: with the context in $C and the store on a new file system, in a mount namespace of its own
on() {
	local disk=$BATS_TEST_TMPDIR/disk kind=$1
	shift
	mkdir "$disk"
	truncate -s 320M "$disk.img"
	"mkfs.$kind" -q "$disk.img"
	DISK=$disk B=$B run --separate-stderr -- unshare -m --propagation private bash -euc '
		mount -o loop "$DISK.img" "$DISK"
		export ORLOP_STORE=$DISK/store C=$DISK/context
		mkdir "$C"
		'"$*"
	printf '%s\n%s\n' "$output" "$stderr"
	rm -f "$disk.img"
	[ "$status" = 0 ]
}

# reflinks KIND: of large files, and the same layer as without
reflinks() {
	local failcall=$ORLOP_BUILD/tests/helpers/failcall
	on "$1" '
		head -c 300000 /dev/urandom >"$C/large"
		head -c 3000 /dev/urandom >"$C/small"
		printf "FROM scratch\nCOPY large small /files/\n" >"$C/Dockerfile"
		"$B" build -q -t cloned "$C"
		file=$(ls "$ORLOP_STORE"/layers/*/tree/files/large)
		filefrag -v "$file" | grep -q shared
		"$B" export cloned | tar xOf - files/large | cmp - "$C/large"
		"$B" fsck
		# the source may change: the layer is its own
		printf x | dd of="$C/large" conv=notrunc status=none
		sync -f "$C"
		refute() { if "$@"; then return 1; fi; }
		refute cmp -s "$file" "$C/large"
		"$B" fsck
		"$B" build -q --no-cache -t again "$C" >/dev/null
		clone=$("$B" inspect again | jq -c "[.. | .Layers? // empty]")
		'"$failcall"' ioctl:1=0x40049409 EOPNOTSUPP "$B" build -q --no-cache -t copied "$C" >/dev/null
		copy=$("$B" inspect copied | jq -c "[.. | .Layers? // empty]")
		echo "$clone $copy"
		[ "$clone" = "$copy" ]
		[ "$clone" != "[]" ]
		'
}

@test "copy: reflinks on XFS" {
	requires mkfs.xfs filefrag
	grep -q 'xfs$' /proc/filesystems || skip "needs XFS in the kernel"
	reflinks xfs
}

@test "copy: reflinks on Btrfs, and steps in overlays there" {
	requires mkfs.btrfs filefrag
	grep -q 'btrfs$' /proc/filesystems || skip "needs Btrfs in the kernel"
	reflinks btrfs
	rmdir "$BATS_TEST_TMPDIR/disk"
	on btrfs '
		"$B" import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
		printf "FROM base\nRUN grep \" / overlay \" /proc/mounts && mkdir /d && echo x >/d/x\nRUN rm -r /d && echo y >/y\n" >"$C/Dockerfile"
		"$B" build -t steps "$C"
		[ -z "$("$B" export steps | tar tf - | grep "^d/")" ]
		[ "$("$B" export steps | tar xOf - y)" = y ]
		"$B" fsck
		'
	refute said overlayfs
}
