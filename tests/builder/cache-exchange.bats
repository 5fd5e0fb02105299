#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --cache-to and --cache-from: what another machine gets of a build, what a hostile or damaged cache
# can do (nothing but be ignored), and what the folders are as OCI layouts (docs/cache.md).

load build
load hub

# elsewhere: a machine that has the base image and nothing else; its store is $ORLOP_STORE then
elsewhere() {
	export ORLOP_STORE=$WORK/elsewhere.$BATS_TEST_NUMBER.$((++ELSEWHERE))
	cp -a "$WORK/fresh" "$ORLOP_STORE"
}

setup_file() {
	builder_begin
	[ -n "${WORK:-}" ] || return 0
	wait_for 10 idle_store
	cp -a "$ORLOP_STORE" "$WORK/fresh"
}

teardown_file() {
	rm -rf "${WORK:?}/fresh"
	builder_end
}

setup() {
	context_begin
	D=$BATS_TEST_TMPDIR/cache
	ELSEWHERE=0
	HOME_STORE=$ORLOP_STORE
}

teardown() {
	[ -z "${HUB_PID:-}" ] || hub_end
	rm -rf "$WORK"/elsewhere.*
}

# steps N: N steps were taken, FROM lines not counted
steps() {
	local n
	n=$(($(grep -cE '^#[0-9]+ CACHED$' <<<"$stderr") - $(grep -cE '\] FROM ' <<<"$stderr")))
	echo "taken: $n, expected: $1"
	[ "$n" = "$1" ]
}

# fetched N: N blobs came from the cache
fetched() {
	local n
	n=$(grep -cE ' fetching sha256:' <<<"$stderr" || true)
	echo "fetched: $n, expected: $1"
	[ "$n" = "$1" ]
}

image_id() {
	config .Id "$1"
}

# manifest: of the cache in $D
manifest() {
	cat "$D/blobs/sha256/$(jq -r '.manifests[-1].digest' "$D/index.json" | cut -d: -f2)"
}

# document: the cache's own
document() {
	cat "$D/blobs/sha256/$(manifest | jq -r .config.digest | cut -d: -f2)"
}

# put_document: replace it by standard input, with all digests right
put_document() {
	local old new bytes=$BATS_TEST_TMPDIR/document
	cat >"$bytes"
	new=$(sha256sum <"$bytes" | cut -d' ' -f1)
	cp "$bytes" "$D/blobs/sha256/$new"
	manifest | jq --arg d "sha256:$new" --argjson s "$(stat -c %s "$bytes")" \
		'.config.digest=$d | .config.size=$s' >"$bytes.manifest"
	put_manifest "$bytes.manifest"
}

put_manifest() {
	local new
	new=$(sha256sum <"$1" | cut -d' ' -f1)
	cp "$1" "$D/blobs/sha256/$new"
	jq --arg d "sha256:$new" --argjson s "$(stat -c %s "$1")" \
		'.manifests[-1].digest=$d | .manifests[-1].size=$s' "$D/index.json" >"$1.index"
	cp "$1.index" "$D/index.json"
}

two_stages() {
	cat <<-'X'
		FROM base AS make
		COPY a /src/
		RUN sha256sum /src/a > /made
		FROM base
		ENV E=1
		RUN echo $E > /e
		COPY --from=make /made /copied
		RUN cat /copied /e > /all
	X
}

@test "cache exchange: max brings all steps; only what the result needs is fetched" {
	echo one >"$C/a"
	build --cache-to "type=local,dest=$D,mode=max" -t here < <(two_stages)
	local here
	here=$(image_id here)
	elsewhere
	again --cache-from "type=local,src=$D" -t there
	steps 5
	fetched 3 # not those of the first stage
	[ "$(image_id there)" = "$here" ]
	"$B" fsck
	tree there "$BATS_TEST_TMPDIR/tree"
	[ "$(cat "$BATS_TEST_TMPDIR/tree/all")" = "$(cat "$BATS_TEST_TMPDIR/tree/copied" "$BATS_TEST_TMPDIR/tree/e")" ]
	# what was fetched is here now: without the cache only the first stage is made
	again -t there
	steps 3
	fetched 0
}

@test "cache exchange: a step below which is changed stands on what is fetched" {
	echo one >"$C/a"
	build --cache-to "type=local,dest=$D,mode=max" < <(two_stages)
	elsewhere
	build --cache-from "type=local,src=$D" -t there < <(two_stages | sed s/sha256sum/sha512sum/)
	steps 2
	[ "$("$B" run --rm there cat /all | head -1)" = "$(sha512sum <<<one | sed 's/-/\/src\/a/')" ]
}

