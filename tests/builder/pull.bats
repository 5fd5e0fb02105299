#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images from a registry into the store: pull, and what builds and containers take from there.

load helpers
load hub

setup() {
	requires builder root docker-registry skopeo python3 jq
	setup_store
	export HOME=$work/home REGISTRY_AUTH_FILE=$work/auth.json
	mkdir "$HOME"
	hub_begin
}

teardown() {
	hub_end
	teardown_store
}

# An OCI layout with an image of three layers: gzip, zstd and plain; the second one leaves out the
# folder that the first one has, and hides a file of it.
make_layout() {
	python3 "$ORLOP_SOURCE/tests/builder/make-layout.py" "$work/layout" "$@"
	skopeo --insecure-policy copy -q --all --preserve-digests --dest-tls-verify=false "oci:$work/layout" "docker://$HUB/some/cargo:1"
}

# What the image has, as a listing.
listing() {
	ob export "$1" | tar tvf - --numeric-owner | tr -s ' ' | cut -d' ' -f1,2,6-
}

@test "pull: layers of all kinds, checked and unpacked, with docker's lines" {
	make_layout
	run --separate-stderr ob pull "$HUB/some/cargo:1"
	[ "$status" = 0 ] && [ "$output" = "$HUB/some/cargo:1" ]
	digest=$(jq -r '.manifests[0].digest' "$work/layout/index.json")
	[[ $stderr == *"1: Pulling from some/cargo"* ]]
	[ "$(grep -c ': Pull complete$' <<<"$stderr")" = 3 ]
	[[ $stderr == *"Digest: $digest"*"Status: Downloaded newer image for $HUB/some/cargo:1" ]]
	listing "$HUB/some/cargo:1"
	diff <(listing "$HUB/some/cargo:1") - <<-X
		drwxr-x--- 7/8 deck/
		-rw-r--r-- 0/0 deck/new
		-rw-r--r-- 0/0 top
	X
	ob fsck
	run --separate-stderr ob pull "$HUB/some/cargo:1"
	[ "$(grep -c ': Already exists$' <<<"$stderr")" = 3 ]
	[[ $stderr == *"Status: Image is up to date for $HUB/some/cargo:1" ]]
}

# Base and its registry: busybox, in a store of its own, so that ours is empty.
push_busybox() {
	mkdir -p "$work/busybox/bin"
	cp "$(command -v busybox)" "$work/busybox/bin/busybox"
	ln -sf busybox "$work/busybox/bin/sh"
	ln -sf busybox "$work/busybox/bin/echo"
	tar -C "$work/busybox" -cf "$work/busybox.tar" .
	ORLOP_STORE=$work/other "$builder" import -q "$work/busybox.tar" busybox >/dev/null
	ORLOP_STORE=$work/other hub_push busybox "$1"
}

