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
	[ -n "${ORLOP_WORLD_ROOT:-}" ] || page_links dockerd # later ones have the variable of daemon_start
	daemon_start
	docker load -q -i "$WORLD/image.tar"
}

docker_end() {
	[ -z "${WORLD_KEEPER:-}" ] || world_stop dockerd
	world_end
}

# With $DOCKERD_OPTIONS. The daemon's own default for open files may be more than we are allowed to give.
daemon_start() {
	local files WORLD_ENV=()
	files=$(ulimit -Hn)
	[ -z "${ORLOP_WORLD_ROOT:-}" ] || WORLD_ENV=("$(page_variable dockerd DOCKER_BUILDKIT_RUNC_COMMAND)")
	world_start dockerd dockerd --experimental --default-ulimit "nofile=$files:$files" "${DOCKERD_OPTIONS[@]}"
	wait_for 20 daemon_answers
}

daemon_answers() {
	docker version >/dev/null 2>&1
}

docker_clean() {
	wait_for 5 docker_removed
	wait_for 5 world_is_empty
}

# docker_removed: no container is left; one that dockerd itself is removing cannot be removed at the same time
docker_removed() {
	local containers
	containers=$(docker ps -aq) || return
	# shellcheck disable=SC2086 # an id a word
	[ -z "$containers" ] || docker rm -f -v $containers >/dev/null
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
