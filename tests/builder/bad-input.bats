#!/usr/bin/env bats
# Input that is malformed or means harm: an error that says where, status 1, and nothing changed.
# Archives for import are in import-export.bats, what ADD does with them in build-add.bats.
# SPDX-License-Identifier: Apache-2.0
load helpers

setup() {
	requires root busybox jq python3
	setup_store
	local root=$work/box
	mkdir -p "$root"/{bin,etc,tmp}
	cp "$(command -v busybox)" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	printf 'root:x:0:0::/:/bin/sh\n' >"$root/etc/passwd"
	tar -C "$root" -cf "$work/box.tar" .
	ob import -q -c 'CMD ["/bin/sh"]' "$work/box.tar" box >/dev/null
	mkdir "$work/context"
	echo here >"$work/context/file"
}

teardown() {
	teardown_store
}

# Everything in the store but its locks, and the journals: a build that fails is told about there.
listing() {
	wait_for 10 idle_store
	find "$ORLOP_STORE" \( -name '*.lock' -o -name builds \) -prune -o -printf '%P %y %m %U:%G %s %l\n' | sort
}

# fails PATTERN COMMAND...: with status 1, this message on stderr, and the store as it was.
fails() {
	local pattern=$1 before
	shift
	before=$(listing)
	run -1 --separate-stderr "$@"
	# shellcheck disable=SC2154 # set by run
	cut -c1-400 <<<"$stderr" | head -30 >&2
	grep -qE -e "$pattern" <<<"$stderr"
	[ -z "$output" ]
	diff <(echo "$before") <(listing)
}

# build_fails PATTERN <DOCKERFILE
build_fails() {
	cat >"$work/context/Dockerfile"
	fails "$1" "$builder" build --network none -t bad "$work/context"
}

# Was the builder made with --enable-sanitizers?
sanitized() {
	grep -q __asan_init "$builder"
}

# archive SCRIPT: a tar by Python, as bad as we like, in the context
archive() {
	python3 -c "
import io, sys, tarfile
tar = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT)
def entry(name, data=b'', **more):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))
$1
tar.close()" "$work/context/${2:-bad.tar}"
}

@test "Dockerfiles: the line and the reason" {
	build_fails 'Dockerfile:3(:[0-9]+)?: unknown instruction: COPPY \(did you mean COPY\?\)' \
		< <(printf 'FROM box\nENV A=1\nCOPPY a b\n')
	build_fails 'Dockerfile:2(:[0-9]+)?: unterminated heredoc "EOF"' < <(printf 'FROM box\nRUN <<EOF\necho\n')
	build_fails 'Dockerfile:2(:[0-9]+)?: .*double-quote' < <(printf 'FROM box\nENV A="b\n')
	build_fails "Dockerfile:2(:[0-9]+)?: .*single-quote" < <(printf "FROM box\nLABEL a='b\n")
	build_fails 'Dockerfile:1(:[0-9]+)?: .*double-quote' < <(printf 'FROM "box\n')
	build_fails "Dockerfile:2(:[0-9]+)?: .*missing '}'" < <(printf 'FROM box\nENV A=${A\n')
	build_fails 'Dockerfile:2(:[0-9]+)?: a NUL byte' < <(printf 'FROM box\nRUN echo a\0b\n')
	build_fails 'Dockerfile:1(:[0-9]+)?: file with no instructions' </dev/null
	build_fails 'file with no instructions' < <(printf '# nothing\n\n')
	build_fails 'Dockerfile:1(:[0-9]+)?: no build stage|Dockerfile:1(:[0-9]+)?: .*FROM' < <(printf 'RUN true\n')
	build_fails 'Dockerfile:2(:[0-9]+)?: .*--form.*did you mean --from' < <(printf 'FROM box\nCOPY --form=x a b\n')
	build_fails 'Dockerfile:3(:[0-9]+)?: ' < <(printf 'FROM box\nENV A=1\nCMD [1, 2]\n')
	build_fails 'Dockerfile' < <(head -c 200000 /dev/urandom)
}

