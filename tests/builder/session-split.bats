#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A session: a shell in a terminal whose programs are moved away; what a second terminal sees of it, and what is left.

load session

# debian with a real /bin, as it was when the session was written down: bookworm's is a link.
setup_file() {
	session_begin debian
	[ -z "${MISSING:-}" ] || return 0
	cat >"$WORLD/Dockerfile" <<-'X'
		FROM debian
		RUN rm /bin && mkdir /bin && mv /usr/bin/bash /usr/bin/ls /usr/bin/cat /usr/bin/mv /usr/bin/dash /usr/bin/sh /bin/
	X
	"$WORLD/world" o build -q -t split - <"$WORLD/Dockerfile"
}

# in the order of a session: one depends on the other
@test "split: the container in one terminal; ps, inspect and diff in another; its end" {
	terminal_begin
	types 'o run -h CONTAINER --name b -it split /bin/bash' 'root@CONTAINER:/# '
	types 'mv /bin /basket' 'root@CONTAINER:/# '
	[ -z "$said" ]
	types 'ls' 'root@CONTAINER:/# '
	[ "$said" = "bash: ls: command not found" ]

	typed 'o ps'
	[[ ${lines[1]} == *split*'"/bin/bash"'*Up*b ]]
	typed 'o inspect --format {{.NetworkSettings.IPAddress}} b'
	[ "$output" = 10.87.0.2 ]
	typed 'o diff b'
	sort <<-'X' | diff - <(sort <<<"$output")
		D /bin
		A /basket
		A /basket/bash
		A /basket/cat
		A /basket/dash
		A /basket/ls
		A /basket/mv
		A /basket/sh
	X

	types 'exit' 'host$ '
	types 'echo $?' 'host$ '
	[ "$said" = 127 ]
	terminal_end
}

@test "split: ps -a, logs with the prompts and what was typed" {
	typed 'o ps -a'
	[[ ${lines[1]} == *'Exited (127)'*b ]]
	typed 'o logs b'
	# a terminal's lines, without what it says about itself
	sed -e 's/\x1b\[[?0-9;]*[a-z]//g' -e 's/\r//g' <<<"$output" >"$BATS_TEST_TMPDIR/log"
	diff - "$BATS_TEST_TMPDIR/log" <<-'X'
		root@CONTAINER:/# mv /bin /basket
		root@CONTAINER:/# ls
		bash: ls: command not found
		root@CONTAINER:/# exit
		exit
	X
}

@test "split: start -ai, without its shell and with it; rm" {
	terminal_begin
	types 'o start -ai b' 'host$ '
	[[ $said == *'/bin/bash'*'no such file'* ]]
	typed "o cp b:/basket $WORLD/basket && o cp $WORLD/basket b:/bin"
	[ "$status" = 0 ]
	types 'o start -ai b' 'root@CONTAINER:/# '
	types 'ls -d /b*' 'root@CONTAINER:/# '
	[ "$said" = "/basket  /bin  /boot" ]
	types 'exit' 'host$ '
	terminal_end
	typed 'o rm b'
	[ "$output" = b ]
	typed 'o ps -a'
	[ "${#lines[@]}" = 1 ]
}
