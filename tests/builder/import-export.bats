#!/usr/bin/env bats
# import and export: archives in, archives out, and archives that mean harm.
load helpers

setup() {
	requires root jq
	setup_store
	make_root
}

teardown() {
	teardown_store
}

# tar_of SCRIPT: a tar archive made by Python, so that it can be as bad as we like.
tar_of() {
	requires python3
	python3 -c "
import io, sys, tarfile
tar = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.PAX_FORMAT)
def file(name, data=b'', **more):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))
def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    tar.addfile(info)
$1
tar.close()"
}

@test "what is imported is exported: contents, owners, modes, links, times" {
	ob import "$work/root.tar" x
	mkdir "$work/out"
	ob export x | tar -C "$work/out" -xpf -
	cd "$work/root"
	find . -mindepth 1 -printf '%p %y %m %U:%G %l %n %T@\n' | sed 's/\.[0-9]*$//' | sort >"$work/before"
	cd "$work/out"
	find . -mindepth 1 -printf '%p %y %m %U:%G %l %n %T@\n' | sed 's/\.[0-9]*$//' | sort >"$work/after"
	diff "$work/before" "$work/after"
	diff -r --no-dereference "$work/root" "$work/out"
}

@test "export is the same each time, to a file and to stdout" {
	ob import "$work/root.tar" x
	ob export x >"$work/a.tar"
	ob export -o "$work/b.tar" x
	ob export --output=- x | cmp - "$work/a.tar"
	cmp "$work/a.tar" "$work/b.tar"
	[ -z "$(ls "$work" | grep part)" ]
	tar tf "$work/a.tar" >"$work/names"
	LC_ALL=C sort -c -t/ -k1,1 "$work/names"
}

@test "an exported image imported again has the same layer" {
	ob import "$work/root.tar" x
	ob export x | ob import - y
	[ "$(ob inspect x | jq -r '.[0].RootFS.Layers[0]')" = "$(ob inspect y | jq -r '.[0].RootFS.Layers[0]')" ]
	SOURCE_DATE_EPOCH=5 ob import -q "$work/root.tar" >"$work/1"
	SOURCE_DATE_EPOCH=5 ob import -q "$work/root.tar" >"$work/2"
	cmp "$work/1" "$work/2"
}

@test "compressed archives, from files and pipes" {
	requires gzip bzip2 xz zstd
	for compress in "gzip -c" "bzip2 -c" "xz -c" "zstd -c"; do
		$compress <"$work/root.tar" >"$work/root.packed"
		ob import "$work/root.packed" packed
		[ "$(ob export packed | tar xOf - etc/motd)" = hello ]
		ob rmi packed
		ob import - packed <"$work/root.packed"
		$compress <"$work/root.tar" | ob import - piped
		[ "$(ob inspect piped | jq -r '.[0].RootFS.Layers[0]')" = "$(ob inspect packed | jq -r '.[0].RootFS.Layers[0]')" ]
	done
}

