# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the builder's suites share: a store of their own with a small base image, and building from
# Dockerfiles given on standard input.

load ../helpers/suite

B=$ORLOP_BUILD/orlop-builder

# A root filesystem of one static program.
make_base() {
	local root=$1
	mkdir -p "$root"/{bin,etc,root,tmp,var/log,opt}
	cp "$(command -v busybox)" "$root/bin/busybox"
	"$root/bin/busybox" --install -s "$root/bin" 2>/dev/null
	local link
	for link in "$root"/bin/*; do
		[ ! -L "$link" ] || ln -sfn busybox "$link"
	done
	chmod 1777 "$root/tmp"
	printf '%s\n' root:x:0:0:root:/root:/bin/sh app:x:1000:1001:app:/home/app:/bin/sh \
		>"$root/etc/passwd"
	printf '%s\n' root:x:0: app:x:1001: extra:x:1002:app >"$root/etc/group"
	ln -s opt "$root/link"
}

# builder_begin [memory]: for setup_file; a store with the image "base", see store_place.
builder_begin() {
	requires root builder busybox
	[ -z "${MISSING:-}" ] || return 0
	export PATH=$ORLOP_BUILD:$PATH # the builder finds the runtime as any other program
	export WORK ORLOP_STORE
	WORK=$(store_place "$@")
	ORLOP_STORE=$WORK/store
	make_base "$BATS_FILE_TMPDIR/base"
	tar -C "$BATS_FILE_TMPDIR/base" --owner=0 --group=0 --numeric-owner --mtime=@1000000000 \
		-cf "$BATS_FILE_TMPDIR/base.tar" .
	"$B" import "$BATS_FILE_TMPDIR/base.tar" base
}

# builder_end: for teardown_file; nothing may be left mounted.
builder_end() {
	[ -n "${WORK:-}" ] || return 0
	if grep -F "$WORK" /proc/self/mountinfo; then
		echo "still mounted" >&2
		return 1
	fi
	rm -rf "$WORK/store"
	[ "$WORK" = "$BATS_FILE_TMPDIR" ] || rmdir "$WORK"
}

setup_file() {
	builder_begin
}

teardown_file() {
	builder_end
}

# context_begin: for setup; the folder $C for a context, and $work, which hub.bash wants, beside it
context_begin() {
	skip_missing
	C=$BATS_TEST_TMPDIR/context
	work=$BATS_TEST_TMPDIR
	mkdir "$C"
}

setup() {
	context_begin
}

# Until a change of the context that is made now can be told by its ctime.
settle() {
	local newest now
	newest=$(find "$C" -printf '%C@\n' | sort -n | tail -n 1)
	until now=$(date +%s.%N) && awk "BEGIN { exit !($now - $newest > 0.2) }"; do
		sleep 0.05
	done
}

# ob ARG...: run the builder; $status, $output (stdout) and $stderr, shown when the test fails.
ob() {
	run --separate-stderr -- "$B" "$@"
	printf '+ %s\n-> %s\n%s\n%s\n' "$*" "$status" "$output" "${stderr:-}"
}

# build ARG... <DOCKERFILE: build the context $C with this Dockerfile; it must succeed.
build() {
	try_build "$@"
	[ "$status" = 0 ]
}

try_build() {
	cat >"$C/Dockerfile"
	try_again "$@"
}

# again ARG...: build the same Dockerfile once more
again() {
	try_again "$@"
	[ "$status" = 0 ]
}

try_again() {
	local runtime=()
	[ -z "${ORLOP_RUNTIME:-}" ] || runtime=(--runtime="$ORLOP_RUNTIME")
	ob build "${runtime[@]}" "$@" "$C"
}

# tree IMAGE DIR: the flat file system of an image, unpacked.
tree() {
	mkdir -p "$2"
	"$B" export "$1" | tar -C "$2" -xpf - --numeric-owner --xattrs
}

# config JQ IMAGE: a value of the image's configuration.
config() {
	"$B" inspect "$2" | jq -c ".[0]$1"
}

# lines of the newest build's stderr that match, in order
said() {
	grep -E -- "$1" <<<"$stderr"
}

# cgroup_gone FOLDER: it and those below are removed, which goes once nobody is there any more
cgroup_gone() {
	find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -e "$1" ]
}

# cached N: exactly N steps (FROM included) were CACHED
cached() {
	local n
	n=$(grep -cE '^#[0-9]+ CACHED$' <<<"$stderr" || true)
	echo "cached: $n, expected: $1"
	[ "$n" = "$1" ]
}
