#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build --progress: the picture on a terminal, JSON, quiet; --metadata-file and the summary.

load build
load loopback

setup_file() {
	requires tmux
	builder_begin
}

teardown() {
	http_end
	[ -z "${SCREEN:-}" ] || tmux -S "$SCREEN" kill-server 2>/dev/null || true # ended already
}

# screen COLUMNS ROWS ARG...: build on a terminal of that size; what it ends with stays on the screen
screen() {
	local columns=$1 rows=$2
	shift 2
	# a server of its own each time: one that ends still has its socket
	SCREENS=$((${SCREENS:-0} + 1))
	SCREEN=$BATS_TEST_TMPDIR/screen.$SCREENS
	cat >"$BATS_TEST_TMPDIR/on-screen" <<-X
		#!/bin/sh
		trap : INT # an interrupt is for the builder
		cd '$C' && sh -c 'echo \$\$ >"$BATS_TEST_TMPDIR/pid"; exec "$B" build $* .'; echo "ended: \$?"; exec sleep 1000
	X
	tmux -S "$SCREEN" -f /dev/null new-session -d -x "$columns" -y "$rows" \
		"sh '$BATS_TEST_TMPDIR/on-screen' 3>&-" 3>&-
}

look() {
	tmux -S "$SCREEN" capture-pane -p -S -200 | tee "$BATS_TEST_TMPDIR/looked"
}

# sees REGEX: is a line like this on the screen?
sees() {
	look | grep -qE -- "$1"
}

# A step that says some lines and then waits until the file "go" is lent to it.
waiting() {
	mkdir -p "$C/lent"
	printf '%s\n' 'FROM base AS slow' \
		'RUN for i in 1 2 3 4 5 6 7 8 9; do echo "line $i of a long text that has no end before the edge"; done; until [ -e /lent/go ]; do sleep 0.1; done' \
		'FROM base AS other' 'RUN until [ -e /lent/go ]; do sleep 0.1; done' \
		'FROM base' 'COPY --from=slow /etc/passwd /a' 'COPY --from=other /etc/passwd /b' \
		>"$C/Dockerfile"
}

fits() {
	look | awk -v columns="$1" '/^    line / { lines++ } length >= columns { wide++ } END { exit !(lines <= 6 && !wide) }'
}

# both steps of waiting run
both_run() {
	sees '^ > \[slow 2/2\] RUN ' && sees '^ > \[other 2/2\] RUN '
}

@test "tty: a picture of what runs, at 40, 80 and 200 columns, and what stays of it" {
	local columns
	waiting
	for columns in 40 80 200; do
		rm -f "$C/lent/go"
		screen "$columns" 20 -t t --no-cache -j 4 -v "$C/lent:/lent"
		wait_for 10 sees '^ > \[other 2/2\] RUN until .* [0-9]+\.[0-9]s$'
		wait_for 10 sees '^    line 9 of a long te'
		wait_for 10 sees '^Building [0-9.]+s, 3 of 8 done'
		# six lines of output at most, and nothing reaches the last column (when a picture is drawn to its end)
		wait_for 10 fits "$columns"
		touch "$C/lent/go"
		wait_for 10 sees '^ended: 0$'
		# the picture is gone; the lines that stay are there once
		refute sees '^ > |^Building|^    line'
		[ "$(look | grep -cE '^=> \[slow 2/2\] RUN for .* [0-9.]+s$')" = 1 ]
		[ "$(look | grep -cE '^=> CACHED \[slow 1/2\] FROM base +[0-9.]+s$')" = 1 ]
		sees '^Built sha256:'
		sees '^  4 steps, 0 cached, in [0-9.]+s; '
		tmux -S "$SCREEN" kill-server
	done
}

@test "tty: a picture that is resized is drawn anew" {
	waiting
	screen 100 20 --no-cache -j 4 -v "$C/lent:/lent"
	wait_for 10 sees '^Building'
	tmux -S "$SCREEN" resize-window -x 50 -y 10
	wait_for 10 sees '^    line 9 of a long text .*\.\.\.$'
	# what was folded may have left the screen at the top
	one_picture() { [ "$(tmux -S "$SCREEN" capture-pane -p | grep -c '^Building')" = 1 ]; }
	wait_for 10 one_picture
	touch "$C/lent/go"
	wait_for 10 sees '^ended: 0$'
	refute grep -q '^Building' <(tmux -S "$SCREEN" capture-pane -p)
}

