# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Daemons in the world of a suite.

# world_start NAME COMMAND...: a daemon; its output is in $WORLD/NAME.log
world_start() {
	# shellcheck disable=SC2016 # for the inner shell
	world_enter sh -c 'echo $$ >"/run/$1.first-process"; shift; exec "$@"' sh "$@" \
		>>"$WORLD/$1.log" 2>&1 </dev/null 3>&- &
}

# world_stop NAME: end it as an administrator does, and wait until it has
world_stop() {
	# shellcheck disable=SC2016 # for the inner shell
	world sh -c 'kill "$(cat "/run/$1.first-process")"' sh "$1"
	wait_for 20 world_stopped "$1"
}

world_stopped() {
	# shellcheck disable=SC2016 # for the inner shell
	world sh -c '! kill -0 "$(cat "/run/$1.first-process")" 2>/dev/null' sh "$1"
}
