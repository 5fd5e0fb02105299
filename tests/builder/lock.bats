#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build --lock and --locked: what the names of a Dockerfile stand for is written down, and kept to.

load build
load loopback
load hub

setup_file() {
	requires python3 git jq
	builder_begin memory
}

setup() {
	context_begin
	LOCK=$work/pins
}

teardown() {
	http_end
	git_end
	hub_end
}

@test "--lock pins images, downloads and repositories; --locked builds the same with all servers gone" {
	W=$work/web
	mkdir -p "$W" "$work/repos"
	echo cargo >"$W/hold"
	git_repo "$work/repos/r.git"
	git_begin "$work/repos"
	http_begin "$W"
	"$B" tag base other:1
	build -t t --lock="$LOCK" <<-X
		FROM base AS one
		ADD $HTTP/hold /hold
		ADD $GIT/r.git /repo
		FROM base
		COPY --from=other:1 /etc/passwd /p
		RUN --mount=from=one,target=/one cat /one/hold >/hold
		COPY --from=one /repo /repo
	X
	digest=$("$B" inspect base | jq -r '.[0].Digest')
	jq -e --arg d "$digest" '.version == 1 and [.images[].name] == ["base", "other:1"] and ([.images[].digest] | unique) == [$d]' "$LOCK"
	jq -e --arg d "sha256:$(sha256sum <"$W/hold" | cut -d' ' -f1)" '.files | length == 1 and .[0].digest == $d' "$LOCK"
	jq -e --arg c "$FIRST" '.repositories | length == 1 and .[0].commit == $c' "$LOCK"
	id=$("$B" images -q --no-trunc t)
	http_end
	git_end
	again -t t --locked="$LOCK"
	[ "$("$B" images -q --no-trunc t)" = "$id" ]
	refute said '^#[0-9]+ fetch'
	# a build from a lock writes the same one
	cp "$LOCK" "$work/first"
	try_again --locked="$LOCK" --lock="$LOCK"
	[ "$status" = 2 ] && cmp "$LOCK" "$work/first"
}

@test "--lock pins contexts that are repositories, --locked takes their commits though the branches went on" {
	mkdir -p "$work/repos"
	git_repo "$work/repos/main.git"
	git_repo "$work/repos/side.git"
	git_begin "$work/repos"
	printf 'FROM base\nCOPY file /main\nCOPY --from=tools file /tools\n' >"$work/Dockerfile"
	ob build -f - -t t --lock="$LOCK" --build-context "tools=$GIT/side.git#side" \
		--build-context "unused=$GIT/nothing.git" "$GIT/main.git" <"$work/Dockerfile"
	[ "$status" = 0 ]
	cat "$LOCK"
	main=$(git -C "$work/repos/main.git" rev-parse main)
	side=$(git -C "$work/repos/side.git" rev-parse side)
	jq -e --arg m "$main" --arg s "$side" '[.repositories[].commit] | sort == ([$m, $s] | sort)' "$LOCK"
	[ "$("$B" run --rm --network none t cat /main /tools | tr '\n' ' ')" = "one two " ]
	for branch in main side; do
		git -C "$work/repos/$branch.git" checkout -q "$branch"
		echo moved >"$work/repos/$branch.git/file"
		git -C "$work/repos/$branch.git" commit -qam moved
	done
	ob build -f - -t t --locked="$LOCK" --timestamp 1000000000 --rewrite-timestamp --build-context "tools=$GIT/side.git#side" \
		--build-context "unused=$GIT/nothing.git" "$GIT/main.git" <"$work/Dockerfile"
	[ "$status" = 0 ]
	[ "$("$B" run --rm --network none t cat /main /tools | tr '\n' ' ')" = "one two " ]
	# the record of a build says the names of the lock, and it is built again from the same commits
	ob verify --file - t <"$work/Dockerfile"
	[ "$status" = 0 ]
	ob build -f - --locked="$LOCK" --build-context "tools=$GIT/side.git#side" "$GIT/main.git?checksum=$side" <"$work/Dockerfile"
	[ "$status" = 1 ] && said "main.git\" is $main in .*--checksum says $side"
	ob build -f - -t t --build-context "tools=$GIT/side.git#side" "$GIT/main.git" <"$work/Dockerfile"
	[ "$("$B" run --rm --network none t cat /main /tools | tr '\n' ' ')" = "moved moved " ]
	# what is not pinned: as a context, and as one that is used
	ob build -f - --locked="$LOCK" --build-context "tools=$GIT/side.git#side" "$GIT/main.git#side" <"$work/Dockerfile"
	[ "$status" = 1 ] && said 'main.git#side" is not pinned'
	ob build -f - --locked="$LOCK" --build-context "tools=$GIT/side.git" "$GIT/main.git" <"$work/Dockerfile"
	[ "$status" = 1 ] && said 'context "tools": .*side.git" is not pinned'
}

