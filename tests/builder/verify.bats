#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# verify: an image is built again and compared.

load build

setup_file() {
	SOURCE_DATE_EPOCH=1000000000 builder_begin memory
}

setup() {
	requires jq git
	skip_missing
	C=$BATS_TEST_TMPDIR/context
	S=$BATS_TEST_TMPDIR/state # what RUN steps see of the world, by --volume
	LENT=()                   # what no record has
	OTHER=$WORK/store-$BATS_TEST_NUMBER
	mkdir "$C" "$S"
	unset SOURCE_DATE_EPOCH
}

teardown() {
	[ -z "${OTHER:-}" ] || rm -rf "$OTHER"
}

# things: all that the store has and that stays
things() {
	wait_for 10 idle_store
	find "$ORLOP_STORE" -mindepth 1 ! -path '*/stat-cache*' -printf '%P\n' | sort
}

# verify STATUS ARG...
verify() {
	local runtime=() expected=$1
	shift
	[ -z "${ORLOP_RUNTIME:-}" ] || runtime=(--runtime="$ORLOP_RUNTIME")
	ob verify "${runtime[@]}" "${LENT[@]}" "$@"
	[ "$status" = "$expected" ]
}

# shows LINE: a whole line of the report
shows() {
	grep -qxF -- "$1" <<<"$output"
}

# says TEXT: somewhere in the report
says() {
	grep -qF -- "$1" <<<"$output"
}

# found FILTER: a value of the report as JSON
found() {
	jq -ec "$1" <<<"$output"
}

commit() {
	git -C "$C" add -A
	GIT_COMMITTER_DATE="$1 +0000" GIT_AUTHOR_DATE="$1 +0000" \
		git -C "$C" -c user.name=n -c user.email=m@example.org -c core.hooksPath=/dev/null commit -qm text
}

# state SCRIPT: what the RUN of `world` does now
state() {
	printf '%s\n' "$1" >"$S/do"
}

# world ARG...: an image whose RUN does what $S/do says
world() {
	state "$1"
	shift
	LENT=(--volume "$S:/state")
	# what a volume has is in no key: the cache would give what another test has made
	build -t t --no-cache --timestamp 1200000000 "${LENT[@]}" "$@" <<-'EOF'
		FROM base
		RUN sh /state/do
	EOF
}

@test "an image of files is the same, whoever dated it, and nothing is left in the store" {
	echo freight >"$C/hold"
	mkdir "$C/below"
	echo ballast >"$C/below/keel"
	touch -d @1100000000.5 "$C/hold"
	build -t t <<-'EOF'
		FROM base AS tools
		WORKDIR /made
		COPY hold /made/there/
		FROM base
		WORKDIR /srv/deck
		COPY . /new/folder/
		COPY --from=tools /made /made
		COPY --link hold /linked/
		COPY --chmod=600 --chown=7:8 <<-END /note
			text
		END
		RUN --network=none true
		ENV A=1
	EOF
	things >"$BATS_TEST_TMPDIR/before"
	verify 0 t
	shows 'configuration  same'
	shows 'The same: 7 layers and the configuration'
	verify 0 --format json t
	found '.same and .id == .rebuiltId and (.layers | length == 7 and all(.state == "same")) and .config == []'
	things >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	# with layers that the cache got at another time
	wait_for_second
	again -t t --label a=b
	verify 0 t
	for options in --squash --subsecond --normalize-modes "--source-date-epoch 1300000000 --rewrite-timestamp" "--timestamp 5"; do
		# shellcheck disable=SC2086
		again -t t $options
		verify 0 t
	done
	SOURCE_DATE_EPOCH=1234567890 again -t t --rewrite-timestamp
	verify 0 t
	SOURCE_DATE_EPOCH=3 verify 0 t # not this one's
}

# wait_for_second: until the clock says another one than now
wait_for_second() {
	local now
	now=$(date +%s)
	wait_for 5 later_than "$now"
}

later_than() {
	[ "$(date +%s)" -gt "$1" ]
}

