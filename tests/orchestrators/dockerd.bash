# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# dockerd in the world of a suite, as docs/integration/dockerd.md sets it up.

load daemons

# docker_begin PROGRAM...: to be called by setup_file; what the suite needs beside dockerd
docker_begin() {
	world_begin dockerd docker containerd "$@"
	[ -z "${MISSING:-}" ] || return 0
	export WORLD_ROOTS=/run/docker/runtime-runc/moby
	configure dockerd /etc/docker/daemon.json
	page_links dockerd
	daemon_start
	docker load -q -i "$WORLD/image.tar"
}

docker_end() {
	[ -z "${WORLD_KEEPER:-}" ] || world_stop dockerd
	world_end
}

# The daemon's own default for open files may be more than we are allowed to give.
daemon_start() {
	local files
	files=$(ulimit -Hn)
	world_start dockerd dockerd --default-ulimit "nofile=$files:$files"
	wait_for 20 daemon_answers
}

daemon_answers() {
	docker version >/dev/null 2>&1
}

docker_clean() {
	local containers
	mapfile -t containers < <(docker ps -aq)
	[ ${#containers[@]} -eq 0 ] || docker rm -f -v "${containers[@]}" >/dev/null
	wait_for 5 world_is_empty
}

docker() {
	world docker "$@"
}

running() {
	[ "$(docker inspect -f '{{.State.Running}}' "$1")" = true ]
}

# logged CONTAINER TEXT
logged() {
	docker logs "$1" 2>&1 | grep -q "$2"
}