@test "tty: with more steps than rows the rest is a number" {
	local i
	mkdir "$C/lent"
	{
		for i in $(seq 20); do
			printf 'FROM base AS s%d\nRUN echo %d; until [ -e /lent/go ]; do sleep 0.1; done\n' "$i" "$i"
		done
		echo 'FROM base'
		for i in $(seq 20); do
			echo "COPY --from=s$i /etc/passwd /p$i"
		done
	} >"$C/Dockerfile"
	screen 80 12 -j 0 -v "$C/lent:/lent"
	wait_for 20 sees '^ > \.\.\. and 11 more$'
	wait_for 20 sees '20 running '
	shows_ten() { [ "$(look | grep -c '^ > ')" = 10 ]; }
	wait_for 20 shows_ten
	touch "$C/lent/go"
	wait_for 30 sees '^ended: 0$'
}

@test "tty: an interrupt, a failure and SIGKILL leave the terminal as it was" {
	waiting
	screen 80 20 --no-cache -j 4 -v "$C/lent:/lent"
	wait_for 10 both_run
	tmux -S "$SCREEN" send-keys C-c
	wait_for 20 sees '^ended: 130$'
	sees '^=> CANCELED '
	refute sees '^Building'
	tmux -S "$SCREEN" kill-server

	printf 'FROM base\nRUN echo said; echo more; false\n' >"$C/Dockerfile"
	screen 80 20
	wait_for 10 sees '^ended: 1$'
	sees '^=> ERROR .* RUN echo said'
	sees '^[0-9.]+ more$'
	refute sees '^Building'
	tmux -S "$SCREEN" kill-server

	printf 'FROM base\nRUN until [ -e /lent/gone ]; do sleep 0.1; done\n' >"$C/Dockerfile"
	screen 80 20 -v "$C/lent:/lent"
	wait_for 10 sees '^Building'
	kill -KILL "$(cat "$BATS_TEST_TMPDIR/pid")"
	wait_for 10 sees '^ended: 137$'
	# the cursor was never hidden, nor any other mode set
	[ "$(tmux -S "$SCREEN" display-message -p '#{cursor_flag} #{wrap_flag} #{alternate_on} #{scroll_region_upper}')" = "1 1 0 0" ]
}

@test "tty: it needs a terminal, and NO_COLOR has no colours" {
	printf 'FROM base\nRUN true\n' >"$C/Dockerfile"
	ob build --progress tty "$C"
	[ "$status" = 2 ]
	[[ $stderr == *"needs a terminal"* ]]
	NO_COLOR=1 screen 80 20 --no-cache
	wait_for 10 sees '^ended: 0$'
	refute grep -q $'\033' <(tmux -S "$SCREEN" capture-pane -p -e)
	tmux -S "$SCREEN" kill-server
	screen 80 20
	wait_for 10 sees '^ended: 0$'
	grep -q $'\033\[36m' <(tmux -S "$SCREEN" capture-pane -p -e)
}

