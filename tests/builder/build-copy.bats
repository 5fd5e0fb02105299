#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: COPY, WORKDIR and .dockerignore.

load build

T() {
	echo "$BATS_TEST_TMPDIR/tree/$1"
}

@test "COPY: files, folders, wildcards, destinations" {
	mkdir -p "$C/src/sub"
	echo a >"$C/a.txt"
	echo b >"$C/b.txt"
	echo m >"$C/src/m.c"
	echo s >"$C/src/sub/s.c"
	build -t t <<-'X'
		FROM base
		WORKDIR /w
		COPY a.txt .
		COPY a.txt renamed
		COPY a.txt new/folder/
		COPY *.txt /all/
		COPY src /src
		COPY src/s* /star/
		COPY src/. /dot
		COPY ["a.txt", "/with blank/x y"]
		COPY nothing* /none/
	X
	tree t "$(T .)"
	[ "$(cat "$(T w/a.txt)" "$(T w/renamed)" "$(T w/new/folder/a.txt)")" = "$(printf 'a\na\na')" ]
	[ "$(ls "$(T all)")" = "$(printf 'a.txt\nb.txt')" ]
	[ -e "$(T src/sub/s.c)" ]
	[ -e "$(T star/s.c)" ]
	[ -e "$(T dot/m.c)" ]
	[ -e "$(T 'with blank/x y')" ]
	[ ! -e "$(T none)" ] || [ -z "$(ls "$(T none)")" ]
}

@test "COPY: owner, mode and time" {
	mkdir "$C/d"
	echo x >"$C/d/f"
	chmod 640 "$C/d/f"
	chmod 710 "$C/d"
	chown -R 12:34 "$C/d"
	touch -d @1000000 "$C/d/f"
	mkdir -p "$C/d/in"
	chmod 750 "$C/d/in"
	build -t t <<-'X'
		FROM base
		COPY d /plain
		COPY --chown=5:6 d /num/deep
		COPY --chown=7 d/f /seven
		COPY --chown=app d/f /app
		COPY --chown=root:extra d/f /extra
		COPY --chmod=4755 d/f /octal
		COPY --chmod=u=rwX,go=rX d /sym
	X
	tree t "$(T .)"
	[ "$(stat -c '%u:%g %a %Y' "$(T plain/f)")" = "0:0 640 1000000" ]
	[ "$(stat -c '%u:%g %a' "$(T plain)")" = "0:0 755" ]
	[ "$(stat -c '%u:%g %a' "$(T plain/in)")" = "0:0 750" ]
	[ "$(stat -c '%u:%g' "$(T num)" "$(T num/deep)" "$(T num/deep/f)")" = "$(printf '5:6\n5:6\n5:6')" ]
	[ "$(stat -c '%u:%g' "$(T seven)")" = 7:7 ]
	[ "$(stat -c '%u:%g' "$(T app)")" = 1000:1001 ]
	[ "$(stat -c '%u:%g' "$(T extra)")" = 0:1002 ]
	[ "$(stat -c '%a' "$(T octal)")" = 4755 ]
	[ "$(stat -c '%a' "$(T sym/f)")" = 644 ]
	[ "$(stat -c '%a' "$(T sym/in)")" = 755 ]
}

@test "--subsecond: times keep their nanoseconds, in every kind of layer, and have keys of their own" {
	mkdir "$C/d"
	echo x >"$C/d/f"
	touch -d '2001-02-03 04:05:06.123456789 UTC' "$C/d/f" "$C/d"
	tar -C "$C" -H pax -cf "$C/a.tar" d
	local file='FROM base
COPY d/f /copied/
COPY --link d/f /linked/
ADD a.tar /added/
COPY . /all
RUN mv /copied/f /ran'
	build -t whole <<<"$file"
	build -t exact --subsecond <<<"$file"
	cached 1
	for image in whole exact; do
		mkdir "$BATS_TEST_TMPDIR/$image"
		"$B" save "$image" | tar -C "$BATS_TEST_TMPDIR/$image" -xf -
		cd "$BATS_TEST_TMPDIR/$image"
		mkdir root
		jq -r '.[0].Layers[]' manifest.json | xargs -n1 tar -C root -xpf
		find root/copied/f root/linked/f root/added/d/f root/added/d root/all/d/f root/all/d \
			-printf '%T@\n' | sort -u >times
		find root/ran -printf '%T@\n' >ran
	done
	[ "$(cat "$BATS_TEST_TMPDIR/whole/times")" = 981173106.0000000000 ]
	[ "$(cat "$BATS_TEST_TMPDIR/exact/times")" = 981173106.1234567890 ]
	[ "$(cat "$BATS_TEST_TMPDIR/whole/ran")" = 981173106.0000000000 ]
	[ "$(cat "$BATS_TEST_TMPDIR/exact/ran")" = 981173106.1234567890 ]
}