@test "cache exchange: min has the steps of the result" {
	echo one >"$C/a"
	build --cache-to "type=local,dest=$D" < <(two_stages)
	[ "$(document | jq '[.steps[] | select(.layer)] | length')" = 3 ]
	elsewhere
	again --cache-from "type=local,src=$D"
	steps 3
}

@test "cache exchange: what a COPY copies counts, not what the cache says of it" {
	echo one >"$C/a"
	build --cache-to "type=local,dest=$D" <<-'X'
		FROM base
		COPY a /a
	X
	elsewhere
	echo two >"$C/a"
	again --cache-from "type=local,src=$D" -t there
	steps 0
	fetched 0
	[ "$("$B" run --rm there cat /a)" = two ]
	echo one >"$C/a"
	again --cache-from "type=local,src=$D" -t there
	steps 1
	[ "$("$B" run --rm there cat /a)" = one ]
}

@test "cache exchange: the list of files goes along, so that --why can name them" {
	echo one >"$C/a"
	build --cache-to "type=local,dest=$D" <<-'X'
		FROM base
		COPY . /a
	X
	elsewhere
	again --cache-from "type=local,src=$D"
	steps 1
	echo two >"$C/a"
	again --why
	said 'why:.* a'
}

@test "cache exchange: a local hit asks no cache" {
	build <<-'X'
		FROM base
		RUN echo 1 > /1
	X
	again --cache-from "type=local,src=$BATS_TEST_TMPDIR/none"
	steps 1
	refute grep -q ignored <<<"$stderr"
}

@test "cache exchange: a cache that is not there is a warning" {
	elsewhere
	build --cache-from "type=local,src=$BATS_TEST_TMPDIR/none" <<-'X'
		FROM base
		RUN echo 1 > /1
		RUN echo 2 > /2
	X
	steps 0
	[ "$(grep -c 'cache-from .* is ignored: .*no such file' <<<"$stderr")" = 1 ]
}

@test "cache exchange: xattrs, links, whiteouts and odd names come back as they were" {
	mkdir -p "$C/d/sub"
	echo x >"$C/d/f"
	ln "$C/d/f" "$C/d/hard"
	ln -s nowhere "$C/d/soft"
	setfattr -n user.k -v v "$C/d/f"
	touch "$C/d/sub/ü
new"
	build --subsecond --cache-to "type=local,dest=$D" -t here <<-'X'
		FROM base
		COPY d /d
		RUN rm -r /opt /d/sub && mkdir /d/sub && mknod /d/fifo p && chmod 4711 /bin/busybox && chown 5:6 /d/f
		RUN rm -r /var && mkdir /var && echo 1 > /var/1
	X
	local here
	here=$(image_id here)
	elsewhere
	again --subsecond --cache-from "type=local,src=$D" -t there
	steps 3
	[ "$(image_id there)" = "$here" ]
	"$B" fsck
}

