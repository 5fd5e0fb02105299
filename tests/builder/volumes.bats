#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Volumes, and what a container has written: diff and commit.

load build

setup_file() {
	requires jq
	builder_begin
}

teardown() {
	local ids
	mapfile -t ids < <("$B" ps -aq --no-trunc)
	[ "${#ids[@]}" = 0 ] || "$B" rm -fv "${ids[@]}" >/dev/null
	"$B" volume prune -f --all >/dev/null
	[ -z "$(ls "$ORLOP_STORE/volumes" 2>/dev/null)" ]
}

volumes() {
	"$B" volume ls -q
}

@test "a named volume: made, filled from the image, kept, shared, refused while it is used" {
	"$B" run --name first -v data:/etc base sh -c 'cat /etc/passwd | head -1; echo new >/etc/new'
	[ "$(volumes)" = data ]
	ob run --rm -v data:/there:ro base sh -c 'cat /there/new; head -1 /there/passwd; echo no >/there/no || echo refused'
	[ "$output" = $'new\nroot:x:0:0:root:/root:/bin/sh\nrefused' ]
	ob volume rm data
	[ "$status" = 1 ]
	said 'volume data is in use'
	"$B" rm -v first
	[ "$(volumes)" = data ]
	ob volume inspect data
	jq -e --arg at "$ORLOP_STORE/volumes/data/_data" '.[0] | .Name == "data" and .Driver == "local" and .Mountpoint == $at' <<<"$output"
	ob volume rm data
	[ "$output" = data ]
	ob volume rm data
	[ "$status" = 1 ]
	ob volume rm -f data
	[ "$status" = 0 ]
}

@test "an empty volume that another container has mounted is filled where it is" {
	"$B" run -d --name has -v shared:/empty base sleep 1000
	"$B" run --rm -v shared:/etc base true
	"$B" exec has sh -c 'test -s /empty/passwd && echo more >/empty/more'
	[ "$("$B" run --rm -v shared:/there base cat /there/more)" = more ]
}

@test "nocopy, U, and what is no volume" {
	"$B" run --rm -v empty:/etc:nocopy base true
	[ -z "$(ls "$ORLOP_STORE/volumes/empty/_data")" ]
	"$B" run --rm -u app -v mine:/var:U base touch /var/log/x
	[ "$(stat -c %u "$ORLOP_STORE/volumes/mine/_data/log")" = 1000 ]
	for bad in 'a:/x' 'bad/name:/x' data:x data:/ /:/x:colour /x:/y:ro:z '' ; do
		ob run --rm -v "$bad" base true
		[ "$status" = 2 ] || [ "$status" = 125 ]
	done
	ob run --rm -v one:/x -v two:/x base true
	[ "$status" = 2 ]
	for bad in type=moon,target=/x source=a type=bind,target=/x type=bind,source=/nowhere/at/all,target=/x colour=red,target=/x; do
		ob run --rm --mount "$bad" base true
		[ "$status" != 0 ]
	done
	# what failed has made nothing
	[ "$(volumes)" = $'empty\nmine' ]
}

@test "--mount in words; a folder of the host that is not there is made by -v" {
	ob run --rm --mount type=volume,source=words,target=/w --mount type=tmpfs,target=/t,tmpfs-size=1m \
		--mount "type=bind,src=$BATS_TEST_TMPDIR,dst=/b,readonly" -v "$BATS_TEST_TMPDIR/made:/m" base \
		sh -c 'echo x >/w/x; echo x >/m/x; echo x >/b/x || grep -o "size=1024k" /proc/mounts'
	[ "$output" = size=1024k ]
	[ "$(cat "$BATS_TEST_TMPDIR/made/x")" = x ]
	[ "$(cat "$ORLOP_STORE/volumes/words/_data/x")" = x ]
}

