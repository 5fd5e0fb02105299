#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: branches of a Dockerfile at the same time. What runs beside what is seen by steps that meet
# in a lent folder, never by the clock.

load build
load loopback

setup_file() {
	requires jq python3
	builder_begin
}

setup() {
	context_begin
	L=$BATS_TEST_TMPDIR/lent
	mkdir "$L"
	# wait_for FILE: for the steps; a rendezvous that does not come to be fails
	cat >"$L/wait_for" <<-'X'
		#!/bin/sh
		for i in $(seq 1000); do [ -e "/lent/$1" ] && exit 0; sleep 0.1; done
		echo "nobody made $1" >&2
		exit 44
	X
	chmod +x "$L/wait_for"
}

teardown() {
	http_end
}

# wide N: N stages that all wait for each other, and one that takes a file of each
wide() {
	local i j
	for i in $(seq "$1"); do
		echo "FROM base AS s$i"
		echo "RUN touch /lent/up$i$(for j in $(seq "$1"); do echo " && /lent/wait_for up$j"; done | tr -d '\n') && echo $i >/file$i"
	done
	echo "FROM base"
	for i in $(seq "$1"); do
		echo "COPY --from=s$i /file$i /files/"
	done
}

# In the background, with its messages in $E; $P is its pid.
start() {
	cat >"$C/Dockerfile"
	E=$BATS_TEST_TMPDIR/stderr
	"$B" build -v "$L:/lent" "$@" "$C" >"$BATS_TEST_TMPDIR/stdout" 2>"$E" &
	P=$!
}

# noting: a runtime that writes down which signals it is to send, and when: "SECONDS SIGNAL" in $KILLS
noting() {
	KILLS=$BATS_TEST_TMPDIR/kills
	# shellcheck disable=SC2016
	printf '#!/bin/bash\ncase " $* " in *" kill "*) echo "$EPOCHSECONDS ${!#}" >>%q ;; esac\nexec orlop-runtime "$@"\n' \
		"$KILLS" >"$BATS_TEST_TMPDIR/noting"
	chmod +x "$BATS_TEST_TMPDIR/noting"
}

# killed_soon SECONDS: the KILLs were sent at this time, and not when those who hear TERM have had their ten seconds
killed_soon() {
	cat "$KILLS"
	awk -v since="$1" '$2 == "KILL" { kills++; late += $1 - since >= 9 } END { exit !(kills && !late) }' "$KILLS"
}

ended() {
	status=0
	wait "$P" || status=$?
	stderr=$(cat "$E")
	echo "-> $status"
	cat "$E"
}

nothing_left() {
	wait_for 10 idle_store
	refute grep -F "$ORLOP_STORE" /proc/self/mountinfo
	wait_for 10 refute grep -qsF "$L" /proc/[0-9]*/mountinfo
}

@test "a large layer is begun to be written to the disk while the next step works" {
	requires strace
	printf 'FROM base\nRUN head -c 20000000 /dev/zero >/large\nRUN /lent/wait_for begun\n' >"$C/Dockerfile"
	strace -f --seccomp-bpf -qq -e trace=syncfs -o "$L/trace" \
		"$B" build -v "$L:/lent" -t early:1 "$C" >"$BATS_TEST_TMPDIR/stdout" 2>&1 &
	pid=$!
	wait_for 30 grep -q syncfs "$L/trace"
	touch "$L/begun"
	wait "$pid"
	cat "$BATS_TEST_TMPDIR/stdout" "$L/trace"
	# the commit hears of errors that its own file has not been told of
	sed -n 's/.*syncfs(\([0-9]*\).*/\1/p' "$L/trace" >"$BATS_TEST_TMPDIR/files"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/files")" = 2 ]
	[ "$(sort -u "$BATS_TEST_TMPDIR/files" | wc -l)" = 2 ]
	# not for a small one
	printf 'FROM base\nRUN echo small >/small\n' >"$C/Dockerfile"
	strace -f --seccomp-bpf -qq -e trace=syncfs -o "$L/trace" "$B" build -t early:2 "$C"
	[ "$(grep -c 'syncfs(' "$L/trace")" = 1 ]
}

