#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The examples of this tree (Docker's own first ones) built and run by dockerd, by its classic builder and by
# BuildKit. They fetch packages, which takes its time: for ./dev check --full.

load helpers
load dockerd

setup_file() {
	docker_begin mmdebstrap slirp4netns
	[ -z "${MISSING:-}" ] || return 0
	world_connect
	"$ORLOP_SOURCE/examples/machine-settings" "$WORLD/machine"
	base debian
	base node
}

# base NAME: the image of examples/bases, with the way to the packages that this machine has
base() {
	local tar
	tar=$("$ORLOP_SOURCE/examples/bases/$1" --tar)
	docker import - "plain-$1" <"$tar"
	printf '%s\n' "FROM plain-$1" 'COPY lent /run/machine' 'COPY lent/apt.conf /etc/apt/apt.conf.d/99machine' \
		'COPY lent/npmrc /root/.npmrc' >"$WORLD/machine/Dockerfile"
	docker build -q -t "$1" "$WORLD/machine"
}

teardown_file() {
	docker_end
}

teardown() {
	[ -z "${MISSING:-}" ] || return 0
	world_report
	docker_clean
}

# example NAME BUILDER: built; 0 is the classic one, 1 BuildKit
example() {
	local proxies
	mapfile -t proxies < <(grep ^--build-arg "$WORLD/machine/flags" || true)
	# shellcheck disable=SC2034 # of world()
	WORLD_ENV=("DOCKER_BUILDKIT=$2")
	docker build --no-cache "${proxies[@]}" -t "$1" "$ORLOP_SOURCE/examples/$1"
}

@test "cowsay by the classic builder" {
	example cowsay 0
	run docker run --rm cowsay Moo
	contains "< Moo >"
	contains "(oo)"
}

@test "cowsay by BuildKit" {
	example cowsay 1
	run docker run --rm cowsay Moo
	contains "< Moo >"
}

@test "a web server of node by the classic builder" {
	example node-web 0
	run --separate-stderr docker run --rm node-web node -p 'process.cwd()'
	equals "$output" /usr/src/app
}

@test "a web server of node by BuildKit: built, in the background, with a port, and stopped" {
	example node-web 1
	docker run -d --name web -p 8081:8080 node-web
	wait_for 20 page_is_served
	docker stop web
	run docker inspect -f '{{.State.Status}}' web # its status is npm's affair
	equals "$output" exited
}

page_is_served() {
	world busybox wget -q -O- 127.0.0.1:8081 2>/dev/null | grep -q "Hello from the lowest deck"
}
