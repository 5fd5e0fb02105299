#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The builder of a user who is not root: in a user namespace, with the ids of /etc/subuid or with his
# own alone. He is a number that this machine knows only in a mount namespace of the test's.
load build
load hub

CALLER=54321
FIRST=300000

# Two users of one number: "mapped" has subordinate ids, "alone" has none. Each has a home, a place
# for what runs, and a store; root has one, too, to compare with.
setup_file() {
	requires root builder busybox setpriv unshare newuidmap
	[ -z "${MISSING:-}" ] || return 0
	export PATH=$ORLOP_BUILD:$PATH
	export WORK
	WORK=$(mktemp -d /var/tmp/orlop-rootless.XXXXXX)
	chmod 755 "$WORK"
	mkdir -m 755 "$WORK/bin" "$WORK/etc"
	# the build tree may be closed to others
	cp "$ORLOP_BUILD/orlop-builder" "$ORLOP_BUILD/orlop-runtime" "$WORK/bin"
	printf '%s\n' "tester:x:$CALLER:$CALLER::$WORK/passwd-home:/bin/sh" | cat /etc/passwd - >"$WORK/etc/passwd"
	printf 'tester:%s:65536\n' $FIRST >"$WORK/etc/mapped"
	: >"$WORK/etc/alone"
	local who
	for who in mapped alone; do
		mkdir -m 700 "$WORK/$who" "$WORK/$who/home" "$WORK/$who/run"
	done
	mkdir "$WORK/passwd-home"
	make_base "$WORK/base"
	mkdir -p "$WORK/base/home/app"
	printf 'kept\n' >"$WORK/base/home/app/kept"
	chown -R 1000:1001 "$WORK/base/home/app"
	tar -C "$WORK/base" --numeric-owner --sort=name --mtime=@1000000000 -cf "$WORK/base.tar" .
	"$B" --store "$WORK/root-store" import "$WORK/base.tar" base
	"$B" --store "$WORK/root-store" save base -o "$WORK/image.tar"
	# as udev makes it
	mknod -m 666 "$WORK/tun" c 10 200
	mkdir "$WORK/context"
	printf 'one\n' >"$WORK/context/one"
	printf 'two\n' >"$WORK/context/two"
	touch -d @1000000000 "$WORK/context/"*
	chmod -R a+rX "$WORK/base.tar" "$WORK/image.tar" "$WORK/context" "$WORK/etc"
	chown -R $CALLER:$CALLER "$WORK/mapped" "$WORK/alone" "$WORK/passwd-home"
}

# What lives in a namespace of his: another number is at the beginning where he is alone.
namespaces() {
	grep -lE "^ +[0-9]+ +($FIRST|$CALLER) " /proc/[0-9]*/uid_map 2>/dev/null
}

no_namespaces() {
	[ -z "$(namespaces)" ]
}

# Whoever ends a container, or cleans up behind it, may do so a moment longer than the command that was called.
teardown_file() {
	[ -n "${WORK:-}" ] || return 0
	refute grep -F "$WORK" /proc/self/mountinfo
	wait_for 5 no_namespaces
	rm -rf "$WORK"
}

# A container that a test has left in a cgroup ends with it.
teardown() {
	hub_end
	[ -n "${group:-}" ] && [ -e "$group" ] || return 0
	echo 1 >"$group/cgroup.kill"
	wait_for 5 cgroup_gone "$group"
}

setup() {
	skip_missing
	WHO=mapped
	COMMON=(PATH="$WORK/bin:$PATH" HOME="$WORK/$WHO/home" XDG_RUNTIME_DIR="$WORK/$WHO/run" ORLOP_NETWORK=host)
}

alone() {
	WHO=alone
	COMMON=(PATH="$WORK/bin:$PATH" HOME="$WORK/$WHO/home" XDG_RUNTIME_DIR="$WORK/$WHO/run" ORLOP_NETWORK=host)
}