@test "VOLUME of an image: a volume without a name, that goes with rm -v and with --rm" {
	ob build -t keeper - <<-'X'
		FROM base
		RUN mkdir /data && echo image >/data/file
		VOLUME /data
	X
	"$B" run --name k keeper sh -c 'cat /data/file; echo more >/data/more'
	[ "$(volumes | wc -l)" = 1 ]
	ob run --rm --volumes-from k base cat /data/file /data/more
	[ "$output" = $'image\nmore' ]
	ob run --rm --volumes-from k:ro base touch /data/no
	[ "$status" = 1 ]
	[ "$(volumes | wc -l)" = 1 ]
	"$B" run --name other --volumes-from k base true
	"$B" rm -v k
	[ "$(volumes | wc -l)" = 1 ] # the other one has it
	"$B" rm -v other
	[ -z "$(volumes)" ]
	"$B" run --rm keeper true
	[ -z "$(volumes)" ]
	# without -v it stays, and prune takes it
	"$B" run --name k keeper true
	"$B" rm k
	[ "$(volumes | wc -l)" = 1 ]
	"$B" volume create named
	[ "$("$B" volume ls -q -f dangling=true | wc -l)" = 2 ]
	ob volume prune -f
	[ "$(volumes)" = named ]
}

@test "volume create: labels, names, formats" {
	ob volume create -l a=b vol
	[ "$output" = vol ]
	[ "$("$B" volume inspect -f '{{.Labels.a}}' vol)" = b ]
	[ "$("$B" volume ls --format '{{.Name}} {{.Driver}}')" = "vol local" ]
	[ "$("$B" volume ls)" = $'DRIVER   NAME\nlocal    vol' ]
	[ "$("$B" volume ls --format json | jq -r '.[].Name')" = vol ]
	ob volume create 'no/name'
	[ "$status" = 1 ]
	ob volume inspect nothere
	[ "$status" = 1 ]
	said 'no such volume: nothere'
}

@test "diff: what the container did and nothing else" {
	"$B" run --name d -v vol:/deep/mount/point base true
	[ -z "$("$B" diff d)" ]
	"$B" run --name e base sh -c 'echo x >>/etc/group; rm -r /opt; mkdir -p /new/sub; echo x >/new/file; rm /etc/passwd; ln -s x /tmp/l'
	[ "$("$B" diff e)" = $'C /etc\nC /etc/group\nD /etc/passwd\nA /new\nA /new/file\nA /new/sub\nD /opt\nC /tmp\nA /tmp/l' ]
	# a folder that takes another one's place hides what was there
	"$B" run --name f base sh -c 'rm -r /var; mkdir -p /var/new'
	[ "$("$B" diff f)" = $'C /var\nD /var/log\nA /var/new' ]
	ob diff nothere
	[ "$status" = 1 ]
}

@test "commit: one layer more, the container's command, changes; the container stays as it is" {
	"$B" run --name c -e A=b -w /tmp base sh -c 'echo made >/made; rm -r /opt; touch -d @1000 /etc/group'
	ob commit -a me -m why -c 'CMD ["cat", "/made"]' -c 'LABEL k=v' c test/made:1
	[[ $output =~ ^sha256:[0-9a-f]{64}$ ]]
	[ "$("$B" run --rm test/made:1)" = made ]
	[ "$("$B" run --rm test/made:1 sh -c 'pwd; echo $A; test -e /opt || echo gone; stat -c %Y /etc/group')" = $'/tmp\nb\ngone\n1000' ]
	[ "$(config .Config.Labels.k test/made:1)" = '"v"' ]
	[ "$(config '.RootFS.diff_ids | length' test/made:1)" = "$(($(config '.RootFS.diff_ids | length' base) + 1))" ]
	ob history test/made:1
	[[ $output == *'sh -c echo made'* ]]
	# nothing of the mount points is in it, and the container goes on as before
	[ -z "$("$B" export test/made:1 | tar tf - | grep -E 'resolv.conf|etc/hosts')" ]
	ob start -a c
	said "can't remove '/opt'"
	# nothing changed: no layer
	"$B" run --name n base true
	"$B" commit n same
	[ "$(config '.RootFS.diff_ids | length' same)" = "$(config '.RootFS.diff_ids | length' base)" ]
	ob commit -c 'RUN x' n same
	[ "$status" = 1 ]
	said 'RUN cannot be used here'
	ob commit nothere
	[ "$status" = 1 ]
	ob rmi test/made:1 same
	[ "$status" = 0 ]
}

@test "commit: a container that runs stands still meanwhile, and goes on" {
	"$B" run -d --name r base sh -c 'n=0; while :; do n=$((n + 1)); echo $n >/count; sleep 0.02; done'
	wait_for 5 "$B" exec r test -s /count
	ob commit r running
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ "$("$B" inspect --format '{{.State.Status}}' r)" = running ]
	[ "$("$B" run --rm running sh -c 'test -s /count && echo there')" = there ]
	[ "$("$B" ps -a --format '{{.Names}}')" = r ]
}

