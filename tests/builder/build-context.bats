#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: contexts that are no folder, --build-context, names of Dockerfiles and ignore files.

load build
load loopback

setup_file() {
	requires python3 git
	builder_begin
}

teardown() {
	http_end
	git_end
}

T() {
	echo "$BATS_TEST_TMPDIR/tree/$1"
}

make_context() {
	mkdir -p "$1/sub"
	echo x >"$1/f"
	echo y >"$1/sub/ignored"
	printf 'FROM base\nCOPY . /ctx\n' >"$1/Dockerfile"
	printf 'sub/ignored\n' >"$1/.dockerignore"
}

check_tree() {
	rm -rf "$BATS_TEST_TMPDIR/tree"
	tree t "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$(T ctx/f)")" = x ]
	[ ! -e "$(T ctx/sub/ignored)" ]
}

@test "context: an archive on standard input, whatever its compression" {
	make_context "$C"
	for filter in cat gzip bzip2 xz zstd; do
		command -v "$filter" >/dev/null || continue
		tar -C "$C" -cf - . | "$filter" >"$BATS_TEST_TMPDIR/a"
		ob build -t t - <"$BATS_TEST_TMPDIR/a"
		[ "$status" = 0 ]
		check_tree
	done
	mkdir -p "$C/other"
	printf 'FROM base\nCOPY f /other\n' >"$C/other/Dockerfile"
	tar -C "$C" -cf "$BATS_TEST_TMPDIR/a" .
	ob build -t t -f other/Dockerfile - <"$BATS_TEST_TMPDIR/a"
	[ "$status" = 0 ]
	tree t "$BATS_TEST_TMPDIR/tree2"
	[ -e "$BATS_TEST_TMPDIR/tree2/other" ]
}

@test "context: a Dockerfile on standard input, alone or for a folder" {
	make_context "$C"
	ob build -t t - < <(printf 'FROM base\nRUN echo hi >/hi\n')
	[ "$status" = 0 ]
	ob build -t t -f - "$C" <"$C/Dockerfile"
	[ "$status" = 0 ]
	check_tree
	ob build - < <(printf 'FROM base\nCOPY f /f\n')
	[ "$status" = 1 ]
	said '"/f": not found'
	ob build -f - - < <(echo FROM base)
	[ "$status" = 1 ]
	said "can't use stdin for both build context and dockerfile"
	ob build - </dev/null
	[ "$status" = 1 ]
}

@test "context: a broken archive is an error" {
	make_context "$C"
	tar -C "$C" -czf "$BATS_TEST_TMPDIR/a" .
	head -c 150 "$BATS_TEST_TMPDIR/a" >"$BATS_TEST_TMPDIR/b"
	ob build - <"$BATS_TEST_TMPDIR/b"
	[ "$status" = 1 ]
	mkdir "$BATS_TEST_TMPDIR/evil"
	echo x >"$BATS_TEST_TMPDIR/outside"
	(cd "$BATS_TEST_TMPDIR/evil" && tar -P -cf ../evil.tar ../outside)
	ob build - <"$BATS_TEST_TMPDIR/evil.tar"
	[ "$status" = 1 ]
}

@test "context: archives and Dockerfiles of a web server; -f URL" {
	make_context "$C"
	W=$BATS_TEST_TMPDIR/web
	mkdir "$W"
	tar -C "$C" -czf "$W/ctx.tgz" .
	printf 'FROM base\nRUN echo web >/web\n' >"$W/plain"
	http_begin "$W"
	ob build -t t "$HTTP/ctx.tgz"
	[ "$status" = 0 ]
	check_tree
	ob build -t t "$HTTP/plain"
	[ "$status" = 0 ]
	printf 'FROM base\nCOPY f /from-url\n' >"$W/Dockerfile.x"
	ob build -t t -f "$HTTP/Dockerfile.x" "$C"
	[ "$status" = 0 ]
	ob build "$HTTP/missing"
	[ "$status" = 1 ]
	said 'missing: status 404'
}

@test "context: a git repository, its branches and folders" {
	git_repo "$BATS_TEST_TMPDIR/repos/r.git"
	git_begin "$BATS_TEST_TMPDIR/repos"
	ob build -t t "$GIT/r.git"
	[ "$status" = 0 ]
	tree t "$(T head)"
	[ "$(cat "$(T head/ctx/file)")" = one ]
	[ ! -e "$(T head/ctx/.git)" ]
	ob build -t t --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 "$GIT/r.git#side"
	[ "$status" = 0 ]
	tree t "$(T side)"
	[ "$(cat "$(T side/ctx/file)")" = two ]
	[ -e "$(T side/ctx/.git)" ]
	ob build -t t "$GIT/r.git#v1:sub"
	[ "$status" = 0 ]
	tree t "$(T sub)"
	[ "$(cat "$(T sub/ctx/deep/f)")" = deep ]
	ob build "$GIT/r.git#nowhere"
	[ "$status" = 1 ]
	said 'the repository has no "nowhere"'
}

