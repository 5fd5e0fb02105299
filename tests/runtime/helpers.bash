# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Helpers of the runtime's suite. Every test gets its own work folder, state directory and bundle,
# and a teardown that fails the test when it leaves anything behind.
#
# Environment: ORLOP_BUILD (default: the tree's "build"), ORLOP_RUNTIME (another runtime, to test
# the tests; empty = ours), KEEP=1 (keep the work folder and say where it is).

load ../helpers/suite

RUNTIME=${ORLOP_RUNTIME:-$ORLOP_BUILD/orlop-runtime}
PROBE=$ORLOP_BUILD/tests/helpers/probe
RECVTTY=$ORLOP_BUILD/tests/helpers/recvtty
FAILCALL=$ORLOP_BUILD/tests/helpers/failcall
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
	CGROUP_ROOT=/sys/fs/cgroup
else
	CGROUP_ROOT=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
fi

# -- a test's surroundings -------------------------------------------------------------------------

# Starting a program takes 40 ms on an emulated machine, and jq, which compiles its library each time,
# two seconds (here: 50 ms). So what surrounds each test starts few programs, and jq only to edit.
setup() {
	setup_work
	setup_bundle
}

# The folder and the name of a test, and how long what it starts sleeps: see sleepers.
# setup_work [BELOW]
setup_work() {
	local name
	printf -v name %08x "$SRANDOM"
	WORK=${1:-/tmp}/orlop-test.$name
	mkdir -m 755 "$WORK"
	ROOT=$WORK/root
	ID=t$name
	NAP=$((100000 + SRANDOM % 1000000000))
	RT_GLOBAL=()
	BACKGROUND=()
	RT_UNDER=()
}

# A bundle whose rootfs has nothing but the probe; made once for a file of tests.
setup_bundle() {
	[ -d "$BATS_FILE_TMPDIR/bundle" ] || make_bundle "$BATS_FILE_TMPDIR/bundle"
	BUNDLE=$WORK/bundle
	ROOTFS=$BUNDLE/rootfs
	cp -a "$BATS_FILE_TMPDIR/bundle" "$BUNDLE"
}

make_bundle() {
	BUNDLE=$1.new
	mkdir -p "$BUNDLE/rootfs"/{bin,dev,etc,proc,sys,tmp}
	chmod 1777 "$BUNDLE/rootfs/tmp"
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	(cd "$BUNDLE" && "$RUNTIME" spec)
	config_set '.process.terminal = false | .process.args = ["/bin/probe", "true"]
		| .process.env = ["PATH=/bin"]'
	mv "$BUNDLE" "$1"
}

# config_set FILTER [JQ-ARGS]: edit config.json
config_set() {
	local config
	config=$(jq "$1" "$BUNDLE/config.json" "${@:2}")
	printf '%s\n' "$config" >"$BUNDLE/config.json"
}

# process_args ARG...: what the container runs. In a file that jq wrote process.args is on lines of its
# own; everything else, and arguments that need more than a backslash, are for jq.
process_args() {
	local config args=${*@Q}
	if [[ $args != *"$'"* ]] && config=$(args_replace "$@"); then
		printf '%s\n' "$config" >"$BUNDLE/config.json"
	else
		config_set '.process.args = $ARGS.positional' --args "$@"
	fi
}

# args_replace ARG...: config.json with these; fails if it isn't as jq writes it
args_replace() {
	local words=("${@//\\/\\\\}")
	words=("${words[@]//\"/\\\"}")
	printf -v words '"%s", ' "${words[@]}"
	ARGS="[ ${words%, } ]" awk '
		/^  "/ { process = $1 == "\"process\":" }
		process && /^    "args": / {
			found = 1
			line = $0
			if (line ~ /\[$/)
				while ((getline line) > 0 && line !~ /^    \],?$/)
					;
			print "    \"args\": " ENVIRON["ARGS"] (line ~ /,$/ ? "," : "")
			next
		}
		{ print }
		END { exit !found }' "$BUNDLE/config.json"
}

# probe ARG...: the same for the probe
probe() {
	process_args /bin/probe "$@"
}