@test "run: pulls what is missing, says so on stderr, and does not ask again" {
	requires busybox
	push_busybox library/debian
	run --separate-stderr ob run --rm "$HUB/library/debian" echo "Hello world"
	[ "$status" = 0 ] && [ "$output" = "Hello world" ]
	[ "$(sed -E '/orlop-builder run/d; s/^[0-9a-f]{12}:/LAYER:/; s/sha256:[0-9a-f]{64}/D/' <<<"$stderr")" = "Unable to find image '$HUB/library/debian:latest' locally
latest: Pulling from library/debian
LAYER: Pull complete
Digest: D
Status: Downloaded newer image for $HUB/library/debian:latest" ]
	hub_end
	run --separate-stderr ob run --rm "$HUB/library/debian" echo "Hello world"
	[ "$status" = 0 ] && [ "$output" = "Hello world" ]
	[ "$(grep -vc 'orlop-builder run' <<<"$stderr")" = 0 ]
	run -125 --separate-stderr ob run --rm --pull=always "$HUB/library/debian" echo
	run -125 --separate-stderr ob run --rm --pull=never "$HUB/library/other" echo
	[[ $stderr == *"is not in the store"* ]]
}

@test "pull: an image of several platforms, and one of a platform that it has not" {
	make_layout platforms
	ob pull -q --platform riscv64 "$HUB/some/cargo:1"
	# it is the one that is here, for whoever asks for no platform
	[ "$(ob inspect --format '{{.Architecture}}' "$HUB/some/cargo:1")" = riscv64 ]
	[ "$(ob inspect --format '{{.Id}}' "$(ob images -q)")" = "$(ob inspect --format '{{.Id}}' "$HUB/some/cargo:1")" ]
	ob history "$HUB/some/cargo:1"
	ob fsck
	run -1 ob pull -q --platform s390x "$HUB/some/cargo:1"
	[[ $output == *"no manifest for linux/s390x (it has linux/riscv64, linux/"* ]]
	ob rmi "$HUB/some/cargo:1"
	ob pull -a "$HUB/some/cargo:1"
	ob fsck
	for digest in $(jq -r '.manifests[].digest' "$work/layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$work/layout/index.json")"); do
		jq -e .config "$ORLOP_STORE/blobs/sha256/${digest#sha256:}"
	done
	[ "$(ls -d "$ORLOP_STORE"/layers/* | wc -l)" = 4 ] # two are those of both
}

@test "build: FROM an image that is pulled, its layers only when a step stands on them" {
	requires busybox
	push_busybox base
	mkdir "$work/context"
	printf 'FROM %s/base\nENV A=b\n' "$HUB" >"$work/context/Dockerfile"
	run ob build --progress plain -t meta "$work/context"
	[ "$status" = 0 ]
	[[ $output != *"pulling $HUB/base"* ]]
	refute ls "$ORLOP_STORE"/layers/*/tree
	printf 'RUN ["/bin/echo", "stood on it"]\n' >>"$work/context/Dockerfile"
	run ob build --progress plain -t step "$work/context"
	[ "$status" = 0 ]
	[[ $output == *"pulling $HUB/base"*"stood on it"* ]]
	hub_end
	ob build -q -t again "$work/context"
	# nothing of it was fetched for this name: it is found by what is known of the blobs
	ob run --rm meta /bin/echo there
}

@test "build: the layers of independent stages' images are fetched at the same time, whatever --jobs says" {
	requires busybox
	local name
	mkdir "$work/context"
	for name in one two three; do
		push_busybox "$name"
		echo "$name" >"$work/busybox/bin/is" # the next one's layer is another
		printf 'FROM PROXY/%s AS %s\nRUN ["/bin/echo", "on %s"]\n' $name $name $name
	done >"$work/stages"
	hub_fault meet=3
	{
		sed "s,PROXY,$FAULTY," "$work/stages"
		printf 'FROM scratch\n'
		printf 'COPY --from=%s /bin/busybox /%s\n' one one two two three three
	} >"$work/context/Dockerfile"
	run ob build --progress plain --jobs 1 -t met "$work/context"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"on one"* && $output == *"on two"* && $output == *"on three"* ]]
}

@test "build: the documents of all base images, named contexts and --from are asked for at once; then their layers" {
	requires busybox
	local name layers=()
	for name in one two three four; do
		mkdir -p "$work/$name"
		cp "$(command -v busybox)" "$work/$name/sh"
		head -c 20000 /dev/urandom >"$work/$name/$name"
		tar -C "$work/$name" -cf "$work/$name.tar" .
		ob import -q "$work/$name.tar" "$name" >/dev/null
		hub_push "$name" "some/$name:1"
		ob rmi "$name"
		layers+=("$("$hub_probe" manifest "$HUB/some/$name:1" 2>/dev/null | jq -r '.layers[0].digest')")
	done
	# none is answered before all are there; the fourth one's layer is needed by a later step
	hub_fault "gather=/manifests/1:4+${layers[0]}|${layers[1]}|${layers[2]}:3"
	printf 'FROM scratch AS unused\nFROM %s/some/one:1 AS a\nRUN ["/sh", "-c", ":"]\nFROM %s/some/two:1 AS b\nRUN ["/sh", "-c", ":"]\nFROM ctx AS c\nRUN ["/sh", "-c", ":"]\nFROM scratch\nCOPY --from=a one /\nCOPY --from=b two /\nCOPY --from=c three /\nCOPY --from=%s/some/four:1 four /\n' \
		"$FAULTY" "$FAULTY" "$FAULTY" >"$work/Dockerfile"
	# whatever places there are: who pulls needs none
	ob build -q -j 1 -t all --build-context "ctx=docker-image://$FAULTY/some/three:1" -f "$work/Dockerfile" "$work" >/dev/null
	grep -qx 'met /manifests/1' "$FAULT_LOG"
	grep -q "^met ${layers[0]}" "$FAULT_LOG"
	ob export all | tar tf - | sort | tr '\n' ' ' | grep -w 'four one three two'
}

@test "build: an image of two names is asked for once" {
	requires busybox
	push_busybox base
	mkdir "$work/context"
	for policy in always missing; do
		hub_fault
		sed "s,HUB,$FAULTY," >"$work/context/Dockerfile" <<-'X'
			FROM HUB/base
			COPY --from=other /bin/busybox /one
			COPY --from=HUB/base:latest /bin/busybox /two
		X
		ORLOP_STORE=$work/$policy ob build -q --pull=$policy --build-context "other=docker-image://$FAULTY/base" "$work/context"
		[ "$(grep -c '^GET .*/manifests/' "$FAULT_LOG")" = 1 ]
	done
}

@test "build: an image that was only built upon is fetched when it is run" {
	requires busybox
	push_busybox base
	mkdir "$work/context"
	printf 'FROM %s/base\nENV A=b\n' "$HUB" >"$work/context/Dockerfile"
	ob build -q -t meta "$work/context"
	ob fsck # that they have not come yet is no damage
	ob save -o "$work/saved.tar" meta
	[ "$(ob run --rm meta /bin/sh -c 'echo $A')" = b ]
}

@test "build: what there is to say about a base image is said in the first build, too" {
	push_busybox base
	mkdir "$work/context"
	printf 'FROM %s/base\nWORKDIR /$nowhere\n' "$HUB" >"$work/context/Dockerfile"
	run ob build --progress plain -t first "$work/context"
	[ "$(grep -c UndefinedVar <<<"$output")" = 1 ]
	run ob build --progress plain -t second "$work/context"
	[ "$(grep -c UndefinedVar <<<"$output")" = 1 ]
}

@test "export: fetches what has not come yet" {
	make_layout
	mkdir "$work/context"
	printf 'FROM %s/some/cargo:1\nENV A=b\n' "$HUB" >"$work/context/Dockerfile"
	ob build -q -t meta "$work/context"
	ob export meta | tar tf - | grep -Fx deck/new
}

@test "build: --pull says when a registry is asked" {
	requires busybox
	push_busybox base
	mkdir "$work/context"
	printf 'FROM %s/base\nRUN ["/bin/echo", "x"]\n' "$HUB" >"$work/context/Dockerfile"
	run -1 ob build --pull=never "$work/context"
	[[ $output == *"is not in the store"* ]]
	ob build -q "$work/context"
	id=$(ob images -q --no-trunc "$HUB/base")
	printf 'new\n' >"$work/busybox/new"
	tar -C "$work/busybox" -cf "$work/busybox.tar" .
	ORLOP_STORE=$work/other "$builder" import -q "$work/busybox.tar" busybox >/dev/null
	ORLOP_STORE=$work/other hub_push busybox base
	ob build -q "$work/context"
	[ "$(ob images -q --no-trunc "$HUB/base")" = "$id" ]
	ob build -q --pull "$work/context"
	[ "$(ob images -q --no-trunc "$HUB/base")" != "$id" ]
	hub_end
	run -1 ob build --pull=always "$work/context"
	[[ $output == *"pull \"$HUB/base\""* ]]
	run -0 ob build --pull=newer "$work/context"
	[[ $output == *"what the store has is used"* ]]
}

@test "build: COPY --from and --build-context docker-image:// of images that are pulled" {
	requires busybox
	make_layout
	push_busybox base
	mkdir "$work/context"
	cat >"$work/context/Dockerfile" <<-X
		FROM $HUB/base
		COPY --from=$HUB/some/cargo:1 /deck/new /one
		COPY --from=other /top /two
		RUN ["/bin/sh", "-c", "while read -r a; do echo got \$a; done < /one"]
	X
	run ob build --progress plain --build-context "other=docker-image://$HUB/some/cargo:1" "$work/context"
	[ "$status" = 0 ]
	[[ $output == *"got new"* ]]
}

@test "pull: contents that are not what the configuration says are refused" {
	make_layout wrong-diff-id
	run -1 ob pull "$HUB/some/cargo:1"
	[[ $output == *"its contents are sha256:"*", the configuration says sha256:"* ]]
	run -1 ob inspect "$HUB/some/cargo:1"
}

# An image whose only layer has 4 MiB that do not shrink, in the hub.
push_bulk() {
	mkdir -p "$work/bulk"
	head -c 4000000 /dev/urandom >"$work/bulk/bulk"
	tar -C "$work/bulk" -cf "$work/bulk.tar" .
	ob import -q "$work/bulk.tar" bulk >/dev/null
	ob push -q bulk "$HUB/some/bulk:1" >/dev/null
	ob rmi bulk
	wait_for 10 idle_store
	ob prune -af >/dev/null 2>&1
}

# processes_are N: so many have the store open
processes_are() {
	[ "$(ls "$ORLOP_STORE/leases" | wc -l)" = "$1" ]
}

# How often a blob of a MiB or more was asked for.
fetches() {
	grep -c "GET .*/blobs/$bulk_layer" "$FAULT_LOG" || true
}

@test "pull: two processes that want one blob share it" {
	push_bulk
	bulk_layer=$("$hub_probe" manifest "$HUB/some/bulk:1" 2>/dev/null | jq -r '.layers[0].digest')
	hub_fault "until=$work/go"
	ob pull -q "$FAULTY/some/bulk:1" >"$work/first" 2>"$work/first.err" 3>&- &
	first=$!
	wait_for 20 test -s "$ORLOP_STORE/ingest/${bulk_layer#sha256:}"
	ob pull -q "$FAULTY/some/bulk:1" >"$work/second" 2>"$work/second.err" 3>&- &
	second=$!
	wait_for 20 processes_are 2
	touch "$work/go"
	wait "$first"
	wait "$second"
	cmp "$work/first" "$work/second"
	[ "$(fetches)" = 1 ]
	[ -z "$(ls "$ORLOP_STORE/ingest")" ]
	ob fsck
	ob export "$FAULTY/some/bulk:1" | tar xOf - bulk | cmp - "$work/bulk/bulk"
}

@test "pull: killed in the middle, the next one goes on from there; a waiting one takes over" {
	push_bulk
	bulk_layer=$("$hub_probe" manifest "$HUB/some/bulk:1" 2>/dev/null | jq -r '.layers[0].digest')
	hub_fault "until=$work/go"
	"$builder" pull -q "$FAULTY/some/bulk:1" >"$work/first" 2>"$work/first.err" 3>&- &
	first=$!
	half() { [ "$(stat -c %s "$ORLOP_STORE/ingest/${bulk_layer#sha256:}" 2>/dev/null || echo 0)" -ge 1800000 ]; }
	wait_for 20 half
	"$builder" pull -q "$FAULTY/some/bulk:1" >"$work/second" 2>"$work/second.err" 3>&- &
	second=$!
	wait_for 20 processes_are 2
	kill -KILL "$first"
	wait "$first" || true
	touch "$work/go"
	wait "$second"
	[ "$(fetches)" = 2 ]
	# the second asked for what was missing: less than 60 %
	start=$(sed -n "s|^GET .*/blobs/$bulk_layer bytes=\([0-9]*\)- .*|\1|p" "$FAULT_LOG")
	[ "$start" -ge 1800000 ]
	ob export "$FAULTY/some/bulk:1" | tar xOf - bulk | cmp - "$work/bulk/bulk"
}

@test "pull: a layer that is wrong ends the transfers of the others" {
	requires busybox
	push_bulk
	mkdir "$work/context"
	printf 'FROM %s/some/bulk:1\nCOPY Dockerfile /small\n' "$HUB" >"$work/context/Dockerfile"
	ORLOP_STORE=$work/other ob build -q -t "$HUB/some/two:1" --push "$work/context"
	# the configuration is small, too, but is not to be spoilt: it is here already
	config=$("$hub_probe" manifest "$HUB/some/two:1" 2>/dev/null | jq -r '.config.digest')
	cp "$work/other/blobs/sha256/${config#sha256:}" "$ORLOP_STORE/blobs/sha256/"
	hub_fault slow=100 corrupt-below=1000
	run --separate-stderr ob pull "$FAULTY/some/two:1"
	echo "$stderr"
	[ "$status" = 1 ]
	wait_for 20 grep -q '^left ' "$FAULT_LOG"
	[ -z "$(ob images -q)" ]
}

# Two images of the same two large layers, in either order; their digests in $layers.
push_crossed() {
	mkdir "$work/crossed"
	head -c 2000000 /dev/urandom >"$work/crossed/a"
	head -c 2000000 /dev/urandom >"$work/crossed/b"
	printf 'FROM scratch\nCOPY a /\nCOPY b /\n' >"$work/crossed/Dockerfile.ab"
	printf 'FROM scratch\nCOPY b /\nCOPY a /\n' >"$work/crossed/Dockerfile.ba"
	for order in ab ba; do
		ORLOP_STORE=$work/other ob build -q -t "$HUB/some/$order:1" --push \
			-f "$work/crossed/Dockerfile.$order" "$work/crossed"
	done
	mapfile -t layers < <("$hub_probe" manifest "$HUB/some/ab:1" 2>/dev/null | jq -r '.layers[].digest')
	# else the test below says nothing
	[ "$("$hub_probe" manifest "$HUB/some/ba:1" 2>/dev/null | jq -r '.layers[].digest' | tac | xargs)" = "${layers[*]}" ]
}

@test "pull: two images of the same layers in either order, while who fetched both is killed" {
	push_crossed
	hub_fault "until=$work/go"
	"$builder" pull -q "$FAULTY/some/ab:1" >"$work/dead" 2>&1 3>&- &
	dead=$!
	for layer in "${layers[@]}"; do
		wait_for 20 test -s "$ORLOP_STORE/ingest/${layer#sha256:}"
	done
	timeout 300 "$builder" pull -q "$FAULTY/some/ab:1" >"$work/ab" 2>&1 3>&- &
	ab=$!
	timeout 300 "$builder" pull -q "$FAULTY/some/ba:1" >"$work/ba" 2>&1 3>&- &
	ba=$!
	wait_for 20 processes_are 3
	kill -KILL "$dead"
	wait "$dead" || true
	touch "$work/go"
	wait "$ab"
	wait "$ba"
	# each came from the dead one as far as it had it, and from there once
	for layer in "${layers[@]}"; do
		[ "$(grep -c "GET .*/blobs/$layer" "$FAULT_LOG")" = 2 ]
	done
	for order in ab ba; do
		ob export "$FAULTY/some/$order:1" | tar xOf - a | cmp - "$work/crossed/a"
		ob export "$FAULTY/some/$order:1" | tar xOf - b | cmp - "$work/crossed/b"
	done
	[ -z "$(ls "$ORLOP_STORE/ingest")" ]
}

@test "pull: where no thread can be made, layers are unpacked when they have come" {
	make_layout
	ob pull -q "$HUB/some/cargo:1"
	listing "$HUB/some/cargo:1" >"$work/expected"
	ORLOP_STORE=$work/other timeout 300 "$ORLOP_BUILD/tests/helpers/failcall" clone3 EAGAIN "$builder" pull -q "$HUB/some/cargo:1"
	ORLOP_STORE=$work/other listing "$HUB/some/cargo:1" | diff "$work/expected" -
}

@test "pull: a failure does not wait for a layer that another process fetches" {
	requires busybox
	push_bulk
	bulk_layer=$("$hub_probe" manifest "$HUB/some/bulk:1" 2>/dev/null | jq -r '.layers[0].digest')
	mkdir "$work/context"
	printf 'FROM %s/some/bulk:1\nCOPY Dockerfile /small\n' "$HUB" >"$work/context/Dockerfile"
	ORLOP_STORE=$work/other ob build -q -t "$HUB/some/two:1" --push "$work/context"
	for image in bulk two; do # configurations are small, too, but are not to be spoilt
		config=$("$hub_probe" manifest "$HUB/some/$image:1" 2>/dev/null | jq -r '.config.digest')
		cp "$work/other/blobs/sha256/${config#sha256:}" "$ORLOP_STORE/blobs/sha256/"
	done
	hub_fault "until=$work/never" corrupt-below=1000
	"$builder" pull -q "$FAULTY/some/bulk:1" >"$work/first" 2>&1 3>&- &
	first=$!
	wait_for 20 test -s "$ORLOP_STORE/ingest/${bulk_layer#sha256:}"
	run -1 timeout 300 "$builder" pull "$FAULTY/some/two:1"
	[ -s "$ORLOP_STORE/ingest/${bulk_layer#sha256:}" ] # it goes on
	kill -KILL "$first"
	wait "$first" || true
}

@test "policy.json: reject refuses; signatures that nobody checks refuse; the most specific scope counts" {
	make_layout
	mkdir -p "$HOME/.config/containers"
	policy() { printf '{"default":[{"type":"%s"}],"transports":{"docker":{%s}}}' "$1" "$2" >"$HOME/.config/containers/policy.json"; }
	accept='[{"type":"insecureAcceptAnything"}]' reject='[{"type":"reject"}]' signed='[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}]'
	refused() {
		run --separate-stderr ob pull -q "$HUB/some/cargo:1"
		[ "$status" = 1 ] && [[ $stderr == *"$HOME/.config/containers/policy.json $1"* ]] && [ -z "$(ob images -q)" ]
	}
	policy reject ''
	refused 'rejects images of "default"'
	policy insecureAcceptAnything "\"$HUB\":$reject"
	refused "rejects images of \"$HUB\""
	# a domain, whatever the port
	policy insecureAcceptAnything "\"*.0.0.1\":$reject"
	refused 'rejects images of "*.0.0.1"'
	policy insecureAcceptAnything "\"$HUB/some\":$signed,\"\":$accept"
	refused "wants \"signedBy\" of images of \"$HUB/some\", which cannot be checked here"
	[[ $stderr == *"skopeo copy"* ]]
	policy insecureAcceptAnything "\"$HUB/some/cargo:1\":[]"
	run --separate-stderr ob pull -q "$HUB/some/cargo:1"
	[ "$status" = 1 ] && [[ $stderr == *"are an empty list"* ]]
	printf '{"default":' >"$HOME/.config/containers/policy.json"
	run --separate-stderr ob pull -q "$HUB/some/cargo:1"
	[ "$status" = 1 ] && [[ $stderr == *policy.json* ]]
	# FROM is a pull, too
	policy reject ''
	mkdir "$work/context"
	printf 'FROM %s/some/cargo:1\n' "$HUB" >"$work/context/Dockerfile"
	run --separate-stderr ob build "$work/context"
	[ "$status" = 1 ] && [[ $stderr == *'rejects images of "default"'* ]]
	policy reject "\"\":$reject,\"$HUB\":$reject,\"$HUB/some/cargo\":$accept"
	ob pull -q "$HUB/some/cargo:1"
}

@test "short names: aliases and the search list of registries.conf, in pull, FROM and run; what is here goes first" {
	make_layout
	export CONTAINERS_REGISTRIES_CONF=$work/registries.conf
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-X
		unqualified-search-registries = ["127.0.0.1:1", "$HUB/some"]
		[aliases]
		"freight" = "$HUB/some/cargo"
		"gone" = "$HUB/some/gone"
	X
	[ "$(ob pull -q freight:1)" = "$HUB/some/cargo:1" ]
	ob rmi "$HUB/some/cargo:1"
	[ "$(ob pull -q cargo:1)" = "$HUB/some/cargo:1" ]
	mkdir "$work/context"
	printf 'FROM freight:1\nENV A=b\n' >"$work/context/Dockerfile"
	ob rmi "$HUB/some/cargo:1"
	ob build -q -t out "$work/context"
	ob inspect "$HUB/some/cargo:1" >/dev/null
	run --separate-stderr ob pull gone:1
	[ "$status" = 1 ] && [[ $stderr == *"$HUB/v2/some/gone"* ]]
	# run and create ask the same way, and find next time what they got
	ob rmi "$HUB/some/cargo:1"
	run --separate-stderr ob create --network none --name first freight:1 true
	[ "$status" = 0 ] && [[ $stderr == *"Unable to find image 'freight:1' locally"* ]]
	ob inspect "$HUB/some/cargo:1" >/dev/null
	run --separate-stderr ob create --network none --name second freight:1 true
	[ "$status" = 0 ] && [[ $stderr != *"Unable to find"* ]]
	[ "$(ob ps -a --filter name=second --format '{{.Image}}')" = "$HUB/some/cargo:1" ]
	ob rm first second
	# an image of this machine under the short name
	ob tag out freight:1
	hub_end
	ob build -q --pull=missing -t again "$work/context"
}