@test "what commands write differs in exactly that file, from its first byte on" {
	build -t t --timestamp 1200000000 <<-'EOF'
		FROM base
		RUN echo "constant" >/kept; cat /proc/sys/kernel/random/uuid >/drawn
		RUN echo kept >/second
	EOF
	verify 1 t
	says 'layer 2  different'
	says 'layer 3  same'
	[ "$(grep -c '^  [ACD] ' <<<"$output")" = 1 ]
	grep -qE '^  C /drawn  contents differ from byte [0-9]+ on$' <<<"$output"
	shows 'Different: 1 of 3 layers, 1 file, 0 values of the configuration'
}

@test "every property of a file is told" {
	world 'umask 022; mkdir /d; for f in gone mode owner size content same; do echo 0123456789 >/d/$f; done
		ln -s a /d/link; mkfifo /d/type; ln /d/same /d/hard; mknod /d/device c 1 3; touch -d @5 /d/time /d/gone2'
	state 'umask 022; mkdir /d; for f in new mode owner size content same; do echo 0123456789 >/d/$f; done
		chmod 4755 /d/mode; chown 3:4 /d/owner; echo more >>/d/size; echo 01234x6789 >/d/content
		ln -s b /d/link; mkdir /d/type; echo 0123456789 >/d/hard; mknod /d/device c 1 5; touch -d @5 /d/time; rm /etc/group'
	verify 1 t
	shows '  A /d/new'
	shows '  D /d/gone'
	shows '  D /d/gone2'
	shows '  A /etc/.wh.group'
	shows '  C /d/mode  mode 0644 -> 4755'
	shows '  C /d/owner  owner 0:0 -> 3:4'
	shows '  C /d/size  contents differ from byte 11 on; size 11 -> 16'
	shows '  C /d/content  contents differ from byte 5 on'
	shows '  C /d/link  target a -> b'
	shows '  C /d/type  type fifo -> folder'
	shows '  C /d/device  device 1:3 -> 1:5'
	refute says ' /d/time'
	refute says ' C /d  '
	verify 1 --format json t
	found '.layers[1].files | any(. == {"path":"/d/mode","change":"changed","mode":["0644","4755"]})'
	found '.layers[1].files | any(. == {"path":"/d/content","change":"changed","contentOffset":5})'
	found '.layers[1].files | any(. == {"path":"/d/new","change":"added"})'
	found '.layers[1] | .state == "different" and (.sameFiles | not) and .diffId != .rebuiltDiffId'
	found '.same | not'
}

@test "extended attributes are told, and times where nobody pinned them" {
	requires setfattr
	skip_missing
	echo x >"$C/x"
	build -t t <<-'EOF'
		FROM base
		COPY x /x
	EOF
	setfattr -n user.tide -v high "$C/x"
	touch -d @1100000000 "$C/x"
	verify 1 t
	grep -qE '^  C /x  xattrs none -> user.tide=68696768; time .* -> 2004-11-09T11:33:20Z$' <<<"$output"
	# and alone, they are said to be no more than that
	setfattr -x user.tide "$C/x"
	verify 1 t
	grep -qE '^  C /x  time ' <<<"$output"
	says 'note: files differ in nothing but times'
}

@test "a changed file of the context is named, and that the commit is another one" {
	git init -q "$C"
	echo one >"$C/one"
	printf 'FROM base\nCOPY . /srv/\n' >"$C/Dockerfile"
	printf '.git\n.dockerignore\n' >"$C/.dockerignore"
	commit 1300000000
	again -t t
	verify 0 t
	first=$(git -C "$C" rev-parse HEAD)
	echo two >"$C/one"
	verify 1 t
	shows '  C /srv/one  contents differ from byte 0 on'
	[ "$(grep -c '^  [ACD] ' <<<"$output")" = 1 ]
	says "the context was commit ${first:0:12}; now it is no clean checkout of a commit"
	shows 'configuration  same' # dated as it was
	commit 1300000500
	verify 1 t
	[ "$(grep -c '^  [ACD] ' <<<"$output")" = 1 ]
	says "the context was commit ${first:0:12}; now it is $(git -C "$C" rev-parse --short=12 HEAD)"
	# elsewhere it is the first commit still
	git -C "$C" worktree add -q "$BATS_TEST_TMPDIR/linked" "$first"
	verify 0 t "$BATS_TEST_TMPDIR/linked"
}