# created_at TIME ARG...: build with ARG is dated TIME, and ARG SOURCE_DATE_EPOCH says so
created_at() {
	local want=$1
	shift
	ob build -t t "$@"
	[ "$status" = 0 ]
	[ "$(config .Created t)" = "\"$(date -u -d "@$want" +%FT%TZ)\"" ]
	rm -rf "$(T dated)"
	tree t "$(T dated)"
	[ "$(cat "$(T dated/date)")" = "$want" ]
}

@test "SOURCE_DATE_EPOCH=context: the time of a commit, of a download, of an archive" {
	local repo=$BATS_TEST_TMPDIR/repos/r.git
	printf 'ARG SOURCE_DATE_EPOCH=context\nFROM base\nARG SOURCE_DATE_EPOCH\nRUN echo $SOURCE_DATE_EPOCH >/date\n' \
		>"$C/Dockerfile"
	export GIT_COMMITTER_DATE='@1300000000 +0100' GIT_AUTHOR_DATE='@1 +0000'
	git_repo "$repo"
	cp "$C/Dockerfile" "$repo/sub/"
	git -C "$repo" commit -qam dated
	git_begin "$BATS_TEST_TMPDIR/repos"
	created_at 1300000000 "$GIT/r.git#:sub"
	created_at 1300000000 --build-context repo="$GIT/r.git" --build-arg SOURCE_DATE_EPOCH=repo "$C"
	# a server's word goes before the archive's
	touch -d @1400000000 "$C/Dockerfile"
	mkdir "$BATS_TEST_TMPDIR/www"
	tar -C "$C" -czf "$BATS_TEST_TMPDIR/www/c.tgz" .
	touch -d @1500000000 "$BATS_TEST_TMPDIR/www/c.tgz"
	http_begin "$BATS_TEST_TMPDIR/www"
	created_at 1500000000 "$HTTP/c.tgz"
	created_at 1400000000 - <"$BATS_TEST_TMPDIR/www/c.tgz"
}

@test "context: names of Dockerfiles and ignore files" {
	mkdir "$C/d"
	echo x >"$C/f"
	echo y >"$C/g"
	printf 'FROM base\nCOPY . /c\n' >"$C/Containerfile"
	echo g >"$C/.containerignore"
	again -t t
	tree t "$(T 1)"
	[ -e "$(T 1/c/f)" ]
	[ ! -e "$(T 1/c/g)" ]
	echo f >"$C/.dockerignore"
	again -t t
	tree t "$(T 2)"
	[ ! -e "$(T 2/c/f)" ]
	cp "$C/Containerfile" "$C/d/Other"
	echo 'c' >"$C/d/Other.dockerignore"
	ob build -t t -f "$C/d/Other" "$C"
	[ "$status" = 0 ]
	tree t "$(T 3)"
	[ -e "$(T 3/c/f)" ]
	[ -e "$(T 3/c/g)" ]
}

@test "--build-context: folders with ignore files of their own, for COPY, ADD and mounts" {
	local other=$BATS_TEST_TMPDIR/other
	mkdir -p "$other/sub"
	echo other >"$other/f"
	echo no >"$other/sub/no"
	echo sub/no >"$other/.dockerignore"
	echo main >"$C/f"
	build -t t --build-context other="$other" --build-context stage="$other" <<-'X'
		FROM base AS stage
		RUN echo wrong >/f
		FROM base
		COPY --from=other . /o
		COPY --from=stage f /s
		COPY f /m
		RUN --mount=from=other,target=/x cat /x/f >/mounted && ls /x/sub >>/mounted
	X
	tree t "$(T .)"
	[ "$(cat "$(T o/f)" "$(T s)" "$(T m)" "$(T mounted)" | tr '\n' ' ')" = "other other main other " ]
	[ ! -e "$(T o/sub/no)" ]
	again --build-context other="$other" --build-context stage="$other"
	cached 5
	echo changed >"$other/f"
	again --build-context other="$other" --build-context stage="$other"
	cached 1
	try_again --build-context other="$BATS_TEST_TMPDIR/missing" --build-context stage="$other"
	[ "$status" = 1 ]
	said 'context "other"'
	try_again --build-context nothing
	[ "$status" = 2 ]
}

