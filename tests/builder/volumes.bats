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
	ob volume create -d local -l a=b vol
	[ "$output" = vol ]
	[ "$("$B" volume inspect -f '{{.Labels.a}}' vol)" = b ]
	[ "$("$B" volume ls --format '{{.Name}} {{.Labels}}')" = "vol a=b" ]
	ob volume create --label c other
	[ "$("$B" volume ls -q -f label=a)" = vol ]
	[ "$("$B" volume ls -q -f label=a=x)" = '' ]
	[ "$("$B" volume ls -q -f name=the -f label=c -f dangling=1)" = other ]
	ob volume ls -f size=1
	[ "$status" = 2 ]
	said 'invalid --filter: size=1'
	ob volume rm other
	ob volume create -d nfs other
	[ "$status" = 2 ]
	said 'there are no drivers'
	[ "$("$B" volume ls --format '{{.Name}} {{.Driver}}')" = "vol local" ]
	[ "$("$B" volume ls)" = $'DRIVER   VOLUME NAME\nlocal    vol' ]
	[ "$("$B" volume ls --format 'table {{.Name}}\t{{.Mountpoint}}' | head -n 1 | tr -s ' ')" = 'VOLUME NAME MOUNTPOINT' ]
	[ "$("$B" volume inspect -f '{{.Labels.none}}' vol)" = '<no value>' ]
	ob volume inspect -f '{{.Nothing}}' vol
	[ "$status" = 2 ]
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

@test "diff: the last layer of an image; an image or container against another" {
	"$B" run --name one base sh -c 'echo new >/etc/new; echo changed >/etc/passwd; rm /etc/group; mkdir /dir; touch /dir/in; chmod 700 /opt'
	"$B" commit one one:latest
	ob diff one:latest
	[ "$output" = $'A /dir\nA /dir/in\nC /etc\nD /etc/group\nA /etc/new\nC /etc/passwd\nC /opt' ]
	ob diff base one:latest
	[ "$output" = $'A /dir\nA /dir/in\nC /etc\nD /etc/group\nA /etc/new\nC /etc/passwd\nC /opt' ]
	ob diff one:latest base
	[ "$output" = $'D /dir\nC /etc\nA /etc/group\nD /etc/new\nC /etc/passwd\nC /opt' ]
	ob diff --format '{{.Kind}}{{.Path}}' base one
	[ "${lines[0]}" = A/dir ]
	[ "$("$B" diff --format json one | jq -r '.[] | select(.Path == "/etc/group").Kind')" = D ]
	ob diff one:latest one
	[ "$status" = 0 ] && [ -z "$output" ]
	# the same size and times say nothing; nor does another time
	"$B" run --name two one:latest sh -c 'echo nwe >/etc/new; touch -d @5 /etc/new; touch -d @7 /etc/passwd; rm -r /dir; echo >/dir; ln -s a /link'
	ob diff one:latest two
	[ "$output" = $'C /dir\nC /etc\nC /etc/new\nC /opt\nA /opt/a' ]
	ob diff base nothing
	[ "$status" = 1 ]
	ob rm one two
	ob rmi one:latest
}

@test "diff: folders deeper than the shell's limit of descriptors" {
	[ "$(ulimit -Hn)" -ge 4096 ] || skip "needs a hard limit of descriptors that is above the usual one"
	"$B" run --name deep base sh -c 'i=0; while [ $i -lt 1500 ]; do mkdir d && cd d || exit 1; i=$((i + 1)); done; echo >end'
	(
		ulimit -Sn 1024
		"$B" diff deep >"$BATS_TEST_TMPDIR/lines"
		"$B" diff base deep >"$BATS_TEST_TMPDIR/both"
	)
	[ "$(grep -c '^A ' "$BATS_TEST_TMPDIR/lines")" = 1501 ]
	[ "$(grep -c '^A ' "$BATS_TEST_TMPDIR/both")" = 1501 ]
	"$B" rm deep
}