# provisional: the records that are not final
provisional() {
	find "$ORLOP_STORE/steps" -name '*.*' ! -name '*.lock' | grep .
}

# copies FILE: of layers, in the store
copies() {
	compgen -G "$ORLOP_STORE/layers/*/tree/$1"
}

# lose FILE: as by a disk that did not take it
lose() {
	local file
	copies "$1" || return 1
	for file in $(copies "$1"); do
		: >"$file"
	done
}

@test "what a disk may not have taken is made again: its builder hears of it, later ones do not" {
	local failcall=$ORLOP_BUILD/tests/helpers/failcall steps
	# by the commit
	printf 'FROM base\nRUN echo one >/lost-one\n' >"$C/Dockerfile"
	run ! "$failcall" syncfs EIO "$B" build -t lost:1 "$C"
	[[ $output == *'sync the store'* ]]
	refute provisional
	lose lost-one
	again -t lost:1
	[ "$("$B" run --rm --network none lost:1 cat /lost-one)" = one ]
	# by the sync before it, in a build that comes to no commit
	[ -e "$ORLOP_STORE/boot" ]
	steps='FROM base\nRUN head -c 20000000 /dev/zero >/large && echo two >/lost-two\n'
	# shellcheck disable=SC2059 # it is a format
	printf "${steps}RUN /lent/wait_for seen && exit 3\n" >"$C/Dockerfile"
	"$failcall" syncfs EIO "$B" build -v "$L:/lent" -t lost:2 "$C" >"$BATS_TEST_TMPDIR/stdout" 2>&1 &
	pid=$!
	wait_for 30 test ! -e "$ORLOP_STORE/boot"
	touch "$L/seen"
	status=0
	wait "$pid" || status=$?
	cat "$BATS_TEST_TMPDIR/stdout"
	[ "$status" != 0 ]
	grep -F 'exit code: 3' "$BATS_TEST_TMPDIR/stdout"
	refute provisional
	lose lost-two || true # there is one when it was hashed before the end
	# shellcheck disable=SC2059
	printf "$steps" >"$C/Dockerfile"
	again -t lost:2
	[ "$("$B" run --rm --network none lost:2 cat /lost-two)" = two ]
}

@test "stages that do not need each other run at the same time" {
	wide 8 | build -v "$L:/lent" --jobs 8 -t t
	[ "$("$B" export t | tar tf - | grep -c '^files/file')" = 8 ]
}

@test "--jobs 1: one step at a time" {
	local i
	for i in 1 2 3 4; do
		echo "FROM base AS s$i"
		echo "RUN mkdir /lent/alone && sleep 0.05 && echo $i >/file$i && rmdir /lent/alone"
		echo "RUN mkdir /lent/alone && rmdir /lent/alone"
	done >"$BATS_TEST_TMPDIR/stages"
	{
		cat "$BATS_TEST_TMPDIR/stages"
		echo "FROM base"
		for i in 1 2 3 4; do echo "COPY --from=s$i /file$i /"; done
	} | build -v "$L:/lent" --jobs 1
}

@test "--jobs 2: never more than two, and two" {
	local i
	{
		for i in 1 2 3 4 5; do
			echo "FROM base AS s$i"
			echo "RUN touch /lent/in$i; [ \$(ls /lent | grep -c ^in) -le 2 ] || exit 9; sleep 0.1; rm /lent/in$i; echo $i >/file$i"
		done
		echo "FROM base AS a"
		echo "RUN touch /lent/a && /lent/wait_for b"
		echo "FROM base AS b"
		echo "RUN touch /lent/b && /lent/wait_for a && echo >/file6"
		echo "FROM a"
		for i in 1 2 3 4 5; do echo "COPY --from=s$i /file$i /"; done
		echo "COPY --from=b /file6 /"
	} | build -v "$L:/lent" --jobs 2
	try_again --jobs many
	[ "$status" = 2 ]
}

# On one processor, with this as what the kernel says of the load.
with_load() {
	local load=$1
	shift
	echo "$load" >"$BATS_TEST_TMPDIR/loadavg"
	# shellcheck disable=SC2016
	run --separate-stderr -- taskset -c 0 unshare -m --propagation private sh -c \
		'mount --bind "$0" /proc/loadavg && exec "$@"' "$BATS_TEST_TMPDIR/loadavg" "$@"
	printf '%s\n' "$stderr"
}