@test "Dockerfiles: what cannot be read is an error" {
	fails 'is a directory' "$builder" build -f "$work/context" "$work/context"
	fails 'no such file' "$builder" build -f "$work/context/absent" "$work/context"
	fails 'no such file' "$builder" build "$work/absent"
	fails 'too large' "$builder" build -f /dev/zero "$work/context"
	mkfifo "$work/context/Dockerfile"
	fails 'not a regular file' "$builder" build "$work/context"
}

@test "Dockerfiles: a line of a megabyte is a line, and is cut where it is shown" {
	mega=$(head -c 1048576 /dev/zero | tr '\0' x)
	printf 'FROM box\nENV A=%s\n' "$mega" >"$work/context/Dockerfile"
	"$builder" build -q -t mega "$work/context" >/dev/null
	[ "$(ob inspect mega | jq -r '.[0].Config.Env[]' | wc -c)" -gt 1048576 ]
	build_fails 'Dockerfile:2(:[0-9]+)?: unknown instruction: xxx' < <(printf 'FROM box\n%s\n' "$mega")
	[ "${#stderr}" -lt 8192 ]
}

@test "Dockerfiles: thousands of stages, arguments, nested expansions" {
	python3 -c "
print('FROM box AS s0')
for i in range(1, 3000):
    print('FROM s%d AS s%d' % (i - 1, i))
print('ENV A=1')" >"$work/context/Dockerfile"
	timeout 300 "$builder" build -q -t stages "$work/context"
	python3 -c "
print('FROM box')
print('ENV A=' + '\${A:-' * 100000 + 'x' + '}' * 100000)" >"$work/context/Dockerfile"
	run -1 timeout 300 "$builder" build -q -t nested "$work/context"
	[[ $output = *'Dockerfile:2'* ]]
	python3 -c "
print('ARG A0=x')
for i in range(1, 64):
    print('ARG A%d=\$A%d\$A%d' % (i, i - 1, i - 1))
print('FROM box')" >"$work/context/Dockerfile"
	sanitized || ulimit -v 4000000
	run -1 timeout 300 "$builder" build -q -t doubled "$work/context"
	[[ $output = *Dockerfile:* ]]
}

@test ".dockerignore: a broken pattern is an error, a huge one too" {
	printf '[a-\n' >"$work/context/.dockerignore"
	build_fails 'dockerignore' < <(printf 'FROM box\nCOPY . /c\n')
	head -c 30000000 /dev/zero >"$work/context/.dockerignore"
	build_fails 'dockerignore' < <(printf 'FROM box\nCOPY . /c\n')
}

@test "COPY takes nothing from outside of the context" {
	echo secret >"$work/secret"
	ln -s "$work/secret" "$work/context/absolute"
	ln -s ../secret "$work/context/relative"
	ln -s .. "$work/context/above"
	ln -s loop "$work/context/loop"
	for source in absolute relative above/secret ../secret ../../../../etc/passwd absent; do
		build_fails 'Dockerfile:2' <<-X
			FROM box
			COPY $source /x
		X
	done
	build_fails 'Dockerfile:2' < <(printf 'FROM box\nCOPY loop /x\n')
	rm "$work/context/loop"
	printf 'FROM box\nCOPY . /c\n' >"$work/context/Dockerfile"
	"$builder" build -q -t links "$work/context"
	ob export links | tar tvf - >"$work/names"
	grep -q 'c/relative -> ../secret' "$work/names"
	run ! grep -q 'c/above/' "$work/names"
}