@test "commit: who is told to end meanwhile lets the container go on first" {
	printf '%s\n' '#!/bin/sh' 'orlop-runtime "$@" || exit' 'case " $* " in *" pause "*) kill -TERM $PPID ;; esac' \
		>"$BATS_TEST_TMPDIR/runtime"
	chmod +x "$BATS_TEST_TMPDIR/runtime"
	"$B" run -d --name held --runtime "$BATS_TEST_TMPDIR/runtime" base sleep 1000
	ob commit held
	[ "$status" = 143 ]
	[ "$("$B" inspect --format '{{.State.Status}}' held)" = running ]
}

@test "cp: both ways, of containers that run and that do not; nothing leads out" {
	local out=$BATS_TEST_TMPDIR
	mkdir -p "$out/dir/sub"
	echo one >"$out/dir/sub/file"
	"$B" run -d --name up base sleep 1000
	"$B" run --name down base sh -c 'mkdir /made; echo two >/made/file; chown 7 /made/file; chmod 4755 /made/file; ln -s / /made/root; ln -s /../../../../etc /made/up'
	for c in up down; do
		"$B" cp "$out/dir" $c:/tmp
		"$B" cp "$out/dir/." $c:/contents
		"$B" cp "$out/dir/sub/file" $c:/tmp/renamed
		rm -rf "$out/back"
		"$B" cp $c:/tmp/dir/sub "$out/back"
		[ "$(cat "$out/back/file")" = one ]
		"$B" cp $c:/contents/sub/file "$out/back/again"
		"$B" cp $c:/tmp/renamed - | tar xOf - renamed | grep -qx one
		tar -C "$out" -cf - dir | "$B" cp - $c:/opt
		"$B" cp $c:/opt/dir/sub/file "$out/back"
		for bad in "nowhere $c:/tmp" "$c:/nowhere $out" "$out/dir $c:/tmp/renamed" "$out/dir/sub/file $c:/no/folder" "$out $out" "$c:/a $c:/b"; do
			# shellcheck disable=SC2086
			ob cp $bad
			[ "$status" != 0 ]
		done
	done
	mkdir -m 0751 "$out/made"
	chown 5:6 "$out/made"
	"$B" cp down:/made/. "$out/made"
	[ "$(stat -c %u:%g:%a "$out/made")" = 5:6:751 ]
	[ "$(readlink "$out/made/up")" = /../../../../etc ]
	[ "$(stat -c %u "$out/made/file")" = 0 ]
	[ "$(stat -c %a "$out/made/file")" = 755 ]
	"$B" cp -a down:/made/file "$out/kept"
	[ "$(stat -c %u:%a "$out/kept")" = 7:4755 ]
	mkfifo "$out/pipe"
	ob cp down:/made/file "$out/pipe"
	[ "$status" != 0 ]
	[ -p "$out/pipe" ]
	# its root has no name: the contents are meant, and not our own root
	for root in / .. /made/../..; do
		mkdir "$out/all"
		unshare -m sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro / && exec "$0" cp "$2" "$3"' \
			"$B" "$BATS_RUN_TMPDIR" "down:$root" "$out/all"
		[ "$(cat "$out/all/made/file")" = two ]
		rm -r "$out/all"
	done
	# inside of its root, whatever its links say
	"$B" cp "$out/dir/sub/file" down:/made/up/arrived
	refute test -e /etc/arrived
	[ "$("$B" start -a down >/dev/null 2>&1; "$B" cp down:/etc/arrived - | tar xOf -)" = one ]
}

@test "export: a container's root file system, without mounts" {
	"$B" run --name x -v vol:/vol base sh -c 'echo made >/made; rm /etc/passwd; echo x >/vol/x'
	"$B" export x >"$BATS_TEST_TMPDIR/x.tar"
	[ "$(tar xOf "$BATS_TEST_TMPDIR/x.tar" made)" = made ]
	refute grep -qE '^(./)?(etc/passwd|vol|proc|etc/resolv.conf)(/|$)' <<<"$(tar tf "$BATS_TEST_TMPDIR/x.tar")"
	"$B" import -q -c 'CMD ["cat", "/made"]' "$BATS_TEST_TMPDIR/x.tar" again
	[ "$("$B" run --rm again)" = made ]
}
