# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the sessions share: a machine's network of their own with a hub, which is docker.io there; commands as somebody
# types them, in one terminal or two. "o" is orlop-builder.
#
# The file's setup_file calls session_begin NAME..., with the library's images that it pulls (hub/library).

load ../helpers/suite
load hub
load machine

session_begin() {
	requires root builder docker-registry skopeo conmon mmdebstrap busybox ip unshare setpriv curl tmux jq python3
	if [ ! -x /usr/lib/podman/netavark ] && [ ! -x /usr/libexec/podman/netavark ]; then
		[ "${CI:-}" != true ] || { echo "needs netavark" >&2 && return 1; }
		export MISSING="needs netavark"
	fi
	[ -z "${MISSING:-}" ] || return 0
	export LIBRARY WORLD ORLOP_STORE WORK ORLOP_BUILD ORLOP_SOURCE
	LIBRARY=$BATS_FILE_TMPDIR/library
	mkdir "$LIBRARY"
	"$ORLOP_SOURCE/tests/builder/hub/library" --into "$LIBRARY" "$@"
	WORLD=$BATS_FILE_TMPDIR/world
	WORK=$(store_place memory)
	ORLOP_STORE=$WORK/store
	world_start
	hub_start_library
}

world_start() {
	mkdir -p "$WORLD/run" "$WORLD/bin" "$WORLD/home"
	machine_begin "$WORLD/run"
	export MACHINE
	printf '#!/bin/sh\nexec "%s" "$@"\n' "$ORLOP_BUILD/orlop-builder" >"$WORLD/bin/o"
	chmod +x "$WORLD/bin/o"
	cat >"$WORLD/world" <<-X
		#!/bin/sh
		export PATH="$WORLD/bin:$ORLOP_BUILD:$PATH" HOME="$WORLD/home" ORLOP_STORE="$ORLOP_STORE"
		export CONTAINERS_REGISTRIES_CONF="$WORLD/registries.conf" REGISTRY_AUTH_FILE="$WORLD/auth.json"
		unset ORLOP_NETWORK TMUX
		exec nsenter -t $MACHINE -n -m -- env -C "\$PWD" "\$@"
	X
	chmod +x "$WORLD/world"
}

# docker.io is the library's registry, through registries.conf
hub_start_library() {
	export HUB HUB_PID HUB_STATE=$WORLD/hub
	mkdir "$HUB_STATE"
	HUB_LOG=$HUB_STATE/log
	HUB_IN=("$WORLD/world")
	cat >"$HUB_STATE/config.yml" <<-X
		version: 0.1
		log: { level: info }
		storage: { filesystem: { rootdirectory: $LIBRARY/data }, maintenance: { uploadpurging: { enabled: false }, readonly: { enabled: true } } }
		http: { addr: "127.0.0.1:0", secret: hub }
	X
	hub_start
	printf '[[registry]]\nprefix = "docker.io"\nlocation = "%s"\ninsecure = true\n' "$HUB" >"$WORLD/registries.conf"
}

# session_end: for teardown_file; nothing of a session stays.
session_end() {
	[ -n "${MACHINE:-}" ] || return 0
	local left=0 ids
	[ -z "${TERMINAL:-}" ] || tmux -S "$WORLD/tmux" kill-server 2>/dev/null || true
	mapfile -t ids < <("$WORLD/world" o ps -aq)
	[ "${#ids[@]}" = 0 ] || { echo "containers are left: ${ids[*]}" >&2 && left=1; }
	[ "${#ids[@]}" = 0 ] || "$WORLD/world" o rm -f -v "${ids[@]}"
	nothing_is_left || left=1
	hub_end
	machine_end
	rm -rf "$WORK/store"
	[ "$WORK" = "$BATS_FILE_TMPDIR" ] || rmdir "$WORK"
	return $left
}

# no device, rule or address of a container, and no mount
nothing_is_left() {
	[ "$("$WORLD/world" ip -br link | grep -vc veth)" = 1 ] && refute grep -F " $WORK" /proc/self/mountinfo &&
		[ -z "$(ls -A "$WORLD/run/orlop-builder/network/addresses" 2>/dev/null)" ]
}

setup_file() {
	session_begin
}

teardown_file() {
	session_end
}

setup() {
	skip_missing
}

# typed 'LINE': what somebody types; $status, $output (stdout) and $stderr
typed() {
	echo "\$ $1"
	run --separate-stderr -- "$WORLD/world" bash -c "$1"
	printf '%s\n' "$output" "${stderr:+[stderr] $stderr}" "[status] $status"
}

# A line that gives 127 is no mistake of the test.
typed_127() {
	echo "\$ $1"
	run -127 --separate-stderr -- "$WORLD/world" bash -c "$1"
	printf '%s\n' "$output" "${stderr:+[stderr] $stderr}"
}

# -- a terminal ----------------------------------------------------------------------------------------------------

# terminal_begin: a shell of the machine in a terminal of 120 columns, whose prompt is "host$ "
terminal_begin() {
	export TERMINAL=$WORLD/tmux
	printf 'PS1="host\\$ "\n' >"$WORLD/bashrc"
	env -u TMUX "$WORLD/world" tmux -f /dev/null -S "$TERMINAL" new-session -d -x 120 -y 500 "bash --rcfile '$WORLD/bashrc'" 3>&-
	wait_for 10 shows 'host$ '
}

terminal_end() {
	tmux -S "$TERMINAL" kill-server
	TERMINAL=
}

screen() {
	tmux -S "$TERMINAL" capture-pane -p -J | sed -e 's/ *$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

# shows PROMPT: the last line ends with it, that is: here it waits
shows() {
	[[ $(screen | tail -n 1) == *"${1% }" ]]
}

# types 'LINE' 'PROMPT': types it and waits until the terminal waits again, at this prompt; $said is what came
# between
types() {
	local before
	before=$(screen | wc -l)
	tmux -S "$TERMINAL" send-keys -l "$1"
	tmux -S "$TERMINAL" send-keys Enter
	wait_for 10 answered "$before" "$2" || { screen && return 1; }
	said=$(screen | sed -e "1,${before}d" -e '$d')
	printf '%s\n' "> $1" "$said"
}

answered() {
	[ "$(screen | wc -l)" -gt "$1" ] && shows "$2"
}