# apart: in a namespace that nobody has made yet, and with a store of its own
apart() {
	mkdir -m 700 "$WORK/$WHO/apart-$BATS_TEST_NUMBER"
	chown $CALLER:$CALLER "$WORK/$WHO/apart-$BATS_TEST_NUMBER"
	COMMON+=(HOME="$WORK/$WHO/apart-$BATS_TEST_NUMBER" XDG_RUNTIME_DIR="$WORK/$WHO/apart-$BATS_TEST_NUMBER")
}

# as_user COMMAND...: as he would call it. What is in BEFORE is done first, in the mount namespace.
as_user() {
	unshare -m --propagation private bash -c '
		mount --bind "$1/etc/passwd" /etc/passwd
		for file in /etc/subuid /etc/subgid; do
			mount --bind "$1/etc/$2" $file
		done
		[ ! -e /dev/net/tun ] || mount --bind "$1/tun" /dev/net/tun
		eval "$3"
		shift 3
		exec setpriv --reuid '"$CALLER --regid $CALLER"' --clear-groups -- env -i "$@"' \
		as_user "$WORK" "$WHO" "${BEFORE:-}" "${COMMON[@]}" "$@"
}

# o ARG...: the builder, which must succeed; $status, $output and $stderr are set.
o() {
	try "$@"
	[ "$status" = 0 ]
}

try() {
	run --separate-stderr -- as_user orlop-builder "$@"
	printf '+ %s\n-> %s\n%s\n%s\n' "$*" "$status" "$output" "${stderr:-}"
}

# fails ARG...: it must fail; all that it said is $said
fails() {
	try "$@"
	[ "$status" != 0 ]
	said=$stderr
}

layers() {
	jq -c '.[0].RootFS.Layers'
}