@test "cache exchange: layers whose entries are in another order than their names" {
	local long
	long=$(printf 'n%.0s' $(seq 120))
	mkdir -p "$C/z/sub" "$C/a/before"
	echo z >"$C/z/file"
	echo sub >"$C/z/sub/last"
	echo a >"$C/a/before/$long"
	: >"$C/z/empty"
	ln "$C/z/file" "$C/z/again"
	build --cache-to "type=local,dest=$D" -t here <<-'X'
		FROM base
		COPY z a Dockerfile /d/
		COPY --exclude=sub z/* /e/
	X
	local here
	here=$(image_id here)
	elsewhere
	again --cache-from "type=local,src=$D" -t there
	steps 2
	refute said 'is ignored'
	[ "$(image_id there)" = "$here" ]
	"$B" fsck
	"$B" export there >"$BATS_TEST_TMPDIR/there.tar" # what it is streamed as is what it was
}

# hostile: build elsewhere from the changed cache: everything is made, with one warning, and right
hostile() {
	elsewhere
	again --cache-from "type=local,src=$D" -t there
	[ "$(grep -c 'is ignored' <<<"$stderr")" = 1 ]
	[ "$("$B" run --rm there cat /b)" = right ]
	[ "$("$B" run --rm there cat /c)" = right ]
	refute "$B" run --rm there test -e /evil
	"$B" fsck
	[ ! -e "$WORK/evil" ]
	export ORLOP_STORE=$HOME_STORE
}

good_cache() {
	build --cache-to "type=local,dest=$D,mode=max,compression=uncompressed" <<-'X'
		FROM base
		RUN echo right > /b
		RUN cp /b /c
	X
}

@test "cache exchange: a blob with other bytes is refused, and the step is made" {
	good_cache
	local blob
	blob=$D/blobs/sha256/$(manifest | jq -r '.layers[1].digest' | cut -d: -f2)
	sed -i s/right/wrong/ "$blob"
	hostile
}

@test "cache exchange: a build that begins again without its cache shows each step once" {
	local page=$BATS_TEST_TMPDIR/r.html
	good_cache
	rm "$D/blobs/sha256/$(manifest | jq -r '.layers[0].digest' | cut -d: -f2)"
	elsewhere
	again --cache-from "type=local,src=$D" --report "$page" -t there
	[ "$(grep -c 'is ignored' <<<"$stderr")" = 1 ]
	# it did begin twice
	[ "$(grep -c 'RUN echo right' <<<"$stderr")" -ge 2 ]
	[ "$(jq '[.steps[].name | select(contains("RUN echo right"))] | length' "$ORLOP_STORE"/builds/*/build.json)" = 1 ]
	[ "$(jq '[.steps[].name | select(contains("RUN cp"))] | length' "$ORLOP_STORE"/builds/*/build.json)" = 1 ]
	[ "$(jq '[.steps[] | select(.name | startswith("exporting to image")) | .state] == ["done"]' "$ORLOP_STORE"/builds/*/build.json)" = true ]
	[ "$(grep -c '<tr id="step-[0-9]*">.*RUN echo right' "$page")" = 1 ]
	[ "$(grep -c '<tr id="step-[0-9]*">.*exporting to image' "$page")" = 1 ]
	export ORLOP_STORE=$HOME_STORE
}

@test "cache exchange: a blob that is gone, a manifest that is damaged, an index that is no JSON" {
	good_cache
	local blob save=$BATS_TEST_TMPDIR/save
	cp -a "$D" "$save"
	blob=$D/blobs/sha256/$(manifest | jq -r '.layers[1].digest' | cut -d: -f2)
	rm "$blob"
	hostile
	rm -rf "$D" && cp -a "$save" "$D"
	echo >>"$D/blobs/sha256/$(jq -r '.manifests[0].digest' "$D/index.json" | cut -d: -f2)"
	hostile
	rm -rf "$D" && cp -a "$save" "$D"
	echo '{' >"$D/index.json"
	hostile
	rm -rf "$D" && cp -a "$save" "$D"
	ln -sf /etc/passwd "$D/index.json"
	hostile
}

@test "cache exchange: a layer that is not the record's is refused, though its digest is right" {
	good_cache
	local root=$BATS_TEST_TMPDIR/root new
	mkdir "$root"
	echo bad >"$root/evil"
	tar -C "$root" -cf "$root.tar" evil
	new=$(sha256sum <"$root.tar" | cut -d' ' -f1)
	cp "$root.tar" "$D/blobs/sha256/$new"
	manifest | jq --arg d "sha256:$new" --argjson s "$(stat -c %s "$root.tar")" \
		'.layers[1].digest=$d | .layers[1].size=$s' >"$root.manifest"
	put_manifest "$root.manifest"
	hostile
}

@test "cache exchange: a layer that leads out of its folder is refused" {
	good_cache
	local tar=$BATS_TEST_TMPDIR/out.tar new
	python3 - "$tar" "$WORK/evil" <<-'X'
		import io, sys, tarfile
		t = tarfile.open(sys.argv[1], "w")
		for name in ("../../../../../../../../../.." + sys.argv[2], "l/evil"):
		    if name.startswith("l/"):
		        i = tarfile.TarInfo("l"); i.type = tarfile.SYMTYPE; i.linkname = sys.argv[2][:-5]
		        t.addfile(i)
		    i = tarfile.TarInfo(name); i.size = 4
		    t.addfile(i, io.BytesIO(b"evil"))
		t.close()
	X
	new=$(sha256sum <"$tar" | cut -d' ' -f1)
	cp "$tar" "$D/blobs/sha256/$new"
	# all of it agrees: the record, the contents, the blob
	document | jq -c --arg d "sha256:$new" '.contents[1] as $old | .contents[1]=$d |
		(.steps[] | select(.layer == $old) | .layer) |= $d' >"$tar.document"
	manifest | jq --arg d "sha256:$new" --argjson s "$(stat -c %s "$tar")" \
		'.layers[1].digest=$d | .layers[1].size=$s' >"$tar.manifest"
	put_manifest "$tar.manifest"
	put_document <"$tar.document"
	hostile
}