@test "COPY: an unknown owner is an error, not root" {
	echo x >"$C/f"
	try_build <<-'X'
		FROM base
		COPY --chown=nobody-here f /
	X
	[ "$status" = 1 ]
	said 'chown=nobody-here'
	try_build <<-'X'
		FROM base
		COPY --chmod=u=q f /
	X
	[ "$status" = 1 ]
	said 'chmod: "u=q"'
}

@test "COPY: destinations follow symlinks inside the root only" {
	echo x >"$C/f"
	build -t t <<-'X'
		FROM base
		RUN ln -s /../../../../etc /out && ln -s missing /dangling
		COPY f /link/
		COPY f /link/deep/g
		COPY f /out/inside
		COPY f /dangling
	X
	tree t "$(T .)"
	[ -L "$(T link)" ]
	[ -e "$(T opt/f)" ]
	[ -e "$(T opt/deep/g)" ]
	[ -e "$(T etc/inside)" ]
	[ ! -e /etc/inside ]
	[ -e "$(T missing)" ]
}

@test "COPY: existing folders keep their metadata, nested ones take the source's" {
	mkdir -p "$C/d/var/log"
	chmod 700 "$C/d/var" "$C/d/var/log"
	echo x >"$C/d/var/log/x"
	build -t t <<-'X'
		FROM base
		COPY d /
		COPY d/var/log/x /tmp/
	X
	tree t "$(T .)"
	[ "$(stat -c %a "$(T var)")" = 700 ]
	[ "$(stat -c %a "$(T tmp)")" = 1777 ]
	[ "$(stat -c %a "$(T .)")" = 755 ]
}

@test "COPY: a folder is not replaced by a file, nor a file by a folder" {
	mkdir -p "$C/d/etc/passwd" "$C/e"
	echo x >"$C/d/etc/passwd/f"
	echo x >"$C/e/opt"
	try_build <<-'X'
		FROM base
		COPY d /
	X
	[ "$status" = 1 ]
	said 'cannot copy to non-directory: "/etc/passwd"'
	try_build <<-'X'
		FROM base
		COPY e /
	X
	[ "$status" = 1 ]
	said 'cannot replace directory "/opt" with a file'
	try_build <<-'X'
		FROM base
		COPY e /etc/passwd/x/
	X
	[ "$status" = 1 ]
}

@test "COPY: several files need a folder" {
	echo a >"$C/a"
	echo b >"$C/b"
	try_build <<-'X'
		FROM base
		COPY a b /new
	X
	[ "$status" = 1 ]
	said 'must be a folder and end with a slash'
	build <<-'X'
		FROM base
		COPY a b /opt
		COPY a b /new/
	X
}

@test "COPY: symlinks, hardlinks, empty folders, xattrs, odd names" {
	mkdir -p "$C/d/empty"
	echo x >"$C/d/one"
	ln "$C/d/one" "$C/d/two"
	ln -s /etc/shadow "$C/d/abs"
	ln -s one "$C/d/rel"
	echo n >"$C/d/$(printf 'a\nb\tc')"
	setfattr -n user.note -v hi "$C/d/one" || true
	mkfifo "$C/d/fifo"
	build -t t <<-'X'
		FROM base
		COPY d /d
		COPY d/rel /followed
	X
	tree t "$(T .)"
	[ "$(readlink "$(T d/abs)")" = /etc/shadow ]
	[ "$(readlink "$(T d/rel)")" = one ]
	[ "$(stat -c %i "$(T d/one)")" = "$(stat -c %i "$(T d/two)")" ]
	[ -d "$(T d/empty)" ]
	[ -p "$(T d/fifo)" ]
	[ -f "$(T d/"$(printf 'a\nb\tc')")" ]
	[ ! -L "$(T followed)" ]
	[ "$(cat "$(T followed)")" = x ]
}

@test "COPY: nothing comes from outside the context" {
	echo secret >"$BATS_TEST_TMPDIR/outside"
	ln -s "$BATS_TEST_TMPDIR/outside" "$C/abs"
	ln -s ../outside "$C/rel"
	ln -s .. "$C/up"
	for source in ../outside abs rel up/outside; do
		try_build <<-X
			FROM base
			COPY $source /x
		X
		[ "$status" = 1 ]
		said "not found"
	done
	build -t t <<-'X'
		FROM base
		COPY . /c
	X
	tree t "$(T .)"
	[ "$(readlink "$(T c/rel)")" = ../outside ]
}

