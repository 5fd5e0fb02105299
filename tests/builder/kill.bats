#!/usr/bin/env bats
# SIGKILL at random moments: the store works on, and the next builder ends what was left running.
# SPDX-License-Identifier: Apache-2.0
load helpers

# ORLOP_KILL_SEED: the same moments again, as far as a machine's speed lets it
setup() {
	requires root busybox jq
	local seed=${ORLOP_KILL_SEED:-$SRANDOM}
	RANDOM=$((seed % 32768))
	echo "ORLOP_KILL_SEED=$seed"
	setup_store
	make_box sh cat echo mkdir rm sleep
	ob import -q -c 'CMD ["/bin/sh"]' "$work/box.tar" box >/dev/null

	mkdir -p "$work/context/tree/deep"
	echo copied >"$work/context/tree/deep/file"
	head -c 2000000 /dev/urandom >"$work/context/big"
	tar -C "$work/context" -cf "$work/added.tar" tree
	mv "$work/added.tar" "$work/context"
	cat >"$work/context/Dockerfile" <<-'END'
		FROM box AS first
		ARG N=0
		RUN echo "one $N" >/one && mkdir /gone && echo x >/gone/file
		COPY tree /copied/
		RUN rm -r /gone && echo two >/two
		FROM box
		ARG N=0
		WORKDIR /work
		COPY --from=first /one /two /from/
		COPY big .
		ADD added.tar /added/
		RUN echo "three $N" >three
	END
	sessions=$work/sessions
	: >"$sessions"
}

teardown() {
	# on a hybrid host runc leaves the parents of its cgroups, killed or not
	find /sys/fs/cgroup -depth -fstype cgroup -type d -name 'step-*' 2>/dev/null |
		grep -F -f <(sed '/^$/d' "$sessions") | xargs -r rmdir || true
	teardown_store
}

build() {
	ob build -q --network none -t "$@" "$work/context" 2>&1
}

# killed COMMAND...: at a random moment; its session is one of those that nothing may be left of
killed() {
	killed_midway "$@" || return 1
	ls "$ORLOP_STORE/leases" >>"$sessions"
	ls "$ORLOP_STORE/containers" >>"$sessions"
}

# Processes, runtime state, cgroups and mounts of what was killed; other builders may be at work on
# this machine, so it goes by the names of our sessions and containers.
left_behind() {
	local names=$work/names found=0 file
	sort -u "$sessions" | sed '/^$/d' >"$names"
	[ -s "$names" ] || return 0
	ls /run/orlop-builder/steps /run/orlop-builder/containers 2>/dev/null | grep -F -f "$names" && found=1
	find /sys/fs/cgroup -fstype cgroup2 -type d -name 'step-*' 2>/dev/null | grep -F -f "$names" && found=1
	for file in $(grep -l -F -f "$names" /proc/[0-9]*/cgroup 2>/dev/null); do
		# the dead that nobody has waited for have no program any more
		readlink "${file%/cgroup}/exe" && found=1
	done
	# its own status is that of a process that ended meanwhile
	grep -l -F " $work" /proc/[0-9]*/mountinfo 2>/dev/null | grep . && found=1
	return $found
}

# The image that a whole build gives.
check_image() {
	ob export "$1" >"$work/image.tar"
	[ "$(tar xOf "$work/image.tar" from/one)" = "one $2" ]
	[ "$(tar xOf "$work/image.tar" from/two)" = two ]
	[ "$(tar xOf "$work/image.tar" work/three)" = "three $2" ]
	[ "$(tar xOf "$work/image.tar" added/tree/deep/file)" = copied ]
	tar xOf "$work/image.tar" work/big | cmp - "$work/context/big"
	[ "$(ob history --format json "$1" | jq length)" -ge 7 ]
}

no_sessions() {
	idle_store && [ -z "$(find "$ORLOP_STORE/steps" -name '*.lock')" ]
}

# After a session has ended well nothing but itself was there. The one before may still be swept by who watched over it,
# and what takes longer than a second to remove goes on behind the session.
check_swept() {
	wait_for 20 left_behind
	wait_for 30 no_sessions
}