@test "diff: the same inode of two file systems is not the same file" {
	[ -e /dev/loop-control ] || skip "needs loop devices"
	requires mkfs.ext4
	skip_missing
	cd "$BATS_TEST_TMPDIR"
	local word trees=()
	for word in first other; do
		mkdir $word
		echo "$word word" >$word/file
		tar -cf $word.tar -C $word file
		"$B" import -q $word.tar $word
		trees+=("$ORLOP_STORE/layers/$(config '.RootFS.Layers[0]' $word | tr -d '"' | cut -d: -f2)/tree")
	done
	# inodes, sizes and times of one are those of its copy
	truncate -s 1M first.img
	mkfs.ext4 -q -O ^has_journal,^metadata_csum -d first first.img
	sed 's/first word/other word/' first.img >other.img
	refute cmp -s first.img other.img
	run unshare -m --propagation private sh -ec 'mount -o loop,ro first.img "$1"; mount -o loop,ro other.img "$2"
		"$0" diff first other' "$B" "${trees[@]}"
	"$B" rmi first other
	[ "$status" = 0 ] && [ "$output" = "C /file" ]
}

@test "commit: one layer more, the container's command, changes; the container stays as it is" {
	"$B" run --name c -e A=b -w /tmp base sh -c 'echo made >/made; rm -r /opt; touch -d @1000 /etc/group'
	ob commit -a me -m why -c 'CMD ["cat", "/made"]' -c 'LABEL k=v' c test/made:1
	[[ $output =~ ^sha256:[0-9a-f]{64}$ ]]
	[ "$("$B" run --rm test/made:1)" = made ]
	[ "$("$B" run --rm test/made:1 sh -c 'pwd; echo $A; test -e /opt || echo gone; stat -c %Y /etc/group')" = $'/tmp\nb\ngone\n1000' ]
	[ "$(config .Config.Labels.k test/made:1)" = '"v"' ]
	[ "$(config '.RootFS.Layers | length' test/made:1)" = "$(($(config '.RootFS.Layers | length' base) + 1))" ]
	ob history test/made:1
	[[ $output == *'sh -c echo made'* ]]
	# nothing of the mount points is in it, and the container goes on as before
	[ -z "$("$B" export test/made:1 | tar tf - | grep -E 'resolv.conf|etc/hosts')" ]
	ob start -a c
	said "can't remove '/opt'"
	# nothing changed: no layer
	"$B" run --name n base true
	"$B" commit n same
	[ "$(config '.RootFS.Layers | length' same)" = "$(config '.RootFS.Layers | length' base)" ]
	ob commit -c 'RUN x' n same
	[ "$status" = 1 ]
	said 'RUN cannot be used here'
	ob commit nothere
	[ "$status" = 1 ]
	ob rmi test/made:1 same
	[ "$status" = 0 ]
}

@test "commit: a container that runs stands still meanwhile, and goes on" {
	"$B" run -d --name r base sh -c 'n=0; while :; do n=$((n + 1)); echo $n >>/count; sleep 0.02; done'
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

@test "cp -: an archive goes into a folder that has something; links in it lead nowhere else" {
	local c in=$BATS_TEST_TMPDIR/in
	mkdir -p "$in/dir" "$BATS_TEST_TMPDIR/over/link"
	echo new >"$in/dir/old"
	echo more >"$in/dir/more"
	ln -s /etc "$in/dir/link"
	echo through >"$BATS_TEST_TMPDIR/over/link/through"
	tar -C "$in" -cf "$in.tar" dir
	tar -C "$BATS_TEST_TMPDIR/over" -cf "$BATS_TEST_TMPDIR/over.tar" link
	"$B" run --name down base sh -c 'mkdir -p /to/dir/kept; echo kept >/to/dir/kept/file; echo old >/to/dir/old; chmod 750 /to; chown 5:6 /to'
	"$B" run -d --name up base sh -c 'mkdir -p /to/dir/kept; echo kept >/to/dir/kept/file; echo old >/to/dir/old; chmod 750 /to; chown 5:6 /to; touch /done; exec sleep 1000'
	wait_for 5 "$B" exec up test -e /done
	for c in up down; do
		"$B" cp - $c:/to <"$in.tar"
		"$B" cp - $c:/to/dir <"$BATS_TEST_TMPDIR/over.tar"
		"$B" cp -a $c:/to "$BATS_TEST_TMPDIR/$c"
		cd "$BATS_TEST_TMPDIR/$c"
		[ "$(cat dir/kept/file dir/old dir/more dir/link/through)" = $'kept\nnew\nmore\nthrough' ]
		[ "$(stat -c %u:%g:%a .)" = 5:6:750 ] && [ ! -L dir/link ]
		refute test -e /etc/through
		"$B" cp $c:/etc - | tar tf - | { ! grep through; }
		cd "$BATS_TEST_TMPDIR"
	done
}

@test "cp -L: what a symlink leads to, by its name, inside of the container's root" {
	"$B" run --name c base sh -c 'mkdir -p /a/b /d/e; echo one >/a/b/file; ln -s ../../a/b/file /d/e/up; ln -s /d/e/up /abs; ln -s loop /loop
		ln -s /a /folder; ln -s ../../../../etc/passwd /d/out; ln -s e/up /d/short; ln -s /d/e /via'
	cd "$BATS_TEST_TMPDIR"
	local link
	for link in abs d/e/up d/short via/up; do
		"$B" cp -L "c:/$link" .
		[ ! -L "${link##*/}" ] && [ "$(cat "${link##*/}")" = one ]
		rm "${link##*/}"
		"$B" cp "c:/$link" .
		[ -L "${link##*/}" ]
		rm "${link##*/}"
	done
	"$B" cp -L c:/d/out out
	[ "$(cat out)" = "$("$B" start -a c; "$B" cp c:/etc/passwd - | tar xO)" ]
	"$B" cp -L c:/folder .
	[ "$(cat folder/b/file)" = one ] && [ ! -L folder ]
	"$B" cp -L c:/abs - | tar tvf - | grep -q '^-.* abs$'
	ob cp -L c:/loop .
	[ "$status" = 1 ] && said 'too many levels'
	# so many links that none is found as a folder at once: the last is not the root's own parent
	mkdir links
	ln -s . links/dot
	local i
	for ((i = 1; i < 26; i++)); do ln -s dot/L$((i + 1)) links/L$i; done
	ln -s dot/.. links/L26
	"$B" cp links/. c:/
	ob cp -L c:/L1 outside
	[ "$status" = 1 ] && said 'too many levels' && [ ! -e outside ]
	ln -s "$BATS_TEST_TMPDIR/out" host
	"$B" cp -L host c:/from
	"$B" cp c:/from - | tar tvf - | grep -q '^-.* from$'
	ob rm c
}

@test "export: who removes a container waits for its export" {
	local folder
	"$B" run --name c base sh -c 'head -c 4000000 /dev/urandom >/big'
	folder=$(echo "$ORLOP_STORE"/containers/*)
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	"$B" export c >"$BATS_TEST_TMPDIR/pipe" 3>&- &
	exec 7<"$BATS_TEST_TMPDIR/pipe"
	head -c 512 <&7 >"$BATS_TEST_TMPDIR/head"
	"$B" rm c >"$BATS_TEST_TMPDIR/removed" 3>&- 7<&- &
	# until it stands at the lock that export has
	wait_for 5 waits_for "$folder"
	[ -e "$folder/record.json" ]
	cat "$BATS_TEST_TMPDIR/head" - <&7 | tar tf - | grep -qx big
	exec 7<&-
	wait
	[ "$(cat "$BATS_TEST_TMPDIR/removed")" = c ] && [ ! -e "$folder" ]
}

# somebody waits for the lock of a folder
waits_for() {
	grep -e '->' /proc/locks | grep -q "FLOCK.*:$(stat -c %i "$1") "
}

@test "export: a container's root file system, without mounts" {
	"$B" run --name x -v vol:/vol base sh -c 'echo made >/made; rm /etc/passwd; echo x >/vol/x'
	"$B" export x >"$BATS_TEST_TMPDIR/x.tar"
	[ "$(tar xOf "$BATS_TEST_TMPDIR/x.tar" made)" = made ]
	refute grep -qE '^(./)?(etc/passwd|vol|proc|etc/resolv.conf)(/|$)' <<<"$(tar tf "$BATS_TEST_TMPDIR/x.tar")"
	"$B" import -q -c 'CMD ["cat", "/made"]' "$BATS_TEST_TMPDIR/x.tar" again
	[ "$("$B" run --rm again)" = made ]
}

@test "mount: an image read-only, listed, kept from rmi and prune, until umount" {
	"$B" run --name one base sh -c 'echo cargo >/hold'
	"$B" commit one cargo:1 >"$BATS_TEST_TMPDIR/id"
	"$B" rm one
	ob mount cargo:1
	[ "$status" = 0 ]
	local path=$output
	[[ $path == "$ORLOP_STORE"/mounted/*/root ]]
	[ "$(cat "$path/hold")" = cargo ]
	refute touch "$path/new"
	ob mount cargo:1
	[ "$output" = "$path" ]
	[ "$(grep -c " $path " /proc/self/mountinfo)" = 1 ]
	[ "$("$B" mount --format '{{.Name}} {{.Path}}')" = "cargo:1 $path" ]
	[[ $("$B" image mount) =~ ^ID.*NAME.*PATH.*cargo:1 ]]
	"$B" rmi cargo:1
	"$B" prune -af
	[ "$(cat "$path/hold")" = cargo ]
	exec 7<"$path/hold"
	ob umount cargo:1
	[ "$status" = 1 ]
	said 'somebody uses it'
	exec 7<&-
	ob umount cargo:1
	[ "$status" = 0 ]
	[ ! -e "$path" ] && refute grep -q " $path " /proc/self/mountinfo
	[ -z "$("$B" mount --format '{{.Name}}')" ]
	ob umount cargo:1
	[ "$status" = 1 ]
	said '"cargo:1" is not mounted'
	ob umount -i cargo:1
	[ "$status" = 0 ]
	# nothing needs its layer any more
	ob prune -af
	said 'deleted: sha256:'
	"$B" fsck
	ob umount
	[ "$status" = 2 ]
	ob mount nothing
	[ "$status" = 1 ]
}

@test "mount: a container, before, while and after it runs; rm -f and umount --all leave nothing" {
	"$B" create --name c base sh -c 'echo in >/in; cat /out; exec sleep 1000'
	local path
	path=$("$B" mount c)
	echo out >"$path/out"
	"$B" start c
	wait_for 5 says_out c out
	# one layer, seen by both
	wait_for 5 [ -e "$path/in" ]
	echo later >"$path/later"
	[ "$("$B" exec c cat /later)" = later ]
	"$B" exec c sh -c 'echo again >/again'
	[ "$(cat "$path/again")" = again ]
	"$B" umount c
	[ "$("$B" exec c cat /again)" = again ]
	[ "$("$B" mount c)" = "$path" ]
	[ "$(cat "$path/again")" = again ]
	"$B" exec c sh -c 'echo more >/more'
	[ "$(cat "$path/more")" = more ]
	"$B" stop -t 0 c
	[ "$(cat "$path/more")" = more ]
	ob rm c
	[ "$status" = 1 ]
	said 'is mounted: umount it first'
	[ -z "$("$B" container prune -f)" ]
	"$B" rm -f c
	[ ! -e "${path%/root}" ] && refute grep -q "$ORLOP_STORE/mounted" /proc/self/mountinfo
	"$B" create --name d base true
	"$B" mount d base
	[ "$("$B" mount --format '{{.Name}}' | sort)" = $'base\nd' ]
	"$B" umount --all
	refute grep -q "$ORLOP_STORE/mounted" /proc/self/mountinfo
	[ -z "$(ls "$ORLOP_STORE/mounted")" ]
	"$B" rm d
}

says_out() {
	"$B" logs "$1" | grep -qx "$2"
}
