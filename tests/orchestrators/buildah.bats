#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Builds by buildah, as docs/integration/buildah.md sets it up.

load helpers

setup_file() {
	world_begin buildah
	[ -z "${MISSING:-}" ] || return 0
	containers_configure buildah
	buildah pull -q "docker-archive:$WORLD/image.tar"
}

teardown_file() {
	world_end
}

teardown() {
	[ -z "${MISSING:-}" ] || return 0
	world_report
	wait_for 5 world_is_empty
}

buildah() {
	world buildah "$@"
}

@test "buildah: bud with RUN, USER, WORKDIR, ENV, SHELL" {
	local container
	printf '%s\n' 'FROM busybox' 'ENV A=b' 'WORKDIR /place' 'RUN echo "$A $(pwd) $(id -u)" >said' \
		'USER 1000:1001' 'RUN test "$(id -u):$(id -g)" = 1000:1001' >"$WORK/Dockerfile"
	buildah bud -q -t built "$WORK"
	container=$(buildah from built)
	run --separate-stderr buildah run "$container" cat /place/said
	equals "$output" "b /place 0"
	buildah rm "$container"
	buildah rmi built
}

@test "buildah: a step that fails ends the build with its status" {
	printf '%s\n' 'FROM busybox' 'RUN exit 5' >"$WORK/Dockerfile"
	run -5 buildah bud "$WORK"
	contains "exit status 5"
	printf '%s\n' 'FROM busybox' 'RUN ["/nothing/there"]' >"$WORK/Dockerfile"
	run buildah bud "$WORK"
	[ "$status" -ne 0 ]
	contains "no such file or directory"
}

@test "buildah: from, run with its options, commit" {
	local container
	mkdir "$WORK/data"
	echo from-host >"$WORK/data/file"
	container=$(buildah from busybox)
	run --separate-stderr buildah run -v "$WORK/data:/data:ro" --user 1000 "$container" sh -c 'cat /data/file; id -u; exit 3'
	contains $'from-host\n1000'
	equals "$status" 3
	run buildah run --cap-drop all "$container" grep CapEff /proc/self/status
	contains 0000000000000000
	buildah run "$container" sh -c 'echo new >/new'
	run buildah run -t "$container" tty </dev/null
	contains /dev/pts/
	buildah commit -q "$container" committed
	buildah rm "$container"
	container=$(buildah from committed)
	run --separate-stderr buildah run "$container" cat /new
	equals "$output" new
	buildah rm "$container"
	buildah rmi committed
}

@test "buildah: --runtime for one command" {
	local container
	container=$(buildah from busybox)
	run --separate-stderr buildah run --runtime /usr/local/bin/orlop-runtime "$container" echo asked
	equals "$output" asked
	run buildah run --runtime /bin/false "$container" echo asked
	[ "$status" -ne 0 ]
	buildah rm "$container"
}