@test "COPY and ADD write nothing outside of the image" {
	# not below /dev, which the container's own hides
	target=$(mktemp -d /var/tmp/orlop-bad-input.XXXXXX)
	printf 'FROM box\nRUN ["/bin/busybox", "ln", "-s", "%s", "/out"]\n' "$target" >"$work/context/Dockerfile"
	"$builder" build -q --network none -t links "$work/context"
	archive "entry('out/one', b'x')"
	printf 'FROM links\nCOPY file /out/two\nCOPY file /out/sub/three\nADD bad.tar /\nWORKDIR /out/four\nRUN echo >five\n' \
		>"$work/context/Dockerfile"
	"$builder" build -q --network none -t t "$work/context"
	rmdir "$target" # it is empty
	ob export t | tar tf - >"$work/names"
	grep -q "${target#/}/sub/three" "$work/names"
}

@test "ADD: archives that leave the root are errors that name the entry" {
	archive "entry('good', b'x'); entry('../../../up', b'x')"
	build_fails 'Dockerfile:2|\.\./\.\./\.\./up' < <(printf 'FROM box\nADD bad.tar /\n')
	grep -q '\.\./\.\./\.\./up' <<<"$stderr"
	archive "entry('hard', type=tarfile.LNKTYPE, linkname='../../../etc/passwd')"
	build_fails 'hardlink to ".*etc/passwd"' < <(printf 'FROM box\nADD bad.tar /\n')
	archive "entry('a', type=tarfile.SYMTYPE, linkname='/'); entry('hard', type=tarfile.LNKTYPE, linkname='a/nowhere')"
	build_fails 'hardlink' < <(printf 'FROM box\nADD bad.tar /\n')
	archive "entry('.', b'x')"
	build_fails 'bad.tar' < <(printf 'FROM box\nADD bad.tar /\n')
	archive "entry('f', b'x', uid=2**40)"
	build_fails 'bad.tar' < <(printf 'FROM box\nADD bad.tar /\n')
}

@test "ADD: absolute names and symlinks on the way stay inside" {
	mkdir "$work/outside"
	archive "
entry('/absolute', b'x')
entry('way', type=tarfile.SYMTYPE, linkname='$work/outside')
entry('way/through', b'x')
entry('dots', type=tarfile.SYMTYPE, linkname='../../../../../..$work/outside')
entry('dots/through', b'x')
entry('device', type=tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3)
entry('pipe', type=tarfile.FIFOTYPE)"
	printf 'FROM box\nADD bad.tar /\n' >"$work/context/Dockerfile"
	"$builder" build -q -t t "$work/context"
	[ -z "$(ls -A "$work/outside")" ]
	[ ! -e /absolute ]
	ob export t | tar tvf - >"$work/names"
	grep -q ' absolute$' "$work/names"
	grep -q '^c.* 1,3 .* device$' "$work/names"
	grep -q '^p.* pipe$' "$work/names"
}

@test "ADD: cut and bent archives are errors that name them" {
	head -c 300000 /dev/urandom >"$work/context/r"
	for how in 'gzip -c' 'xz -c' 'bzip2 -1c' 'zstd -qc' cat; do
		tar -C "$work/context" -cf - r | $how >"$work/whole"
		head -c 200000 "$work/whole" >"$work/context/cut.tar"
		build_fails 'cut.tar' < <(printf 'FROM box\nADD cut.tar /\n')
	done
	# a few wrong bytes, which only a checksum finds
	for how in 'gzip -c' 'xz -c' 'bzip2 -1c' 'zstd -qc'; do
		tar -C "$work/context" -cf - r | $how >"$work/context/bent.tar"
		printf 'wrong' | dd of="$work/context/bent.tar" bs=1 seek=250000 conv=notrunc status=none
		build_fails 'bent.tar' < <(printf 'FROM box\nADD bent.tar /\n')
	done
	# the checksum itself, behind the end of the archive
	tar -C "$work/context" -cf - r | gzip -c >"$work/context/sum.tar"
	cp "$work/context/sum.tar" "$work/good.tar"
	printf 'sum' | dd of="$work/context/sum.tar" bs=1 conv=notrunc status=none \
		seek=$(($(stat -c %s "$work/context/sum.tar") - 8))
	build_fails 'sum.tar.*incorrect data check' < <(printf 'FROM box\nADD sum.tar /\n')
	# several members, and zeros behind them, are fine
	split -b 100000 --filter='gzip -c' <(tar -C "$work/context" -cf - r) >"$work/members.tar"
	head -c 5000 /dev/zero >>"$work/members.tar"
	ob import -q "$work/members.tar" members
	ob export members | tar xOf - r | cmp - "$work/context/r"
	ob import -q - members <"$work/good.tar"
}

