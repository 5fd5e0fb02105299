#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: ADD.

load build

T() {
	echo "$BATS_TEST_TMPDIR/tree/$1"
}

@test "ADD: files and folders as COPY" {
	mkdir "$C/d"
	echo x >"$C/d/f"
	build -t t <<-'X'
		FROM base
		ADD d /d
		ADD --chown=1:2 --chmod=600 d/f /f
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$(T d/f)")" = x ]
	[ "$(stat -c '%u:%g %a' "$(T f)")" = "1:2 600" ]
}

@test "ADD: archives are unpacked, whatever their compression and name" {
	mkdir -p "$C/in/sub"
	echo x >"$C/in/sub/x"
	for kind in gzip bzip2 xz zstd; do
		command -v $kind >/dev/null || continue
		tar -C "$C/in" --"$kind" -cf "$C/$kind.archive" .
	done
	tar -C "$C/in" -cf "$C/plain.tar" .
	rm -r "$C/in"
	build -t t <<-'X'
		FROM base
		ADD *.archive /all/
		ADD plain.tar /new/deep
		ADD plain.tar /link/
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$(T all/sub/x)")" = x ]
	[ "$(cat "$(T new/deep/sub/x)")" = x ]
	[ -L "$(T link)" ]
	[ "$(cat "$(T opt/sub/x)")" = x ]
}

@test "ADD: an archive goes over what is there, beside plain files" {
	mkdir -p "$C/in/etc"
	echo new >"$C/in/etc/passwd"
	chown 3:4 "$C/in/etc/passwd"
	touch -d @1000 "$C/in/etc/passwd"
	tar -C "$C/in" -cf "$C/a.tar" etc/passwd
	mkdir "$C/d"
	echo plain >"$C/d/f"
	ln "$C/d/f" "$C/d/g"
	ln -s f "$C/d/s"
	chmod 750 "$C/d"
	rm -r "$C/in"
	build -t t <<-'X'
		FROM base
		ADD a.tar d /
		ADD --chown=8:9 a.tar d/f /owned/
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$(T etc/passwd)")" = new ]
	[ "$(stat -c '%u:%g %Y' "$(T etc/passwd)")" = "3:4 1000" ]
	[ -e "$(T etc/group)" ]
	[ "$(cat "$(T f)")" = plain ]
	[ "$(stat -c %i "$(T f)")" = "$(stat -c %i "$(T g)")" ]
	[ "$(readlink "$(T s)")" = f ]
	[ "$(stat -c '%u:%g' "$(T owned)" "$(T owned/etc/passwd)" "$(T owned/f)")" = \
		"$(printf '8:9\n8:9\n8:9')" ]
	again
	cached 3
}

@test "ADD --unpack=false and COPY leave archives as they are" {
	mkdir "$C/in"
	echo x >"$C/in/x"
	tar -C "$C/in" -czf "$C/a.tgz" x
	build -t t <<-'X'
		FROM base
		ADD --unpack=false a.tgz /one/
		COPY a.tgz /two/
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	cmp "$C/a.tgz" "$(T one/a.tgz)"
	cmp "$C/a.tgz" "$(T two/a.tgz)"
}

@test "ADD: entries that leave the root are an error, symlinks are data" {
	ln -s /etc "$C/evil"
	echo x >"$C/x"
	tar -C "$C" -P --transform 's|^x$|../../../../tmp/orlop-evil|' -cf "$C/up.tar" x
	tar -C "$C" -cf "$C/link.tar" evil
	tar -C "$C" --transform 's|^x$|evil/inside|' -rf "$C/link.tar" x
	try_build <<-'X'
		FROM base
		ADD up.tar /
	X
	[ "$status" = 1 ] || {
		tree "$("$B" images -q | head -1)" "$BATS_TEST_TMPDIR/tree"
		[ -e "$(T tmp/orlop-evil)" ]
	}
	[ ! -e /tmp/orlop-evil ]
	build -t t <<-'X'
		FROM base
		ADD link.tar /
	X
	tree t "$BATS_TEST_TMPDIR/tree"
	[ -e "$(T etc/inside)" ]
	[ ! -e /etc/inside ]
}

@test "ADD: a damaged archive is an error that names it" {
	head -c 1000000 /dev/urandom >"$C/r"
	tar -C "$C" -czf "$C/cut.tgz" r
	truncate -s 700000 "$C/cut.tgz"
	try_build <<-'X'
		FROM base
		ADD cut.tgz /
	X
	[ "$status" = 1 ]
	said 'cut.tgz'
	said '^   2 \| >>> ADD cut.tgz /'
}
