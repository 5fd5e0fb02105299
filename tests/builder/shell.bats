#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shell: looking around in an image.

load build

setup_file() {
	builder_begin
	[ -z "${MISSING:-}" ] || return 0
	mkdir "$BATS_FILE_TMPDIR/context"
	cat >"$BATS_FILE_TMPDIR/context/Dockerfile" <<-'X'
		FROM base
		ENV FROM_IMAGE=yes
		WORKDIR /work
		RUN echo there >file && chown -R 1000:1001 /work && ln -s busybox /bin/other
		USER app
		ENTRYPOINT ["/bin/false"]
		CMD ["and", "more"]
	X
	printf 'FROM t\nSHELL ["/bin/busybox", "sh", "-c"]\n' >"$BATS_FILE_TMPDIR/context/shell"
	"$B" build -t t "$BATS_FILE_TMPDIR/context"
	"$B" build -t with-shell -f "$BATS_FILE_TMPDIR/context/shell" "$BATS_FILE_TMPDIR/context"
}

# in_shell ARG... <COMMANDS
in_shell() {
	status=0
	output=$("$B" shell "$@" 2>"$BATS_TEST_TMPDIR/stderr") || status=$?
	stderr=$(cat "$BATS_TEST_TMPDIR/stderr")
	printf -- '-> %s\n%s\n%s\n' "$status" "$output" "$stderr"
}

@test "shell IMAGE: its folder, user and variables, but not its command" {
	in_shell t <<-'X'
		cat file; pwd; id -u; echo $FROM_IMAGE; echo complaint >&2
		echo changed >file; exit 7
	X
	[ "$status" = 7 ]
	[ "$output" = $'there\n/work\n1000\nyes' ]
	[ "$stderr" = complaint ]
	# nothing of it is kept
	in_shell t <<<'cat file'
	[ "$output" = there ]
	[ -z "$(ls -A "$ORLOP_STORE/containers")" ]
	wait_for 10 idle_store
}

@test "shell IMAGE: options" {
	in_shell -u 0 -w / -e A=b -v "$BATS_TEST_TMPDIR:/mine:ro" t <<<'id -u; pwd; echo $A; ls /mine'
	[ "$output" = $'0\n/\nb\ncontext\nstderr' ]
	in_shell --shell /bin/cat t <<<'as it is'
	[ "$output" = "as it is" ]
	in_shell with-shell <<<'echo this is $0'
	[ "$output" = "this is sh" ]
	[[ $(in_shell with-shell <<<'tr "\0" " " </proc/1/cmdline') = *'/bin/busybox sh '* ]]
	in_shell nothing:here <<<exit
	[ "$status" = 125 ]
	in_shell <<<exit
	[ "$status" = 2 ]
}

@test "shell IMAGE: on a terminal it has one of its own" {
	requires conmon script
	local log=$BATS_TEST_TMPDIR/typescript
	(
		wait_for 10 grep -qs '[$#] ' "$log" >/dev/null
		printf 'tty && echo it-is $((1+1)) && exit\n'
		wait_for 10 grep -q 'it-is 2' "$log" >/dev/null
	) | timeout 600 script -qefc "'$B' shell -w /work t" "$log" >/dev/null
	cat "$log"
	grep -q '/dev/pts/0' "$log"
	grep -q 'it-is 2' "$log"
}

# number TEXT: of the step in the newest build's progress
number() {
	grep -m 1 -F -- "$1" <<<"$stderr" | sed 's/^#\([0-9]*\) .*/\1/'
}