dockerfile() {
	cp -r "$WORK/context" "$WORK/context-$BATS_TEST_NUMBER"
	C=$WORK/context-$BATS_TEST_NUMBER
	cat >"$C/Dockerfile"
	touch -d @1000000000 "$C"/*
}

@test "without root: the same Dockerfile gives the same layers as root's" {
	dockerfile <<-'END'
		FROM base
		RUN id -u && cat /proc/self/uid_map && echo made >/root/made && chown 7:8 /root/made && \
			touch -d @1000000000 /root/made /root
		COPY --chown=1000:1001 one /home/app/one
		COPY two /opt/two
		RUN --mount=type=cache,target=/cache echo more >>/cache/more && rm /opt/two && chmod 4755 /bin/busybox && \
			touch -d @1000000000 /opt /bin /bin/busybox
		USER app
		RUN id && echo mine >~/mine && touch -d @1000000000 ~/mine ~
		RUN --network=none cat /home/app/kept
	END
	o load -i "$WORK/image.tar"
	o build -t same "$C"
	contains "uid=1000(app) gid=1001(app) groups=1001(app),1002(extra)" "$stderr"
	grep -E "^#[0-9]+ [0-9.]+ +1 +$FIRST +65536" <<<"$stderr"
	o inspect same
	theirs=$(layers <<<"$output")
	"$B" --store "$WORK/root-store" build -t same "$C"
	equals "$theirs" "$("$B" --store "$WORK/root-store" inspect same | layers)"
	# and once more, from the cache
	o build -t same "$C"
	cached 7
	o verify same
	as_user orlop-builder export same | tar --numeric-owner -tvf - >"$BATS_TEST_TMPDIR/list"
	grep -E ' 7/8 .* root/made$' "$BATS_TEST_TMPDIR/list"
	grep -E ' 1000/1001 .* home/app/one$' "$BATS_TEST_TMPDIR/list"
	refute grep opt/two "$BATS_TEST_TMPDIR/list"
	o fsck
	o du
}

# owners: of an archive's listing, those that a namespace of one user can give are left
owners() {
	if [ "$WHO" = alone ]; then sed -E 's,^([^ ]+) +[^ ]+,\1 0/0,' "$1"; else cat "$1"; fi
}

@test "without root: images go to a registry and come from there under the same digests as root's" {
	requires docker-registry
	work=$BATS_TEST_TMPDIR hub_begin
	local list=$BATS_TEST_TMPDIR/list
	theirs=$("$B" --store "$WORK/root-store" push -q base "$HUB/root/base:1")
	"$B" --store "$WORK/root-store" export base | tar --numeric-owner --full-time -tvf - | tr -s ' ' >"$list"
	for who in mapped alone; do
		[ "$who" = mapped ] || alone
		# plain in the archive, compressed on the way: of a user alone from the blob, because his tree has other owners
		o load -i "$WORK/image.tar"
		for time in first again; do
			o push -q base "$HUB/$who/base:1"
			equals "${output#*@}" "${theirs#*@}"
		done
		o push -q --compression zstd base "$HUB/$who/base:zstd"
		contains tar+zstd "$("$hub_probe" --insecure manifest "$HUB/$who/base:zstd" 2>&1)"
		o pull -q "$HUB/root/base:1"
		o inspect "$HUB/root/base:1"
		equals "$(jq -r '.[0].Digest' <<<"$output")" "${theirs#*@}"
		as_user orlop-builder export "$HUB/root/base:1" | tar --numeric-owner --full-time -tvf - | tr -s ' ' |
			diff <(owners "$list") -
		o run --rm "$HUB/root/base:1" cat /home/app/kept
		equals "$output" kept
		o push -q "$HUB/root/base:1" "$HUB/$who/again:1"
		equals "${output#*@}" "${theirs#*@}"
		o rmi "$HUB/root/base:1"
	done
}

@test "without root: a container in the foreground has its ids, its volumes and its exit status" {
	o load -i "$WORK/image.tar"
	try run --rm base sh -c 'id -u; stat -c %u:%g /home/app/kept; exit 7'
	equals "$status" 7
	equals "$output" "0
1000:1001"
	o run --rm -u app base id
	equals "$output" "uid=1000(app) gid=1001(app) groups=1001(app),1002(extra)"
	o run --rm -v data:/home -v "$WORK/context":/context:ro base sh -c 'cp /context/one /home/app/copied; stat -c %u /home/app/kept'
	equals "$output" 1000
	o run --rm -v data:/home base cat /home/app/copied
	equals "$output" one
	fails run --rm -v "$WORK/context":/context:ro base touch /context/three
	contains "Read-only file system" "$said"
	o volume rm data
	o ps -aq
	equals "$output" ""
}

@test "without root: a container with a terminal" {
	o load -i "$WORK/image.tar"
	as_user python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' \
		orlop-builder run --rm -it base sh -c 'tty; id -u; exit 3' >"$BATS_TEST_TMPDIR/out" </dev/null || status=$?
	cat "$BATS_TEST_TMPDIR/out"
	equals "$status" 3
	grep /dev/pts/0 "$BATS_TEST_TMPDIR/out"
}

@test "without root: a container in the background is used by other commands, and by other containers" {
	o load -i "$WORK/image.tar"
	o run -d --name background --ipc shareable base sh -c 'echo $$ >/root/pid; echo begun; exec sleep 1000'
	o ps --format '{{.Names}} {{.State}}'
	equals "$output" "background running"
	o exec -u app background id -u
	equals "$output" 1000
	wait_for 5 eval '[ "$(as_user orlop-builder logs background)" = begun ]'
	o exec background cat /root/pid
	equals "$output" 1
	o run --rm --network container:background base true
	o exec background sh -c 'echo deck >/dev/shm/file'
	o run --rm --ipc container:background base sh -c 'cat /dev/shm/file; ls /dev/mqueue'
	equals "$output" deck
	o diff background
	contains "A /root/pid"
	o commit background committed
	o run --rm committed cat /root/pid
	equals "$output" 1
	o cp background:/home/app/kept "$WORK/mapped/home/copied"
	equals "$(stat -c %u:%g "$WORK/mapped/home/copied")" $CALLER:$CALLER
	o stop -t 0 background
	o ps -a --format '{{.Status}}'
	contains "Exited (137)"
	o start background
	o kill background
	o wait background
	equals "$output" 137
	o rm -f background
	o rmi committed
}

# given_group: a cgroup of version 2 that is his, with a leaf for his processes, in $group
given_group() {
	group=$(findmnt -rnt cgroup2 -o TARGET | head -n 1)
	[ -n "$group" ] || skip "needs cgroup v2"
	group=$group/orlop-rootless.$$
	mkdir -p "$group/session"
	chown $CALLER "$group"{,/session}{,/cgroup.procs,/cgroup.subtree_control,/cgroup.threads}
	BEFORE="echo \$\$ >$group/session/cgroup.procs"
}

@test "without root: in a cgroup of his top knows the processes of a container, and commit freezes them" {
	requires conmon
	local pid
	given_group
	apart
	o load -i "$WORK/image.tar"
	o run -d --name held base sleep 4711
	o inspect -f '{{.State.Pid}}' held
	pid=$output
	grep -q "^0::.*/${group##*/}/orlop/step-" "/proc/$pid/cgroup"
	o top held -o pid,args
	contains 'sleep 4711'
	[ "$(wc -l <<<"$output")" = 2 ]
	o commit held image
	lacks 'goes on while it is committed' "$stderr"
	o rm -f held
	wait_for 5 cgroup_gone "$group"
}

@test "without root: what is in one namespace knows no other one, as long as any of it lives" {
	o load -i "$WORK/image.tar"
	o run -d --name first base sleep 1000
	o run -d --name second base sleep 1000
	o inspect --format '{{.State.Pid}}' first
	one=$(readlink "/proc/$output/ns/user")
	o inspect --format '{{.State.Pid}}' second
	equals "$(readlink "/proc/$output/ns/user")" "$one"
	o rm -f first
	# whoever made the namespace has ended long ago
	o unshare readlink /proc/self/ns/user
	equals "$output" "$one"
	o rm -f second
}

@test "without subordinate ids: builds and runs as root of a namespace that has but one user" {
	alone
	o load -i "$WORK/image.tar"
	dockerfile <<-'END'
		FROM base
		COPY --chown=1000:1001 one /opt/one
		RUN id -u && echo made >/root/made && touch -d @1000000000 /root/made /root
		COPY two /opt/two
		RUN --network=none rm /opt/two && touch -d @1000000000 /opt
	END
	o build -t same "$C"
	o inspect same
	theirs=$(layers <<<"$output")
	"$B" --store "$WORK/root-store" build -t same "$C"
	# owners are of the layers' headers: no tree could have these
	equals "$theirs" "$("$B" --store "$WORK/root-store" inspect same | layers)"
	o fsck
	o save same -o "$WORK/alone/home/same.tar"
	"$B" --store "$WORK/root-store" load -i "$WORK/alone/home/same.tar"
	o run -d --name one same sleep 1000
	o exec one stat -c %u /opt/one
	equals "$output" 0
	fails exec -u app one id
	contains "run as user 1000:1001" "$said"
	o rm -f one
}

@test "without subordinate ids another user is an error that says where ids come from" {
	alone
	o load -i "$WORK/image.tar"
	fails run --rm -u app base id
	contains "run as user 1000:1001: the user namespace has no such ids" "$said"
	contains /etc/subuid "$said"
	dockerfile <<-'END'
		FROM base
		USER app
		RUN id
	END
	fails build "$C"
	contains "run as user 1000:1001: the user namespace has no such ids" "$said"
	o ps -aq
	equals "$output" ""
}

@test "a store is for the namespace that it was made in" {
	o images
	cp -r "$WORK/mapped/home/.local/share/orlop/format" "$BATS_TEST_TMPDIR/format"
	equals "$(jq -r .xattr "$BATS_TEST_TMPDIR/format")" user
	contains "1 $FIRST 65536" "$(jq -r .idMap "$BATS_TEST_TMPDIR/format")"
	run --separate-stderr -- "$B" --store "$WORK/mapped/home/.local/share/orlop" images
	equals "$status" 1
	contains "was made in another user namespace" "$stderr"
	contains "use another with --store DIR" "$stderr"
}

@test "without root: device nodes are refused by name, other nodes are made" {
	mkdir -p "$BATS_TEST_TMPDIR/nodes/dev"
	mkfifo "$BATS_TEST_TMPDIR/nodes/dev/pipe"
	tar -C "$BATS_TEST_TMPDIR/nodes" -cf "$WORK/mapped/home/nodes.tar" .
	chown $CALLER "$WORK/mapped/home/nodes.tar"
	o import "$WORK/mapped/home/nodes.tar" nodes
	mknod "$BATS_TEST_TMPDIR/nodes/dev/zero" c 1 5
	tar -C "$BATS_TEST_TMPDIR/nodes" -cf "$WORK/mapped/home/nodes.tar" .
	fails import "$WORK/mapped/home/nodes.tar" more
	contains 'create the device node "dev/zero", which takes root' "$said"
}

@test "without root: capabilities of files are kept" {
	mkdir -p "$BATS_TEST_TMPDIR/files"
	cp "$(command -v busybox)" "$BATS_TEST_TMPDIR/files/ping"
	setcap cap_net_raw+ep "$BATS_TEST_TMPDIR/files/ping"
	tar -C "$BATS_TEST_TMPDIR/files" --xattrs --xattrs-include='*' --mtime=@1000000000 -cf "$WORK/context/files.tar" ping
	chmod 644 "$WORK/context/files.tar"
	local kind
	for kind in mapped alone; do
		[ $kind = mapped ] || alone
		o import "$WORK/context/files.tar" files
		o inspect files
		layers <<<"$output" >"$BATS_TEST_TMPDIR/$kind"
	done
	"$B" --store "$WORK/root-store" import "$WORK/context/files.tar" files
	"$B" --store "$WORK/root-store" inspect files | layers | tee "$BATS_TEST_TMPDIR/root"
	cmp "$BATS_TEST_TMPDIR/root" "$BATS_TEST_TMPDIR/mapped"
	cmp "$BATS_TEST_TMPDIR/root" "$BATS_TEST_TMPDIR/alone"
	"$B" --store "$WORK/root-store" export files | tar --xattrs --xattrs-include='*' -tvvf - | grep security.capability
}

# web NAME ARG...: a container that serves a page at $port, which nobody has, and which the kernel gives to nobody who asks
# for any
web() {
	local name=$1
	shift
	port=$((20000 + SRANDOM % 12000))
	while (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		port=$((20000 + SRANDOM % 12000))
	done
	o run -d --name "$name" "${@//PORT/$port}" base \
		sh -c 'mkdir -p /www && echo page >/www/index.html && exec busybox httpd -f -p 80 -h /www'
}

serves() {
	[ "$(curl -s -m 5 "http://127.0.0.1:$port/")" = page ]
}

# pasta leaves by the host's way out, and refuses to be there without one
requires_pasta() {
	requires pasta curl
	[ -n "$(ip route show default)" ] || skip "needs a default route"
}

# the pastas of the namespaces of this test's user
pastas() {
	local all
	# at once: a grep of /proc would find itself
	all=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')
	grep -ao -- "--pid $WORK/[^ ]*" <<<"$all" || true
}

@test "without root: a container has a network of its own by pasta, with published ports" {
	requires_pasta
	COMMON+=(ORLOP_NETWORK=bridge)
	o load -i "$WORK/image.tar"
	o run --rm base sh -c 'ip -4 -o addr show eth0; ip route; cat /etc/hosts'
	contains "inet 10.0.2.100/24"
	contains "default via 10.0.2.2 dev eth0"
	contains "10.0.2.100"$'\t'
	web served -p 127.0.0.1:PORT:80
	wait_for 5 serves
	o port served
	contains "80/tcp -> 127.0.0.1:$port"
	o inspect --format '{{.NetworkSettings.IPAddress}}' served
	equals "$output" 10.0.2.100
	o run --rm --network container:served base wget -qO- http://127.0.0.1/
	equals "$output" page
	fails run --rm -p "127.0.0.1:$port:80" base true
	contains "pasta: Failed to bind any port" "$said"
	fails run --rm --link served:web base true
	contains "--network container:served shares it" "$said"
	fails run --rm -p "$port:80/sctp" base true
	contains "knows tcp and udp" "$said"
	equals "$(pastas | wc -l)" 1
	o stop -t 0 served
	refute serves
	wait_for 5 eval '[ -z "$(pastas)" ]'
	o start served
	wait_for 5 serves
	# the port is free when the old pasta has ended, and not before
	o restart -t 0 served
	wait_for 5 serves
	equals "$(pastas | wc -l)" 1
	o rm -f served
	equals "$(pastas)" ""
	equals "$(ls "$WORK/mapped/run/orlop-builder/network")" ""
}

@test "without root: a pasta that does not end when it is told to is killed, and its port is free then" {
	requires_pasta
	COMMON+=(ORLOP_NETWORK=bridge)
	o load -i "$WORK/image.tar"
	web served -p 127.0.0.1:PORT:80
	wait_for 5 serves
	kill -STOP "$(cat "$WORK/mapped/run/orlop-builder/network"/*.pid)"
	o restart -t 0 served
	wait_for 5 serves
	equals "$(pastas | wc -l)" 1
	o rm -f served
	equals "$(pastas)" ""
}

@test "without root: none and host are networks, too, and steps of a build have them" {
	requires_pasta
	o load -i "$WORK/image.tar"
	o run --rm --network none base sh -c 'ip -o link | wc -l'
	equals "$output" 1
	o run --rm --network host base readlink /proc/self/ns/net
	equals "$output" "$(readlink /proc/self/ns/net)"
	dockerfile <<-'END'
		FROM base
		RUN ip -4 -o addr show eth0
	END
	o build --network bridge "$C"
	contains "inet 10.0.2.100/24" "$stderr"
	wait_for 5 eval '[ -z "$(pastas)" ]'
}

@test "without root: alone, too, there is pasta" {
	requires_pasta
	alone
	COMMON+=(ORLOP_NETWORK=bridge)
	o load -i "$WORK/image.tar"
	web served -p PORT:80
	wait_for 5 serves
	o rm -f served
	wait_for 5 eval '[ -z "$(pastas)" ]'
}

@test "without root: the network of who was killed is taken down by the next one" {
	requires_pasta
	COMMON+=(ORLOP_NETWORK=bridge)
	o load -i "$WORK/image.tar"
	as_user sh -c 'echo $$ >~/client; exec orlop-builder run --rm --name killed base sleep 1000' 3>&- &
	# it runs: what was made before is remembered
	wait_for 10 as_user orlop-builder exec killed true
	equals "$(pastas | wc -l)" 1
	kill -KILL "$(cat "$WORK/mapped/home/client")"
	wait_for 10 eval '[ -z "$(as_user orlop-builder ps -aq)" ]'
	o run --rm base true
	wait_for 5 eval '[ -z "$(pastas)" ]'
}

@test "without root: a pasta is known before it is there: none outlives a builder that is killed meanwhile" {
	requires_pasta
	COMMON+=(ORLOP_NETWORK=bridge)
	o load -i "$WORK/image.tar"
	mkdir "$WORK/killing"
	printf '#!/bin/sh\n%s "$@"\nkill -KILL $PPID\n' "$(command -v pasta)" >"$WORK/killing/pasta"
	chmod 755 "$WORK/killing/pasta"
	run -137 as_user env PATH="$WORK/killing:$WORK/bin:$PATH" orlop-builder run --rm base true
	o run --rm base true
	wait_for 5 eval '[ -z "$(pastas)" ]'
	equals "$(ls "$WORK/mapped/run/orlop-builder/network")" ""
}

@test "without root and pasta, or the device that it needs, the error names them" {
	mkdir -p "$WORK/few"
	local program
	for program in sh conmon newuidmap newgidmap; do
		ln -sf "$(command -v $program)" "$WORK/few/$program"
	done
	apart
	o load -i "$WORK/image.tar"
	COMMON+=(PATH="$WORK/bin:$WORK/few" ORLOP_NETWORK=bridge)
	run --separate-stderr -- as_user "$WORK/bin/orlop-builder" run --rm base true
	printf '%s\n' "$stderr"
	equals "$status" 125
	contains "Debian's package passt" "$stderr"
	contains "--network host" "$stderr"
	BEFORE='[ ! -d /dev/net ] || mount -t tmpfs tmpfs /dev/net'
	fails run --rm base true
	contains 'open "/dev/net/tun", which pasta needs' "$said"
	o ps -aq
	equals "$output" ""
}

@test "unshare is the place for mount, and for what follows it" {
	o load -i "$WORK/image.tar"
	fails mount base
	contains 'in "orlop-builder unshare"' "$said"
	o unshare sh -c 'cat "$(orlop-builder mount base)/home/app/kept"; orlop-builder umount base'
	contains kept
	o unshare sh -c 'id -u; exit 0'
	equals "$output" 0
	try unshare sh -c 'exit 9'
	equals "$status" 9
	run -127 --separate-stderr -- as_user orlop-builder unshare /nosuch
	contains 'execute "/nosuch"' "$stderr"
}

@test "without root: a bundle is for the user himself" {
	o load -i "$WORK/image.tar"
	o unpack base "$WORK/mapped/home/bundle"
	equals "$(jq -c .linux.uidMappings "$WORK/mapped/home/bundle/config.json")" '[{"containerID":0,"hostID":54321,"size":1}]'
	equals "$(stat -c %u "$WORK/mapped/home/bundle/rootfs/home/app/kept")" $CALLER
	o build -o "type=local,dest=$WORK/mapped/home/files" - <<<"FROM base"
	equals "$(stat -c %u "$WORK/mapped/home/files/home/app/kept")" $CALLER
}

@test "without XDG_RUNTIME_DIR and HOME there are places of the user's own, which are nobody else's" {
	COMMON=(PATH="$WORK/bin:$PATH")
	BEFORE='mount -t tmpfs -o mode=1777 tmpfs /tmp'
	run --separate-stderr -- as_user sh -c 'orlop-builder images -q && stat -c "%a %u" /tmp/orlop-54321 && ls /tmp/orlop-54321/orlop-builder'
	printf '%s\n' "$output" "$stderr"
	equals "$status" 0
	contains "700 $CALLER"
	contains namespace
	[ -d "$WORK/passwd-home/.local/share/orlop/layers" ]
	BEFORE='mount -t tmpfs -o mode=1777 tmpfs /tmp; mkdir /tmp/orlop-54321'
	fails images
	contains '"/tmp/orlop-54321" is not a folder that is yours alone: remove it, or set XDG_RUNTIME_DIR' "$said"
}

@test "where user namespaces are forbidden the error says what to do" {
	apart
	# a user of the namespace, which has a limit of its own
	chmod 711 "$WORK/mapped"
	mkdir -m 700 "$WORK/mapped/inner"
	chown $((FIRST + 999)) "$WORK/mapped/inner"
	fails unshare sh -c 'echo 0 >/proc/sys/user/max_user_namespaces
		exec setpriv --reuid 1000 --regid 1000 --clear-groups -- env HOME="$1" XDG_RUNTIME_DIR="$1" orlop-builder images' \
		sh "$WORK/mapped/inner"
	contains "without root a user namespace is needed" "$said"
	contains "sysctl user.max_user_namespaces=" "$said"
	[ ! -e "$WORK/mapped/inner/.local" ]
}

@test "subordinate ids without newuidmap are an error that names the package" {
	apart
	COMMON+=(PATH="$WORK/bin")
	run --separate-stderr -- as_user "$WORK/bin/orlop-builder" images
	printf '%s\n' "$output" "$stderr"
	equals "$status" 1
	contains "Debian's package uidmap" "$stderr"
}
