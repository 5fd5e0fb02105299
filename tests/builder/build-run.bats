#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: RUN.

load build

@test "RUN: shell form, exec form and SHELL" {
	build -t t <<-'X'
		FROM base
		RUN echo shell $0 > /a
		RUN ["echo", "exec $0"]
		SHELL ["/bin/sh", "-exc"]
		RUN echo traced
	X
	said '^#3 [0-9.]+ exec \$0$'
	said '^#4 [0-9.]+ \+ echo traced$'
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/a")" = "shell /bin/sh" ]
}

@test "RUN: the failing command and its exit code are named, no image is made" {
	try_build -t failed <<-'X'
		FROM base
		RUN echo "This should work"
		RUN /bin/bash -c echo "This won't"
		RUN echo never
	X
	[ "$status" = 1 ]
	said '^#3 ERROR: process "/bin/sh -c /bin/bash -c echo "This won.t"" did not complete'
	said 'exit code: 127$'
	said '^   3 \| >>> RUN /bin/bash'
	refute said '^#[0-9]+ [0-9.]+ never'
	ob inspect failed
	[ "$status" = 1 ]
	try_again -t failed 
	cached 2
}

@test "RUN: the exit code of the command is in the message" {
	try_build <<-'X'
		FROM base
		RUN exit 42
	X
	[ "$status" = 1 ]
	said 'did not complete successfully: exit code: 42$'
}

@test "RUN: the last lines come again behind a failure, and all of them before" {
	try_build <<-'X'
		FROM base
		RUN for i in $(seq 50); do echo line $i; done; printf 'no end'; false
	X
	[ "$status" = 1 ]
	[ "$(said '^#2 [0-9.]+ line [0-9]+$' | wc -l)" = 50 ]
	[ "$(said '^[0-9.]+ line [0-9]+$' | wc -l)" = 19 ]
	said '^#2 [0-9.]+ no end$'
	said '^[0-9.]+ no end$'
}

@test "RUN: environment, working directory and user" {
	build <<-'X'
		FROM base
		ENV A="one two" B=$UNSET
		ARG C=three
		ARG A=hidden
		WORKDIR /w/d
		USER app
		RUN echo "A=$A B=[$B] C=$C HOME=$HOME"; pwd; id
		USER 7:8
		RUN id -u; id -g
	X
	said '^#3 [0-9.]+ A=hidden B=\[\] C=three HOME=/home/app$'
	said '^#3 [0-9.]+ /w/d$'
	said '^#3 [0-9.]+ uid=1000.app. gid=1001.app. groups=1001.app.,1002.extra.$'
	said '^#4 [0-9.]+ 7$'
}

@test "RUN: an unknown user is an error" {
	try_build <<-'X'
		FROM base
		USER nobody-here
		RUN true
	X
	[ "$status" = 1 ]
	said 'nobody-here'
}

@test "RUN: files that are removed and replaced" {
	build -t t <<-'X'
		FROM base
		RUN mkdir -p /d/e && echo 1 > /d/e/f && echo 2 > /d/g && chmod 751 /d && chown 5:6 /d/g
		RUN rm -r /d/e && echo new > /d/e && mkdir /opt/x && rm /etc/group
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree"
	[ "$(cat d/e)" = new ]
	[ ! -e etc/group ]
	[ -d opt/x ]
	[ "$(stat -c %a d)" = 751 ]
	[ "$(stat -c %u:%g d/g)" = 5:6 ]
}

# entries IMAGE: the names in the topmost layer's tar, in order
entries() {
	local image=$BATS_TEST_TMPDIR/saved
	rm -rf "$image"
	mkdir "$image"
	"$B" save "$1" | tar -C "$image" -xf -
	tar -tf "$image/$(jq -r '.[0].Layers[-1]' "$image/manifest.json")"
}

