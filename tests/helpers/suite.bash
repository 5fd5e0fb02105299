# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites share: where the trees are, what a place has to have, waiting for a condition.

bats_require_minimum_version 1.5.0

: "${ORLOP_SOURCE:=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)}"
: "${ORLOP_BUILD:=$ORLOP_SOURCE/build}"

# Started by hand, after "make" alone, the programs of the tests are not there.
if [ ! -x "$ORLOP_BUILD/tests/helpers/probe" ] && [ -f "$ORLOP_BUILD/Makefile" ]; then
	echo "tests/helpers/ is not built: make -C $ORLOP_BUILD check TESTS=   (builds what the tests run, and runs none)" >&2
	exit 1
fi

# What tests of something else run has the host's network: a bridge of the host's is not for tests.
export ORLOP_NETWORK=host

# requires WORD...: root, builder (built) or the name of a program. What is missing skips the test; where setup_file
# asks, every test of the file (skip_missing, called by setup). On CI all of it has to be there.
requires() {
	local word
	for word; do
		case $word in
		root) [ "$EUID" != 0 ] || continue ;;
		builder) [ ! -x "$ORLOP_BUILD/orlop-builder" ] || continue ;;
		*) ! command -v "$word" >/dev/null || continue ;;
		esac
		if [ "${CI:-}" = true ]; then
			echo "needs $word" >&2
			return 1
		fi
		[ -z "${BATS_TEST_NAME:-}" ] || skip "needs $word"
		export MISSING="needs $word"
	done
}

skip_missing() {
	[ -z "${MISSING:-}" ] || skip "$MISSING"
}

# store_place [memory]: prints a new folder for the stores of this file, in which steps can be stacked. In memory, when
# there is room, is for suites of very many images, each of which costs a sync of the file system.
store_place() {
	local free=0 disk=$BATS_FILE_TMPDIR memory=/dev/shm/orlop-test.$$.$RANDOM
	[ "${1:-}" != memory ] || free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)
	if [ "${free:-0}" -gt 2000000 ]; then
		"$ORLOP_SOURCE/tests/examples/store-place" "$memory" "$disk"
	else
		"$ORLOP_SOURCE/tests/examples/store-place" "$disk" "$memory"
	fi
}

# wait_for SECONDS COMMAND...: until it succeeds. SECONDS is what is enough for an idle machine; an
# emulated one, or one that is busy with other things, gets ten times as long.
wait_for() {
	local deadline=$((SECONDS + 10 * $1))
	shift
	until "$@"; do
		if [ "$SECONDS" -gt "$deadline" ]; then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		sleep 0.02
	done
}

# sleepers SECONDS: the processes that sleep so long, which nobody else does who takes a number at random; fails when
# there are none. What was killed may take a moment to go: wait_for 5 no_sleepers SECONDS.
sleepers() {
	local found
	# by a pattern that is no such argument itself
	found=$(grep -alsz "^$1\$" /proc/[0-9]*/cmdline | cut -d/ -f3)
	[ -n "$found" ] && echo "$found"
}

no_sleepers() {
	! sleepers "$1"
}

# idle_store: nobody has $ORLOP_STORE open, and nobody has left anything in it. What takes a session long to remove goes on
# behind it: wait_for 10 idle_store.
idle_store() {
	[ -z "$(ls -A "$ORLOP_STORE/tmp" "$ORLOP_STORE/leases" | grep -v :)" ]
}

# refute COMMAND...: succeeds if it fails; "!" would not fail a test
refute() {
	if "$@"; then
		echo "unexpected: $*" >&2
		return 1
	fi
}

# contains TEXT [WHERE]: part of the output (or of another text)
contains() {
	local where=${2-$output}

	[[ $where == *"$1"* ]] && return 0
	printf 'expected "%s" in:\n%s\n' "$1" "$where"
	return 1
}

lacks() {
	local where=${2-$output}

	[[ $where != *"$1"* ]] && return 0
	printf 'expected no "%s" in:\n%s\n' "$1" "$where"
	return 1
}

equals() {
	[ "$1" = "$2" ] && return 0
	printf 'got "%s", expected "%s"\n' "$1" "$2"
	return 1
}