@test "--locked: another image of the name, other bytes, what is not pinned, and what is said twice" {
	W=$work/web
	mkdir -p "$W"
	echo cargo >"$W/hold"
	http_begin "$W"
	"$B" tag base moving:1
	build -t t --lock="$LOCK" <<-X
		FROM moving:1
		ADD $HTTP/hold /hold
	X
	# the tag moves: the build stays with what it was
	printf 'FROM base\nRUN echo new >/new\n' >"$work/Dockerfile"
	"$B" build -q -f "$work/Dockerfile" -t moving:1 "$C" >/dev/null
	again -t t --locked="$LOCK"
	cached 2
	"$B" run --rm --network none t sh -c 'test ! -e /new'
	again -t t
	"$B" run --rm --network none t cat /new
	# the server has other bytes
	echo ballast >"$W/hold"
	try_again --no-cache --locked="$LOCK"
	[ "$status" = 1 ] && said 'digest mismatch'
	printf 'FROM base\n' >"$C/Dockerfile"
	try_again --locked="$LOCK"
	[ "$status" = 1 ] && said '"base" is not pinned in "'"$LOCK"'": build with --lock to pin it'
	printf 'FROM moving:1\nADD %s/more /\n' "$HTTP" >"$C/Dockerfile"
	try_again --locked="$LOCK"
	[ "$status" = 1 ] && said 'more" is not pinned'
	printf 'FROM moving:1\nADD --checksum=sha256:%064d %s/hold /\n' 0 "$HTTP" >"$C/Dockerfile"
	try_again --locked="$LOCK"
	[ "$status" = 1 ] && said 'and --checksum says sha256:0000'
	# an image that is nowhere any more
	jq '.images[0].digest = "sha256:" + ("0" * 64)' "$LOCK" >"$work/gone"
	printf 'FROM moving:1\n' >"$C/Dockerfile"
	try_again --locked="$work/gone" --pull=never
	[ "$status" = 1 ] && said 'is not in the store'
	for text in '{' '{}' '{"version":2}' '{"version":1,"images":[{"name":"x"}]}'; do
		echo "$text" >"$work/bad"
		try_again --locked="$work/bad"
		echo "$text: $stderr"
		[ "$status" = 1 ] && said -- '--locked: '
	done
	try_again --locked="$work/nowhere"
	[ "$status" = 1 ] && said 'nowhere'
}

@test "--locked: a registry is asked for the digest, also when its tag has moved" {
	requires docker-registry skopeo
	hub_begin
	"$B" tag base "$HUB/yard:1"
	"$B" push -q --tls-verify=false "$HUB/yard:1"
	"$B" rmi "$HUB/yard:1" >/dev/null
	build -q -t t --lock="$LOCK" <<-X
		FROM $HUB/yard:1
		RUN echo x >/x
	X
	id=$output
	# another image under the same tag, and nothing of the first one here
	printf 'FROM base\nLABEL a=b\n' | "$B" build -q -t "$HUB/yard:1" --push -f - "$C" >/dev/null
	rm -rf "$work/store"
	ORLOP_STORE=$work/store try_again -t t --locked="$LOCK"
	[ "$status" = 0 ]
	[ "$(ORLOP_STORE=$work/store "$B" inspect t | jq -c '.[0].RootFS.Layers[0]')" = "$("$B" inspect "$id" | jq -c '.[0].RootFS.Layers[0]')" ]
	[ "$(ORLOP_STORE=$work/store "$B" inspect t | jq -c '.[0].Config.Labels')" = null ]
	rm -rf "$work/store"
}
