# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For suites that need no container: the program under test with a state directory of the test's own.

load ../helpers/suite

R=${ORLOP_RUNTIME:-$ORLOP_BUILD/orlop-runtime}
export ASAN_OPTIONS=detect_leaks=0 # the end of a verb frees its memory
state_root=$BATS_TEST_TMPDIR/state

# rt ARG...: $status, $output (stdout) and $stderr of the program; all are shown when the test fails.
rt() {
	run --separate-stderr -- "$R" --root "$state_root" "$@"
	printf '+ %s\n-> %s\n%s\n%s\n' "$*" "$status" "$output" "$stderr"
}

# bundle [JQ]: a bundle in ./b with the default config.json, edited.
bundle() {
	mkdir -p "$BATS_TEST_TMPDIR/b/rootfs"
	cd "$BATS_TEST_TMPDIR/b" || return 1
	"$R" spec
	[ $# = 0 ] || config "$1"
}

config() {
	jq "$1" config.json >config.new && mv config.new config.json
}

# nothing_left: no container, and nothing in the state directory
nothing_left() {
	[ ! -e "$state_root" ] || [ -z "$(ls -A "$state_root")" ]
}