@test "without --jobs: as many as there are processors, and more while one is idle" {
	wide 4 >"$C/Dockerfile"
	with_load "0.00 0.00 0.00 1/100 1" "$B" build -v "$L:/lent" "$C"
	[ "$status" = 0 ]
	for i in 1 2 3 4; do
		echo "FROM base AS s$i"
		echo "RUN mkdir /lent/alone && sleep 0.1 && echo $i >/file$i && rmdir /lent/alone"
	done >"$C/Dockerfile"
	{
		echo "FROM base"
		for i in 1 2 3 4; do echo "COPY --from=s$i /file$i /"; done
	} >>"$C/Dockerfile"
	with_load "9.00 9.00 9.00 5/100 1" "$B" build -v "$L:/lent" "$C"
	[ "$status" = 0 ]
}

@test "a step begins when what it needs is there, not when all before it in the file is" {
	build -v "$L:/lent" --jobs 4 <<-X
		FROM base AS slow
		RUN /lent/wait_for late && echo >/slow
		FROM base AS quick
		RUN echo >/quick
		FROM base AS last
		COPY --from=quick /quick /
		RUN touch /lent/late
		COPY --from=slow /slow /
	X
}

@test "a step that two branches have is made once, without the cache, too" {
	local i options
	for options in "" --no-cache; do
		rm -f "$L/count"
		mkdir -p "$C/dir"
		touch "$C/dir/file"
		build -v "$L:/lent" --jobs 8 --build-arg "O=$options" $options -t t <<-X
			FROM base AS a
			ARG O
			COPY dir /dir
			RUN --mount=type=bind,target=/c echo once \$O >>/lent/count; sleep 0.2
			RUN echo a >/a
			FROM base AS b
			ARG O
			COPY dir /dir
			RUN --mount=type=bind,target=/c echo once \$O >>/lent/count; sleep 0.2
			RUN echo b >/b
			FROM base
			COPY --from=a /a /
			COPY --from=b /b /
		X
		[ "$(wc -l <"$L/count")" = 1 ]
		said '\[a 3/4\] RUN'
		said '\[b 3/4\] RUN'
		cached $((3 + 2)) # FROM, and the second ones
		[ "$("$B" export t | tar tf - | grep -cx '[ab]')" = 2 ]
	done
}

@test "the first failure ends the others, which are told to and named" {
	start --jobs 4 -t never <<-'X'
		FROM base AS a
		RUN /lent/wait_for up && echo the reason && exit 3
		FROM base AS b
		RUN trap 'echo told >/lent/told; exit 0' TERM; touch /lent/up; while :; do sleep 0.05; done
		FROM base AS c
		COPY --from=b /nothing /
		COPY --from=a /nothing /
	X
	ended
	[ "$status" = 1 ]
	[ "$(cat "$L/told")" = told ]
	[ "$(said '^#[0-9]+ CANCELED$' | wc -l)" = 1 ]
	id=$(said 'trap' | head -1 | cut -d' ' -f1)
	said "^$id CANCELED"
	said '^> \[a 2/2\]|^ > \[a 2/2\]'
	said 'exit code: 3$'
	said '>>> RUN /lent/wait_for up'
	refute said '>>> RUN trap'
	refute "$B" inspect never
	nothing_left
}

@test "a step that cannot hear TERM is not waited for" {
	noting
	start --jobs 2 --runtime "$BATS_TEST_TMPDIR/noting" <<-'X'
		FROM base AS a
		RUN /lent/wait_for up && exit 3
		FROM base
		RUN touch /lent/up; sleep 1000
		COPY --from=a / /
	X
	ended
	[ "$status" = 1 ]
	killed_soon "$(sed -n 's/ TERM$//p' "$KILLS")"
	nothing_left
}