@test "cache exchange: documents that do not fit are ignored" {
	good_cache
	local save=$BATS_TEST_TMPDIR/save change
	cp -a "$D" "$save"
	for change in '.contents=[]' '.steps[0].key="../../x"' '.steps[0].layer="sha256:x"' \
		'.version=2' '.steps[0].created=-1' '.mounts=[{"name":"../x","contents":.contents[0]}]'; do
		echo "$change"
		rm -rf "$D" && cp -a "$save" "$D"
		document | jq -c "$change" >"$BATS_TEST_TMPDIR/changed"
		put_document <"$BATS_TEST_TMPDIR/changed"
		hostile
	done
}

@test "cache exchange: BuildKit's caches are ignored with one warning" {
	good_cache
	manifest | jq '.config.mediaType="application/vnd.buildkit.cacheconfig.v0"' >"$BATS_TEST_TMPDIR/m"
	put_manifest "$BATS_TEST_TMPDIR/m"
	hostile
	# as its local exporter has it: in an index among the layers
	jq -n '{schemaVersion:2,manifests:[{mediaType:"application/vnd.oci.image.layer.v1.tar",digest:("sha256:"+("a"*64)),size:1},
		{mediaType:"application/vnd.buildkit.cacheconfig.v0",digest:("sha256:"+("b"*64)),size:1}]}' >"$BATS_TEST_TMPDIR/i"
	put_manifest "$BATS_TEST_TMPDIR/i"
	hostile
	said "is ignored: it is BuildKit's"
}

@test "cache exchange: a second export packs and keeps only what is new" {
	build --cache-to "type=local,dest=$D" <<-'X'
		FROM base
		RUN echo 1 > /1
		RUN echo 2 > /2
	X
	said 'writing sha256:' | wc -l | grep -qx 2
	again --cache-to "type=local,dest=$D"
	refute said 'writing sha256:'
	build --cache-to "type=local,dest=$D" <<-'X'
		FROM base
		RUN echo 1 > /1
		RUN echo 3 > /3
	X
	said 'writing sha256:' | wc -l | grep -qx 1
	[ "$(find "$D/blobs/sha256" -type f | wc -l)" = 4 ] # two layers, document, manifest
	[ "$(jq '.manifests | length' "$D/index.json")" = 1 ]
}

@test "cache exchange: what a killed export had begun goes with the next one, and nothing else" {
	local hex
	hex=$(printf x | sha256sum | cut -c -64)
	build --cache-to "type=local,dest=$D" <<-'X'
		FROM base
		RUN echo 1 > /1
	X
	find "$D" | sort >"$BATS_TEST_TMPDIR/before"
	touch "$D/blobs/sha256/$hex.4711.tmp" "$D/blobs/sha256/$hex.0123456789ab~"
	touch "$D/blobs/sha256/somebody.tmp" "$D/blobs/sha256/$hex.keep"
	again --cache-to "type=local,dest=$D"
	rm "$D/blobs/sha256/somebody.tmp" "$D/blobs/sha256/$hex.keep"
	find "$D" | sort | diff "$BATS_TEST_TMPDIR/before" -
}

@test "cache exchange: tags stand side by side in a folder" {
	build --cache-to "type=local,dest=$D,tag=a" <<-'X'
		FROM base
		RUN echo a > /a
	X
	build --cache-to "type=local,dest=$D,tag=b" <<-'X'
		FROM base
		RUN echo b > /b
	X
	elsewhere
	again --cache-from "type=local,src=$D,tag=a"
	steps 0
	again --no-cache --cache-from "type=local,src=$D,tag=b"
	steps 0
	elsewhere
	again --cache-from "type=local,src=$D,tag=a" --cache-from "type=local,src=$D,tag=b"
	steps 1
	elsewhere
	again --cache-from "type=local,src=$D,digest=$(jq -r '.manifests[1].digest' "$D/index.json")"
	steps 1
}

