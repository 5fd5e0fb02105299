#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: RUN --mount, all types.

load build

T() {
	echo "$BATS_TEST_TMPDIR/tree/$1"
}

teardown() {
	[ -z "${agent:-}" ] || kill "$agent"
}

# the files that a RUN step left in its layer
last_layer() {
	local id
	id=$("$B" inspect "$1" | jq -r '.[0].RootFS.Layers[-1]' | sed 's/sha256://')
	find "$ORLOP_STORE/layers/$id/tree" -mindepth 1 -printf '%P\n' | sort
}

@test "bind: files and folders of the context, read-only, root's, without what is ignored" {
	mkdir -p "$C/src/in"
	echo one >"$C/src/in/one"
	echo two >"$C/src/two"
	echo no >"$C/src/ignored"
	chown -R 12:34 "$C/src"
	chmod 640 "$C/src/two"
	echo src/ignored >"$C/.dockerignore"
	build -t t <<-'X'
		FROM base
		WORKDIR /w
		RUN --mount=type=bind,source=src,target=/mnt/src \
		    --mount=target=all \
		    --mount=source=src/two,dst=file \
		    cat /mnt/src/in/one all/src/two file >/out && \
		    stat -c '%u:%g %a' /mnt/src/two >>/out && \
		    ls /mnt/src >>/out && \
		    ! touch /mnt/src/x 2>/dev/null
	X
	tree t "$(T .)"
	[ "$(tr '\n' ' ' <"$(T out)")" = "one two two 0:0 640 in two " ]
	[ "$(last_layer t)" = out ]
	[ ! -e "$(T mnt)" ]
}

