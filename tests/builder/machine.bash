# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A machine of the test's own, as far as networks go: a network namespace, so that all ports are free, and a mount
# namespace with another /run, so that what is remembered there is not mixed with what others do.

# machine_begin RUN: RUN is the folder that is its /run; sets MACHINE, the process that keeps it. When that gets SIGTERM
# (machine_end), or the test is killed with its process group, all that is left in the network, like a name server, is killed.
machine_begin() {
	# shellcheck disable=SC2016 # for the inner shell
	setsid unshare -nm --propagation private setpriv --pdeathsig TERM sh -c '
		finish() {
			found=$(find -L /proc/[0-9]*/ns/net -maxdepth 0 -samefile /proc/self/ns/net 2>/dev/null | cut -d/ -f3)
			for pid in $found; do
				[ "$pid" = $$ ] || kill -KILL "$pid"
			done 2>/dev/null
			exit 0
		}
		trap finish TERM
		mount --bind "$1" /run && ip link set lo up && touch /run/up || exit 1
		sleep 3000 &
		wait
		finish' sh "$1" 3>&- &
	MACHINE=$!
	wait_for 5 test -e "$1/up"
}

machine_end() {
	[ -z "${MACHINE:-}" ] || { kill "$MACHINE" && wait "$MACHINE"; } || true
	MACHINE=
}