@test "a base that has moved makes no difference in our layers" {
	"$B" tag base moving
	build -t t --timestamp 5 <<-'EOF'
		FROM moving
		RUN cat /etc/passwd >/copy
	EOF
	printf 'FROM base\nRUN echo other >>/etc/passwd\n' | "$B" build -t moving - >/dev/null 2>&1
	verify 0 t
	says 'note: base moved: "moving" is sha256:'
	# with nobody who knows what it was: ours are compared on what it is now
	rm -r "$ORLOP_STORE/builds"
	verify 1 --timestamp 5 t "$C"
	says 'note: base moved: the layers of the base image are others'
	says 'layer 2  added'
	shows '  C /copy  contents differ from byte 68 on; size 68 -> 74'
	[ "$(grep -c '^  [ACD] ' <<<"$output")" = 1 ]
	"$B" rmi moving
}

@test "an image from elsewhere is verified with its context and options; without them that is said" {
	echo freight >"$C/hold"
	build -t t --build-arg NAME=anchor --label l=1 --timestamp 7 <<-'EOF'
		FROM base
		ARG NAME
		COPY hold /
		RUN echo $NAME >/name
	EOF
	"$B" save -o "$BATS_TEST_TMPDIR/t.tar" t
	export ORLOP_STORE=$OTHER
	SOURCE_DATE_EPOCH=1000000000 "$B" import "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
	"$B" load -i "$BATS_TEST_TMPDIR/t.tar"
	verify 2 t
	[[ $stderr == *'nothing says how "t" was built'*'verify IMAGE [build options] CONTEXT'* ]]
	verify 0 --build-arg NAME=anchor --label l=1 --timestamp 7 t "$C"
	verify 1 --build-arg NAME=sail --label l=2 --timestamp 7 t "$C"
	shows '  C /name  contents differ from byte 0 on; size 7 -> 5'
	shows '  .config.Labels.l  "1" -> "2"'
	says '.history[3].created_by'
	# the time is the image's where nobody says another
	touch -d @7 "$C/hold"
	verify 0 --build-arg NAME=anchor --label l=1 --rewrite-timestamp t "$C"
	[ -z "$(ls -A "$ORLOP_STORE/builds")" ] # none of them has counted as a build
}

