# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the orchestrators' suites share: a world of their own (world.sh) for a file of tests, commands in
# it, an image, and the configuration that docs/integration/ shows.
#
# Environment: ORLOP_RUNTIME, another runtime in the place of ours, to test the tests; ORLOP_WORLD_ROOT, a root
# file system with the programs (of "newest"), in the place of the machine's own.

load ../helpers/suite

setup() {
	skip_missing
	# shellcheck disable=SC2034 # the tests' own folder, the same in the world
	WORK=$BATS_TEST_TMPDIR
}

# world_begin PROGRAM...: to be called by setup_file; what the suite needs beside root. The image of all
# tests is $WORLD/image.tar, docker.io/library/busybox:latest.
world_begin() {
	requires root builder busybox ip unshare nsenter "$@"
	[ -z "${MISSING:-}" ] || return 0
	export ORLOP_SOURCE
	local runtime=${ORLOP_RUNTIME:-$ORLOP_BUILD/orlop-runtime} hierarchy
	hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	export WORLD WORLD_CGROUP WORLD_KEEPER WORLD_FIRST WORLD_DAEMONS
	WORLD=$(mktemp -d /var/tmp/orlop-world.XXXXXX)
	WORLD_CGROUP=$hierarchy/${WORLD##*/}
	mkdir "$WORLD_CGROUP"
	setpriv --pdeathsig KILL bash "$BATS_TEST_DIRNAME/world.sh" "$WORLD_CGROUP" \
		"$(command -v "$runtime")" "$WORLD/ready" "${ORLOP_WORLD_ROOT:-}" >"$WORLD/log" 2>&1 </dev/null 3>&- &
	WORLD_KEEPER=$!
	wait_for 10 test -e "$WORLD/ready" || {
		cat "$WORLD/log" >&2
		return 1
	}
	WORLD_FIRST=$(tr -d ' ' <"/proc/$WORLD_KEEPER/task/$WORLD_KEEPER/children")
	ORLOP_STORE=$WORLD/store ORLOP_BUILDER=$ORLOP_BUILD/orlop-builder \
		"$ORLOP_SOURCE/examples/bases/busybox" >&2
	"$ORLOP_BUILD/orlop-builder" --store "$WORLD/store" save -o "$WORLD/image.tar" busybox
}

# world_connect: a way out of the world's network, for what fetches packages: by a program that opens
# connections for it, so that the machine's own network stays as it is.
world_connect() {
	setpriv --pdeathsig KILL slirp4netns --configure --mtu=65520 "$WORLD_FIRST" tap0 \
		>"$WORLD/slirp.log" 2>&1 </dev/null 3>&- &
	wait_for 10 world_is_connected
}

world_is_connected() {
	world ip route | grep -q ^default
}

# world_end: to be called by teardown_file. Containers that are left are a failure, the world goes anyway.
world_end() {
	[ -n "${WORLD_KEEPER:-}" ] || return 0
	local left=0
	world_is_empty || left=1
	kill -KILL "$WORLD_KEEPER"
	wait_for 10 world_is_dead
	find "$WORLD_CGROUP" -depth -type d -exec rmdir {} +
	rm -rf --one-file-system "$WORLD"
	return $left
}

world_is_dead() {
	[ -z "$(find "$WORLD_CGROUP" -name cgroup.procs -exec cat {} +)" ]
}

# world COMMAND...: run it in the world, with nothing of our environment.
world() {
	(
		echo "$BASHPID" >"$WORLD_CGROUP/host/cgroup.procs"
		exec nsenter -t "$WORLD_FIRST" --mount --pid --net --ipc --uts --cgroup env -i HOME=/run/home \
			TERM=xterm LC_ALL=C.UTF-8 PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			"${WORLD_ENV[@]}" "$@" 3>&-
	)
}

# on_terminal COMMAND LINE: in the world, with a terminal
on_terminal() {
	world script -qec "$1" /dev/null
}

# snippet PAGE FILE: what the page of docs/integration/ says FILE is: the block behind the line that
# ends with its name.
snippet() {
	awk -v line="\`$2\`:" '
		index($0, line) && !named { named = 1; next }
		named && /^```/ { if (inside) exit; inside = 1; next }
		inside { print }
		END { exit !inside }' "$ORLOP_SOURCE/docs/integration/$1.md"
}

# configure PAGE FILE: write it where the page says
configure() {
	# shellcheck disable=SC2016 # for the inner shell
	snippet "$1" "$2" | world sh -c 'mkdir -p "${1%/*}" && cat >"$1"' sh "$2"
}

# page_links PAGE: the links to the runtime that the page says to make
page_links() {
	world sh -ec "$(sed -n '/^ln -s /p' "$ORLOP_SOURCE/docs/integration/$1.md")"
}

# world_state: what is left of containers: the runtime's states (in ROOT...), cgroups with processes.
world_state() {
	world find "${WORLD_ROOTS[@]:-/run/orlop-runtime}" -mindepth 1 -maxdepth 1 -printf 'state: %p\n' 2>/dev/null
	find "$WORLD_CGROUP" -mindepth 2 -name cgroup.procs ! -path "$WORLD_CGROUP/host/*" -exec grep -l . {} +
}

world_is_empty() {
	[ -z "$(world_state)" ] || {
		world_state >&2
		return 1
	}
}
