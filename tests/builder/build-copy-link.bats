#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: COPY --link and COPY --parents.

load build

T() {
	echo "$BATS_TEST_TMPDIR/tree/$1"
}

# the names of a layer's entries, the newest layer of an image
last_layer() {
	local id
	id=$("$B" inspect "$1" | jq -r '.[0].RootFS.Layers[-1]' | sed 's/sha256://')
	find "$ORLOP_STORE/layers/$id/tree" -mindepth 1 -printf '%P\n' | sort
}

@test "COPY --link: files, owners by name, modes, folders below keep their metadata" {
	mkdir -p "$C/d/in"
	echo x >"$C/d/in/f"
	build -t t <<-'X'
		FROM base
		RUN chmod 750 /opt && chown 7:8 /opt
		COPY --link d /tmp/
		COPY --link --chown=app --chmod=600 d/in/f /opt/deep/g
		COPY --link=false d/in/f /plain
	X
	tree t "$(T .)"
	[ "$(cat "$(T tmp/in/f)")" = x ]
	[ "$(stat -c '%u:%g %a' "$(T opt/deep/g)")" = "1000:1001 600" ]
	[ "$(stat -c '%u:%g %a' "$(T opt/deep)")" = "1000:1001 755" ]
	[ "$(stat -c '%a' "$(T tmp)")" = 1777 ]
	[ "$(stat -c '%u:%g %a' "$(T opt)")" = "7:8 750" ]
}

@test "COPY --link: symlinks and files below are not followed but replaced" {
	echo x >"$C/f"
	build -t t <<-'X'
		FROM base
		COPY --link f /link/
		COPY --link f /etc/passwd/sub
	X
	tree t "$(T .)"
	[ ! -L "$(T link)" ]
	[ "$(cat "$(T link/f)" "$(T etc/passwd/sub)")" = "$(printf 'x\nx')" ]
	[ ! -e "$(T opt/f)" ]
	[ -e "$(T etc/group)" ]
}

@test "COPY --link: the layer is taken from the cache whatever lies below" {
	echo x >"$C/f"
	build <<-'X'
		FROM base
		RUN echo 1 >/one
		COPY --link f /new/f
	X
	build -t t <<-'X'
		FROM base
		RUN echo 2 >/two
		COPY --link f /new/f
	X
	said 'CACHED'
	cached 2
	[ "$(last_layer t)" = "$(printf 'new\nnew/f')" ]
	build -t t <<-'X'
		FROM base
		RUN mkdir -m 700 /new
		COPY --link f /new/f
	X
	cached 1
	tree t "$(T .)"
	[ "$(stat -c %a "$(T new)")" = 700 ]
	# what comes after it still stands on all that is below
	build <<-'X'
		FROM base
		RUN echo 1 >/one
		COPY --link f /new/f
		RUN cat /one
	X
	cached 3
	build <<-'X'
		FROM base
		RUN echo 2 >/two
		COPY --link f /new/f
		RUN cat /one || true
	X
	cached 3
}

@test "ADD --link: archives" {
	mkdir -p "$C/in/sub"
	echo x >"$C/in/sub/x"
	tar -C "$C/in" -cf "$C/a.tar" .
	build -t t <<-'X'
		FROM base
		ADD --link a.tar /link/deep
	X
	tree t "$(T .)"
	[ "$(cat "$(T link/deep/sub/x)")" = x ]
	[ ! -e "$(T opt/deep)" ]
}

@test "COPY --parents: paths are kept, from the pivot" {
	mkdir -p "$C/a/b/c" "$C/a/x/c" "$C/other"
	chmod 750 "$C/a/b"
	echo 1 >"$C/a/b/c/one"
	echo 2 >"$C/a/x/c/two"
	echo 3 >"$C/a/b/three"
	echo 4 >"$C/other/four"
	build -t t <<-'X'
		FROM base
		COPY --parents a/b/c/one other/four /plain/
		COPY --parents a/./b/c /pivot
		COPY --parents a/*/c /star/
		COPY --parents **/t* /deep/
		COPY --parents --exclude=a/x a /exclude/
		COPY --parents ./other /dot/
	X
	tree t "$(T .)"
	list() { (cd "$(T "$1")" && find . -type f | sort | tr '\n' ' '); }
	[ "$(list plain)" = "./a/b/c/one ./other/four " ]
	[ "$(stat -c %a "$(T plain/a/b)")" = 750 ]
	[ "$(list pivot)" = "./b/c/one " ]
	[ "$(list star)" = "./a/b/c/one ./a/x/c/two " ]
	[ "$(list deep)" = "./a/b/three ./a/x/c/two " ]
	[ "$(list exclude)" = "./a/b/c/one ./a/b/three " ]
	[ "$(list dot)" = "./other/four " ]
}

@test "COPY --parents: from a stage; what is named must exist, wildcards need not" {
	build -t t <<-'X'
		FROM base AS first
		RUN mkdir -p /p/q && echo 1 >/p/q/f && chown -R 3:4 /p
		FROM scratch
		COPY --parents --from=first /p/q/f /p/*/nothing /
	X
	tree t "$(T .)"
	[ "$(stat -c %u:%g "$(T p/q/f)" "$(T p/q)")" = "$(printf '3:4\n3:4')" ]
	mkdir "$C/a"
	try_build <<-'X'
		FROM base
		COPY --parents a/missing /x/
	X
	[ "$status" = 1 ]
	said '"/a/missing": not found'
}

@test "COPY: a wildcard that matches nothing is told" {
	build <<-'X'
		FROM base
		COPY nothing* /x/
	X
	said 'warning: "nothing\*" matches nothing'
}
