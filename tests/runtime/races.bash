# shellcheck shell=bash disable=SC2154 # of helpers.bash
# SPDX-License-Identifier: Apache-2.0
#
# A hundred containers, and verbs at random.

# What may lose against what: all else is a failure of the test.
expected='container does not exist|container not running|container not paused|container with given ID already exists'
expected+='|container with id [^ ]* is not running|cannot exec in a (stopped|paused) container|cannot start an? '
expected+='|was killed by signal 9|the container.s process|exec failed: |process has ended'

# one of the verbs on one of the containers
act() {
	local id=$ID-$((SRANDOM % 100)) call=("$RUNTIME" --root "$ROOT" "${RT_GLOBAL[@]}")
	case $((SRANDOM % 12)) in
	0|1|2) "${call[@]}" create -b "$BUNDLE" "$id" ;;
	3) "${call[@]}" start "$id" ;;
	4) "${call[@]}" run -d -b "$BUNDLE" "$id" ;;
	5) "${call[@]}" update -r "$WORK/$((SRANDOM % 2)).json" "$id" ;;
	6) "${call[@]}" pause "$id" ;;
	7) "${call[@]}" resume "$id" ;;
	8) "${call[@]}" kill "$id" KILL ;;
	9) "${call[@]}" exec -d "$id" /bin/probe sleep ;;
	10) "${call[@]}" events --stats "$id" ;;
	11) "${call[@]}" delete --force "$id" ;;
	esac
}

worker() {
	local end=$((SECONDS + $1))
	while [ "$SECONDS" -lt "$end" ]; do
		act </dev/null || true # losing is fine
	done
}

# Who came into a container while it was being paused waits for a resume, which no worker asks for any more.
resumed_to_the_end() {
	local state
	for state in "$ROOT"/*/; do
		"$RUNTIME" --root "$ROOT" "${RT_GLOBAL[@]}" resume "$(basename "$state")" >/dev/null 2>&1 3>&- || true
	done
	[ -z "$(jobs -rp)" ]
}

# race SECONDS: 100 containers at random: created, updated, paused, killed, deleted; none is left in between
race() {
	probe sleep
	printf '{ "devices": [{ "allow": %s, "type": "c", "major": 240 }] }' true >"$WORK/0.json"
	printf '{ "devices": [{ "allow": %s, "type": "c", "major": 240 }], "unified": { "cgroup.max.depth": "9" } }' false >"$WORK/1.json"
	local seconds=$1 state id
	# an emulated processor needs minutes for that, and for what has to be deleted then
	! grep -q 'QEMU TCG' /proc/cpuinfo || seconds=1
	for _ in 1 2 3 4 5 6; do
		worker "${ORLOP_RACE_SECONDS:-$seconds}" >/dev/null 2>>"$WORK/errors" 3>&- &
		BACKGROUND+=($!)
	done
	sleep "${ORLOP_RACE_SECONDS:-$seconds}"
	wait_for 10 resumed_to_the_end
	wait
	BACKGROUND=()
	[ -s "$WORK/errors" ]
	sort "$WORK/errors" | uniq -c | sort -rn | head -n 20
	refute grep -vE "$expected" "$WORK/errors"
	# none is half frozen, half dead or locked
	for state in "$ROOT"/*/; do
		id=$(basename "$state")
		case $(container_status "$id") in
		created|running|paused|stopped) ;;
		*) echo "container $id is neither"; false ;;
		esac
		ok delete --force "$id"
	done
	ok list -q
	equals "$stdout" ""
}