@test "the command line is stronger than the record" {
	build -t t --timestamp 5 --build-arg A=1 --build-arg B=2 <<-'EOF'
		FROM base
		ARG A
		ARG B
		ENV a=$A b=$B
	EOF
	verify 0 t
	verify 1 --build-arg A=3 --format json t
	found '.config | any(.path == ".config.Env[1]" and .before == "a=1" and .after == "a=3")'
	found '.config | all(.path != ".config.Env[2]")'
	printf 'FROM base\nENV a=1 b=2 c=3\n' >"$BATS_TEST_TMPDIR/other"
	verify 1 --format json -f "$BATS_TEST_TMPDIR/other" t
	found '.config | any(.path == ".config.Env[3]" and .before == null and .after == "c=3")'
	# a base that is named by its digest is that one, whatever its name was pinned to
	for file in "$ORLOP_STORE"/builds/*/build.json; do
		jq '(.request.pins.images[]? | select(.name == "base")).digest |= "sha256:" + "0" * 64' "$file" >"$BATS_TEST_TMPDIR/json"
		cp "$BATS_TEST_TMPDIR/json" "$file"
	done
	printf 'FROM base:latest@%s\nENV a=1 b=2 c=3\n' "$("$B" images --format '{{.Digest}}' base)" >"$BATS_TEST_TMPDIR/other"
	verify 1 --format json -f "$BATS_TEST_TMPDIR/other" t
	found 'all(.layers[]; .state == "same")'
}

@test "the record has no secrets: they are asked for, and what is not an ARG's is not kept" {
	printf 'hidden treasure' >"$BATS_TEST_TMPDIR/secret"
	build -t t --timestamp 5 --secret "id=map,src=$BATS_TEST_TMPDIR/secret" --build-arg SLIP=password \
		--build-arg HTTP_PROXY=http://user:word@127.0.0.1:9 <<-'EOF'
		FROM base
		RUN --mount=type=secret,id=map wc -c /run/secrets/map >/size
	EOF
	refute grep -rqE 'treasure|password|user:word' "$ORLOP_STORE/builds"
	verify 2 t
	[[ $stderr == *'built with the secret "map"'*'--secret id=map'* ]]
	verify 0 --secret "id=map,src=$BATS_TEST_TMPDIR/secret" t
}

@test "the provenance of an image says its arguments and what it was built from, but nothing of this machine" {
	echo freight >"$C/hold"
	build -t t --provenance=mode=max --build-arg NAME=anchor --source-date-epoch 1300000000 --rewrite-timestamp <<-'EOF'
		FROM base
		ARG NAME
		RUN echo $NAME >/name
	EOF
	rm -r "$ORLOP_STORE/builds"
	verify 2 t
	[[ $stderr == *'provenance of "t" names no context'* ]]
	verify 0 --rewrite-timestamp t "$C"
	says 'by its provenance'
	again -t t --provenance=mode=min --build-arg NAME=anchor --source-date-epoch 1300000000 --rewrite-timestamp
	rm -r "$ORLOP_STORE/builds"
	verify 1 --rewrite-timestamp t "$C"
	says 'the provenance has no build arguments (mode=min)'
}

@test "volumes are nowhere in the record: they are asked for" {
	world true
	verify 0 t
	[ -z "$(grep -rlaF -e "$S" "$ORLOP_STORE"/builds/*/build.json)" ]
	LENT=()
	verify 2 t
	[[ $stderr == *'built with 1 volume(s) of this machine, which nobody has recorded: give --volume SOURCE:TARGET'* ]]
}

@test "cache mounts are empty, as on a machine that has never built it" {
	build -t t --timestamp 5 <<-'EOF'
		FROM base
		RUN --mount=type=cache,target=/c touch /c/$(ls /c | wc -l); ls /c >/seen
	EOF
	things >"$BATS_TEST_TMPDIR/before"
	verify 0 t
	things >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	again -t t --no-cache --timestamp 5 # now there was something in it
	verify 1 t
	shows '  C /seen  contents differ from byte 2 on; size 4 -> 2'
}

@test "a context or a Dockerfile that is gone is named, with what to do" {
	printf 'FROM base\nENV a=1\n' | "$B" build -q -t piped - >/dev/null
	verify 2 piped
	[[ $stderr == *'standard input, which is gone: give it'* ]]
	echo x >"$C/x"
	mkdir "$C/sub"
	printf 'FROM base\nCOPY x /\n' >"$C/sub/My"
	(cd "$C" && "$B" build -q -t t -f sub/My .) >/dev/null
	(cd / && verify 0 t)
	cp -a "$C" "$BATS_TEST_TMPDIR/moved"
	rm -r "$C"
	verify 2 t
	[[ $stderr == *"the context that build "*", \"$C\", cannot be found: give another one"* ]]
	verify 0 t "$BATS_TEST_TMPDIR/moved" # with its own sub/My
	rm "$BATS_TEST_TMPDIR/moved/x"
	verify 2 t "$BATS_TEST_TMPDIR/moved"
	[[ $stderr == *'"/x": not found'* ]]
}