@test "builds killed at random moments" {
	whole=$(duration build whole --build-arg N=whole)
	killed=0
	for i in {1..60}; do
		killed "$builder" build -q --network none \
			-t "killed:$i" --build-arg "N=$i" "$work/context" && killed=$((killed + 1))
		if [ $((i % 10)) = 0 ]; then
			for name in $("$builder" images --format json | jq -r '.[].names[]'); do
				"$builder" export "$name" | tar tf - >/dev/null
			done
			whole=$(duration build "after:$i" --build-arg "N=$i")
			check_image "after:$i" "$i"
			check_swept
		fi
	done
	echo "killed $killed of 60 builds of $whole microseconds" >&2
	[ "$killed" -gt 20 ]
	check_image whole whole
	for tag in $("$builder" images --format json killed | jq -r '.[].names[]'); do
		check_image "$tag" "${tag##*:}"
	done
	build last --no-cache --build-arg N=last
	check_image last last
	check_swept
}

@test "builds of parallel stages killed at random moments" {
	local kills=${ORLOP_KILLS:-120} # 300 take a quarter of an hour
	{
		for i in 1 2 3 4 5; do
			printf 'FROM box AS s%s\nARG N=0\nRUN echo "%s $N" >/one && mkdir /gone && echo x >/gone/file\n' $i $i
			printf 'COPY tree /copied/\nRUN --mount=type=cache,sharing=locked,target=/c rm -r /gone && echo >>/c/%s\n' $i
		done
		printf 'FROM box\nARG N=0\nCOPY big .\nRUN echo "three $N" >three\n'
		for i in 1 2 3 4 5; do
			printf 'COPY --from=s%s /one /from/%s\n' $i $i
		done
	} >"$work/context/Dockerfile"
	whole=$(duration build whole --jobs 4 --build-arg N=whole)
	killed=0
	for ((i = 1; i <= kills; i++)); do
		killed "$builder" build -q --network none --jobs 4 \
			-t "killed:$i" --build-arg "N=$i" "$work/context" && killed=$((killed + 1))
		[ $((i % 20)) = 0 ] || continue
		whole=$(duration build "after:$i" --jobs 4 --build-arg "N=$i")
		ob export "after:$i" >"$work/image.tar"
		for n in 1 2 3 4 5; do
			[ "$(tar xOf "$work/image.tar" "from/$n")" = "$n $i" ]
		done
		[ "$(tar xOf "$work/image.tar" three)" = "three $i" ]
		check_swept
	done
	echo "killed $killed of $kills builds of $whole microseconds" >&2
	[ "$killed" -gt $((kills / 3)) ]
	for tag in $("$builder" images --format json killed | jq -r '.[].names[]'); do
		[ "$(ob export "$tag" | tar xOf - from/5)" = "5 ${tag##*:}" ]
	done
}

@test "runs killed at random moments" {
	whole=$(duration ob run --rm --network none box sleep 0.1)
	killed=0
	for i in {1..30}; do
		killed "$builder" run --rm --name "name" \
			--network none box sh -c 'echo x >/file; sleep 5' && killed=$((killed + 1))
	done
	[ "$killed" -gt 15 ]
	# the name is free again, and nothing is left of the containers
	ob run --rm --name name --network none box sleep 0
	check_swept
	[ -z "$(ls -A "$ORLOP_STORE/containers")" ]
	[ -z "$(ls -A "$ORLOP_STORE/names")" ]
}

@test "imports and exports killed at random moments" {
	whole=$(duration ob import -q "$work/box.tar" again)
	for i in {1..15}; do
		killed "$builder" import -q "$work/box.tar" "k:$i" \
			-c "CMD $i" || true
		killed "$builder" export -o "$work/out" box || true
	done
	build last
	check_image last 0
	check_swept
}

@test "a container without --rm keeps its record and its name; without conmon it runs no more" {
	PATH=/nonexistent "$builder" run --name kept --network none box sh -c 'echo up; exec sleep 1000' >"$work/out" &
	pid=$!
	wait_for 10 grep -q up "$work/out"
	id=$(ls "$ORLOP_STORE/containers")
	kill -KILL "$(guard_of "$pid")" # what it does is the next test's
	kill -KILL "$pid"
	wait "$pid" || true
	echo "$id" >>"$sessions"
	run ! left_behind # else the test below says nothing
	run -125 ob run --rm --name kept --network none box sleep 0
	[[ $output = *'name "kept" is already in use'* ]]
	check_swept
	[ "$(ls "$ORLOP_STORE/containers")" = "$id" ]
	[ "$(jq -r .name "$ORLOP_STORE/containers/$id/record.json")" = kept ]
}