@test "bind: writes are discarded" {
	mkdir "$C/src"
	echo one >"$C/src/one"
	build -t t <<-'X'
		FROM base
		RUN --mount=source=src,target=/src,rw echo changed >/src/one && echo new >/src/two && cat /src/* >/out
		RUN --mount=source=src,target=/src,rw ls /src >>/out && cat /src/one >>/out
		RUN --mount=source=src/one,target=/file,rw echo x >/file && cat /file >>/out
	X
	tree t "$(T .)"
	[ "$(tr '\n' ' ' <"$(T out)")" = "changed new one one x " ]
	[ "$(cat "$C/src/one")" = one ]
	[ ! -e "$C/src/two" ]
}

@test "bind: from stages and images; symlinks stay inside" {
	build -t t <<-'X'
		FROM base AS first
		RUN mkdir /data && echo 1 >/data/f && ln -s /data /sym && ln -s /etc/hostname /out
		FROM base
		RUN --mount=from=first,source=/data,target=/d cat /d/f >/o
		RUN --mount=from=first,source=sym/f,target=/f cat /f >>/o
		RUN --mount=from=base,target=/b,rw touch /b/new && head -1 /b/etc/passwd >>/o
		RUN --mount=from=first,target=/d readlink /d/out >>/o
	X
	tree t "$(T .)"
	[ "$(tr '\n' ' ' <"$(T o)")" = "1 1 root:x:0:0:root:/root:/bin/sh /etc/hostname " ]
	try_build <<-'X'
		FROM base AS first
		FROM base
		RUN --mount=from=first,source=/missing,target=/d true
	X
	[ "$status" = 1 ]
	said 'type=bind,target=/d: "/missing": not found'
	try_build <<-'X'
		FROM base
		RUN --mount=source=../missing,target=/d true
	X
	[ "$status" = 1 ]
	said '"/missing": not found'
}

@test "bind: what is mounted is in the key" {
	mkdir "$C/src"
	echo 1 >"$C/src/f"
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN --mount=source=src,target=/src cat /src/f >/out
	X
	again
	touch -d @1 "$C/src/f"
	again
	cached 2
	echo 2 >"$C/src/f"
	again -t t
	cached 1
	tree t "$(T .)"
	[ "$(cat "$(T out)")" = 2 ]
	echo 1 >"$C/src/f"
	again
	cached 2
}

@test "tmpfs: with a size, and nothing of it stays" {
	build -t t <<-'X'
		FROM base
		RUN --mount=type=tmpfs,target=/t,size=1m df -k /t | tail -1 | awk '{print $2}' >/out && \
		    echo x >/t/x && ! dd if=/dev/zero of=/t/big bs=1M count=2 2>/dev/null
	X
	tree t "$(T .)"
	[ "$(cat "$(T out)")" = 1024 ]
	[ "$(last_layer t)" = out ]
}

@test "cache: persists, by id and namespace, in no layer" {
	build <<-'X'
		FROM base
		RUN --mount=type=cache,target=/root/.cache/a echo 1 >>/root/.cache/a/f
	X
	build -t t <<-'X'
		FROM base
		RUN --mount=type=cache,target=/root/.cache/a echo 2 >>/root/.cache/a/f; cat /root/.cache/a/f >/out
		RUN --mount=type=cache,id=/root/.cache/a,target=/b cat /b/f >>/out
		RUN --mount=type=cache,id=other,target=/root/.cache/a ls -A /root/.cache/a >>/out
	X
	tree t "$(T .)"
	[ "$(tr '\n' ' ' <"$(T out)")" = "1 2 1 2 " ]
	[ ! -e "$(T root/.cache)" ]
	build -t u --build-arg BUILDKIT_CACHE_MOUNT_NS=other <<-'X'
		FROM base
		RUN --mount=type=cache,target=/root/.cache/a ls -A /root/.cache/a >/out2
	X
	tree u "$(T u)"
	[ -e "$(T u/out2)" ]
	[ ! -s "$(T u/out2)" ]
}

@test "cache: owner and mode; read-only; seeded from a stage" {
	build -t t <<-'X'
		FROM base AS seed
		RUN mkdir -p /s/in && echo seed >/s/in/f && chown 5:6 /s/in/f
		FROM base
		USER app
		WORKDIR /w
		RUN --mount=type=cache,target=/c,uid=1000,gid=1001,mode=0700 touch /c/mine && stat -c '%u:%g %a' /c >out
		RUN --mount=type=cache,id=r,target=/c,ro ! touch /c/x 2>/dev/null
		USER root
		RUN --mount=type=cache,id=s,target=/c,from=seed,source=/s cat /c/in/f >>out && stat -c %u:%g /c/in/f >>out && echo more >>/c/in/f
		RUN --mount=type=cache,id=s,target=/c,from=seed,source=/s cat /c/in/f >>out
	X
	tree t "$(T .)"
	[ "$(tr '\n' ' ' <"$(T w/out)")" = "1000:1001 700 seed 5:6 seed more " ]
}

@test "cache: locked waits, private gets another one" {
	for sharing in locked private; do
		mkdir -p "$BATS_TEST_TMPDIR/$sharing"
		cat >"$BATS_TEST_TMPDIR/$sharing/Dockerfile" <<-X
			FROM base
			ARG N
			RUN --mount=type=cache,id=$sharing,sharing=$sharing,target=/c \
			    ls -A /c >/out; touch /c/busy; sleep 1; rm /c/busy; echo \$N
		X
		"$B" build --build-arg N=1 -t "${sharing}1" "$BATS_TEST_TMPDIR/$sharing" 2>/dev/null &
		local first=$!
		"$B" build --build-arg N=2 -t "${sharing}2" "$BATS_TEST_TMPDIR/$sharing" 2>"$BATS_TEST_TMPDIR/$sharing.err"
		wait "$first"
		for n in 1 2; do
			tree "$sharing$n" "$(T $sharing$n)"
			[ ! -s "$(T $sharing$n/out)" ]
		done
	done
}

@test "cache: locked is nobody else's until what a killed builder ran has ended" {
	local dir=$BATS_TEST_TMPDIR/locked first second guard
	mkdir "$dir"
	cat >"$dir/Dockerfile.first" <<-'X'
		FROM base
		RUN --mount=type=cache,id=crash,sharing=locked,target=/c while :; do echo x >>/c/log; done
	X
	cat >"$dir/Dockerfile.second" <<-'X'
		FROM base
		RUN --mount=type=cache,id=crash,sharing=locked,target=/c n=$(wc -c </c/log); sleep 0.3; \
		    [ "$n" -gt 0 ] && [ "$n" = "$(wc -c </c/log)" ]
	X
	"$B" build -f "$dir/Dockerfile.first" "$dir" >"$dir/first" 2>&1 3>&- &
	first=$!
	wrote() { find "$ORLOP_STORE/mounts" -name log -size +0 | grep -q .; }
	wait_for 20 wrote
	"$B" build -f "$dir/Dockerfile.second" "$dir" >"$dir/second" 2>&1 3>&- &
	second=$!
	wait_for 20 grep -q 'waiting for a cache mount' "$dir/second"
	# nobody else ends the command: it would write on
	guard=$(wait_for 10 pgrep -P "$first" -x orlop-guard)
	kill -KILL "$guard"
	kill -KILL "$first"
	wait "$first" || true
	wait "$second" || { cat "$dir/second" && return 1; }
}

@test "secret: files and variables, in no layer and no key" {
	printf 'sesame-4711\n' >"$BATS_TEST_TMPDIR/secret"
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		WORKDIR /w
		RUN --mount=type=secret,id=s cat /run/secrets/s | wc -c >/out && stat -c '%u:%g %a' /run/secrets/s >>/out
		RUN --mount=type=secret,id=s,target=rel/x,uid=1000,gid=5,mode=0440 stat -c '%u:%g %a' rel/x >>/out; ! echo x 2>/dev/null >rel/x
		RUN --mount=type=secret,id=e,env=TOKEN [ "$TOKEN" = from-env ] && [ ! -e /run/secrets/e ]
		RUN --mount=type=secret,id=s,env=BOTH,target=/both cmp /both /both && echo "$BOTH" | wc -c >>/out
		RUN --mount=type=secret,id=none [ ! -e /run/secrets/none ]
		RUN --mount=type=secret,target=/a/b/s cat /a/b/s | wc -c >>/out
	X
	export FROM_ENV=from-env
	again -t t --secret id=s,src="$BATS_TEST_TMPDIR/secret" --secret id=e,env=FROM_ENV
	tree t "$(T .)"
	[ "$(tr '\n' '|' <"$(T out)")" = "12|0:0 400|1000:5 440|13|12|" ]
	[ ! -e "$(T run)" ]
	[ ! -e "$(T w/rel)" ]
	refute grep -rq sesame-4711 "$ORLOP_STORE"
	printf 'other\n' >"$BATS_TEST_TMPDIR/secret"
	again --secret id=s,src="$BATS_TEST_TMPDIR/secret" --secret id=e,env=FROM_ENV
	cached 8
}

@test "secret: while the step runs, in no log, no command line and nowhere on the disk" {
	printf 'sesame-0815\n' >"$BATS_TEST_TMPDIR/secret"
	export FROM_ENV=sesame-0815
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN --mount=type=secret,id=e,env=TOKEN --mount=type=secret,id=f --mount=type=cache,id=secrets,target=/c \
		    [ "$TOKEN" = "$(cat /run/secrets/f)" ] && touch /c/here && for i in $(seq 3000); do [ ! -e /c/go ] || break; sleep 0.1; done; rm /c/go
	X
	"$B" --debug build --secret id=e,env=FROM_ENV --secret id=f,src="$BATS_TEST_TMPDIR/secret" "$C" \
		>"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	local build=$! cache=
	has_cache() { cache=$(find "$ORLOP_STORE/mounts" -name here -printf '%h\n' 2>/dev/null) && [ -n "$cache" ]; }
	wait_for 10 has_cache
	# the command holds the variable, so only what it was started with counts
	local found=0
	cat /proc/[0-9]*/cmdline >"$BATS_TEST_TMPDIR/commands" 2>/dev/null || true # some end meanwhile
	grep -qa sesame-0815 "$BATS_TEST_TMPDIR/commands" && found=1
	grep -rqs sesame-0815 "$ORLOP_STORE" && found=2
	touch "$cache/go"
	wait "$build"
	[ "$found" = 0 ]
	refute grep -q sesame-0815 "$BATS_TEST_TMPDIR/log"
	refute grep -rqs sesame-0815 "$ORLOP_STORE"
	rm "$cache/here"
}