@test "shell BUILD#N: a step that failed, with its files, variables, mounts, folder and user" {
	mkdir "$C/dir"
	echo bound >"$C/dir/file"
	try_build <<-'X'
		FROM base AS tools
		RUN echo tool >/tool
		FROM base
		ENV E=of-the-image
		WORKDIR /work
		RUN echo first >one && chown -R app .
		USER app
		RUN --mount=type=bind,source=dir,target=/bound --mount=type=bind,from=tools,source=/tool,target=/tool \
			--mount=type=cache,target=/cache,uid=1000 --mount=type=secret,id=s,env=S \
			echo kept >/cache/f; rm one; echo half >two; exit 3
	X
	[ "$status" = 1 ]
	n=$(number "type=bind")
	S=hidden in_shell --secret id=s,env=S "last#$n" <<-'X'
		ls; cat two /bound/file /tool /cache/f; pwd; id -u; echo $E $S; echo more >three
	X
	[ "$status" = 0 ]
	[ "$output" = $'two\nhalf\nbound\ntool\nkept\n/work\n1000\nof-the-image hidden' ]
	# nothing is kept of the shell, and its own files can be looked at again
	in_shell "last:stage-1/4" <<<'ls; exit 4'
	[ "$status" = 4 ]
	[ "$output" = two ]
	# a command on what the step found
	status=0
	output=$("$B" rerun "last#$n" 2>&1) || status=$?
	[ "$status" = 3 ]
	[ "$output" = "" ]
	# what the command line lent is lent anew
	in_shell -v "$C/dir:/lent:ro" "last#$n" <<<'cat /lent/file'
	[ "$output" = bound ]
	# the next failure takes its place
	first=$("$B" logs | awk 'NR == 2 { print $1 }')
	try_build <<<$'FROM base\nRUN echo other >/other; false'
	in_shell "last#2" <<<'cat /other'
	[ "$output" = other ]
	in_shell "$first#$n" <<<'ls'
	[ "$output" = one ]
	[[ $stderr = *'is gone: these are the files that it found'* ]]
	wait_for 10 idle_store
}

@test "shell and rerun BUILD#N: steps that succeeded, also when they came from the cache" {
	build <<-'X'
		FROM base
		RUN echo again; echo x >>/x
		RUN echo y >>/x
	X
	again
	cached 3
	in_shell 'last#3' <<<'cat /x'
	[ "$output" = $'x\ny' ]
	in_shell 'last:stage-0/2' <<<'cat /x'
	[ "$output" = x ]
	[ "$("$B" rerun 'last#2')" = again ]
	in_shell 'last#1' <<<exit
	[ "$status" = 125 ]
	[[ $stderr = *"no RUN that was executed"* ]]
	in_shell 'last#99' <<<exit
	[ "$status" = 125 ]
	[[ $stderr = *"no such build or step"* ]]
	in_shell -u root 'last#3' <<<exit
	[ "$status" = 125 ]
}

@test "shell and rerun: limits, names and devices, as build has them" {
	local options=(--add-host orlop-db:10.1.2.3 --ulimit nofile=55 --device /dev/null:/dev/sink)
	mkdir "$BATS_TEST_TMPDIR/again"
	cat >"$BATS_TEST_TMPDIR/again/Dockerfile" <<-'X'
		FROM base
		RUN echo "$(grep orlop-db /etc/hosts | tr '\t' ' ') $(ulimit -n) $(ls /dev/sink)"
	X
	ob build "${options[@]}" "$BATS_TEST_TMPDIR/again"
	[ "$status" = 0 ]
	ob rerun "${options[@]}" last#2
	[ "$output" = '10.1.2.3 orlop-db 55 /dev/sink' ]
	ob rerun last#2
	[[ $output != *orlop-db* ]]
	in_shell "${options[@]}" last#2 <<<'tr "\t" " " </etc/hosts | grep orlop-db; ulimit -n; ls /dev/sink'
	[ "$output" = $'10.1.2.3 orlop-db\n55\n/dev/sink' ]
	in_shell "${options[@]}" t <<<'tr "\t" " " </etc/hosts | grep orlop-db; ulimit -n; ls /dev/sink'
	[ "$output" = $'10.1.2.3 orlop-db\n55\n/dev/sink' ]
	in_shell --cap-add NONSENSE t <<<true
	[ "$status" = 2 ]
	ob rerun --cap-add NONSENSE last#2
	[ "$status" = 2 ]
}
