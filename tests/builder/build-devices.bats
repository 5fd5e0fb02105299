#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: devices of the Container Device Interface, RUN --device and build --device.

load build

setup_file() {
	requires jq
	builder_begin
}

setup() {
	context_begin
	D=$BATS_TEST_TMPDIR/cdi
	mkdir "$D"
}

T() {
	echo "$BATS_TEST_TMPDIR/tree/$1"
}

# spec FILE JQ: a file of the vendor's devices "one" and "two", changed by a jq program
spec() {
	jq "$2" >"$D/$1" <<-'X'
		{"cdiVersion": "0.6.0", "kind": "vendor.com/thing",
		 "containerEdits": {"env": ["ALL=yes"]},
		 "devices": [
		  {"name": "one", "containerEdits": {"env": ["ONE=1"]}},
		  {"name": "two", "annotations": {"org.mobyproject.buildkit.device.class": "fast"},
		   "containerEdits": {"env": ["TWO=2"]}}]}
	X
}

# with_device WHAT ARG...: the variables that RUN --device=WHAT sees
with_device() {
	local device=$1
	shift
	printf 'FROM base\nRUN --device=%s echo "$ALL$ONE$TWO" >/out\n' "$device" >"$C/Dockerfile"
	again -t t --cdi-spec-dir "$D" "$@"
	rm -rf "$BATS_TEST_TMPDIR/tree"
	tree t "$(T .)"
	cat "$(T out)"
}

@test "RUN --device: by name, kind, class and all of a kind; grants by device, kind and alias" {
	spec v.json .
	[ "$(with_device vendor.com/thing=one --allow device | tail -1)" = yes1 ]
	[ "$(with_device name=vendor.com/thing=two,required --allow device=vendor.com/thing=two | tail -1)" = yes2 ]
	[ "$(with_device vendor.com/thing --allow device=vendor.com/thing | tail -1)" = yes1 ]
	[ "$(with_device 'vendor.com/thing=*' --allow device | tail -1)" = yes12 ]
	[ "$(with_device vendor.com/thing=fast --allow device | tail -1)" = yes2 ]
	[ "$(with_device vendor.com/alias --allow device=vendor.com/thing=one,alias=vendor.com/alias | tail -1)" = yes1 ]
}

@test "RUN --device: refused unless it is granted, or its vendor says that it is harmless" {
	spec v.json .
	try_build --cdi-spec-dir "$D" <<-'X'
		FROM base
		RUN echo never
		RUN --device=vendor.com/thing=one true
	X
	[ "$status" = 1 ]
	said 'Dockerfile:3:.*the device "vendor.com/thing=one" is not allowed \(build --allow device=vendor.com/thing=one\)'
	refute said '[0-9.]+ never'
	try_again --cdi-spec-dir "$D" --allow device=vendor.com/thing=two
	[ "$status" = 1 ]
	spec v.json '.annotations = {"org.mobyproject.buildkit.device.autoallow": "true"}'
	[ "$(with_device vendor.com/thing=one | tail -1)" = yes1 ]
}

@test "RUN --device: one that is not there stops the build only when it is required" {
	spec v.json .
	[ "$(with_device vendor.com/other | tail -1)" = "" ]
	try_build --cdi-spec-dir "$D" --allow device <<-'X'
		FROM base
		RUN --device=vendor.com/thing=oen,required true
	X
	[ "$status" = 1 ]
	said 'Dockerfile:2:.*no CDI file describes the device "vendor.com/thing=oen" \(did you mean "vendor.com/thing=one"\?\)'
	for bad in vendor.com/thing=one,requird x,name=y vendor.com/x,required=maybe nothing =; do
		printf 'FROM base\nRUN --device=%s true\n' "$bad" >"$C/Dockerfile"
		try_again --cdi-spec-dir "$D" --allow device
		[ "$status" = 1 ]
		said 'Dockerfile:2'
	done
}

@test "CDI: nodes, mounts, groups and hooks; nothing of them stays in the layer" {
	mkdir "$BATS_TEST_TMPDIR/lib"
	echo library >"$BATS_TEST_TMPDIR/lib/so"
	printf '#!/bin/sh\ncat >/dev/null; echo "$HOOK_ENV $*" >>%q\n' "$BATS_TEST_TMPDIR/hooks" >"$BATS_TEST_TMPDIR/hook"
	chmod +x "$BATS_TEST_TMPDIR/hook"
	spec v.json '.devices[0].containerEdits += {
		deviceNodes: [{path: "/dev/thing/full", hostPath: "/dev/full", permissions: "rw"},
			      {path: "/dev/made", type: "c", major: 1, minor: 5, fileMode: 416, uid: 7, gid: 8}],
		mounts: [{hostPath: "'"$BATS_TEST_TMPDIR"'/lib", containerPath: "/usr/lib/thing", options: ["ro", "nosuid", "nodev", "bind"]}],
		additionalGids: [0, 44],
		hooks: [{hookName: "createContainer", path: "'"$BATS_TEST_TMPDIR"'/hook", args: ["hook", "ran"], env: ["HOOK_ENV=e"]}]}'
	build -t t --cdi-spec-dir "$D" --allow device <<-'X'
		FROM base
		USER app
		RUN --device=vendor.com/thing=one (stat -c '%t:%T %a %u:%g' /dev/thing/full /dev/made; cat /usr/lib/thing/so; id -G; touch /usr/lib/thing/x 2>/dev/null || echo ro) >/tmp/out
	X
	tree t "$(T .)"
	[ "$(sed -n 1p "$(T tmp/out)" | cut -d' ' -f1,3)" = "1:7 1000:1001" ]
	[ "$(sed -n '2,$p' "$(T tmp/out)" | tr '\n' '|')" = "1:5 640 7:8|library|1001 44 1002|ro|" ] ||
		[ "$(sed -n '2,$p' "$(T tmp/out)" | tr '\n' '|')" = "1:5 640 7:8|library|1001 1002 44|ro|" ]
	[ "$(cat "$BATS_TEST_TMPDIR/hooks")" = "e ran" ]
	[ ! -e "$(T usr)" ]
	[ ! -e "$(T dev)" ]
}