@test "secret: required and missing, unreadable, unknown fields" {
	try_build <<-'X'
		FROM base
		RUN --mount=type=secret,id=s,required true
	X
	[ "$status" = 1 ]
	said 'secret s: not found'
	try_again --secret id=s,src=/nowhere
	[ "$status" = 1 ]
	said 'nowhere'
	try_again --secret id=s,source=x,weird=y
	[ "$status" = 2 ]
	said 'unexpected field "weird=y"'
	try_again --secret src=x
	[ "$status" = 2 ]
}

@test "ssh: an agent's socket is forwarded, for the step's user" {
	requires python3
	cat >"$BATS_TEST_TMPDIR/agent.py" <<-'X'
		import socket, sys, os
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen(8)
		print("ready", flush=True)
		while True:
		    c, _ = s.accept()
		    data = c.recv(100)
		    c.sendall(b"agent says " + data)
		    c.close()
	X
	mkfifo "$BATS_TEST_TMPDIR/ready"
	python3 "$BATS_TEST_TMPDIR/agent.py" "$BATS_TEST_TMPDIR/agent.sock" >"$BATS_TEST_TMPDIR/ready" 3>&- &
	agent=$!
	read -r _ <"$BATS_TEST_TMPDIR/ready"
	cp "$ORLOP_BUILD/tests/helpers/probe" "$C/probe"
	try_build -t t --ssh default="$BATS_TEST_TMPDIR/agent.sock" <<-'X'
		FROM base
		COPY probe /bin/
		RUN --mount=type=ssh,uid=1000 stat -c '%u %a' $SSH_AUTH_SOCK >/out; echo $SSH_AUTH_SOCK >>/out
		USER 1000
		RUN --mount=type=ssh,uid=1000 probe unix $SSH_AUTH_SOCK hello >/tmp/out
		USER 0
		RUN --mount=type=ssh,id=other echo "none:$SSH_AUTH_SOCK" >>/out
	X
	kill "$agent"
	agent=
	[ "$status" = 0 ]
	tree t "$(T .)"
	sed -n 1,2p "$(T out)" | tr '\n' ' ' | grep -x '1000 600 /run/buildkit/ssh_agent.0 '
	[ "$(cat "$(T tmp/out)")" = 'agent says hello' ]
	grep -x 'none:' "$(T out)"
	[ ! -e "$(T run)" ]
	try_build <<-'X'
		FROM base
		RUN --mount=type=ssh,required true
	X
	[ "$status" = 1 ]
	said 'no SSH agent "default" is forwarded'
}