teardown() {
	local left=0

	[ ${#BACKGROUND[@]} -eq 0 ] || kill -KILL "${BACKGROUND[@]}" 2>/dev/null || true # some have signals blocked
	[ -n "${KEEP:-}" ] && echo "kept: $RUNTIME --root $ROOT ... -b $BUNDLE $ID ($WORK)"
	for state in "$ROOT"/*/; do
		[ -d "$state" ] && "$RUNTIME" --root "$ROOT" delete --force "$(basename "$state")" 3>&- || true
	done
	check_leaks || left=1
	[ -n "${KEEP:-}" ] || rm -rf --one-file-system "$WORK"
	return $left
}

# Nothing of this test may be left: state, cgroups, processes, mounts.
check_leaks() {
	local leaks

	leaks=$(
		for state in "$ROOT"/* "$ROOT"/.[!.]*; do
			[ ! -e "$state" ] || echo "state: $state"
		done
		[ -z "$CGROUP_ROOT" ] || find "$CGROUP_ROOT" -type d -path "*$ID*" -printf 'cgroup: %p\n'
		# processes, mounts (a zombie that nobody reaps is in a deleted cgroup)
		grep -s -e "/$ID\$" -e "$WORK" /proc/[0-9]*/cgroup /proc/self/mountinfo || true
	)
	[ -z "$leaks" ] && return 0
	echo "left behind:" "$leaks" >&2
	return 1
}

# what may be seen of this test on the host
traces() {
	ls -A "$ROOT" 2>/dev/null
	find "$CGROUP_ROOT" -type d -path "*$ID*"
	grep -s "$WORK" /proc/self/mountinfo
	grep -ls "/$ID\$" /proc/[0-9]*/cgroup
	true
}

nothing_left() {
	local left
	left=$(traces)
	[ -z "$left" ] || {
		echo "left: $left"
		return 1
	}
}

# -- running the runtime ---------------------------------------------------------------------------

# rt VERB ...: our runtime with this test's state directory. Sets status, output (both streams),
# stdout and stderr; prints all of it, which bats shows when the test fails. RT_UNDER is a command
# that runs it: RT_UNDER=("$FAILCALL" keyctl ENOSYS).
rt() {
	status=0
	"${RT_UNDER[@]}" "$RUNTIME" --root "$ROOT" "${RT_GLOBAL[@]}" "$@" \
		>"$WORK/stdout" 2>"$WORK/stderr" <"${RT_INPUT:-/dev/null}" 3>&- || status=$?
	slurp stdout "$WORK/stdout"
	slurp stderr "$WORK/stderr"
	output="$stdout${stdout:+${stderr:+$'\n'}}$stderr"
	printf '$ runtime %s\n(status %d)\n%s\n' "$*" "$status" "$output"
}

# slurp VARIABLE FILE: what $(<FILE) gives, without a word about NULs and without a process
slurp() {
	local parts text
	mapfile -d '' parts <"$2"
	printf -v text %s "${parts[@]}"
	while [[ $text == *$'\n' ]]; do
		text=${text%$'\n'}
	done
	printf -v "$1" %s "$text"
}

# ok VERB ...: the same, and it must succeed
ok() {
	rt "$@"
	[ "$status" -eq 0 ]
}

# fails VERB ...: the same, and it must fail (by exit status 1, or FAILS_WITH)
fails() {
	rt "$@"
	[ "$status" -eq "${FAILS_WITH:-1}" ]
}

# probe_run ARG...: run the probe with these arguments in a container; its output in stdout
probe_run() {
	probe "$@"
	ok run -b "$BUNDLE" "$ID"
}

# start_container ARG...: a running container of the probe (default: sleeps)
start_container() {
	[ $# -gt 0 ] || set -- sleep
	probe "$@"
	ok create -b "$BUNDLE" "$ID"
	ok start "$ID"
}

container_pid() {
	state_value '"pid": *([0-9]+)' "${1:-$ID}"
}

container_status() {
	state_value '"status": *"([a-z]+)"' "${1:-$ID}" 2>/dev/null
}

# state_value REGEX ID: the part of its state in parentheses
state_value() {
	local state
	state=$("$RUNTIME" --root "$ROOT" state "$2")
	[[ $state =~ $1 ]] && echo "${BASH_REMATCH[1]}"
}

is_status() {
	[ "$(container_status)" = "$1" ]
}

# -- requirements ----------------------------------------------------------------------------------

can_be_realtime() {
	local folder=$CGROUP_ROOT/orlop-realtime.$$ able=1

	mkdir "$folder" || return 1
	(echo "$BASHPID" >"$folder/cgroup.procs" && exec chrt -f 1 true) 2>/dev/null && able=0
	rmdir "$folder"
	return $able
}

# requires WORD...: skip unless this place has all of them, in place of the one in suite.bash. What is
# missing here another lane has (tests/lanes), so that it is no failure on CI. An unknown word is a bug.
requires() {
	while [ $# -gt 0 ]; do
		case $1 in
		root)
			[ "$(id -u)" -eq 0 ] || skip "needs root"
			;;
		ours)
			[ -z "${ORLOP_RUNTIME:-}" ] || skip "is about our runtime only"
			;;
		systemd)
			[ -d /run/systemd/system ] || skip "needs systemd as the first process"
			;;
		systemd_scope)
			[ -x "$ORLOP_BUILD/runtime/cgroup/systemd-scope" ] || skip "needs the systemd helper built"
			;;
		cgroup_v2)
			[ "$CGROUP_ROOT" = /sys/fs/cgroup ] || skip "needs a pure cgroup v2 host"
			;;
		hybrid)
			[ -n "$CGROUP_ROOT" ] && [ "$CGROUP_ROOT" != /sys/fs/cgroup ] ||
				skip "needs a host with cgroup v1 and v2"
			;;
		cgroup_controller)
			shift
			grep -qw "$1" "$CGROUP_ROOT/cgroup.controllers" || skip "needs the v2 controller $1"
			;;
		no_cgroup_controller)
			shift
			! grep -qw "$1" "$CGROUP_ROOT/cgroup.controllers" || skip "needs a host without the v2 controller $1"
			;;
		realtime)
			# a kernel with RT_GROUP_SCHED (user-mode-linux's) refuses it in every cgroup of v2
			can_be_realtime || skip "needs real-time scheduling in cgroups"
			;;
		kernel)
			shift
			printf '%s\n' "$1" "$(uname -r)" | sort -CV || skip "needs kernel $1"
			;;
		time_namespace)
			[ -e /proc/self/ns/time ] || skip "needs time namespaces"
			;;
		user_namespace)
			unshare -U true 2>/dev/null || skip "needs user namespaces"
			;;
		seccomp)
			grep -q '^Seccomp:' /proc/self/status || skip "needs seccomp"
			;;
		x86_64)
			[ "$(uname -m)" = x86_64 ] || skip "has the numbers of x86_64's system calls"
			;;
		selinux)
			[ -e /sys/fs/selinux/enforce ] || skip "needs SELinux"
			;;
		apparmor)
			grep -qs Y /sys/module/apparmor/parameters/enabled && command -v apparmor_parser >/dev/null ||
				skip "needs AppArmor and its parser"
			;;
		capability)
			shift
			setpriv --dump | grep -qE "^Capability bounding set:.*\b$1\b" || skip "needs the capability $1"
			;;
		no_capability)
			shift
			! setpriv --dump | grep -qE "^Capability bounding set:.*\b$1\b" || skip "needs to lack the capability $1"
			;;
		numa)
			[ -e /sys/devices/system/node/node0 ] || skip "needs a kernel with memory policies"
			;;
		ps_with_times)
			# procps 4.0.2 finds no boot time on user-mode-linux
			ps -ef >/dev/null 2>&1 || skip "needs a ps that knows when processes started"
			;;
		program)
			shift
			command -v "$1" >/dev/null || skip "needs the program $1"
			;;
		*)
			echo "BUG: requires does not know \"$1\"" >&2
			return 1
			;;
		esac
		shift
	done
}

# waits PID: is it in poll(2)? By the kernel's name of the function, or the number of the system call.
waits() {
	[[ $(cat "/proc/$1/wchan" 2>/dev/null) == *poll* ]] || grep -qE '^(7|271) ' "/proc/$1/syscall"
}
