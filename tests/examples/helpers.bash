# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the suites of the example images share: a store of their own, base images, the machine's
# settings with a canary in each of them, and what a build printed, as steps.

load ../helpers/suite

examples=$ORLOP_SOURCE/examples
canary=canary52c1f0e7

setup() {
	skip_missing
}

# examples_begin BASE...: to be called by setup_file.
examples_begin() {
	requires root busybox mmdebstrap
	[ -z "${MISSING:-}" ] || return 0
	local base
	export ORLOP_BUILDER=$ORLOP_BUILD/orlop-builder
	export PATH=$ORLOP_BUILD:$PATH # the builder finds the runtime as any other program
	export WORK ORLOP_STORE ORLOP_MACHINE
	WORK=$("$BATS_TEST_DIRNAME/store-place" "$BATS_FILE_TMPDIR" "/dev/shm/orlop-examples.$$")
	ORLOP_STORE=$WORK/store
	ORLOP_MACHINE=$WORK/machine
	for base; do
		"$examples/bases/$base"
	done
	"$examples/machine-settings" "$ORLOP_MACHINE"
	plant_canaries
}

# examples_end: to be called by teardown_file; nothing may be left mounted or running.
examples_end() {
	[ -n "${WORK:-}" ] || return 0
	if grep -F "$WORK" /proc/self/mountinfo; then
		echo "still mounted" >&2
		return 1
	fi
	if [ -n "$(ls -A "$ORLOP_STORE/containers" 2>/dev/null)" ]; then
		echo "containers are left in the store" >&2
		return 1
	fi
	rm -rf "$WORK/store" "$WORK/machine"
	[ "$WORK" = "$BATS_FILE_TMPDIR" ] || rmdir "$WORK"
}

# A mark in every file and variable that is lent to a build: where it shows up, the rest can too.
plant_canaries() {
	local lent=$ORLOP_MACHINE/lent file
	echo "// $canary" >>"$lent/apt.conf"
	echo "; $canary" >>"$lent/npmrc"
	for file in "$lent"/sources.list.d/* "$lent/ca.crt" "$lent/npm-ca.crt"; do
		[ ! -f "$file" ] || echo "# $canary" >>"$file"
	done
	sed -i '/^--build-arg=NO_PROXY=/d' "$ORLOP_MACHINE/flags"
	echo "--build-arg=NO_PROXY=${NO_PROXY:+$NO_PROXY,}$canary.invalid" >>"$ORLOP_MACHINE/flags"
}

# Our own runtime, unless the tests are to try the builder on another.
runtime_option() {
	[ -z "${ORLOP_RUNTIME:-}" ] || echo "--runtime=$ORLOP_RUNTIME"
}

# build_example NAME CONTEXT: $status and $output as with run.
build_example() {
	# shellcheck disable=SC2046 # none or one
	run "$examples/build" $(runtime_option) -t "$1" "$2"
	echo "$output"
}

# step_state TEXT: how the step whose line ends in TEXT ended: CACHED, DONE or ERROR.
step_state() {
	awk -v text="$1" '
		/^#[0-9]+ \[/ && substr($0, length($0) - length(text) + 1) == text { number = $1 }
		$1 == number && $2 ~ /^(CACHED|DONE|ERROR)/ { sub(/:.*/, "", $2); print $2; exit }
	' <<<"$output"
}

assert_step() {
	local state
	state=$(step_state "$2")
	if [ "$state" != "$1" ]; then
		echo "step \"$2\": expected $1, but it is \"$state\"" >&2
		return 1
	fi
}

# assert_all_cached COUNT: so many steps, each from the cache.
assert_all_cached() {
	local steps cached
	steps=$(grep -cE '^#[0-9]+ \[.*[0-9]+/[0-9]+\] ' <<<"$output")
	cached=$(grep -cE '^#[0-9]+ CACHED' <<<"$output")
	[ "$steps" = "$1" ]
	[ "$cached" = "$1" ]
}

# The machine's own host names: those that a public image cannot name.
private_hosts() {
	sed -n 's|.*[a-z]://\([^/:@]*@\)\{0,1\}\([A-Za-z0-9.-]*\).*|\2|p' \
		"$ORLOP_MACHINE"/lent/sources.list.d/* "$ORLOP_MACHINE/lent/npmrc" \
		"$ORLOP_MACHINE/flags" 2>/dev/null | sort -u |
		grep -vE '(^|\.)(debian\.org|npmjs\.org)$' || true
}

# assert_no_traces IMAGE: of what was lent to the build, no file, name, configuration, history or
# record of the whole store holds anything. It counts what it finds, so it holds under run as well.
assert_no_traces() {
	local word words headers found=0
	mapfile -t words < <(echo "$canary"; echo /run/machine; echo 99machine; private_hosts)
	for word in "${words[@]}"; do
		refute grep -rlaF -e "$word" "$ORLOP_STORE" || found=1
		refute grep -F -e "$word" < <("$ORLOP_BUILDER" inspect "$1"; "$ORLOP_BUILDER" history "$1") ||
			found=1
		for headers in "$ORLOP_STORE"/layers/*/headers.zst; do
			refute grep -aF -e "$word" < <(zstd -dcq "$headers") || found=1
		done
	done
	# What a bind mount leaves where its target was not in the image.
	refute grep . < <(find "$ORLOP_STORE/layers" -path '*/tree/run/machine*' -o \
		-name 99machine -o -path '*/tree/root/.npmrc' -o -path '*/tree/*/lists/*_InRelease') ||
		found=1
	[ $found = 0 ]
}

port_is_taken() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# free_port: one that nobody listens on, and that the kernel gives to nobody who asks for any.
free_port() {
	local port=$((20000 + SRANDOM % 12000))
	while port_is_taken "$port"; do
		port=$((20000 + SRANDOM % 12000))
	done
	echo "$port"
}

# serve ARGS...: runs an image in the background; $server is its pid.
serve() {
	# shellcheck disable=SC2046 # none or one
	"$ORLOP_BUILDER" run $(runtime_option) --rm "$@" >"$BATS_TEST_TMPDIR/server.log" 2>&1 </dev/null 3>&- &
	server=$!
}

# serve_end: the container stops when its runner is asked to. A first process that has not set its
# handlers yet does not see the signal, so it is asked again.
serve_end() {
	[ -n "${server:-}" ] || return 0
	local left=400
	while kill -TERM "$server" 2>/dev/null && [ $left -gt 0 ]; do
		left=$((left - 1))
		sleep 0.5
	done
	[ $left -gt 0 ] || kill -KILL "$server"
	wait "$server" || true
	server=
	cat "$BATS_TEST_TMPDIR/server.log"
	[ $left -gt 0 ]
}

# fetch URL: from a server that may still be on its way.
fetch() {
	wait_for 30 fetch_once "$1"
}

# The body of a page that is there, without a program for it.
fetch_once() {
	# shellcheck disable=SC2016 # for the inner shell
	timeout 10 bash -c '
		host=${1#http://} path=/${host#*/} host=${host%%/*}
		exec 3<>"/dev/tcp/${host%:*}/${host#*:}" || exit 1
		printf "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" "$path" "$host" >&3
		read -r protocol code rest <&3
		[[ $protocol == HTTP/* && $code == 200 ]] || exit 1
		sed "1,/^\r\{0,1\}\$/d" <&3' fetch "$1" 2>/dev/null
}
