#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Terminals: in the foreground on our own, over a console socket otherwise.
load helpers

terminal() {
	config_set '.process.terminal = true'
	probe "$@"
}

# receive [-n]: wait for a console on $WORK/socket
receive() {
	"$RECVTTY" "$@" "$WORK/socket" >"$WORK/received" 3>&- &
	RECEIVER=$!
	wait_for 5 test -S "$WORK/socket"
}

@test "create sends the terminal over the console socket" {
	terminal tty then echo hello
	receive
	ok create -b "$BUNDLE" --console-socket "$WORK/socket" "$ID"
	ok start "$ID"
	wait $RECEIVER || true
	contains "/dev/pts/0" "$(cat "$WORK/received")"
	contains "hello" "$(cat "$WORK/received")"
}

@test "the console size is set before the terminal is sent" {
	config_set '.process.consoleSize = { "height": 10, "width": 110 }'
	terminal tty
	receive
	ok create -b "$BUNDLE" --console-socket "$WORK/socket" "$ID"
	ok start "$ID"
	wait $RECEIVER || true
	contains "size 10 110" "$(cat "$WORK/received")"
	contains "/dev/pts/0 10 110" "$(cat "$WORK/received")"
}

@test "the console socket may have a long path" {
	requires ours
	deep=$WORK/$(printf 'd%.0s' {1..100})/$(printf 'e%.0s' {1..100})
	mkdir -p "$deep"
	terminal echo long
	receive
	(cd "$deep" && ln -s "$WORK/socket" s)
	ok create -b "$BUNDLE" --console-socket "$deep/s" "$ID"
	ok start "$ID"
	wait $RECEIVER || true
	contains "long" "$(cat "$WORK/received")"
}

@test "/dev/console is the terminal and the standard streams are it" {
	terminal stat /dev/console then open /dev/tty /dev/console then fds
	receive
	ok create -b "$BUNDLE" --console-socket "$WORK/socket" "$ID"
	ok start "$ID"
	wait $RECEIVER || true
	contains "/dev/console 020620" "$(cat "$WORK/received")"
	contains "/dev/tty ok" "$(cat "$WORK/received")"
	contains "/dev/console ok" "$(cat "$WORK/received")"
	contains "0 /dev/pts/0" "$(cat "$WORK/received")"
	contains "2 /dev/pts/0" "$(cat "$WORK/received")"
}

@test "a container's user owns its terminal" {
	config_set '.process.user = { "uid": 1000, "gid": 1000 }'
	terminal open /dev/pts/0 /dev/console then stat /dev/pts/0
	receive
	ok create -b "$BUNDLE" --console-socket "$WORK/socket" "$ID"
	ok start "$ID"
	wait $RECEIVER || true
	contains "/dev/pts/0 ok" "$(cat "$WORK/received")"
	contains "/dev/console ok" "$(cat "$WORK/received")"
	contains " 1000:" "$(cat "$WORK/received")"
}

@test "detached terminals need a console socket, and nothing else may have one" {
	requires ours
	terminal true
	fails create -b "$BUNDLE" "$ID"
	contains "cannot allocate tty if"
	contains "without setting console socket"
	fails run -d -b "$BUNDLE" "$ID"
	contains "without setting console socket"
	config_set '.process.terminal = false'
	fails create -b "$BUNDLE" --console-socket "$WORK/socket" "$ID"
	contains "cannot use console socket if"
}

@test "a console socket that nobody listens on fails create and leaves nothing" {
	terminal true
	fails create -b "$BUNDLE" --console-socket "$WORK/socket" "$ID"
	[ ! -e "$ROOT/$ID" ]
}

@test "run in the foreground copies our terminal and its size" {
	requires program script
	terminal tty then read
	script -qec "stty rows 22 cols 77; '$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" "$WORK/typescript" \
		<<<"typed" >"$WORK/out" 3>&-
	contains "/dev/pts/0 22 77" "$(cat "$WORK/out")"
	contains "read typed" "$(cat "$WORK/out")"
}

@test "run restores our terminal's mode, also when the payload fails" {
	requires program script
	terminal exit 4
	script -qec "stty -a >'$WORK/before'; '$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID; echo status \$?; stty -a >'$WORK/after'" \
		"$WORK/typescript" </dev/null >"$WORK/out" 3>&-
	contains "status 4" "$(cat "$WORK/out")"
	diff "$WORK/before" "$WORK/after"
}

@test "run passes a changed window size on" {
	requires program script
	terminal resized 33 44
	script -qec "terminal=\$(tty)
		(until grep -q ready '$WORK/out'; do sleep 0.05; done; stty -F \$terminal rows 33 cols 44) &
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" "$WORK/typescript" </dev/null >"$WORK/out" 3>&-
	contains "signal 28 size 33 44" "$(cat "$WORK/out")"
}

@test "all of a terminal's output arrives, also what was written last" {
	requires program script
	dd if=/dev/zero bs=1024 count=64 2>/dev/null | tr '\0' x | fold -w 64 >"$ROOTFS/text"
	terminal cat /text then echo the end
	script -qec "'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" "$WORK/typescript" </dev/null >"$WORK/out" 3>&-
	equals "$(grep -c xxx "$WORK/out")" 1024
	contains "the end" "$(tail -c 100 "$WORK/out")"
}