@test "archives: a name of a megabyte, five thousand folders deep" {
	archive "entry('x' * 1000000, b'x')"
	build_fails 'bad.tar.*attribute' < <(printf 'FROM box\nADD bad.tar /\n')
	fails 'attribute' "$builder" import "$work/context/bad.tar" bad
	archive "entry('d/' * 5000 + 'f', b'x')"
	fails 'long' "$builder" import "$work/context/bad.tar" bad
	[ "$(ob images -q bad)" = "" ]
}

@test "archives: two hundred thousand entries through ADD, in bounded memory" {
	! sanitized || skip "a sanitizer needs memory of its own"
	[ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -gt 4000000 ] || skip "needs 4 GB of memory"
	mkdir "$work/mnt"
	python3 - "$work/context/many.tar" <<-'PY'
		import sys, tarfile
		out = open(sys.argv[1], 'wb')
		block = tarfile.TarInfo('f000000').tobuf(tarfile.USTAR_FORMAT)
		total = int(block[148:154], 8)
		for i in range(200000):
		    name = b'f%06d' % i
		    checksum = b'%06o' % (total + sum(name) - sum(b'f000000'))
		    out.write(name + block[7:148] + checksum + block[154:])
		out.write(bytes(1024))
	PY
	printf 'FROM box\nADD many.tar /many/\n' >"$work/context/Dockerfile"
	wait_for 10 idle_store
	# on tmpfs, in a mount namespace of the test's own
	unshare -m --propagation private bash -ec '
		mount -t tmpfs -o size=6G,nr_inodes=0 none "$1/mnt"
		cp -a "$ORLOP_STORE" "$1/mnt/store"
		export ORLOP_STORE=$1/mnt/store
		"$2" build -q -t many "$1/context" >"$1/id" &
		pid=$!
		peak=0
		while rss=$(awk "/VmHWM/ { print \$2 }" "/proc/$pid/status" 2>/dev/null) && [ -n "$rss" ]; do
			peak=$rss
			sleep 0.2
		done
		wait "$pid"
		echo "$peak" >"$1/peak"
		"$2" export many | tar tf - | grep -c "^many/f" >"$1/count"' bash "$work" "$builder"
	echo "peak $(cat "$work/peak") kB" >&2
	[ "$(cat "$work/count")" = 200000 ]
	[ "$(cat "$work/peak")" -lt 65536 ]
}

@test "users: databases of the image that are wrong or huge" {
	# try LINES USER PATTERN
	try() {
		printf '%b' "$1" >"$work/context/passwd"
		printf 'FROM box\nCOPY passwd /etc/passwd\n' >"$work/context/Dockerfile"
		"$builder" build -q -t users "$work/context" >/dev/null
		run -125 ob run --rm --network none -u "$2" users sh -c true
		grep -qE "$3" <<<"$output"
		[ -z "$(ls -A "$ORLOP_STORE/containers")" ]
	}
	try 'root:x:0:0::/:/bin/sh\n' absent '"absent" is not in the image'
	try 'evil:x:99999999999999999999:0::/:/bin/sh\n' evil 'no valid ids'
	try 'evil:x:-1:0::/:/bin/sh\n' evil 'no valid ids'
	try 'evil:x:4294967295:0::/:/bin/sh\n' evil 'no valid ids'
	try 'evil\n' evil 'no valid ids'
	try '::::::\n' 'absent:also' 'absent'
	try 'root:x:0:0::/:/bin/sh\n' 'root:absent' '"absent" is not in the image'
	# not a file, and a link out of the image
	for make in 'mkdir passwd' 'mkfifo passwd' 'ln -s /proc/self/mem passwd' 'truncate -s 1G passwd'; do
		rm -rf "$work/evil"
		mkdir -p "$work/evil/etc"
		(cd "$work/evil/etc" && $make)
		tar -C "$work/box" -cf "$work/evil.tar" ./bin
		tar -C "$work/evil" -rf "$work/evil.tar" ./etc
		ob import -q "$work/evil.tar" evil >/dev/null
		run -125 timeout 200 "$builder" run --rm --network none -u somebody evil sh -c true
		[[ $output = *passwd* || $output = *somebody* ]]
	done
}

