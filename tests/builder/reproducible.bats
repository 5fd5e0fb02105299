#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The same input gives the same bytes: times of images and of their files.

load build
load loopback

setup_file() {
	SOURCE_DATE_EPOCH=1000000000 builder_begin memory # of the base, which is imported twice
}

setup() {
	requires jq git
	context_begin
	OTHER=$WORK/store-$BATS_TEST_NUMBER # a machine that has never seen the context
	unset SOURCE_DATE_EPOCH
}

teardown() {
	git_end
	rm -rf "${OTHER:?}"
}

# elsewhere ARG...: the same build with an empty cache
elsewhere() {
	[ -e "$OTHER" ] ||
		SOURCE_DATE_EPOCH=1000000000 ORLOP_STORE=$OTHER "$B" import "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
	ORLOP_STORE=$OTHER again "$@"
}

id() {
	"$B" images -q --no-trunc "$1"
}

id_elsewhere() {
	ORLOP_STORE=$OTHER "$B" images -q --no-trunc "$1"
}

# commit SECONDS: all of the context
commit() {
	git -C "$C" add -A
	GIT_COMMITTER_DATE="$1 +0000" GIT_AUTHOR_DATE="$1 +0000" \
		git -C "$C" -c user.name=n -c user.email=m@example.org -c core.hooksPath=/dev/null commit -qm text
}

# checkout: the context becomes a repository with two files
checkout() {
	git init -q "$C"
	printf 'FROM base\nWORKDIR /srv/deck\nCOPY . .\n' >"$C/Dockerfile"
	echo .git >"$C/.dockerignore"
	echo freight >"$C/hold"
	mkdir "$C/below"
	echo ballast >"$C/below/keel"
	commit 1300000000
}

# far_commit: one of the year 10000, which no image can say
far_commit() {
	local commit
	commit=$(git cat-file commit HEAD | sed 's/^\(committer.*>\) .*/\1 253402300800 +0000/' | git hash-object -t commit -w --stdin)
	git update-ref HEAD "$commit"
}

# times IMAGE DIR: "SECONDS PATH" of all files below srv
times() {
	tree "$1" "$2"
	(cd "$2" && find srv -printf '%Ts %p\n' | sort -k2)
}

@test "a clean git checkout: the commit's time is the image's and that of what is copied, on every machine" {
	checkout
	again -t t
	[ "$(config .Created t)" = '"2011-03-13T07:06:40Z"' ]
	[ "$(times t "$BATS_TEST_TMPDIR/t" | cut -d' ' -f1 | uniq)" = 1300000000 ]
	find "$C" -exec touch -d @1400000000 {} + # another checkout
	elsewhere -t t
	[ "$(id t)" = "$(id_elsewhere t)" ]
	# a folder of the repository is one, too; what is ignored does not count
	printf '*.o\ndist\n' >"$C/.gitignore"
	printf 'FROM base\nCOPY keel /srv/\n' >"$C/below/Dockerfile"
	commit 1300000100
	touch "$C/x.o" "$C/below/y.o"
	ob build -t part "$C/below"
	[ "$status" = 0 ] && [ "$(config .Created part)" = '"2011-03-13T07:08:20Z"' ]
	# but one that is ignored as a whole is nothing of the commit
	mkdir "$C/dist"
	cp "$C/below/Dockerfile" "$C/below/keel" "$C/dist"
	ob build -t made "$C/dist"
	[ "$status" = 0 ] && [[ $(config .Created made) == '"20'[2-9]* ]]
	# one linked elsewhere has its index and objects in two places; packed references
	git -C "$C" pack-refs --all
	git -C "$C" worktree add -q "$BATS_TEST_TMPDIR/linked" HEAD
	ob build -t part "$BATS_TEST_TMPDIR/linked/below"
	[ "$status" = 0 ] && [ "$(config .Created part)" = '"2011-03-13T07:08:20Z"' ]
}