@test "gzip members of any size, one after the other, are one archive; each is checked" {
	requires gzip
	mkdir "$work/many"
	seq 700000 >"$work/many/numbers"
	head -c 1500000 /dev/urandom >"$work/many/noise"
	tar -C "$work/many" -cf "$work/plain.tar" .
	# small ones, one of exactly a MiB, larger ones that hold small ones up, an empty one, a name
	at=0
	: >"$work/members.gz"
	for size in 512 70001 1048576 0 1048577 3 2500000 100 9000000; do
		tail -c +$((at + 1)) "$work/plain.tar" | head -c "$size" >"$work/piece"
		[ "$size" = 100 ] || gzip -nc <"$work/piece" >>"$work/members.gz"
		[ "$size" != 100 ] || gzip -Nc "$work/piece" >>"$work/members.gz"
		at=$((at + size))
	done
	[ "$at" -gt "$(stat -c %s "$work/plain.tar")" ]
	ob import -q "$work/plain.tar" plain
	ob import -q "$work/members.gz" members
	ob import -q - piped <"$work/members.gz"
	for name in members piped; do
		[ "$(ob inspect $name | jq -r '.[0].RootFS.Layers[0]')" = "$(ob inspect plain | jq -r '.[0].RootFS.Layers[0]')" ]
	done
	# as our own layers are: what is wrong with one of these is said as with any other
	split -b 600000 --filter='gzip -nc' "$work/plain.tar" >"$work/small.gz"
	ob import -q "$work/small.gz" small
	[ "$(ob inspect small | jq -r '.[0].RootFS.Layers[0]')" = "$(ob inspect plain | jq -r '.[0].RootFS.Layers[0]')" ]
	size=$(stat -c %s "$work/small.gz")
	head -c $((size / 2)) "$work/small.gz" >"$work/cut.gz"
	run -1 ob import "$work/cut.gz" bad
	[[ $output = *"truncated gzip input"* ]]
	cp "$work/small.gz" "$work/sum.gz"
	printf '\0\0\0\0' | dd of="$work/sum.gz" bs=1 seek=$((size - 8)) conv=notrunc status=none
	run -1 ob import "$work/sum.gz" bad
	[[ $output = *"incorrect data check"* ]]
	run ! ob inspect bad
}

@test "--change sets what the image runs" {
	ob import "$work/root.tar" x -c 'ENV A=1 B="two words"' -c 'ENV A=3 C=$B' -c 'CMD run me' \
		-c 'ENTRYPOINT ["/bin/sh"]' -c 'EXPOSE 80 53/udp' -c 'USER me:us' -c 'WORKDIR /srv' \
		-c 'WORKDIR data' -c 'LABEL k="v w"' -c 'VOLUME ["/data"]' -c 'STOPSIGNAL SIGINT'
	config=$(ob inspect x | jq -c '.[0].Config')
	[ "$(jq -c .Env <<<"$config")" = '["A=3","B=two words","C=two words"]' ]
	[ "$(jq -c .Cmd <<<"$config")" = '["/bin/sh","-c","run me"]' ]
	[ "$(jq -c .Entrypoint <<<"$config")" = '["/bin/sh"]' ]
	[ "$(jq -c .ExposedPorts <<<"$config")" = '{"80/tcp":{},"53/udp":{}}' ]
	[ "$(jq -r '.User, .WorkingDir, .StopSignal' <<<"$config")" = $'me:us\n/srv/data\nSIGINT' ]
	[ "$(jq -c '.Labels, .Volumes' <<<"$config")" = $'{"k":"v w"}\n{"/data":{}}' ]
	run -1 ob import "$work/root.tar" y -c 'RUN true'
	[[ $output = *'RUN cannot be used here'* ]]
	run -1 ob import "$work/root.tar" y -c 'NONSENSE'
	run ! ob inspect y
}

@test "messages go to stderr, ids of -q to stdout" {
	run -0 --separate-stderr ob import "$work/root.tar" x
	[ "$output" = "" ]
	[[ $stderr = *"imported sha256:"* ]]
	run -0 --separate-stderr ob import -q "$work/root.tar" x
	[[ $output =~ ^sha256:[0-9a-f]{64}$ ]]
	run -0 --separate-stderr ob rmi x
	[ "$output" = "" ]
}

@test "entries that leave the root are errors that name them, and change nothing" {
	echo precious >"$work/precious"
	for script in "file('../evil')" "file('a/../../evil')" "link('evil', '../../../../../../../../..$work/precious', tarfile.LNKTYPE)" \
		"link('evil', '/nowhere/at/all', tarfile.LNKTYPE)"; do
		tar_of "file('good', b'x'); $script" >"$work/evil.tar"
		run -1 ob import "$work/evil.tar" evil
		[[ $output = *'entry "'*evil*'of the archive'* ]]
		run ! ob inspect evil
	done
	[ "$(cat "$work/precious")" = precious ]
	[ ! -e "$work/evil" ]
	[ -z "$(find "$ORLOP_STORE" -name evil)" ]
}