@test "a reader of the terminal's output that goes away does not end the container early" {
	requires program script
	config_set '.root.readonly = false'
	terminal cat /bin/probe then write /tmp/finished
	script -qec "'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID | head -c 10 >/dev/null" "$WORK/typescript" \
		</dev/null >/dev/null 3>&-
	wait_for 10 test ! -e "$ROOT/$ID"
}

# paste: much more than a terminal takes of input that nobody reads
paste() {
	yes "a line of a long paste" | head -c 1000000 >"$WORK/paste"
}

# position PID FD: how much this process has read of the file
position() {
	awk '/^pos:/ { print $2 }' "/proc/$1/fdinfo/$2"
}

# has_read PID FD SIZE: it has read so much, and waits
has_read() {
	[ "$(position "$1" "$2")" -ge "$3" ] && grep -q '^State:.S' "/proc/$1/status"
}

# reads_no_more PID FD: it has begun to read, and does not go on
reads_no_more() {
	local before
	before=$(position "$1" "$2")
	[ "$before" -gt 0 ] && sleep 0.3 && has_read "$1" "$2" "$before" && [ "$(position "$1" "$2")" = "$before" ]
}

# fill PIPE: the room that is left in it, which differs, as each piece that was written has pages of its own
fill() {
	refute dd if=/dev/zero of="$1" oflag=nonblock bs=4096 2>"$WORK/filled"
	grep -q 'Resource temporarily unavailable' "$WORK/filled"
}

@test "a payload that does not read a huge paste still gets signals, and has its end" {
	requires ours
	paste
	terminal trap
	"$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" <"$WORK/paste" >"$WORK/out" 2>&1 3>&- &
	pid=$!
	BACKGROUND+=("$pid")
	wait_for 5 grep -q ready "$WORK/out"
	wait_for 5 has_read "$pid" 0 12288
	kill -TERM "$pid"
	wait_for 10 grep -q "signal 15" "$WORK/out"
	wait "$pid"
	BACKGROUND=()
}

@test "a payload that writes before it reads does not wait for its input to be taken" {
	requires ours
	paste
	head -c 300000 "$WORK/paste" >"$ROOTFS/text"
	start_container
	terminal cat /text then read
	for verb in "run -b $BUNDLE $ID-2" "exec -t $ID /bin/probe cat /text then read"; do
		status=0
		# shellcheck disable=SC2086
		timeout -s KILL 60 "$RUNTIME" --root "$ROOT" $verb <"$WORK/paste" >"$WORK/out" 2>&1 3>&- || status=$?
		equals "$status" 0
		contains "read a line of a long paste" "$(tail -c 200000 "$WORK/out")"
	done
}

@test "a reader of the terminal's output that stands still does not keep signals from the payload" {
	requires ours
	paste
	cp "$WORK/paste" "$ROOTFS/text"
	terminal cat /text
	# (a pid namespace's first process would not die of the signal)
	config_set '.linux.namespaces |= map(select(.type != "pid")) | .mounts |= map(select(.type != "proc"))'
	mkfifo "$WORK/reader"
	exec 9<>"$WORK/reader"
	"$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null >"$WORK/reader" 2>/dev/null 3>&- 9>&- &
	pid=$!
	BACKGROUND+=("$pid")
	wait_for 5 is_status running
	wait_for 5 reads_no_more "$(container_pid)" 3
	fill "$WORK/reader"
	kill -TERM "$pid"
	wait_for 10 is_status stopped
	# (opened before the other end is closed: without a writer the open would wait for one)
	exec 8<"$WORK/reader"
	cat <&8 >/dev/null 3>&- 9>&- &
	exec 8<&- 9<&-
	status=0
	wait "$pid" || status=$?
	BACKGROUND=()
	equals "$status" 143
}

@test "exec -t gives the process a terminal of the container's devpts" {
	requires program script
	start_container
	script -qec "'$RUNTIME' --root '$ROOT' exec -t $ID /bin/probe tty" "$WORK/typescript" </dev/null >"$WORK/out" 3>&-
	contains "/dev/pts/0" "$(cat "$WORK/out")"
}

@test "exec with a console socket" {
	start_container
	receive
	jq -n '{ terminal: true, args: ["/bin/probe", "tty"], cwd: "/", env: [], user: { uid: 0, gid: 0 } }' >"$WORK/process.json"
	ok exec -d --console-socket "$WORK/socket" --process "$WORK/process.json" "$ID"
	wait $RECEIVER || true
	contains "/dev/pts/0" "$(cat "$WORK/received")"
}

@test "a rootfs cannot fake the terminal multiplexer" {
	requires ours
	terminal true
	config_set '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root.readonly = false'
	mkdir -p "$ROOTFS/dev/pts"
	touch "$ROOTFS/dev/pts/ptmx"
	receive -n
	fails create -b "$BUNDLE" --console-socket "$WORK/socket" "$ID"
	contains "is not the multiplexer of a devpts"
	wait $RECEIVER || true
}