@test "--build-context: images instead of images and stages, archives, repositories" {
	build -t replaced <<-'X'
		FROM base
		RUN echo replaced >/which
	X
	git_repo "$BATS_TEST_TMPDIR/repos/r.git"
	git_begin "$BATS_TEST_TMPDIR/repos"
	W=$BATS_TEST_TMPDIR/web
	mkdir "$W"
	make_context "$BATS_TEST_TMPDIR/ctx"
	tar -C "$BATS_TEST_TMPDIR/ctx" -czf "$W/ctx.tgz" .
	http_begin "$W"
	build -t t --build-context alpine=docker-image://replaced --build-context repo="$GIT/r.git#side" \
		--build-context web="$HTTP/ctx.tgz" <<-'X'
		FROM docker.io/library/alpine:latest
		COPY --from=alpine /which /again
		COPY --from=repo file /git
		COPY --from=web . /web
	X
	tree t "$(T .)"
	[ "$(cat "$(T which)" "$(T again)" "$(T git)" "$(T web/f)" | tr '\n' ' ')" = "replaced replaced two x " ]
	[ ! -e "$(T web/sub/ignored)" ]
}

@test "context: files of an archive keep their owners, those of a folder and a repository are root's" {
	make_context "$C"
	chown 9:9 "$C/f"
	tar -C "$C" --owner=7 --group=8 -cf "$BATS_TEST_TMPDIR/a" .
	ob build -t t - <"$BATS_TEST_TMPDIR/a"
	[ "$status" = 0 ]
	tree t "$(T 1)"
	[ "$(stat -c %u:%g "$(T 1/ctx/f)")" = 7:8 ]
	W=$BATS_TEST_TMPDIR/web
	mkdir "$W"
	gzip <"$BATS_TEST_TMPDIR/a" >"$W/a.tgz"
	http_begin "$W"
	build -t t --build-context web="$HTTP/a.tgz" --build-context folder="$C" <<-'X'
		FROM base
		COPY --from=web f /web
		COPY --from=web --chown=5:6 f /chown
		COPY --from=folder f /folder
		COPY f /main
	X
	tree t "$(T 2)"
	[ "$(cd "$(T 2)" && stat -c %u:%g web chown folder main | tr '\n' ' ')" = "7:8 5:6 0:0 0:0 " ]
	# the owners are in the key
	tar -C "$C" --owner=9 --group=8 -czf "$W/a.tgz" .
	again -t t --build-context web="$HTTP/a.tgz" --build-context folder="$C"
	cached 1
	tree t "$(T 3)"
	[ "$(stat -c %u:%g "$(T 3/web)")" = 9:8 ]
}

@test "FROM a folder context: its files are the root file system" {
	local root=$BATS_TEST_TMPDIR/root
	cp -a "$BATS_FILE_TMPDIR/base" "$root"
	echo mine >"$root/mine"
	chown 5:6 "$root/mine"
	echo no >"$root/ignored"
	echo ignored >"$root/.dockerignore"
	build -t t --build-context rootfs="$root" --build-context alpine="$root" <<-'X'
		FROM rootfs AS first
		RUN cat /mine >/copy
		FROM alpine:latest
		COPY --from=first /copy /from-first
		WORKDIR /w
	X
	tree t "$(T .)"
	[ "$(cat "$(T mine)" "$(T from-first)" | tr '\n' ' ')" = "mine mine " ]
	[ "$(stat -c %u:%g "$(T mine)")" = 0:0 ]
	[ "$(stat -c %a "$(T tmp)")" = 1777 ]
	[ ! -e "$(T ignored)" ]
	[ "$(config .Config.Env t)" = '["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]' ]
	[ "$("$B" history --format json t | jq -r '.[-1].createdBy')" = "FROM alpine:latest" ]
	again -t t --build-context rootfs="$root" --build-context alpine="$root"
	cached 7
	echo changed >"$root/mine"
	again -t t --build-context rootfs="$root" --build-context alpine="$root"
	refute cached 7
	tree t "$(T 2)"
	[ "$(cat "$(T 2/mine)")" = changed ]
	try_again --build-context rootfs="$root/mine" --build-context alpine="$root"
	[ "$status" = 1 ]
	said 'context "rootfs"'
}

# an unpacked archive of save, with gzip'd layers and the like made of it
layout() {
	mkdir -p "$1"
	"$B" save "$2" | tar -C "$1" -xf -
}