@test "symlink targets are data, and nothing is written through them" {
	mkdir "$work/outside"
	tar_of "link('esc', '$work/outside'); file('esc/pwned', b'x'); link('rel', '../../../../../../..$work/outside'); file('rel/pwned', b'y')" >"$work/links.tar"
	ob import "$work/links.tar" links
	[ -z "$(ls -A "$work/outside")" ]
	[ "$(ob export links | tar xOf - "${work#/}/outside/pwned")" = y ]
	ob export links | tar tvf - | grep -F "esc -> $work/outside"
}

@test "names are bytes and long names are whole" {
	tar_of "
file('e\u0301', b'decomposed'); file('\u00e9', b'composed')
file(b'\xff\xfe'.decode('utf-8', 'surrogateescape'), b'no text')
file('/'.join(['d' * 200] * 10) + '/f', b'deep')
link('long', 't' * 3000)" >"$work/names.tar"
	ob import "$work/names.tar" names
	mkdir "$work/out"
	ob export names | tar -C "$work/out" -xf -
	[ "$(cat "$work/out/$(printf 'e\314\201')")" = decomposed ]
	[ "$(cat "$work/out/$(printf '\303\251')")" = composed ]
	[ "$(cat "$work/out/$(printf '\377\376')")" = "no text" ]
	[ "$(cat "$work/out"/ddd*/*/*/*/*/*/*/*/*/*/f)" = deep ]
	[ "$(readlink "$work/out/long" | wc -c)" = 3001 ]
}

@test "sparse files keep their holes' contents" {
	truncate -s 3M "$work/root/sparse"
	printf middle | dd of="$work/root/sparse" bs=1 seek=1000000 conv=notrunc status=none
	truncate -s 5M "$work/root/sparse"
	for format in gnu pax; do
		tar -C "$work/root" --sparse -H "$format" -cf "$work/sparse.tar" .
		ob import "$work/sparse.tar" sparse
		ob export sparse | tar xOf - sparse | cmp - "$work/root/sparse"
	done
}

@test "cut, empty and foreign archives are errors" {
	head -c 5000 "$work/root.tar" >"$work/cut.tar"
	run -1 ob import "$work/cut.tar" x
	[[ $output = *'import "'*'cut.tar"'* ]]
	run -1 ob import /bin/sh x
	[[ $output = *"read the archive"* ]]
	run -1 ob import "$work/absent.tar" x
	[[ $output = *"absent.tar\": no such file"* ]]
	run -1 ob import - x </dev/null
	[ "$(ob images -q)" = "" ]
}

@test "a file named like a whiteout is refused by name" {
	tar_of "file('.wh.passwd')" >"$work/wh.tar"
	run -1 ob import "$work/wh.tar" x
	[[ $output = *'.wh.passwd'* ]]
}

@test "capabilities of files survive" {
	requires setcap getcap
	setcap cap_net_raw+ep "$work/root/bin/tool"
	tar -C "$work/root" --xattrs --xattrs-include='*' -cf "$work/caps.tar" .
	ob import "$work/caps.tar" caps
	mkdir "$work/out"
	ob export caps | tar --xattrs --xattrs-include='*' -C "$work/out" -xpf -
	[[ $(getcap "$work/out/bin/tool") = *cap_net_raw* ]]
}

@test "a million entries, in bounded memory" {
	requires python3
	[ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -gt 4000000 ] || skip "needs 4 GB of memory"
	# on tmpfs, in a mount namespace of the test's own; entries are empty files in 1000 folders
	mkdir "$work/mnt"
	python3 - >"$work/many.tar" <<-'PY'
		import sys, tarfile
		out = sys.stdout.buffer
		def header(name, kind, mode):
		    info = tarfile.TarInfo(name)
		    info.type, info.mode = kind, mode
		    return bytearray(info.tobuf(tarfile.USTAR_FORMAT))
		for d in range(1000):
		    out.write(header('d%03d' % d, tarfile.DIRTYPE, 0o755))
		    block = header('d%03d/f000' % d, tarfile.REGTYPE, 0o644)
		    total = int(block[148:154], 8)
		    for f in range(1000):
		        digits = b'%03d' % f
		        block[6:9] = digits
		        block[148:154] = b'%06o' % (total + sum(digits) - sum(b'000'))
		        out.write(block)
		out.write(bytes(1024))
	PY
	unshare -m --propagation private bash -ec '
		mount -t tmpfs -o size=6G,nr_inodes=0 none "$1/mnt"
		export ORLOP_STORE=$1/mnt/store
		"$2" import -q - many <"$1/many.tar" &
		pid=$!
		peak=0
		while rss=$(awk "/VmHWM/ { print \$2 }" "/proc/$pid/status" 2>/dev/null) && [ -n "$rss" ]; do
			peak=$rss
			sleep 0.2
		done
		wait "$pid"
		echo "peak $peak kB" >"$1/peak"
		"$2" export many | tar tf - | wc -l >"$1/count"' bash "$work" "$builder"
	cat "$work/peak"
	[ "$(cat "$work/count")" = 1001000 ]
	[ "$(awk '{ print $2 }' "$work/peak")" -lt 65536 ]
}

# layout_blob DESCRIPTOR-JQ: the contents of a blob of the layout in $work/saved
layout_blob() {
	cat "$work/saved/blobs/sha256/$(jq -r "$1" <"$2" | cut -d: -f2)"
}

@test "save: an OCI layout with docker's list; every blob has its digest, shared ones stand once" {
	ob import -q "$work/root.tar" one
	ob import -q -m other "$work/root.tar" two:2
	ob save -o "$work/images.tar" one two:2
	mkdir "$work/saved"
	tar -C "$work/saved" -xf "$work/images.tar"
	cd "$work/saved"
	[ "$(cat oci-layout)" = '{"imageLayoutVersion":"1.0.0"}' ]
	(cd blobs/sha256 && for blob in *; do echo "$blob  $blob"; done | sha256sum -c --quiet)
	[ "$(ls blobs/sha256 | wc -l)" = 5 ] # one layer, two configs, two manifests
	[ "$(jq -r '.manifests[].annotations."io.containerd.image.name"' index.json | tr '\n' ' ')" = \
		"docker.io/library/one:latest docker.io/library/two:2 " ]
	[ "$(jq -r '.manifests[1].annotations."org.opencontainers.image.ref.name"' index.json)" = 2 ]
	layout_blob .manifests[0].digest index.json >"$work/manifest"
	layout_blob .layers[0].digest "$work/manifest" | tar -tf - | grep -qx etc/motd
	[ "$(jq -c '[.[].RepoTags[]]' manifest.json)" = '["one:latest","two:2"]' ]
	[ "$(jq -r '.[0].Layers[0]' manifest.json)" = "$(jq -r '.[1].Layers[0]' manifest.json)" ]
	[ -f "$(jq -r '.[0].Config' manifest.json)" ]
	ob save one two:2 | cmp - "$work/images.tar"
}

@test "save: nothing is written for an unknown image, nor when a layer was changed in the store" {
	ob import -q "$work/root.tar" one
	run ob save -o "$work/images.tar" one nothing
	[ "$status" = 1 ] && [[ $output == *'image "nothing" is not in the store'* ]]
	[ -z "$(ls "$work" | grep images)" ]
	echo worse >"$(echo "$ORLOP_STORE"/layers/*/tree/etc/motd)"
	run ob save -o "$work/images.tar" one
	[ "$status" = 1 ] && [[ $output == *"files have changed"* ]]
	[ -z "$(ls "$work" | grep images)" ]
}
