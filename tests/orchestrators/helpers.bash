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

# run: bats' own; the log of a test that fails has what came of each, not of the last alone
declare -F bats_run >/dev/null || eval "bats_$(declare -f run)"
run() {
	local code=0
	stderr=
	bats_run "$@" || code=$?
	printf '$ %s\n(status %s)\n%s%s' "$*" "$status" "$output" "${output:+$'\n'}"
	[ -z "$stderr" ] || printf '(stderr)\n%s\n' "$stderr"
	return "$code"
}

# world_report: a teardown's, for the log of a test that has failed; what goes wrong with it is no failure of its own
world_report() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || world_tell || true
}

# world_tell: the commands of the file, the daemons' words, and what there is
world_tell() {
	local log
	echo "-- commands: when they ended, and how"
	uniq -c -f 1 "$WORLD_COMMANDS" | tail -n 100
	for log in "$WORLD"/*.log; do
		[ ! -s "$log" ] || printf -- '-- the end of %s\n%s\n' "${log##*/}" "$(tail -n 40 "$log")"
	done
	echo "-- processes"
	world ps -e -o pid,ppid,stat,etimes,args
	echo "-- left of containers"
	world_state
}

# world_begin PROGRAM...: to be called by setup_file; what the suite needs beside root. The image of all
# tests is $WORLD/image.tar, docker.io/library/busybox:latest.
world_begin() {
	requires root builder busybox ip unshare nsenter "$@"
	[ -z "${MISSING:-}" ] || return 0
	export ORLOP_SOURCE
	local runtime=${ORLOP_RUNTIME:-$ORLOP_BUILD/orlop-runtime} hierarchy
	hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	export WORLD WORLD_CGROUP WORLD_COMMANDS WORLD_KEEPER WORLD_FIRST
	WORLD=$(mktemp -d /var/tmp/orlop-world.XXXXXX)
	WORLD_COMMANDS=$WORLD/commands
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

# world_criu: the program behind checkpoints; $NO_CRIU is why there are none. Ours is that of Debian sid,
# see tests/helpers/sid-criu; a world with a root of its own has one.
world_criu() {
	local folder
	export NO_CRIU=
	if [ -z "${ORLOP_WORLD_ROOT:-}" ] && ! world criu check >/dev/null 2>&1; then
		folder=$("$ORLOP_SOURCE/tests/helpers/sid-criu" 3>&-)
		printf '#!/bin/sh\nexec %s/criu "$@"\n' "$folder" | world sh -c 'cat >/usr/local/bin/criu; chmod 755 /usr/local/bin/criu'
	fi
	world criu check >/dev/null 2>&1 || NO_CRIU="needs criu, and a kernel that it can work with"
}

# requires_criu: a test's
requires_criu() {
	[ -z "$NO_CRIU" ] || skip "$NO_CRIU"
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
	local code=0
	(world_enter "$@") || code=$?
	printf '%(%T)T status %d: %s\n' -1 "$code" "${*//$'\n'/ }" >>"$WORLD_COMMANDS"
	return "$code"
}

# world_enter COMMAND...: become it, there
world_enter() {
	echo "$BASHPID" >"$WORLD_CGROUP/host/cgroup.procs" || exit
	exec nsenter -t "$WORLD_FIRST" --mount --pid --net --ipc --uts --cgroup env -i HOME=/run/home \
		TERM=xterm LC_ALL=C.UTF-8 PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"${WORLD_ENV[@]}" "$@" 3>&-
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

# containers_configure PAGE: the settings of podman and buildah: the page's, and what a machine is without
containers_configure() {
	local files processes
	files=$(ulimit -Hn) processes=$(ulimit -Hu)
	configure "$1" /etc/containers/containers.conf
	world sh -c 'cp /usr/share/containers/seccomp.json /etc/containers/ &&
		mkdir /etc/containers/containers.conf.d &&
		cat >/etc/containers/policy.json' <<<'{ "default": [{ "type": "insecureAcceptAnything" }] }'
	# What the machine may lack: the pids controller, and the right to raise limits.
	world sh -c 'cat >/etc/containers/containers.conf.d/tests.conf' <<-END
		[containers]
		pids_limit = 0
		default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
	END
}

# page_links PAGE: the links to the runtime that the page says to make
page_links() {
	world sh -ec "$(sed -n '/^ln -s /p' "$ORLOP_SOURCE/docs/integration/$1.md")"
}

# page_variable PAGE NAME: the setting of an environment variable, as the page has it
page_variable() {
	grep "^$2=" "$ORLOP_SOURCE/docs/integration/$1.md"
}

# world_state: what is left of containers: the runtime's states (in ROOT...), cgroups with processes.
world_state() {
	world find "${WORLD_ROOTS[@]:-/run/orlop-runtime}" -mindepth 1 -maxdepth 1 -printf 'state: %p\n' 2>/dev/null
	find "$WORLD_CGROUP" -mindepth 2 -name cgroup.procs ! -path "$WORLD_CGROUP/host/*" -exec grep -l . {} +
}

world_is_empty() {
	local left
	left=$(world_state)
	[ -z "$left" ] || {
		echo "$left" >&2
		return 1
	}
}