@test "a second SIGINT ends at once who does not want to end" {
	noting
	start -j 2 --runtime "$BATS_TEST_TMPDIR/noting" <<-'X'
		FROM base AS a
		RUN trap 'touch /lent/told1' TERM; touch /lent/up1; while :; do sleep 0.05; done
		FROM base
		RUN trap 'touch /lent/told2' TERM; touch /lent/up2; while :; do sleep 0.05; done
		COPY --from=a / /
	X
	wait_for 10 test -e "$L/up1" -a -e "$L/up2"
	kill -INT "$P"
	wait_for 10 test -e "$L/told1" -a -e "$L/told2"
	kill -0 "$P"
	local asked=$EPOCHSECONDS
	kill -INT "$P"
	ended
	[ "$status" = 130 ]
	killed_soon "$asked"
	[ "$(said '^#[0-9]+ CANCELED$' | wc -l)" = 2 ]
	nothing_left
}

@test "the image does not depend on who is first" {
	export SOURCE_DATE_EPOCH=1700000000
	mkdir -p "$C/tree/deep"
	for i in 1 2 3 4; do
		head -c 200000 /dev/zero >"$C/tree/deep/$i"
	done
	local i jobs ids=()
	{
		for i in 1 2 3 4 5 6 7 8; do
			echo "FROM base AS s$i"
			echo "WORKDIR /work$i"
			echo "COPY tree tree"
			# later ones end sooner
			echo "RUN sleep 0.$((9 - i)); echo $i >file; touch -d @1600000000 file ."
			echo "ENV N=$i"
		done
		echo "FROM s3"
		echo "LABEL one=1"
		for i in 8 1 5 2 7 4 6; do
			echo "COPY --from=s$i /work$i /all/$i/"
		done
	} >"$C/Dockerfile"
	for jobs in 1 8; do
		ob --store "$WORK/jobs$jobs" import "$BATS_FILE_TMPDIR/base.tar" base
		ob --store "$WORK/jobs$jobs" build -q --jobs "$jobs" -t t "$C"
		[ "$status" = 0 ]
		ids+=("$output")
		"$B" --store "$WORK/jobs$jobs" inspect t | jq '.[0].Digest' >"$BATS_TEST_TMPDIR/digest$jobs"
		rm -rf "$WORK/jobs$jobs"
	done
	[ "${ids[0]}" = "${ids[1]}" ]
	cmp "$BATS_TEST_TMPDIR/digest1" "$BATS_TEST_TMPDIR/digest8"
}

@test "the outputs of steps that run beside each other are whole lines with their numbers" {
	build -v "$L:/lent" --jobs 2 <<-'X'
		FROM base AS a
		RUN touch /lent/a; /lent/wait_for b; for i in $(seq 200); do printf 'aaaa'; printf 'AAAA\n'; done
		FROM base
		RUN touch /lent/b; /lent/wait_for a; for i in $(seq 200); do printf 'bbbb'; printf 'BBBB\n'; done
		COPY --from=a /bin/sh /x
	X
	a=$(said 'printf .aaaa' | head -1 | cut -d' ' -f1)
	b=$(said 'printf .bbbb' | head -1 | cut -d' ' -f1)
	[ "$(said "^$a [0-9.]+ aaaaAAAA$" | wc -l)" = 200 ]
	[ "$(said "^$b [0-9.]+ bbbbBBBB$" | wc -l)" = 200 ]
}

@test "a remote file is asked for before its ADD has its turn" {
	mkdir "$BATS_TEST_TMPDIR/web"
	echo far >"$BATS_TEST_TMPDIR/web/far"
	http_begin "$BATS_TEST_TMPDIR/web"
	for checksum in "" "--checksum=sha256:$(sha256sum <"$BATS_TEST_TMPDIR/web/far" | cut -d' ' -f1)"; do
		build -v "$HTTP_LOG:/log" --jobs 1 -t t <<-X
			FROM base
			RUN : $checksum
			RUN for i in \$(seq 1000); do grep far /log && exit 0; sleep 0.1; done; exit 44
			ADD $checksum $HTTP/far /
		X
		[ "$("$B" export t | tar xOf - far)" = far ]
		[ "$(grep -c far "$HTTP_LOG")" = 1 ]
		: >"$HTTP_LOG"
	done
}

