#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# docs/cache.md, line by line: what is in a key (changing it makes the step again) and what is not.

load build

# hits N, misses N: the last build had N steps (with FROM); all but FROM were taken, or none was.
hits() {
	cached "$1"
}
misses() {
	cached 1
}

# run_of LINE...: a build of one RUN after these lines
run_of() {
	{
		echo FROM base
		printf '%s\n' "$@"
	} >"$C/Dockerfile"
	again "${options[@]}"
}

@test "key of RUN: what is in it" {
	local options=() pair before after
	run_of 'RUN echo key'
	for pair in 'RUN echo key2' 'RUN ["echo", "key"]' $'SHELL ["/bin/sh", "-ec"]\nRUN echo key' \
		$'ENV A=1\nRUN echo key' $'ENV A=2\nRUN echo key' $'ARG B=1\nRUN echo key' \
		$'ARG B=3\nRUN echo key' $'USER app\nRUN echo key' $'USER 1000\nRUN echo key' \
		'RUN --network=none echo key' $'RUN <<X\necho key\nX' $'RUN <<X\necho key2\nX' \
		$'RUN <<X\n#!/bin/sh\necho key\nX' $'RUN <<X\n#!/bin/sh\necho key2\nX'; do
		run_of "$pair"
		misses
		run_of "$pair"
		hits 2
	done
	run_of 'WORKDIR /tmp' 'RUN echo key'
	cached 1
	run_of 'WORKDIR /opt' 'RUN echo key'
	cached 1
	run_of 'RUN echo key'
	hits 2
	options=(--network none)
	run_of 'RUN echo key, no network'
	options=()
	run_of 'RUN echo key, no network'
	misses
	options=(--allow security.insecure)
	run_of 'RUN --security=insecure echo key'
	misses
	options=(--build-arg BUILDKIT_SANDBOX_HOSTNAME=h)
	run_of 'RUN echo key'
	misses
}

@test "key of RUN: what is not in it" {
	local options=() lines
	mkdir "$C/lent"
	run_of 'RUN echo not in key'
	run_of 'ENV A=1' 'RUN echo the same variable'
	run_of 'ARG A=1' 'RUN echo the same variable'
	hits 2
	run_of 'RUN echo not in key'
	for lines in $'# a comment\n\nRUN echo not in key' $'RUN   echo not in key' 'run echo not in key' \
		$'LABEL a=b\nRUN echo not in key' $'EXPOSE 80\nRUN echo not in key' \
		$'CMD ["x"]\nENTRYPOINT ["y"]\nRUN echo not in key' $'VOLUME /v\nRUN echo not in key' \
		$'STOPSIGNAL 9\nHEALTHCHECK NONE\nMAINTAINER m\nRUN echo not in key' \
		$'ONBUILD RUN false\nRUN echo not in key' $'ARG UNSET\nRUN echo not in key' \
		$'RUN echo not in key\nARG LATER=1'; do
		run_of "$lines"
		hits 2
	done
	for options in '--label a=b' '-t other' '--build-arg HTTP_PROXY=http://p' '--build-arg X=1' \
		"-v $C/lent:/lent" "--iidfile $C/id" '--progress plain'; do
		# shellcheck disable=SC2206
		options=($options)
		run_of 'RUN echo not in key'
		hits 2
	done
	sed -i 's/FROM base/FROM base AS named/' "$C/Dockerfile"
	again
	hits 2
	mv "$C/Dockerfile" "$C/Other"
	again -f "$C/Other"
	hits 2
}