@test "a checkout that is not clean has the time of the build; an empty SOURCE_DATE_EPOCH says the same" {
	checkout
	again -t t --source-date-epoch ''
	[[ $(config .Created t) == '"20'[2-9]* ]]
	for change in 'far_commit' 'echo more >>hold' 'touch new' 'rm below/keel' 'git rm -q --cached hold' 'rm .git/index && mkfifo .git/index' \
		'git update-index --assume-unchanged hold && echo more >>hold' 'git update-index --skip-worktree hold && echo more >>hold'; do
		rm -rf "$C"
		mkdir "$C"
		checkout
		(cd "$C" && eval "$change")
		again -t t
		echo "$change: $(config .Created t)"
		[[ $(config .Created t) == '"20'[2-9]* ]]
	done
}

@test "what the cache has from an earlier commit gets the times of this one, and keys don't change" {
	checkout
	again -t t
	echo note >"$C/below/note"
	printf 'FROM base\nWORKDIR /srv/deck\nCOPY hold .\nCOPY --link below/keel /srv/\n' >"$C/Dockerfile"
	commit 1300000500
	again -t first
	echo later >"$C/below/note"
	commit 1300001000
	again -t t
	cached 4
	elsewhere -t t
	cached 1
	[ "$(id t)" = "$(id_elsewhere t)" ]
	[ "$(id t)" != "$(id first)" ]
	[ "$(times t "$BATS_TEST_TMPDIR/t" | cut -d' ' -f1 | uniq)" = 1300001000 ]
	# once more: the copy with other times is remembered
	before=$(find "$ORLOP_STORE/layers" -maxdepth 1 | wc -l)
	again -t t
	[ "$(find "$ORLOP_STORE/layers" -maxdepth 1 | wc -l)" = "$before" ]
	# with the changed file in it, too, and in the order in which it is written
	printf 'FROM base\nCOPY hold below/keel below/note Dockerfile /srv/\n' >"$C/Dockerfile"
	commit 1300002000
	again -t t
	GIT_COMMITTER_DATE='1300003000 +0000' git -C "$C" -c user.name=n -c user.email=m@example.org \
		commit -q --allow-empty -m again
	again -t t
	cached 2
	elsewhere -t t
	[ "$(id t)" = "$(id_elsewhere t)" ]
}

@test "a repository as --build-context: its files have its commit's time, whatever the image's is; a rebuild is the same" {
	mkdir "$BATS_TEST_TMPDIR/repos"
	checkout
	git clone -q --bare "$C" "$BATS_TEST_TMPDIR/repos/r.git"
	git_begin "$BATS_TEST_TMPDIR/repos"
	rm -rf "$C/.git"
	# dated SECONDS: all that was copied, and the folders above it
	dated() {
		rm -rf "$BATS_TEST_TMPDIR/tree"
		times t "$BATS_TEST_TMPDIR/tree" >"$BATS_TEST_TMPDIR/times"
		grep -q 'srv/ship/below/keel$' "$BATS_TEST_TMPDIR/times"
		[ "$(cut -d ' ' -f 1 "$BATS_TEST_TMPDIR/times" | sort -u)" = "$1" ]
	}
	copy=$'FROM base\nCOPY --from=repo . /srv/ship/\n'
	build -t t --build-context repo="$GIT/r.git" <<<"$copy"
	dated 1300000000
	ob verify t
	[ "$status" = 0 ]
	# a dated image's, too, and nothing is later than its time in one that is rewritten
	again -t t --build-context repo="$GIT/r.git" --source-date-epoch 1200000000
	dated 1300000000
	again -t t --build-context repo="$GIT/r.git" --source-date-epoch 1200000000 --rewrite-timestamp
	dated 1200000000
	again -t t --build-context repo="$GIT/r.git" --timestamp 1100000000
	dated 1100000000
	# a new commit with the same files builds nothing, and dates the layer
	git clone -q "$BATS_TEST_TMPDIR/repos/r.git" "$BATS_TEST_TMPDIR/clone"
	GIT_COMMITTER_DATE='1400000000 +0000' git -C "$BATS_TEST_TMPDIR/clone" -c user.name=n -c user.email=m@example.org \
		commit -q --allow-empty -m next
	git -C "$BATS_TEST_TMPDIR/clone" push -q origin HEAD
	again -t t --build-context repo="$GIT/r.git"
	cached 2
	dated 1400000000
	ob verify t
	[ "$status" = 0 ]
}