@test "a store with documents that are gone or not what their names say" {
	id=$(ob inspect box | jq -r '.[0].Id')
	digest=$(ob inspect box | jq -r '.[0].Digest')
	printf 'FROM box\nENV A=1\n' >"$work/context/Dockerfile"
	ob import -q "$work/box.tar" whole -c 'CMD x'
	for blob in "${id#sha256:}" "${digest#sha256:}"; do
		file=$ORLOP_STORE/blobs/sha256/$blob
		cp -p "$file" "$work/saved"
		for how in 'rm -f' 'truncate -s 10' 'cp /dev/null' 'sed -i s/box/bxo/;s/sha256/sha265/;s/amd64/amd46/'; do
			case $how in
			cp*) : >"$file" ;;
			*) $how "$file" ;;
			esac
			fails "$blob|box" "$builder" inspect box
			fails "$blob|box" "$builder" build -t new "$work/context"
			fails "$blob|box" "$builder" export box
			run -125 "$builder" run --rm --network none box sh -c true
			# the others work on
			ob inspect whole >/dev/null
			[ "$(ob images --format json whole 2>/dev/null | jq length)" = 1 ]
			cp -p "$work/saved" "$file"
		done
		ob inspect box >/dev/null
	done
}

@test "a store with a layer that is gone" {
	layer=$(ls "$ORLOP_STORE/layers")
	mv "$ORLOP_STORE/layers/$layer" "$work/layer"
	printf 'FROM box\nRUN true\n' >"$work/context/Dockerfile"
	fails 'layer' "$builder" build --network none "$work/context"
	fails 'layer' "$builder" export box
	run -125 --separate-stderr "$builder" run --rm --network none box sh -c true
	[[ $stderr = *layer* ]]
	[ -z "$(ls -A "$ORLOP_STORE/containers")" ]
	mv "$work/layer" "$ORLOP_STORE/layers/$layer"
	ob run --rm --network none box sh -c true
}

@test "a working directory that is gone" {
	mkdir "$work/gone"
	cd "$work/gone"
	rmdir "$work/gone"
	run -1 "$builder" --store relative images
	[[ $output = *'working directory: no such file'* ]]
	ob images >/dev/null
	fails 'no such file' "$builder" build .
	fails 'no such file' "$builder" import absent.tar
}

@test "names that would leave the store are refused" {
	for name in '../x' 'a/../b' '/abs' 'a//b' ':tag' 'a:../../x' 'A' 'a b' '' \
		"$(head -c 5000 /dev/zero | tr '\0' a)" 'sha256:../../x'; do
		before=$(listing)
		run ! --separate-stderr "$builder" import -q "$work/box.tar" "$name"
		run ! --separate-stderr "$builder" tag box "$name"
		run ! --separate-stderr "$builder" inspect "$name"
		run ! --separate-stderr "$builder" rmi "$name"
		diff <(echo "$before") <(listing)
	done
	for name in ../x a/b . .. -x "$(head -c 200 /dev/zero | tr '\0' a)"; do
		run -125 "$builder" run --rm --network none --name="$name" box sh -c true
		[[ $output = *'invalid container name'* ]]
	done
	[ -z "$(ls -A "$ORLOP_STORE/containers")" ]
}