@test "rawjson: every line is an object of BuildKit's shape, and all output is in it" {
	build -t t --progress rawjson <<-'X'
		FROM base
		RUN echo one; echo two >&2; printf three
		CMD x
	X
	[ -z "$output" ]
	jq -e . <<<"$stderr" >/dev/null
	jq -se '[.[].vertexes[0] | select(.) | select(.name | test("RUN echo one"))] |
		length == 2 and .[0].digest == .[1].digest and .[0].started == .[1].started and
		(.[0] | has("completed") | not) and .[1].completed >= .[1].started and
		(.[1] | has("cached") | not)' <<<"$stderr"
	jq -se '[.[].vertexes[0] | select(.) | select(.cached)] | length == 1' <<<"$stderr"
	[ "$(jq -r '.logs[0] | select(.) | .data | @base64d' <<<"$stderr" | sort | tr -d '\n')" = onethreetwo ]
	[ "$(jq -r '.warnings[0] | select(.) | .short | @base64d' <<<"$stderr" | cut -d: -f1)" = JSONArgsRecommended ]
	[ "$(jq -sr '.[-1]["containerimage.config.digest"]' <<<"$stderr")" = "$(config .Id t | tr -d '"')" ]
	try_build --progress rawjson <<-'X'
		FROM base
		RUN false
	X
	[ "$status" = 1 ]
	grep '^{' <<<"$stderr" | jq -se '[.[].vertexes[0] | select(.error)] | length == 1'
}

@test "--metadata-file has digests, names and figures; a failure removes it" {
	local file=$BATS_TEST_TMPDIR/metadata
	build -t one -t two:v1 --metadata-file "$file" <<-'X'
		FROM base
		RUN echo metadata > /file
		LABEL x=metadata
	X
	[ "$(jq -r '."image.name"' "$file")" = docker.io/library/one:latest,docker.io/library/two:v1 ]
	[ "$(jq '."containerimage.config.digest"' "$file")" = "$(config .Id one)" ]
	[ "$(jq '."containerimage.digest"' "$file")" = "$(config .Digest one)" ]
	[ "$("$B" inspect --raw manifest one | wc -c)" = "$(jq '."containerimage.descriptor".size' "$file")" ]
	[ "$(jq '."containerimage.descriptor".digest' "$file")" = "$(config .Digest one)" ]
	[ "$(jq '."containerimage.descriptor".annotations["config.digest"]' "$file")" = "$(config .Id one)" ]
	[ "$(jq '."containerimage.descriptor".annotations["org.opencontainers.image.created"]' "$file")" = "$(config .Created one)" ]
	local number
	number=$(jq '."orlop.build".number' "$file")
	[ "$(jq -r '."buildx.build.ref"' "$file")" = "orlop/orlop/$number" ]
	[ "$("$B" logs | sed -n '2s/ .*//p')" = "$number" ]
	jq -e '."orlop.build" | .steps == 1 and .cached == 0 and .warnings == 0 and .size > 0 and .seconds > 0' "$file"
	said '^Built sha256:[0-9a-f]{64}$'
	said '^  named docker.io/library/one:latest, docker.io/library/two:v1$'
	said '^  1 step, 0 cached, in [0-9.]+s; '
	again --metadata-file "$file"
	jq -e '."orlop.build".cached == 1 and (has("image.name") | not)' "$file"
	try_build --metadata-file "$file" <<<$'FROM base\nRUN false'
	[ "$status" = 1 ]
	[ ! -e "$file" ]
}

@test "quiet and none; -q and another kind exclude each other; BUILDKIT_PROGRESS" {
	build --progress quiet <<<$'FROM base\nRUN true'
	[[ $output == sha256:* ]]
	[ -z "$stderr" ]
	again --progress none
	[ -z "$output$stderr" ]
	BUILDKIT_PROGRESS=none again
	[ -z "$output$stderr" ]
	BUILDKIT_PROGRESS=rawjson again -q
	[[ $output == sha256:* ]]
	[ -z "$stderr" ]
	try_again -q --progress plain
	[ "$status" = 2 ]
	[[ $stderr == *"cannot be used together"* ]]
	BUILDKIT_PROGRESS=fancy try_again
	[ "$status" = 2 ]
	[[ $stderr == *"invalid BUILDKIT_PROGRESS: fancy (auto, "* ]]
}

@test "downloads of ADD are shown with their bytes, beside the steps, which alone are counted" {
	requires python3 jq
	skip_missing
	http_begin "$C"
	head -c 3000000 /dev/zero >"$C/file"
	printf 'FROM base\nADD %s/file /\n' "${HTTP/:\/\//://user:secret@}" >"$C/Dockerfile"
	again --progress plain -t t
	[[ $stderr =~ "#"([0-9]+)" fetch $HTTP/file" ]]
	[[ $stderr == *"#${BASH_REMATCH[1]} 3MB / 3MB"* ]]
	[[ $stderr == *"#${BASH_REMATCH[1]} DONE"* ]]
	[ "$(grep -c ' 3MB / 3MB ' <<<"$stderr")" = 1 ]
	[[ $stderr == *"1 step, 0 cached"* && $stderr != *"fetch http://user"* ]]
	again --progress rawjson --no-cache -t t
	jq -es 'map(.statuses[0]? // empty) | any(.id == "transferring" and .total == 3000000 and
		.current == 3000000 and .completed)' <<<"$(grep '^{' <<<"$stderr")"
	# one that fails is said once, by the step
	rm "$C/file"
	try_again --progress plain --no-cache -t t
	[ "$status" = 1 ]
	[ "$(grep -c 'ERROR: .*status 404' <<<"$stderr")" = 2 ]
	[ "$(grep -c '^------$' <<<"$stderr")" = 2 ]
}

@test "fetching the context is shown before there is a Dockerfile" {
	requires python3
	skip_missing
	printf 'FROM base\nCOPY x /\n' >"$C/Dockerfile"
	head -c 200000 /dev/urandom >"$C/x"
	tar -C "$C" -cf "$BATS_TEST_TMPDIR/context.tar" .
	http_begin "$BATS_TEST_TMPDIR"
	ob build --progress plain -t t "$HTTP/context.tar"
	[ "$status" = 0 ]
	[[ $stderr == *"#1 fetch $HTTP/context.tar"*"#1 DONE"*"#2 [stage-0 1/2] FROM base"* ]]
	[[ $stderr =~ "#1 "[0-9.]+"kB / "[0-9.]+kB ]]
	ob build --check "$HTTP/context.tar"
	[[ $stderr != *fetch* ]]
	ob build -q "$HTTP/none.tar"
	[ "$status" = 1 ]
	[[ $stderr == "orlop-builder: "*"status 404"* ]]
}
