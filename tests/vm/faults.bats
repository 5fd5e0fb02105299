#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What no test can do to the machine that it runs on, done to a guest in the middle of builds: its power
# is cut, its disk fails, its clock jumps. The guests' side is in faults/.
#
# ORLOP_VM_FULL=1: in QEMU. ORLOP_FAULT_ROUNDS: how many cuts or failures (3). ORLOP_FAULT_SEED: the same
# moments again, as far as a machine's speed lets it.

load ../helpers/suite

setup_file() {
	requires root builder mke2fs
	[ -z "${MISSING:-}" ] || return 0
	export KIND=uml WINDOW=4000 BOOT=60
	[ -z "${ORLOP_VM_FULL-}" ] || KIND=full WINDOW=40000 BOOT=300 # it is emulated
	"$ORLOP_SOURCE/tests/vm/images" "$KIND" >/dev/null
}

setup() {
	skip_missing
	rounds=${ORLOP_FAULT_ROUNDS:-3} seed=${ORLOP_FAULT_SEED:-$SRANDOM}
	RANDOM=$((seed % 32768))
	echo "ORLOP_FAULT_SEED=$seed"
	disk=$BATS_TEST_TMPDIR/disk vm=
	log=$BATS_TEST_TMPDIR/log
}

teardown() {
	[ -z "${vm:-}" ] || kill -KILL "$vm" 2>/dev/null || true
}

# guest PROGRAM WORD...: in a VM with the disk. One that is killed ends behind its first process, and all of it has
# the lock: the next one waits until nobody holds the disk.
guest() {
	local kind=()
	exec 8>"$disk.lock"
	flock 8
	[ "$KIND" = uml ] || kind=(--full)
	exec "$ORLOP_SOURCE/tests/vm/run" "${kind[@]}" --disk "$disk" -- "$ORLOP_SOURCE/tests/vm/faults/$1" "${@:2}" \
		>"$log" 2>&1 3>&-
}

# checked PROGRAM WORD...: a guest that ends well
checked() {
	(guest "$@") || {
		cat "$log"
		return 1
	}
}

ready_or_dead() {
	grep -qx ready "$log" || ! kill -0 "$vm" 2>/dev/null
}

# milliseconds MAX: wait for a random part of it
milliseconds() {
	local delay=$((RANDOM * $1 / 32768))
	sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
}

@test "the power is cut while builders work: what was done is there, nothing is wrong or in the way" {
	local last=- next=1 round done=() within=0 modes=(ordered writeback journal)
	mke2fs -q -t ext4 "$disk" 768M
	# cuts between two builds are no loss, but do not count for much
	for ((round = 1; round <= rounds || within <= rounds / 3; round++)); do
		[ "$round" -le $((10 * rounds)) ]
		: >"$log"
		# what the file system does for the contents of files: little, less, all
		export ORLOP_FAULT_DATA=${modes[round % 3]}
		guest power-cut "$last" "$next" "${done[@]}" &
		vm=$!
		wait_for "$BOOT" ready_or_dead
		milliseconds "$WINDOW"
		if ! kill -KILL "$vm"; then # which never ends by itself
			cat "$log"
			[ -z "${KEEP:-}" ] || cp --sparse=always "$disk" "$KEEP"
			return 1
		fi
		wait "$vm" || [ $? = 137 ]
		vm=
		cat "$log"
		last=$(sed -n 's/^building //p' "$log" | tail -n 1)
		[ -n "$last" ] || last=$next
		grep -qx "built $last" "$log" || within=$((within + 1))
		next=$((last + 1))
		# what a build publishes at its end is sure to be on the disk when the next one syncs it
		mapfile -t done < <(sed -n 's/^built //p' "$log" | head -n -1)
	done
	echo "$within of $((round - 1)) within a build"
	checked power-cut "$last" - "${done[@]}"
}

@test "the disk fails while builders work: they end, and the store is whole when it is back" {
	local last=- next=1 how=(error flakey) round
	truncate -s 768M "$disk"
	for ((round = 1; round <= rounds; round++)); do
		checked io-error "$last" "$next" "${how[round % 2]}" $((RANDOM * WINDOW / 32768))
		cat "$log"
		last=$(sed -n 's/^building //p' "$log" | tail -n 1)
		next=$((last + 1))
	done
	checked io-error "$last" - '' 0
}

@test "the clock jumps between builds: what is cached stays so, what was changed is seen" {
	: >"$disk"
	checked clock
}