@test "CDI: the key has the devices that were found" {
	spec v.json .
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN --device=vendor.com/thing=one echo "$ONE"
	X
	again --cdi-spec-dir "$D" --allow device
	again --cdi-spec-dir "$D" --allow device=vendor.com/thing
	cached 2
	again --cdi-spec-dir "$BATS_TEST_TMPDIR"
	cached 1
}

@test "CDI: a later folder wins; two files of one folder with one device, and broken files, are told" {
	spec v.json .
	mkdir "$D.2"
	D=$D.2 spec later.json '.devices[0].containerEdits.env = ["ONE=later"]'
	with_device vendor.com/thing=one --cdi-spec-dir "$D.2" --allow device
	[ "$(cat "$(T out)")" = yeslater ]
	spec w.json .
	try_again --cdi-spec-dir "$D" --allow device
	[ "$status" = 1 ]
	said 'the device "vendor.com/thing=one" is described by two files'
	rm "$D/w.json"
	echo '{"cdiVersion":' >"$D/broken.json"
	spec kind.json '.kind = "no kind"'
	with_device vendor.com/thing=one --allow device --no-cache
	[ "$(cat "$(T out)")" = yes1 ]
	said 'warning: devices of ".*/broken.json" cannot be used'
	said 'warning: devices of ".*/kind.json" cannot be used: "no kind" is no VENDOR/CLASS'
	spec v.json '.devices[0].containerEdits.fromTheFuture = 1'
	try_again --cdi-spec-dir "$D" --allow device --no-cache
	[ "$status" = 1 ]
	said 'it asks for "fromTheFuture"'
}

@test "build --device: a CDI device for every step needs no leave" {
	spec v.json .
	build -t t --cdi-spec-dir "$D" --device vendor.com/thing=two <<-'X'
		FROM base
		RUN echo "$ALL$ONE$TWO" >/out
	X
	tree t "$(T .)"
	[ "$(cat "$(T out)")" = yes2 ]
	try_again --cdi-spec-dir "$D" --device vendor.com/thing=three
	[ "$status" = 1 ]
	said 'vendor.com/thing=three: no CDI file describes'
}

@test "RUN --device: descriptions in YAML, or a word that this program was built without it" {
	cat >"$D/v.yaml" <<-'X'
		# written by hand
		cdiVersion: 0.6.0
		kind: vendor.com/thing
		containerEdits: &all
		  env: [ALL=yes]
		devices:
		- name: 1
		  containerEdits:
		    env: ["ONE=1"]
		    additionalGids: [4242]
		    deviceNodes:
		    - {path: /dev/thing, type: c, major: 1, minor: 3, fileMode: 0640, uid: 7}
		- name: two
		  containerEdits: *all
	X
	printf 'FROM base\nRUN --device=vendor.com/thing=1 echo "$ALL$ONE" >/out; stat -c "%%a %%u %%t:%%T" /dev/thing >>/out; id -G >>/out\n' \
		>"$C/Dockerfile"
	if ! grep -q 'define HAVE_YAML 1' "$ORLOP_BUILD/config.h"; then
		try_again --cdi-spec-dir "$D" --allow device
		said 'v.yaml" cannot be used: .*built without libyaml'
		return
	fi
	again -t t --cdi-spec-dir "$D" --allow device
	tree t "$(T .)"
	[ "$(cat "$(T out)" | tr '\n' ' ')" = "yes1 640 7 1:3 0 4242 " ]
	printf 'kind: [\n' >"$D/broken.yaml"
	try_again --cdi-spec-dir "$D" --allow device
	[ "$status" = 0 ]
	said 'broken.yaml" cannot be used: line 2: '
}

@test "--device: a node elsewhere than in /dev is not in the layer" {
	build -t t --device /dev/null:/srv/deep/null <<-'X'
		FROM base
		RUN echo gone >/srv/deep/null && echo made >/out
	X
	[ "$("$B" export t | tar -tf - | grep -E '^(srv|out)')" = out ]
}