# guard_of PID: the process that watches over it; a moment after its start it has its name
guard_of() {
	wait_for 10 pgrep -P "$1" -x orlop-guard
}

# killed_foreground COMMAND...: of a container that says "up" and runs on, killed when it does
killed_foreground() {
	: >"$work/out" # the last one's is not read for this one's
	"$@" >"$work/out" 2>"$work/log" &
	pid=$!
	wait_for 10 grep -q up "$work/out"
	ls "$ORLOP_STORE/leases" "$ORLOP_STORE/containers" | grep -v : >>"$sessions"
	run ! left_behind # it can be seen
	kill -KILL "$pid"
	wait "$pid" || true
	wait_for 20 left_behind
	wait_for 30 no_sessions
}

@test "a run in the foreground that is killed leaves nothing at once, without anybody else" {
	loop='echo x >/file; echo up; exec sleep 1000'
	killed_foreground "$builder" run --rm --name gone --network none box sh -c "$loop"
	[ -z "$(ls -A "$ORLOP_STORE/containers" "$ORLOP_STORE/names" | grep -v :)" ]
	# made by another session, which said nothing of its end
	ob create --rm --name gone --network none box sh -c "$loop"
	killed_foreground "$builder" start --attach gone
	[ -z "$(ls -A "$ORLOP_STORE/containers" "$ORLOP_STORE/names" | grep -v :)" ]
	# the record stays, as that of a container that ended
	killed_foreground env PATH=/nonexistent "$builder" run --name kept --network none box sh -c "$loop"
	[ -z "$(ob ps -q)" ]
	ob rm kept
	[ -z "$(ls -A "$ORLOP_STORE/containers" "$ORLOP_STORE/names" | grep -v :)" ]
}

# endless RUNTIME: a build in the background, in $pid, whose step runs for ever
endless() {
	printf 'FROM box\nRUN echo started >&2; sleep 1000\n' >"$work/context/Dockerfile"
	: >"$work/log" # the last one's is not read for this one's
	"$builder" build --network none --runtime "$1" "$work/context" >"$work/log" 2>&1 &
	pid=$!
	wait_for 10 grep -q '^#2 .* started' "$work/log"
	ls "$ORLOP_STORE/leases" >>"$sessions"
	run ! left_behind # it can be seen
}

@test "steps of a killed builder end at once, without anybody else" {
	for runtime in "$ORLOP_BUILD/orlop-runtime" runc; do
		command -v "$runtime" >/dev/null || continue
		endless "$runtime"
		kill -KILL "$pid"
		wait "$pid" || true
		wait_for 20 left_behind
		wait_for 30 no_sessions
	done
}

@test "who watches over a build holds nothing of it, and ends with it" {
	endless "$ORLOP_BUILD/orlop-runtime"
	guard=$(guard_of "$pid")
	# its own null device, and the process it waits for
	holds() { [ "$(ls "/proc/$guard/fd" | xargs)" = "$*" ]; }
	wait_for 10 holds 0 1 2 3
	[ "$(readlink "/proc/$guard/fd/2")" = /dev/null ]
	[ "$(readlink "/proc/$guard/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ]
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 130 ]
	[ ! -e "/proc/$guard" ]
	check_swept
}

@test "sweep: no store is made, and no argument is taken" {
	run -0 "$builder" --store "$work/absent" sweep
	[ ! -e "$work/absent" ]
	run -2 "$builder" --store "$work/absent" sweep all
}

@test "a step that nobody ended is ended by whoever is next, with another runtime, too" {
	for runtime in "$ORLOP_BUILD/orlop-runtime" runc; do
		command -v "$runtime" >/dev/null || continue
		for next in 'import -q box.tar other' sweep; do
			endless "$runtime"
			kill -KILL "$(guard_of "$pid")"
			kill -KILL "$pid"
			wait "$pid" || true
			run ! left_behind
			(cd "$work" && ob $next)
			check_swept
		done
	done
}