@test "ssh: key files are served by an agent of the build's own, which ends with it" {
	requires ssh-agent ssh-add ssh-keygen
	local keys=$BATS_TEST_TMPDIR/keys
	mkdir "$keys"
	ssh-keygen -q -t ed25519 -N '' -C first -f "$keys/first"
	ssh-keygen -q -t ed25519 -N '' -C second -f "$keys/second"
	ssh-keygen -q -t ed25519 -N 'a passphrase' -C locked -f "$keys/locked"
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho $$ >>"%s"\nexec "%s" "$@"\n' "$BATS_TEST_TMPDIR/agents" "$(command -v ssh-agent)" \
		>"$BATS_TEST_TMPDIR/bin/ssh-agent"
	chmod +x "$BATS_TEST_TMPDIR/bin/ssh-agent"
	local PATH=$BATS_TEST_TMPDIR/bin:$PATH
	# the program itself, with the libraries it needs
	mkdir "$C/root"
	ldd "$(command -v ssh-add)" | grep -o '/[^ ]*' | cat - <(command -v ssh-add) |
		xargs -I{} cp --parents -L {} "$C/root"
	build -t t --ssh default="$keys/first,$keys/second" --ssh other="$keys/second" <<-'X'
		FROM base
		COPY root /
		USER 1000
		RUN --mount=type=ssh,uid=1000 ssh-add -l >/tmp/both
		RUN --mount=type=ssh,uid=1000 ssh-add -l >/tmp/again
		RUN --mount=type=ssh,uid=1000,id=other ssh-add -l >/tmp/one
	X
	tree t "$(T .)"
	grep -q first "$(T tmp/both)"
	grep -q second "$(T tmp/again)"
	refute grep -q first "$(T tmp/one)"
	refute grep -rqF "$(sed -n 3p "$keys/first")" "$ORLOP_STORE"
	local pid
	for pid in $(cat "$BATS_TEST_TMPDIR/agents"); do
		[ ! -e "/proc/$pid" ]
	done
	[ -n "$pid" ]
	try_again --no-cache --ssh default="$keys/locked"
	[ "$status" = 1 ]
	said 'the key ".*/locked" cannot be loaded.*one with a passphrase comes through an agent'
	try_again --ssh default="$keys/missing"
	[ "$status" = 1 ]
	said 'missing'
	try_again --ssh default="$keys"
	[ "$status" = 2 ]
	said "neither an agent's socket nor a key"
	SSH_AUTH_SOCK='' try_again --ssh default
	[ "$status" = 2 ]
	said 'there is no agent \(SSH_AUTH_SOCK\), and no key is named'
}