@test "cache exchange: cache mounts come along when they are asked for, up to a size" {
	build --cache-to "type=local,dest=$D,mounts=true" <<-'X'
		FROM base
		RUN --mount=type=cache,target=/c,id=small,mode=700 echo kept > /c/file && ln -s file /c/link
		RUN --mount=type=cache,target=/c,id=large dd if=/dev/zero of=/c/zeros bs=1M count=3 2>/dev/null
	X
	[ "$(document | jq '.mounts | length')" = 2 ]
	elsewhere
	build --cache-from "type=local,src=$D" -t there <<-'X'
		FROM base
		RUN --mount=type=cache,target=/c,id=small,mode=700 cat /c/link > /seen; stat -c %a /c >> /seen
	X
	[ "$("$B" run --rm there cat /seen)" = $'kept\n700' ]
	# what is here already stays
	build <<-'X'
		FROM base
		RUN --mount=type=cache,target=/c,id=small,mode=700 echo mine > /c/file
	X
	build --cache-from "type=local,src=$D" -t there <<-'X'
		FROM base
		RUN --mount=type=cache,target=/c,id=small,mode=700 cat /c/link > /again
	X
	[ "$("$B" run --rm there cat /again)" = mine ]
	export ORLOP_STORE=$HOME_STORE
	build --cache-to "type=local,dest=$D,mounts-max=1m" <<-'X'
		FROM base
		RUN --mount=type=cache,target=/c,id=large dd if=/dev/zero of=/c/zeros bs=1M count=3 2>/dev/null
		RUN --mount=type=cache,target=/c,id=small,mode=700 true
	X
	[ "$(document | jq '.mounts | length')" = 1 ]
	said 'the cache mount "/c" is left out: 3 MiB'
}

@test "cache exchange: a damaged cache mount is ignored, and the folder begins empty" {
	build --cache-to "type=local,dest=$D,mounts=true,compression=uncompressed" <<-'X'
		FROM base
		RUN --mount=type=cache,target=/c,id=m echo kept > /c/file
	X
	local blob
	blob=$D/blobs/sha256/$(document | jq -r '.mounts[0].contents' | cut -d: -f2)
	sed -i s/kept/evil/ "$blob"
	elsewhere
	build --cache-from "type=local,src=$D" -t there <<-'X'
		FROM base
		RUN --mount=type=cache,target=/c,id=m ls /c > /seen
	X
	[ "$("$B" run --rm there cat /seen)" = "" ]
	[ "$(grep -c 'is ignored' <<<"$stderr")" = 1 ]
	"$B" fsck
}

@test "cache exchange: a failed export fails the build, unless its errors are to be ignored" {
	echo file >"$D"
	try_build --cache-to "type=local,dest=$D" -t made --iidfile "$WORK/iid" --metadata-file "$WORK/metadata" <<-'X'
		FROM base
		RUN echo 1 > /1
	X
	[ "$status" = 1 ]
	said '^orlop-builder: --cache-to '
	[ ! -e "$WORK/iid" ] && [ ! -e "$WORK/metadata" ] # no answer of a build that failed
	again --cache-to "type=local,dest=$D,ignore-error=true"
	said 'warning.*--cache-to'
	rm "$D"
	mkdir "$D"
	echo mine >"$D/file"
	try_again --cache-to "type=local,dest=$D"
	[ "$status" = 1 ]
	said 'neither empty nor an OCI layout'
	[ "$(ls "$D")" = file ]
}

@test "cache exchange: an inline cache is in the image's configuration, and not in its child's" {
	echo one >"$C/a"
	build --cache-to type=inline -t here < <(two_stages)
	"$B" save -o "$BATS_TEST_TMPDIR/here.tar" here
	mkdir "$D"
	tar -C "$D" -xf "$BATS_TEST_TMPDIR/here.tar"
	elsewhere
	again --cache-from "type=local,src=$D" --cache-to type=inline -t there
	steps 3
	fetched 3
	[ "$(image_id there)" = "$(ORLOP_STORE=$HOME_STORE "$B" inspect here | jq -c '.[0].Id')" ]
	build -t child <<-'X'
		FROM there
		LABEL a=b
	X
	"$B" save -o "$BATS_TEST_TMPDIR/child.tar" child
	refute grep -qa org.orlop.cache.v1 "$BATS_TEST_TMPDIR/child.tar"
	grep -qa org.orlop.cache.v1 "$BATS_TEST_TMPDIR/here.tar"
}