@test "--build-context oci-layout: by tag, by digest, the only one; for FROM, COPY and mounts" {
	local l=$BATS_TEST_TMPDIR/layout
	build -t made:one <<-'X'
		FROM base
		RUN echo made >/which && mkdir -m 1777 /wide && chown 5:6 /which
		ENV FROM_LAYOUT=1
	X
	layout "$l" made:one
	"$B" inspect made:one | jq -r '.[0].RootFS.Layers[]' >"$BATS_TEST_TMPDIR/diff_ids"
	ob rmi made:one
	local digest
	digest=$(jq -r '.manifests[0].digest' "$l/index.json")
	for place in "$l:one" "$l@$digest" "$l"; do
		build --no-cache -t t --build-context made="oci-layout://$place" <<-'X'
			FROM made
			COPY --from=made /which /again
			RUN --mount=from=made,target=/m cp -a /m/which /mounted && echo $FROM_LAYOUT >/env
		X
		rm -rf "$BATS_TEST_TMPDIR/tree"
		tree t "$(T .)"
		[ "$(cat "$(T which)" "$(T again)" "$(T mounted)" "$(T env)" | tr '\n' ' ')" = "made made made 1 " ]
		[ "$(stat -c %u:%g "$(T again)")" = 5:6 ]
		[ "$(stat -c %a "$(T wide)")" = 1777 ]
	done
	"$B" inspect t | jq -r '.[0].RootFS.Layers[]' | head -2 | cmp - "$BATS_TEST_TMPDIR/diff_ids"
	try_again --build-context made="oci-layout://$l:two"
	[ "$status" = 1 ]
	said 'Dockerfile:1.*context "made": layout ".*": it has no "two" \(only one\)'
	try_again --build-context made="oci-layout://$C"
	[ "$status" = 1 ]
	said 'it has no oci-layout: it is no OCI layout'
}

@test "--build-context oci-layout: layers of other tools, compressed, without entries for folders" {
	local l=$BATS_TEST_TMPDIR/layout s=$BATS_TEST_TMPDIR/src compress id diff config manifest
	mkdir -p "$l/blobs/sha256" "$s/tmp"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$l/oci-layout"
	echo foreign >"$s/tmp/f"
	blob() {
		id=$(sha256sum "$1" | cut -d' ' -f1)
		cp "$1" "$l/blobs/sha256/$id"
	}
	for compress in gzip zstd cat; do
		[ -x "$(command -v "$compress")" ] || continue
		# below a /tmp of 1777, a layer that has only tmp/f
		mkdir -p "$s/low/tmp"
		chmod 1777 "$s/low/tmp"
		tar -C "$s/low" --owner=0 --group=0 -cf "$s/1.tar" .
		tar -C "$s" --owner=3 --group=4 -cf "$s/2.tar" tmp/f
		layers= diffs=
		for n in 1 2; do
			diff=$(sha256sum "$s/$n.tar" | cut -d' ' -f1)
			"$compress" <"$s/$n.tar" >"$s/$n"
			blob "$s/$n"
			layers+=",{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:$id\",\"size\":$(stat -c %s "$s/$n")}"
			diffs+=",\"sha256:$diff\""
		done
		echo "{\"os\":\"linux\",\"architecture\":\"$(config .Architecture base | tr -d '\"')\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[${diffs#,}]}}" >"$s/config"
		blob "$s/config"
		echo "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$id\",\"size\":$(stat -c %s "$s/config")},\"layers\":[${layers#,}]}" >"$s/manifest"
		blob "$s/manifest"
		echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$id\",\"size\":$(stat -c %s "$s/manifest")}]}" >"$l/index.json"
		build -t "t-$compress" --build-context other="oci-layout://$l" <<-'X'
			FROM other
			COPY Dockerfile /d
		X
		tree "t-$compress" "$(T "$compress")"
		[ "$(cat "$(T "$compress/tmp/f")")" = foreign ]
		[ "$(stat -c %u:%g "$(T "$compress/tmp/f")")" = 3:4 ]
		[ "$(stat -c %a "$(T "$compress/tmp")")" = 1777 ]
		# what was read can be given on, byte for byte
		"$B" save "t-$compress" | tar -tf - | grep -qx "blobs/sha256/$(sha256sum "$s/2" | cut -d' ' -f1)"
	done
	# one byte of a layer is another
	printf 'X' | dd of="$l/blobs/sha256/$(sha256sum "$s/2" | cut -d' ' -f1)" bs=1 seek=600 conv=notrunc 2>/dev/null
	ob --store "$WORK/other-store" build --build-context other="oci-layout://$l" "$C"
	[ "$status" = 1 ]
	said 'other bytes'
	rm -rf "$WORK/other-store"
}