@test "RUN: what was only opened for writing, or put back, is not in the layer" {
	build -t t <<-'X'
		FROM base
		RUN mkdir -p /d/sub && echo x > /d/a && echo y > /d/b && echo z > /d/sub/c
		RUN true >> /d/a && chmod 644 /d/b && ln /d/b /d/new && chown 0:0 /d
	X
	[ "$(entries t)" = "$(printf 'd/\nd/new')" ]
	build -t t <<-'X'
		FROM base
		RUN mkdir -p /d/sub && echo x > /d/a && echo y > /d/b && echo z > /d/sub/c && \
			find /d -exec touch -d @1000000000 {} +
		RUN cp -a /d /keep && rm -r /d && cp -a /keep /d && rm -r /keep /d/sub/c /d/b && echo Y > /d/b
	X
	[ "$(entries t)" = "$(printf 'd/\nd/b\nd/sub/\nd/sub/.wh.c')" ]
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/d/a")" = x ]
	[ "$(cat "$BATS_TEST_TMPDIR/tree/d/b")" = Y ]
	[ ! -e "$BATS_TEST_TMPDIR/tree/d/sub/c" ]
}

@test "RUN: a folder that was made anew hides each name of the old one, and no other" {
	build -t t <<-'X'
		FROM base
		RUN mkdir -p /d/sub /d/gone && echo x > /d/a && echo z > /d/sub/c && echo f > /d/kind
		RUN rm -r /d && mkdir -p /d/sub /d/kind && echo new > /d/new
		RUN ls -R /d > /seen
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/tree/seen")" = "/d: kind new sub  /d/kind:  /d/sub: " ]
	build -t t <<-'X'
		FROM base
		RUN mkdir -p /d/sub /d/gone && echo x > /d/a && echo z > /d/sub/c && echo f > /d/kind
		RUN rm -r /d && mkdir -p /d/sub /d/kind && echo new > /d/new
	X
	[ "$(entries t)" = "$(printf '%s\n' d/ d/.wh.a d/.wh.gone d/kind/ d/new d/sub/ d/sub/.wh.c)" ]
}

@test "RUN: a layer is hashed while the next step runs, and is there also when that one fails" {
	build --trace "$BATS_TEST_TMPDIR/t.json" -t t <<-'X'
		FROM base
		RUN truncate -s 1G /big
		RUN stat -c %s /big > /seen
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	# the first layer had no digest yet, but its files were there
	jq -e '[.traceEvents[] | select(.ph == "X")] |
		(.[] | select(.cat == "hash" and .args.step == 2) | .ts + .dur) >
		(.[] | select(.cat == "runtime" and .args.step == 3) | .ts)' "$BATS_TEST_TMPDIR/t.json"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/seen")" = 1073741824 ]
	rm -r "$BATS_TEST_TMPDIR/tree"
	again -t t
	cached 3
	try_build <<-'X'
		FROM base
		RUN truncate -s 200M /other
		RUN false
	X
	[ "$status" = 1 ]
	try_again
	cached 2
}