@test "cache exchange: a copy by skopeo is the same cache, inline too" {
	requires skopeo
	skip_missing
	local first=$D
	build --cache-to "type=local,dest=$D" --cache-to type=inline -t here <<-'X'
		FROM base
		RUN echo 1 > /1
		RUN echo 2 > /2
	X
	"$B" save -o "$BATS_TEST_TMPDIR/here.tar" here
	elsewhere
	skopeo copy -q "oci:$first:latest" "oci:$BATS_TEST_TMPDIR/copy:latest"
	again --cache-from "type=local,src=$BATS_TEST_TMPDIR/copy"
	steps 2
	elsewhere
	skopeo copy -q "oci-archive:$BATS_TEST_TMPDIR/here.tar" "oci:$BATS_TEST_TMPDIR/inline:latest"
	again --cache-from "type=local,src=$BATS_TEST_TMPDIR/inline"
	steps 2
}

@test "cache exchange: through a registry, and as a copy of it" {
	requires docker-registry skopeo
	skip_missing
	hub_begin
	local ref=$HUB/team/cache:main
	echo one >"$C/a"
	build --cache-to "type=registry,ref=$ref,mode=max" -t here < <(two_stages)
	local here
	here=$(image_id here)
	elsewhere
	again --cache-from "$ref" -t there
	steps 5
	fetched 3
	[ "$(image_id there)" = "$here" ]
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$ref" "docker://$HUB/other:copy"
	elsewhere
	again --cache-from "type=registry,ref=$HUB/other:copy"
	steps 5
	# what is there is not sent again, and not even fetched for that
	elsewhere
	again --cache-from "$ref" --cache-to "type=registry,ref=$ref,mode=max"
	steps 5
	fetched 3
	refute said 'writing sha256:'
	elsewhere
	again --cache-from "type=registry,ref=$HUB/team/none" -t there
	steps 0
	[ "$(grep -c 'is ignored' <<<"$stderr")" = 1 ]
	hub_end
}

@test "cache exchange: a registry is asked for each blob once" {
	requires docker-registry
	skip_missing
	hub_begin
	hub_fault
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$FAULTY" >"$work/registries.conf"
	export CONTAINERS_REGISTRIES_CONF=$work/registries.conf
	asked_once() {
		[ "$(grep -c '^HEAD .*/blobs/' "$FAULT_LOG")" -gt 0 ]
		[ -z "$(grep -o '^HEAD .*/blobs/[^ ]*' "$FAULT_LOG" | sort | uniq -d)" ]
	}
	local ref=$FAULTY/team/cache:main
	echo one >"$C/a"
	build --cache-to "type=registry,ref=$ref,mode=max" -t here < <(two_stages)
	asked_once
	# what the manifest there lists and the registry has lost is sent again
	"$hub_probe" --insecure delete-blob "$HUB/team/cache:main" \
		"$("$hub_probe" --insecure manifest "$HUB/team/cache:main" 2>/dev/null | jq -r '.layers[0].digest')"
	: >"$FAULT_LOG"
	again --cache-to "type=registry,ref=$ref,mode=max" -t here
	said 'writing sha256:'
	asked_once
	# an image as the build's output
	: >"$FAULT_LOG"
	ob build -q -o "type=registry,name=$FAULTY/team/image:1" "$C"
	asked_once
	hub_end
}

@test "cache exchange: an inline cache in an image of a registry" {
	requires docker-registry skopeo
	skip_missing
	hub_begin
	build --cache-to type=inline -t here <<-'X'
		FROM base
		RUN echo 1 > /1
		RUN echo 2 > /2
	X
	work=$BATS_TEST_TMPDIR builder=$B hub_push here team/app:1
	elsewhere
	again --cache-from "$HUB/team/app:1"
	steps 2
	hub_end
}

@test "cache exchange: what cannot be meant is a usage error" {
	local word
	: >"$C/Dockerfile"
	for word in type=gha dest=x type=local type=local,dest= type=local,dest=x,mode=more \
		type=inline,mode=max type=local,dest=x,compression=gzip type=registry type=local,dest=x,foo=bar \
		type=local,dest=x,mounts-max=many type=local,dest=x,oci-mediatypes=false; do
		ob build --cache-to "$word" "$C"
		[ "$status" != 0 ]
		said -- '--cache-to'
	done
	ob build --cache-from type=inline "$C"
	[ "$status" = 2 ]
	ob build --cache-from type=local,dest=x "$C"
	[ "$status" = 2 ]
}