@test "caches that two steps lock in another order" {
	local i
	for i in 1 2 3; do
		build -v "$L:/lent" --jobs 2 --no-cache <<-'X'
			FROM base AS a
			RUN --mount=type=cache,id=one,sharing=locked,target=/1 --mount=type=cache,id=two,sharing=locked,target=/2 \
				mkdir /1/alone /2/alone && sleep 0.1 && rmdir /1/alone /2/alone
			FROM base
			RUN --mount=type=cache,id=two,sharing=locked,target=/2 --mount=type=cache,id=one,sharing=locked,target=/1 \
				mkdir /2/alone /1/alone && sleep 0.1 && rmdir /2/alone /1/alone
			COPY --from=a /bin/sh /x
		X
	done
}

@test "the signal that has ended a command is named" {
	try_build <<-'X'
		FROM base
		RUN sh -c 'kill -SEGV $$'; result=$?; exit $result
	X
	[ "$status" = 1 ]
	said 'exit code: 139 \(as after SIGSEGV\)$'
}

@test "--on-error=shell: the step's files, variables, mounts, folder and user" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base AS a
		RUN touch /lent/up; trap 'exit 0' TERM; while :; do sleep 0.05; done
		FROM base
		ENV E=of-the-image
		WORKDIR /work
		COPY Dockerfile .
		RUN chown 1000 /work
		USER app
		RUN --mount=type=secret,id=s,env=S --mount=type=cache,target=/cache,uid=1000 \
			/lent/wait_for up; echo cached >/cache/f; echo made >made; false
		COPY --from=a /bin/sh /x
	X
	chmod 777 "$L"
	S=hidden "$B" build -v "$L:/lent" --secret id=s,env=S --on-error=shell --jobs 2 "$C" \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" <<-'X' || status=$?
		cat made /cache/f; ls; pwd; id -u; echo "$E $S"; ls /lent/up
		touch /lent/in-the-shell
	X
	cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err"
	[ "$status" = 1 ]
	diff "$BATS_TEST_TMPDIR/out" - <<-'X'
		made
		cached
		Dockerfile
		made
		/work
		1000
		of-the-image hidden
		/lent/up
	X
	[ -e "$L/in-the-shell" ]
	stderr=$(cat "$BATS_TEST_TMPDIR/err")
	said 'A shell where it failed'
	[ "$(said '^>>>|>>> RUN --mount' | wc -l)" = 1 ]
	[ "$(said '^#[0-9]+ CANCELED$' | wc -l)" = 1 ]
	nothing_left
}

@test "--on-error=shell: on a terminal it has one of its own" {
	requires conmon script
	printf 'FROM base\nRUN false\n' >"$C/Dockerfile"
	status=0
	(wait_for 10 grep -q 'A shell where' "$BATS_TEST_TMPDIR/typescript" >/dev/null; printf 'tty && echo it-is $((1+1)) && exit\n'; wait_for 10 grep -q 'it-is 2' "$BATS_TEST_TMPDIR/typescript" >/dev/null) |
		timeout 600 script -qefc "'$B' build --on-error=shell '$C'" "$BATS_TEST_TMPDIR/typescript" >/dev/null || status=$?
	cat "$BATS_TEST_TMPDIR/typescript"
	grep -q '/dev/pts/0' "$BATS_TEST_TMPDIR/typescript"
	grep -q 'it-is 2' "$BATS_TEST_TMPDIR/typescript"
	[ "$status" = 1 ]
	nothing_left
}

@test "--on-error=shell: nothing to enter when it was interrupted or never ran" {
	start --on-error=shell <<-'X'
		FROM base
		RUN touch /lent/up; sleep 1000
	X
	wait_for 10 test -e "$L/up"
	kill -INT "$P"
	ended
	[ "$status" = 130 ]
	refute said 'A shell'
	try_build --on-error=shell <<-'X'
		FROM base
		COPY nothing /
	X
	[ "$status" = 1 ]
	refute said 'A shell'
	try_again --on-error=retry
	[ "$status" = 2 ]
}

@test "a stage's parent that fails is the one to blame" {
	start --jobs 8 <<-'X'
		FROM base AS parent
		RUN exit 5
		FROM parent AS a
		RUN touch /lent/never
		FROM parent
		COPY --from=a / /
	X
	ended
	[ "$status" = 1 ]
	said 'exit code: 5'
	[ ! -e "$L/never" ]
	refute said CANCELED
}