# An agent that says where it listens when the file "go" is there, and an ssh-add that takes no time.
slow_agent() {
	mkdir -p "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/lent"
	cat >"$BATS_TEST_TMPDIR/bin/ssh-agent" <<-X
		#!/bin/bash
		touch "$BATS_TEST_TMPDIR/lent/asked"
		until [ -e "$BATS_TEST_TMPDIR/lent/go" ]; do sleep 0.02; done
		exec python3 -c '
		import socket, time
		s = socket.socket(socket.AF_UNIX); s.bind("agent"); s.listen()
		print("SSH_AUTH_SOCK=agent;", flush=True)
		time.sleep(1000)'
	X
	printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/bin/ssh-add"
	chmod +x "$BATS_TEST_TMPDIR/bin/"*
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH
	echo key >"$BATS_TEST_TMPDIR/key"
}

@test "ssh: other stages go on while an agent starts, and two steps share it" {
	requires python3
	slow_agent
	build --jobs 3 --ssh default="$BATS_TEST_TMPDIR/key" -v "$BATS_TEST_TMPDIR/lent:/lent" <<-'X'
		FROM base AS one
		RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && touch /one
		FROM base AS two
		RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && touch /two
		FROM base AS three
		RUN until [ -e /lent/asked ]; do sleep 0.02; done; touch /three /lent/go
		FROM base
		COPY --from=one /one /
		COPY --from=two /two /
		COPY --from=three /three /
	X
}

@test "ssh: an agent that never starts does not hold up the end" {
	slow_agent
	printf '%s\n' 'FROM base' 'RUN --mount=type=ssh true' >"$C/Dockerfile"
	"$B" build --ssh default="$BATS_TEST_TMPDIR/key" "$C" 2>"$BATS_TEST_TMPDIR/log" 3>&- &
	local pid=$! ended=0
	wait_for 10 test -e "$BATS_TEST_TMPDIR/lent/asked"
	kill -INT "$pid"
	wait "$pid" || ended=$?
	cat "$BATS_TEST_TMPDIR/log"
	[ "$ended" = 130 ]
}

@test "mounts: nested ones in any order, bad targets" {
	mkdir -p "$C/src/node_modules"
	build -t t <<-'X'
		FROM base
		RUN --mount=type=cache,target=/src/node_modules --mount=source=src,target=/src touch /src/node_modules/x && ls /src >/out
	X
	tree t "$(T .)"
	[ "$(cat "$(T out)")" = node_modules ]
	try_build <<-'X'
		FROM base
		RUN --mount=type=cache,target=/ true
	X
	[ "$status" = 1 ]
	said 'Dockerfile:2:.* --mount: invalid mount target'
	try_build <<-'X'
		FROM base
		RUN --mount=type=tmpfs true
	X
	[ "$status" = 1 ]
	said 'type=tmpfs needs a target'
}