@test "files of all kinds: capabilities, devices, pipes, hardlinks and holes come through COPY and RUN" {
	requires setcap getcap
	cp "$(command -v busybox)" "$C/able"
	setcap cap_net_raw+ep "$C/able"
	truncate -s 8M "$C/holes"
	echo end >>"$C/holes"
	build -t kinds <<-'X'
		FROM base
		COPY able holes /c/
		RUN mknod /null c 1 3 && mknod /disk b 7 0 && mkfifo -m 600 /pipe && truncate -s 8M /r && echo end >>/r && \
			ln /r /again && touch /c/able
	X
	local root=$BATS_TEST_TMPDIR/root file
	mkdir "$root"
	"$B" export kinds | tar -C "$root" -xpf - --numeric-owner --xattrs --xattrs-include='*'
	[ "$(getcap "$root/c/able")" = "$(getcap "$C/able" | sed "s|$C|$root/c|")" ]
	[ "$(stat -c '%F %t,%T' "$root/null" "$root/disk")" = $'character special file 1,3\nblock special file 7,0' ]
	[ "$(stat -c '%F %a' "$root/pipe")" = 'fifo 600' ]
	[ "$root/r" -ef "$root/again" ]
	cmp "$root/r" "$C/holes"
	cmp "$root/c/holes" "$C/holes"
	# the copy that the RUN touched has them, too; zeros take no room
	[ "$(getcap "$ORLOP_STORE"/layers/*/tree/c/able | wc -l)" = 2 ]
	for file in "$ORLOP_STORE"/layers/*/tree/{r,c/holes}; do
		[ "$(stat -c %s "$file")" = 8388612 ]
		[ "$(stat -c %b "$file")" -lt 1024 ] # a piece that is not all zeros is written
	done
}

@test "ACLs: COPY and RUN keep them in the layer, --chmod says all, ADD gives what the archive has" {
	# user::rw- user:7:rwx group::r-- mask::rwx other::r--, and the same with other::---
	local base=0x02000000 entries=01000600ffffffff020007000700000004000400ffffffff10000700ffffffff
	local acl=$base${entries}20000400ffffffff private=$base${entries}20000000ffffffff
	local folder=$base${entries}20000500ffffffff
	touch "$C/f" "$C/g"
	mkdir -p "$C/top/d" "$C/archive"
	setfattr -n system.posix_acl_access -v "$acl" "$C/f" "$C/g" || skip "no ACLs here"
	setfattr -n system.posix_acl_default -v "$folder" "$C/top/d"
	touch "$C/archive/plain"
	cp --preserve=all "$C/f" "$C/archive/f"
	setfattr -n system.posix_acl_access -v "$acl" "$C/archive/f"
	tar --xattrs --xattrs-include='*' -C "$C/archive" -cf "$C/a.tar" .
	build -t t <<-'X'
		FROM base AS one
		COPY f /f
		COPY top /
		COPY --chmod=640 g /g
		COPY --chmod=604 f /d/copied
		ADD a.tar /d/
		RUN chmod 670 /f; echo new > /d/new
		FROM base
		COPY --from=one /f /g /
		COPY --from=one /d /d
	X
	mkdir "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree"
	"$B" export t | tar --xattrs --xattrs-include='*' -xpf -
	getfattr -R -d -m system -e hex . | tee all
	has() {
		[ "$(getfattr -d -e hex -m "system.posix_acl_$2" "$1" | grep -c "=$3\$")" = 1 ]
	}
	has f access "$private"
	has d/f access "$acl"
	has d/new access "$base${entries/10000700/10000600}20000400ffffffff" # the kernel's doing: it is made in the container
	[ "$(grep -c '^system' all)" = 3 ] # none on g, d/copied, d/plain; COPY to a folder that is there keeps its own
	[ "$(stat -c %a g d/copied d/plain | tr '\n' ' ')" = "640 604 644 " ]
}

@test "RUN: no mount point stays in a layer" {
	mkdir "$C/lent"
	echo lent >"$C/lent/f"
	build -t t -v "$C/lent:/lent/here:ro" -v "$C/lent/f:/etc/lent" <<-'X'
		FROM base
		RUN cat /lent/here/f /etc/lent && test -e /etc/resolv.conf
		RUN touch /etc/mine
	X
	said '^#2 [0-9.]+ lent$'
	tree t "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree"
	[ ! -e lent ]
	[ ! -e etc/lent ]
	[ ! -e etc/resolv.conf ]
	[ ! -e proc ]
	[ ! -e sys ]
	[ -e etc/mine ]
	[ "$(config '.RootFS.Layers[1]' t)" = '"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"' ]
}

@test "RUN: where a resolv.conf leads that is a symlink to nothing stays out of the layer, and folders have their times" {
	mkdir "$C/etc"
	ln -s ../run/systemd/resolve/stub.conf "$C/etc/resolv.conf"
	build -t t <<-'X'
		FROM base
		COPY etc /etc/
		RUN test -e /etc/resolv.conf
		RUN touch /etc/x && rm /etc/x
		RUN true
	X
	empty='"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"'
	[ "$(config '.RootFS.Layers[2]' t)" = "$empty" ]
	[ "$(config '.RootFS.Layers[3]' t)" != "$empty" ] # the time of /etc alone, however quickly it was done
	[ "$(config '.RootFS.Layers[4]' t)" = "$empty" ]
	tree t "$BATS_TEST_TMPDIR/tree"
	[ -L "$BATS_TEST_TMPDIR/tree/etc/resolv.conf" ] && [ ! -e "$BATS_TEST_TMPDIR/tree/run/systemd" ]
}

@test "RUN: volumes are read-only if asked for, and in no cache key" {
	mkdir "$C/one" "$C/two"
	build -v "$C/one:/lent" <<-'X'
		FROM base
		RUN touch /lent/made
	X
	[ -e "$C/one/made" ]
	again -v "$C/two:/lent" 
	cached 2
	[ ! -e "$C/two/made" ]
	try_again --no-cache -v "$C/two:/lent:ro" 
	[ "$status" = 1 ]
}

@test "RUN: a line that one stream has begun is not broken by the other" {
	build <<-'X'
		FROM base
		RUN printf 'be' >&2; sleep 0.1; echo out; printf half; sleep 0.1; echo gun >&2; sleep 0.1; printf ' end'
	X
	said '^#2 [0-9.]+ begun$'
	said '^#2 [0-9.]+ out$'
	said '^#2 [0-9.]+ half end$'
}

@test "RUN: --network=none has no way out" {
	build <<-'X'
		FROM base
		RUN --network=none ip -o link | grep -vc ': lo' ; true
		RUN --network=host true
	X
	said '^#2 [0-9.]+ 0$'
	build --network none <<-'X'
		FROM base
		RUN ip -o link | grep -vc ' lo:' ; true
	X
	said '^#2 [0-9.]+ 0$'
	try_build --network none <<-'X'
		FROM base
		RUN --network=host true
	X
	[ "$status" = 1 ]
	said 'Dockerfile:2:1: RUN --network=host is refused'
	try_again --network bridge
	[ "$status" = 1 ]
	said 'Dockerfile:2:1: RUN --network=host is refused by build --network bridge'
}

@test "RUN: proxy build args reach the command in both cases, and no history or key" {
	build -t t --build-arg HTTP_PROXY=http://user:secret@p:1 --build-arg no_proxy=x <<-'X'
		FROM base
		RUN echo $http_proxy $HTTP_PROXY $NO_PROXY
	X
	said '^#2 [0-9.]+ http://user:secret@p:1 http://user:secret@p:1 x$'
	refute grep secret <<<"$("$B" history --no-trunc t; "$B" inspect t)"
	refute grep -rq secret "$ORLOP_STORE/steps" "$ORLOP_STORE/blobs"
	again --build-arg HTTP_PROXY=http://other 
	cached 2
}

@test "RUN: here-documents" {
	build -t t <<-'X'
		FROM base
		ARG V=arg
		RUN <<EOF
		set -e
		echo "in a shell $V" > /one
		EOF
		RUN <<EOF
		#!/bin/cat
		a program
		EOF
		RUN cat <<A > /two && cat <<-"B" >> /two
		V is $V
		A
		V is $V
		B
	X
	said '^#3 [0-9.]+ a program$'
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/one")" = "in a shell arg" ]
	printf 'V is arg\nV is $V\n' | cmp - "$BATS_TEST_TMPDIR/tree/two"
	[ ! -e "$BATS_TEST_TMPDIR/tree/dev/pipes" ]
}

@test "RUN: on scratch there is nothing but what was copied" {
	cp "$(command -v busybox)" "$C/busybox"
	build -t t <<-'X'
		FROM scratch
		COPY busybox /bin/
		RUN ["/bin/busybox", "touch", "/made"]
		RUN ["/bin/busybox", "ls", "/"]
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(ls "$BATS_TEST_TMPDIR/tree")" = "$(printf 'bin\nmade')" ]
}

@test "RUN: steps that change nothing may follow one another" {
	build -t t <<-'X'
		FROM base
		RUN true
		RUN :
		RUN echo x > /x
		RUN rm /x
		RUN echo x > /x
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/x")" = x ]
}

@test "RUN: a layer that cannot be made fails while it is being hashed, and says why" {
	# enough names for the digest to have begun, and the one that is refused behind them
	try_build -t failed <<-'X'
		FROM base
		RUN for i in $(seq 1500); do echo $i >/f$i; done; mkdir /z; : >/z/.wh.name
		RUN echo never
	X
	[ "$status" = 1 ]
	[[ $stderr == *'layer: "z/.wh.name": a file of this name would delete another when the layer is unpacked'* ]]
	[[ $stderr != *"3/3"* ]]
	[[ $stderr != *"not wanted"* ]]
}

@test "RUN: what a service manager gave us leaves nothing in a layer" {
	NOTIFY_SOCKET=/nowhere build -t t <<-'X'
		FROM base
		RUN test ! -e /run/notify && test -z "$NOTIFY_SOCKET"
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	[ ! -e "$BATS_TEST_TMPDIR/tree/run/notify" ]
}

@test "RUN --security=insecure: only when it is allowed" {
	try_build <<-'X'
		FROM base
		RUN --security=insecure true
	X
	[ "$status" = 1 ]
	said 'security.insecure is not allowed'
	build -t t --allow security.insecure <<-'X'
		FROM base
		RUN --security=insecure grep CapEff /proc/self/status >/caps; grep Seccomp: /proc/self/status >>/caps; mount -t tmpfs x /mnt 2>/dev/null || mkdir -p /m && mount -t tmpfs x /m && umount /m && echo mounted >>/caps
		RUN grep CapEff /proc/self/status >/usual
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	grep -q 'Seccomp:.*0' "$BATS_TEST_TMPDIR/tree/caps"
	grep -q mounted "$BATS_TEST_TMPDIR/tree/caps"
	refute cmp -s <(head -1 "$BATS_TEST_TMPDIR/tree/caps") "$BATS_TEST_TMPDIR/tree/usual"
	try_again --allow everything
	[ "$status" = 2 ]
}

@test "RUN: the host name of the steps is a build arg" {
	build -t t --build-arg BUILDKIT_SANDBOX_HOSTNAME=some-name <<-'X'
		FROM base
		RUN hostname >/name && grep "$(hostname)" /etc/hosts
	X
	tree t "$BATS_TEST_TMPDIR/t"
	[ "$(cat "$BATS_TEST_TMPDIR/t/name")" = some-name ]
	again -t t --build-arg BUILDKIT_SANDBOX_HOSTNAME=other-name
	tree t "$BATS_TEST_TMPDIR/u"
	[ "$(cat "$BATS_TEST_TMPDIR/u/name")" = other-name ]
}

@test "RUN: what a step sees of the host: masked and read-only paths, capabilities, filter, devices, names" {
	build -t t <<-'X'
		FROM base
		RUN { \
		    for f in /proc/kcore /proc/keys /proc/timer_list; do [ ! -e $f ] || wc -c <$f; done | sort -u; \
		    grep -oE ' /proc/(bus|fs|irq|sys) proc ro' /proc/self/mounts | sort | xargs; \
		    { echo x >/proc/sys/kernel/domainname; } 2>&1 | grep -c 'Read-only'; \
		    ls /sys/firmware | wc -l; \
		    touch /sys/x 2>&1 | grep -c 'Read-only'; \
		    grep -E '^(CapEff|CapBnd|CapInh|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\t\n' ' |'; echo; \
		    ls /dev | xargs; stat -c %a:%U:%G / /tmp /dev/shm | xargs; \
		    [ "$(hostname)" = "$(cat /proc/sys/kernel/hostname)" ] && echo named; \
		    head -1 /etc/hosts | cut -d' ' -f-2; [ $$ = 1 ] || [ "$(cat /proc/1/comm)" = sh ] && echo first; umask; pwd; ulimit -c >/dev/null && echo limits; \
		} >/out
	X
	"$B" export t | tar xOf - out >"$BATS_TEST_TMPDIR/out"
	cat "$BATS_TEST_TMPDIR/out"
	[ ! -e /proc/kcore ] || core='core ' # a link to it, where the kernel has it
	diff - "$BATS_TEST_TMPDIR/out" <<-X
		0
		/proc/bus proc ro /proc/fs proc ro /proc/irq proc ro /proc/sys proc ro
		1
		0
		1
		CapInh: 0000000000000000|CapEff: 00000000a80425fb|CapBnd: 00000000a80425fb|CapAmb: 0000000000000000|NoNewPrivs: 0|Seccomp: 2|
		${core:-}fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero
		755:root:root 1777:root:root 1777:root:root
		named
		127.0.0.1 localhost
		first
		0022
		/
		limits
	X
}
