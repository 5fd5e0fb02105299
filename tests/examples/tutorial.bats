#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# docs/tutorial.md: its commands, in their order, as a reader would type them. Left out are the build
# of the programs (there already) and the chapter about packages, which is cowsay.bats's.

load helpers

setup_file() {
	requires root script busybox conmon
	export WORK TUTORIAL_RUNTIME_ROOT
	WORK=$("$BATS_TEST_DIRNAME/store-place" "$BATS_FILE_TMPDIR" "/dev/shm/orlop-examples.$$")
	mkdir -p "$WORK/tree/build"
	ln -s "$ORLOP_BUILD/orlop-runtime" "$ORLOP_BUILD/orlop-builder" "$WORK/tree/build/"
	cp -r "$examples" "$WORK/tree/examples"
}

teardown_file() {
	if [ -n "${WORK:-}" ]; then
		refute grep -F "$WORK" /proc/self/mountinfo
		rm -rf "$WORK"
	fi
}

# Commands are what a tab indents; those that want a terminal get one, and somebody who types as soon
# as there is a prompt. A reader is slower than a container that is started, and than one that is killed.
commands() {
	awk '/^## Packages/ { skip = 1 } /^## Under/ { skip = 0 } !skip && sub(/^\t/, "")' \
		"$ORLOP_SOURCE/docs/tutorial.md" | sed \
		-e '/^\.\/dev build$/d' -e 's/; echo \$?$/ || echo $?/' \
		-e 's/^\(orlop-builder run --rm -it .*\|orlop-runtime run .*\)$/{ until grep -qs "# " typed; do sleep 0.05; done; echo "echo typed \\$((40 + 2))"; echo exit; } | script -qfec "\1" typed; rm typed/' \
		-e 's/^orlop-runtime exec sleeper ps$/until & | grep "sleep 600"; do sleep 0.1; done/' \
		-e 's/^orlop-runtime kill .*/&; until orlop-runtime state sleeper | grep -q stopped; do sleep 0.1; done/' \
		-e 's/^orlop-builder build -t echotest.*/& \&\& exit 1/'
}

@test "the commands of the tutorial work, in their order" {
	cd "$WORK/tree"
	commands >"$WORK/commands"
	run bash -e "$WORK/commands"
	echo "$output"
	[ "$status" -eq 0 ]
	# what each chapter promises
	grep -x hello <<<"$output"
	grep -x 3 <<<"$output"
	[ "$(tr -d '\r' <<<"$output" | grep -cx 'typed 42')" -eq 2 ]
	grep -x 'Hello, world' <<<"$output"
	grep -x 'Hello, captain' <<<"$output"
	grep -E 'CACHED' <<<"$output"
	grep -x aboard <<<"$output"
	grep -x 'A /tmp/course' <<<"$output"
	grep -x north <<<"$output"
	grep -E 'exit code: 127' <<<"$output"
	grep -E '^sleeper +[0-9]+ +running' <<<"$output"
	grep -E 'sleep 600' <<<"$output"
}