@test "COPY: a missing source is named with its line" {
	try_build <<-'X'
		FROM base

		COPY missing.txt /
	X
	[ "$status" = 1 ]
	said '"/missing.txt": not found'
	said '^   3 \| >>> COPY missing.txt /'
}

@test "COPY --from: stages by name and index, images, variables" {
	build -t t <<-'X'
		FROM base AS first
		RUN echo 1 > /one && chown 3:4 /one && ln -s one /ln
		FROM base AS unneeded
		RUN false
		FROM scratch
		ARG S=first
		COPY --from=first /one /a
		COPY --from=0 /one /b
		COPY --from=$S /ln /c
		COPY --from=base /etc/passwd /d
		COPY --from=FIRST --chown=9:9 /one /e
	X
	tree t "$(T .)"
	[ "$(cat "$(T a)" "$(T b)" "$(T c)")" = "$(printf '1\n1\n1')" ]
	[ "$(stat -c %u:%g "$(T a)")" = 3:4 ]
	[ "$(stat -c %u:%g "$(T e)")" = 9:9 ]
	[ -s "$(T d)" ]
	refute said unneeded
}

@test "COPY: here-documents become files" {
	build -t t <<-'X'
		FROM base
		ARG V=arg
		COPY --chmod=700 <<one <<"two" /h/
		it's "$V"
		one
		it's "$V"
		two
		COPY <<EOF /single
		x
		EOF
	X
	tree t "$(T .)"
	[ "$(cat "$(T h/one)")" = 'it'"'"'s "arg"' ]
	[ "$(cat "$(T h/two)")" = 'it'"'"'s "$V"' ]
	[ "$(stat -c %a "$(T h/one)" "$(T single)")" = "$(printf '700\n644')" ]
}

@test "COPY --exclude" {
	mkdir -p "$C/d/sub"
	touch "$C/d/a.c" "$C/d/a.o" "$C/d/sub/b.o" "$C/d/sub/b.c"
	build -t t <<-'X'
		FROM base
		COPY --exclude=**/*.o --exclude=sub/b.c d /d
	X
	tree t "$(T .)"
	[ "$(cd "$(T d)" && find . -type f)" = ./a.c ]
}

@test ".dockerignore: excluded, re-included, and readable to the builder" {
	mkdir -p "$C/node_modules/x" "$C/src" "$C/deep/er"
	touch "$C/node_modules/x/y" "$C/src/a.log" "$C/src/keep.log" "$C/src/a.c" "$C/deep/er/in" \
		"$C/deep/er/out"
	printf '%s\n' '# comment' 'node_modules' '**/*.log' '!src/keep.log' 'deep' '!deep/er/in' \
		Dockerfile .dockerignore >"$C/.dockerignore"
	build -t t <<-'X'
		FROM base
		COPY . /c
	X
	tree t "$(T .)"
	[ "$(cd "$(T c)" && find . -type f | sort)" = \
		"$(printf '%s\n' ./deep/er/in ./src/a.c ./src/keep.log)" ]
	try_build <<-'X'
		FROM base
		COPY node_modules /c
	X
	[ "$status" = 1 ]
	said 'excluded by .dockerignore'
	printf 'src\n' >"$C/Dockerfile.dockerignore"
	build -t t <<-'X'
		FROM base
		COPY . /c
	X
	rm -rf "$BATS_TEST_TMPDIR/tree"
	tree t "$(T .)"
	[ -e "$(T c/node_modules)" ]
	[ ! -e "$(T c/src)" ]
}

@test ".dockerignore: a broken pattern is an error with its line" {
	printf 'a\n[b\n' >"$C/.dockerignore"
	try_build <<-'X'
		FROM base
	X
	[ "$status" = 1 ]
	said '\.dockerignore:2: syntax error'
}

@test "WORKDIR: made for the user, relative to the one before, a layer of its own" {
	build -t t <<-'X'
		FROM base
		WORKDIR /a
		USER app
		WORKDIR b/c
		WORKDIR /link/d
		WORKDIR /
		WORKDIR ${UNSET:-e}
	X
	tree t "$(T .)"
	[ "$(stat -c '%u:%g %a' "$(T a)")" = "0:0 755" ]
	[ "$(stat -c '%u:%g %a' "$(T a/b)" "$(T a/b/c)")" = "$(printf '1000:1001 755\n1000:1001 755')" ]
	[ -d "$(T opt/d)" ]
	[ "$(config .Config.WorkingDir t)" = '"/e"' ]
	try_build <<-'X'
		FROM base
		WORKDIR /etc/passwd
	X
	[ "$status" = 1 ]
	said '"/etc/passwd" is not a folder'
}