@test "key of RUN: a proxy counts when an ARG declares it" {
	local options=(--build-arg HTTP_PROXY=http://one)
	run_of 'ARG HTTP_PROXY' 'RUN echo proxy'
	options=(--build-arg HTTP_PROXY=http://two)
	run_of 'ARG HTTP_PROXY' 'RUN echo proxy'
	misses
}

@test "key of RUN --mount" {
	local options=() mount
	mkdir "$C/d"
	echo 1 >"$C/d/f"
	run_of 'RUN --mount=type=tmpfs,target=/t echo mount'
	for mount in type=tmpfs,target=/t2 type=tmpfs,target=/t,size=1m type=bind,target=/t,source=d \
		type=bind,target=/t,source=d/f type=bind,target=/t,source=d,rw type=cache,target=/t \
		type=cache,target=/t,ro type=cache,target=/t,mode=700 type=cache,target=/t,uid=5 \
		type=cache,target=/t,from=base,source=etc type=bind,target=/t,from=base,source=etc \
		type=secret,id=a type=secret,id=b type=secret,id=a,env=E type=ssh; do
		run_of "RUN --mount=$mount echo mount"
		misses
		run_of "RUN --mount=$mount echo mount"
		hits 2
	done
	run_of 'RUN --mount=type=bind,target=/t,source=d echo mount'
	hits 2
	echo 2 >"$C/d/f"
	run_of 'RUN --mount=type=bind,target=/t,source=d echo mount'
	misses
	# not: the id, the sharing and the contents of a cache; the value of a secret
	run_of 'RUN --mount=type=cache,target=/t echo > /t/new; echo mount'
	for mount in type=cache,target=/t,id=other type=cache,target=/t,sharing=locked; do
		run_of "RUN --mount=$mount echo > /t/new; echo mount"
		hits 2
	done
	echo one >"$C/secret"
	options=(--secret "id=a,src=$C/secret")
	run_of 'RUN --mount=type=secret,id=a echo mount'
	hits 2
	echo two >"$C/secret"
	run_of 'RUN --mount=type=secret,id=a echo mount'
	hits 2
}

# taken TEXT: the step with this text was, in the last build
taken() {
	local id
	id=$(grep -oE "^#[0-9]+ \[[^]]*\] $1" <<<"$stderr" | cut -d' ' -f1 | head -1)
	[ -n "$id" ] && grep -qx "$id CACHED" <<<"$stderr"
}

# copy_of LINE: a build of one COPY
copy_of() {
	run_of "$@"
}

files() {
	rm -rf "$C/d"
	mkdir -p "$C/d/sub"
	echo 1 >"$C/d/f"
	echo 2 >"$C/d/sub/g"
	ln -s f "$C/d/link"
	chmod -R u=rwX,go=rX "$C/d"
}

@test "key of COPY: what is in it" {
	local options=() line change
	files
	copy_of 'COPY d /key'
	for line in 'COPY d /key2' 'COPY d key3' 'COPY --chown=5 d /key' 'COPY --chown=6 d /key' \
		'COPY --chmod=700 d /key' 'COPY --chmod=go-r d /key' 'COPY d/f /key' 'COPY d/f d/link /key/' \
		'ADD d/f /key4'; do
		copy_of "$line"
		misses
		copy_of "$line"
		hits 2
	done
	copy_of 'WORKDIR /not-made-before' 'COPY d key3'
	cached 1
	copy_of 'RUN echo not made before' 'COPY d /key'
	cached 1
	# shellcheck disable=SC2016
	for change in 'echo 3 >d/f' 'chmod 755 d/f' 'chmod 700 d/sub' 'mv d/f d/h' 'ln -sfn sub d/link' \
		'rm d/link' 'rm d/f; mkdir d/f' 'rm d/f; mkfifo d/f' 'mkdir d/new' 'truncate -s 0 d/f' \
		'rm d/sub/g; ln d/f d/sub/g' 'setfattr -n user.a -v b d/f'; do
		files
		copy_of 'COPY d /key'
		hits 2
		if ! (cd "$C" && eval "$change"); then
			[[ $change == setfattr* ]] # not every file system has them
			continue
		fi
		copy_of 'COPY d /key'
		misses
	done
}

@test "key of COPY: what is not in it" {
	local options=()
	files
	echo other >"$C/other"
	copy_of 'COPY d /not-key'
	touch -d '2001-01-01' "$C/d/f" "$C/d/sub" "$C/d"
	copy_of 'COPY d /not-key'
	hits 2
	chown -R 5:6 "$C/d"
	copy_of 'COPY d /not-key'
	hits 2
	echo changed >"$C/other"
	copy_of 'COPY d /not-key'
	hits 2
	echo other >"$C/.dockerignore"
	copy_of 'COPY d /not-key'
	hits 2
	cp -a "$C/d" "$C/e"
	copy_of 'COPY e /not-key'
	copy_of 'COPY e /not-key'
	hits 2
	mkdir "$C/deep"
	cp -a "$C/d" "$C/deep/d"
	copy_of 'COPY d/. /not-key'
	copy_of 'COPY d/. /not-key'
	hits 2
	# an exclusion that excludes nothing that is there
	copy_of 'COPY --exclude=*.none d /not-key'
	copy_of 'COPY --exclude=*.none d /not-key'
	hits 2
}

@test "key of COPY --from: owners, the stage's key, not its name" {
	build <<-'X'
		FROM base AS one
		RUN echo 1 > /f && chown 7:8 /f
		FROM base
		COPY --from=one /f /from
	X
	sed -i 's/one/renamed/' "$C/Dockerfile"
	again
	cached 4
	sed -i 's/7:8/7:9/' "$C/Dockerfile"
	again
	cached 2
}

@test "key of COPY --link: not what lies below" {
	echo 1 >"$C/f"
	build <<-'X'
		FROM base
		RUN echo below > /below
		COPY --link f /linked/f
	X
	sed -i 's/echo below/echo other/' "$C/Dockerfile"
	again
	grep -A2 'COPY --link' <<<"$stderr" | grep -q CACHED
	echo 2 >"$C/f"
	again
	refute grep -qx '#3 CACHED' <<<"$stderr"
}

@test "key of WORKDIR and of the base" {
	local options=()
	run_of 'WORKDIR /k'
	run_of 'USER app' 'WORKDIR /k'
	misses
	run_of 'WORKDIR /k2'
	misses
	run_of 'WORKDIR /k'
	hits 2
	"$B" tag base same-base
	printf 'FROM same-base\nWORKDIR /k\n' >"$C/Dockerfile"
	again
	hits 2
}

@test "key: the base's layers and platform, not its other configuration; not the runtime" {
	local options=() arch
	run_of 'RUN echo on the base'
	build -t labeled <<-'X'
		FROM base
		LABEL a=b
		CMD ["other"]
	X
	for base in 'FROM labeled' 'FROM base'; do
		printf '%s\nRUN echo on the base\n' "$base" >"$C/Dockerfile"
		again
		hits 2
	done
	ln -s "$ORLOP_BUILD/orlop-runtime" "$BATS_TEST_TMPDIR/another"
	run "$B" build --runtime "$BATS_TEST_TMPDIR/another" "$C"
	[ "$(grep -c CACHED <<<"$output")" = 2 ]
	build -t changed <<-'X'
		FROM base
		RUN echo changed > /changed
	X
	printf 'FROM changed\nRUN echo on the base\n' >"$C/Dockerfile"
	again
	misses
	printf 'FROM scratch\nCOPY f /platform\n' >"$C/Dockerfile"
	echo f >"$C/f"
	again --platform linux/s390x
	again --platform linux/s390x
	hits 2
	again --platform linux/riscv64
	misses
}

@test "key of COPY: a file's name, a device's numbers, owners unless --chown says them" {
	local options=()
	mkdir "$C/d"
	echo 1 >"$C/one"
	copy_of 'COPY one /named/'
	mv "$C/one" "$C/two"
	copy_of 'COPY two /named/'
	misses
	mknod "$C/d/dev" c 1 3
	copy_of 'COPY d /devices'
	rm "$C/d/dev"
	mknod "$C/d/dev" c 1 5
	copy_of 'COPY d /devices'
	misses
	# of a stage that is another one the files are read; what they are is seen by the step behind
	local chown owner
	for chown in '' --chown=5; do
		for owner in 7:8 7:9; do
			build <<-X
				FROM base AS owned
				RUN echo 1 > /f && chown $owner /f
				FROM base
				COPY --from=owned $chown /f /from
				RUN echo behind $chown
			X
		done
		[ -n "$chown" ] || refute taken 'RUN echo behind'
	done
	taken 'RUN echo behind --chown=5'
}

@test "key of COPY --link: folders on the way, and the numbers of a name" {
	echo 1 >"$C/f"
	local folder change
	for change in 'chmod 700 /way' 'chown 5 /way' 'chmod 755 /way && chown 0 /way'; do
		build <<-X
			FROM base
			RUN mkdir /way && $change
			COPY --link f /way/f
		X
		refute taken 'COPY --link'
	done
	build <<-'X'
		FROM base
		RUN mkdir /way && echo the same folder
		COPY --link f /way/f
	X
	taken 'COPY --link'
	for change in 1000 1005; do
		build <<-X
			FROM base
			RUN sed -i s/1000/$change/ /etc/passwd
			COPY --link --chown=app f /named
		X
		refute taken 'COPY --link'
	done
}

@test "--no-cache-filter: the named stages alone are made again" {
	build <<-'X'
		FROM base AS one
		RUN echo filter one > /one
		FROM base AS two
		RUN echo filter two > /two
		FROM base
		COPY --from=one /one /
		COPY --from=two /two /
	X
	again --no-cache-filter one
	cached 6
	again --no-cache-filter one,2
	cached 4
	again --no-cache-filter=0 --no-cache-filter=two
	cached 5
	again
	cached 7
	again --no-cache-filter tow
	cached 7
	grep -q 'no stage "tow" (did you mean "two"?)' <<<"$stderr"
}

@test "--normalize-modes: another umask makes no other key, and the files are as the key says" {
	files
	echo x >"$C/d/run"
	chmod 750 "$C/d/run"
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		COPY d /modes
	X
	again --normalize-modes -t normal
	chmod -R go-rwx "$C/d"
	chmod 4711 "$C/d/run"
	again --normalize-modes
	cached 2
	[ "$("$B" export normal | tar tvf - | awk '$NF ~ /modes/ { print $1, $NF }' | sort -k2)" = "$(
		printf '%s\n' 'drwxr-xr-x modes/' '-rw-r--r-- modes/f' 'lrwxrwxrwx f' '-rwxr-xr-x modes/run' \
			'drwxr-xr-x modes/sub/' '-rw-r--r-- modes/sub/g' | grep -v ' f$' | sort -k2)" ]
	chmod u-x "$C/d/run"
	again --normalize-modes
	cached 1
	# without it, exact modes count
	again -t exact
	cached 1
	again
	cached 2
	"$B" export exact | tar tvf - | grep -q '^-rw------- .* modes/f$'
}