@test "a Dockerfile of a context that was fetched is looked for in the one that is given" {
	mkdir "$C/sub"
	printf 'FROM base\nENV a=1\n' >"$C/sub/My"
	again -t t --timestamp 5 -f "$C/sub/My"
	# as it is recorded for a repository elsewhere
	for file in "$ORLOP_STORE"/builds/*/build.json; do
		jq '.request.context = "https://127.0.0.1:9/ship.git" | .request.arguments |= map(sub("^--file=.*"; "--file=sub/My"))' \
			"$file" >"$BATS_TEST_TMPDIR/json"
		cp "$BATS_TEST_TMPDIR/json" "$file"
	done
	(cd / && verify 0 t "$C")
}

@test "of several platforms each has the times of its own steps" {
	echo freight >"$C/hold"
	printf 'FROM scratch\nARG TARGETARCH\nCOPY hold /$TARGETARCH/\n' >"$C/Dockerfile"
	again -t t --platform linux/arm64
	wait_for_second
	again -t t --platform linux/amd64,linux/arm64
	for platform in linux/amd64 linux/arm64; do
		verify 0 --platform "$platform" t
	done
}

@test "layers of more entries than memory is taken for are compared in pieces" {
	local many='n=$(printf %0240d 0); d=/d; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do d=$d/$n; done; mkdir -p $d; cd $d
		i=0; while [ $i -lt 9000 ]; do : >$i; i=$((i + 1)); done'
	world "$many"
	verify 0 t
	state "$many; echo x >77; rm 8999; : >9000"
	verify 1 t
	[ "$(grep -c '^  [ACD] ' <<<"$output")" = 3 ]
	grep -qE '^  C /d/[0/]*/77  contents differ from byte 0 on; size 0 -> 2$' <<<"$output"
	grep -qE '^  D /d/[0/]*/8999$' <<<"$output"
	grep -qE '^  A /d/[0/]*/9000$' <<<"$output"
}

@test "bad input" {
	verify 2 nowhere
	[[ $stderr == *'image "nowhere" is not in the store'* ]]
	verify 2 --format xml base
	verify 2
	verify 2 --platform linux/amd64,linux/arm64 base
	[[ $stderr == *'one --platform'* ]]
	verify 2 --tag x base .
	[[ $stderr == *'-tag'* ]]
	build -t t --timestamp 5 <<<'FROM base'
	for text in '{' '[]' '{"number":1,"state":"done","request":{"images":5}}'; do
		for file in "$ORLOP_STORE"/builds/*/build.json; do
			echo "$text" >"$file"
		done
		verify 2 t
		[[ $stderr == *'nothing says how'* ]]
	done
	# a step that fails now: it could not be found out
	state true
	world true
	state 'exit 3'
	verify 2 t
	[[ $stderr == *'exit code: 3'* ]]
}

@test "one that is interrupted, or killed, leaves nothing" {
	world true
	"$B" prune -f >/dev/null # what other tests have left
	things >"$BATS_TEST_TMPDIR/before"
	state 'echo made >/made; : >/state/begun; while :; do sleep 1; done'
	for signal in TERM KILL; do
		rm -f "$S/begun"
		"$B" verify "${LENT[@]}" t >/dev/null 2>"$BATS_TEST_TMPDIR/said" &
		pid=$!
		wait_for 20 test -e "$S/begun"
		kill -"$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$signal" = KILL ] || [ "$status" = 130 ]
		wait_for 10 nothing_left # what ran for a killed one ends a moment later
	done
}

nothing_left() {
	"$B" prune -f >/dev/null
	things | diff "$BATS_TEST_TMPDIR/before" -
}

@test "the same files in an archive that others have written are said to be that" {
	build -t t --timestamp 5 <<-'EOF'
		FROM scratch
		COPY <<END /file
		text
		END
	EOF
	mkdir "$BATS_TEST_TMPDIR/layer" "$BATS_TEST_TMPDIR/foreign"
	printf 'text\n' >"$BATS_TEST_TMPDIR/layer/file"
	touch -d @5 "$BATS_TEST_TMPDIR/layer/file"
	cd "$BATS_TEST_TMPDIR/foreign"
	# with the names of owners, which ours never has
	tar --owner=root:0 --group=root:0 -C ../layer -cf layer.tar file
	"$B" inspect --raw config t | jq -c --arg d "sha256:$(sha256sum layer.tar | cut -c-64)" \
		'.rootfs.diff_ids = [$d]' >config.json
	printf '[{"Config":"config.json","RepoTags":["foreign:latest"],"Layers":["layer.tar"]}]' >manifest.json
	tar -cf ../foreign.tar manifest.json config.json layer.tar
	"$B" load -i ../foreign.tar
	verify 1 --timestamp 5 foreign "$C"
	shows '  same files, other archive'
	verify 1 --timestamp 5 --format json foreign "$C"
	found '.layers[0].sameFiles and .layers[0].files == []'
}