@test "a context runs nothing, whatever its repository's configuration says" {
	checkout
	# what each of these would run
	printf '#!/bin/sh\ntouch %s\ncat\n' "$BATS_TEST_TMPDIR/owned" >"$BATS_TEST_TMPDIR/evil"
	chmod +x "$BATS_TEST_TMPDIR/evil"
	evil=$BATS_TEST_TMPDIR/evil
	echo '* filter=evil diff=evil' >"$C/.gitattributes"
	commit 1300000000
	printf '[core]\n\tfsmonitor = %s\n' "$evil" >"$BATS_TEST_TMPDIR/included"
	{
		printf '[core]\n\tfsmonitor = %s\n\thooksPath = %s\n\tsshCommand = %s\n\tpager = %s\n' \
			"$evil" "$BATS_TEST_TMPDIR/hooks" "$evil" "$evil"
		printf '[filter "evil"]\n\tclean = %s\n\tprocess = %s\n\trequired = true\n[diff]\n\texternal = %s\n' "$evil" "$evil" "$evil"
		printf '[diff "evil"]\n\tcommand = %s\n\ttextconv = %s\n[alias]\n\tstatus = !%s\n' "$evil" "$evil" "$evil"
		printf '[include]\n\tpath = %s\n' "$BATS_TEST_TMPDIR/included"
	} >>"$C/.git/config"
	mkdir "$BATS_TEST_TMPDIR/hooks"
	cp "$evil" "$BATS_TEST_TMPDIR/hooks/post-index-change"
	touch -d @1200000000 "$C/hold" # git reads it again, through the filter
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	again -t t
	[ ! -e "$BATS_TEST_TMPDIR/owned" ]
	[ "$(config .Created t)" = '"2011-03-13T07:06:40Z"' ]
	# a caller's own settings do not lead back to it
	GIT_DIR=$C/.git GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.fsmonitor GIT_CONFIG_VALUE_0=$evil again -t t
	[ ! -e "$BATS_TEST_TMPDIR/owned" ]
	# the trap is one
	git -C "$C" status >/dev/null 2>&1 || true
	[ -e "$BATS_TEST_TMPDIR/owned" ]
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "a hostile submodule runs nothing either" {
	checkout
	git init -q "$BATS_TEST_TMPDIR/sub"
	git -C "$BATS_TEST_TMPDIR/sub" -c user.name=n -c user.email=m@example.org commit -q --allow-empty -m text
	git -C "$C" -c protocol.file.allow=always submodule --quiet add "$BATS_TEST_TMPDIR/sub" sub
	commit 1300000000
	printf '#!/bin/sh\ntouch %s\n' "$BATS_TEST_TMPDIR/owned" >"$BATS_TEST_TMPDIR/evil"
	chmod +x "$BATS_TEST_TMPDIR/evil"
	git -C "$C/sub" config core.fsmonitor "$BATS_TEST_TMPDIR/evil"
	again -t t
	[ ! -e "$BATS_TEST_TMPDIR/owned" ]
	[ "$(config .Created t)" = '"2011-03-13T07:06:40Z"' ]
	git -C "$C" status >/dev/null
	[ -e "$BATS_TEST_TMPDIR/owned" ]
}

@test "--rewrite-timestamp: the same bytes from RUN, with SOURCE_DATE_EPOCH; older files and the base stay" {
	echo old >"$C/old"
	touch -d @900000000 "$C/old"
	ln "$C/old" "$C/again"
	build -t t --source-date-epoch 1300000000 --rewrite-timestamp <<-'X'
		FROM base
		COPY old again /srv/
		RUN mkdir -p /srv/made && echo x >/srv/made/file && ln -s file /srv/made/link && rm /etc/group
	X
	tree t "$BATS_TEST_TMPDIR/t"
	cd "$BATS_TEST_TMPDIR/t"
	[ "$(stat -c %Y srv/old srv/made srv/made/file srv/made/link etc bin | xargs)" = "900000000 1300000000 1300000000 1300000000 1300000000 1000000000" ]
	[ "$(stat -c %h srv/old)" = 2 ] && [ ! -e etc/group ]
	cd /
	elsewhere -t t -o "type=image,rewrite-timestamp=true" --build-arg SOURCE_DATE_EPOCH=1300000000
	[ "$(id t)" = "$(id_elsewhere t)" ]
	# what other builds take from the cache has its own times
	again -t plain
	cached 3
	[ "$(times plain "$BATS_TEST_TMPDIR/plain" | grep -c ' srv/made')" = 3 ]
	[ "$(times plain "$BATS_TEST_TMPDIR/again" | grep -c '^1300000000')" = 0 ]
	try_again --rewrite-timestamp
	[ "$status" = 2 ] && said 'there is no time to rewrite'
}

@test "--timestamp: created, history and every file of the new layers" {
	echo x >"$C/x"
	touch -d @900000000 "$C/x"
	build -t t --timestamp 1200000000 <<-'X'
		FROM base
		COPY x /srv/
		RUN echo y >/srv/y
		LABEL a=b
	X
	[ "$(times t "$BATS_TEST_TMPDIR/t" | cut -d' ' -f1 | uniq)" = 1200000000 ]
	[ "$(config .Created t)" = '"2008-01-10T21:20:00Z"' ]
	[ "$("$B" history --format json --no-trunc t | jq -c '[.[].created] | unique')" = '["2001-09-09T01:46:40Z","2008-01-10T21:20:00Z"]' ]
	[ "$(stat -c %Y "$BATS_TEST_TMPDIR/t/bin")" = 1000000000 ]
	elsewhere -t t --timestamp 1200000000
	[ "$(id t)" = "$(id_elsewhere t)" ]
	for text in yesterday -1 253402300800 9223372036854775807; do
		try_again --timestamp="$text"
		[ "$status" = 2 ] && said 'is not a number of seconds'
		try_again --source-date-epoch="$text"
		[ "$status" = 1 ] && said 'is not a number of seconds'
	done
	again -t last --timestamp 253402300799
	[ "$(config .Created last)" = '"9999-12-31T23:59:59Z"' ]
	try_again --timestamp 1 --source-date-epoch 2
	[ "$status" = 2 ] && said 'cannot be used together'
	SOURCE_DATE_EPOCH=5 again -t t --timestamp 1200000000 # the variable is a wish, the option is not
	[ "$(id t)" = "$(id_elsewhere t)" ]
}

@test "a dated image does not say when the cache got its layers" {
	build -t t --source-date-epoch 1000000000 <<-'X'
		FROM base
		RUN echo x >/x
	X
	again -t t --source-date-epoch 1200000000
	cached 2
	[ "$(config .Created t)" = '"2008-01-10T21:20:00Z"' ]
}

@test "--squash: one layer on the base with the same files; the cache keeps the steps" {
	echo x >"$C/x"
	build -t steps <<-'X'
		FROM base AS one
		COPY x /srv/
		RUN echo big >/srv/big && ln /srv/x /srv/y && chmod 700 /root
		FROM one
		RUN rm /srv/big /etc/group && rm -r /opt && mkdir /opt && echo new >/opt/new
		ENV A=b
	X
	again -t one --squash
	cached 5
	[ "$(config '.RootFS.Layers | length' one)" = 2 ]
	tree steps "$BATS_TEST_TMPDIR/a"
	tree one "$BATS_TEST_TMPDIR/b"
	diff <(cd "$BATS_TEST_TMPDIR/a" && find . -mindepth 1 -printf '%p %M %U:%G %s %n %l %T@\n' | sort) \
		<(cd "$BATS_TEST_TMPDIR/b" && find . -mindepth 1 -printf '%p %M %U:%G %s %n %l %T@\n' | sort)
	[ "$(config .Config.Env one)" = "$(config .Config.Env steps)" ]
	"$B" save -o "$BATS_TEST_TMPDIR/one.tar" one
	tar xf "$BATS_TEST_TMPDIR/one.tar" -C "$BATS_TEST_TMPDIR"
	manifest=$BATS_TEST_TMPDIR/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$BATS_TEST_TMPDIR/index.json")
	config=$BATS_TEST_TMPDIR/blobs/sha256/$(jq -r '.config.digest[7:]' "$manifest")
	jq -e '[.history[] | select(.empty_layer | not)] | length == 2' "$config"
	# what was there and is gone is in no layer
	layer=$BATS_TEST_TMPDIR/blobs/sha256/$(jq -r '.layers[-1].digest[7:]' "$manifest")
	refute grep -q big <(tar tf "$layer")
	tar tf "$layer" | grep -q '^etc/.wh.group$'
	# the same again, and what was squashed is a base like others
	again -t two --squash
	[ "$(id one)" = "$(id two)" ]
	printf 'FROM one\nRUN test "$(cat /opt/new)" = new\n' >"$C/Dockerfile"
	again
}

@test "an inline cache is of the steps' own layers" {
	checkout
	again -t t --no-cache --cache-to type=inline
	[ "$(config .Created t)" = '"2011-03-13T07:06:40Z"' ]
	[ "$(times t "$BATS_TEST_TMPDIR/t" | grep -c '^1300000000.*hold')" = 0 ]
	for option in --squash --rewrite-timestamp --timestamp=1; do
		try_again --cache-to type=inline "$option"
		[ "$status" = 2 ] && said 'is for images with the layers of the steps'
	done
}

@test "a builder that is killed while it asks git leaves its folder to the next one, which removes it" {
	checkout
	local at=$BATS_TEST_TMPDIR folder pid
	mkdir "$at/bin"
	printf '#!/bin/sh\necho $$ >"%s/pid"\necho "$GIT_DIR" >"%s/asked"\nexec sleep 600\n' "$at" "$at" >"$at/bin/git"
	chmod +x "$at/bin/git"
	PATH=$at/bin:$PATH "$B" build "$C" 2>/dev/null 3>&- &
	pid=$!
	wait_for 10 test -s "$at/asked"
	kill -KILL "$pid"
	wait "$pid" || true
	kill -KILL "$(cat "$at/pid")" 2>/dev/null || true
	folder=$(cat "$at/asked")
	[[ $folder == "$(realpath "$ORLOP_STORE")"/tmp/* ]]
	[ -d "$folder" ]
	again -t t
	[[ $(config .Created t) == '"2011-03-13T'* ]]
	wait_for 10 test ! -e "$folder"
}

@test "umask, locale, time zone, processors, jobs and the order of a folder make no difference" {
	for i in 9 b A é 10 a; do echo "$i" >"$C/$i"; done
	cat >"$C/Dockerfile" <<-'EOF'
		FROM base AS one
		RUN echo one >/one
		FROM base AS two
		RUN echo two >/two
		FROM base
		COPY --from=one /one /
		COPY --from=two /two /
		WORKDIR /new/folder
		COPY . .
		RUN umask >/umask; date -d @0 >/date; echo "$LANG$LC_ALL$TZ" >/locale
	EOF
	again -t t --timestamp 1300000000
	mkdir "$BATS_TEST_TMPDIR/other"
	for i in a é Dockerfile 10 A b 9; do cp "$C/$i" "$BATS_TEST_TMPDIR/other"; done
	C=$BATS_TEST_TMPDIR/other
	umask 077
	export LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 TZ=Asia/Tokyo
	elsewhere -t t --timestamp 1300000000 --jobs 1
	[ "$(id t)" = "$(id_elsewhere t)" ]
	rm -rf "$OTHER"
	taskset -pc "$(awk '/^Cpus_allowed_list/ { split($2, list, "[-,]"); print list[1] }' /proc/self/status)" "$BASHPID" >/dev/null
	elsewhere -t t --timestamp 1300000000 --jobs 0
	[ "$(id t)" = "$(id_elsewhere t)" ]
}
