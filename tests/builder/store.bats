#!/usr/bin/env bats
# The store under fire: killed builders, several at once, stores that are not ours.
load helpers

setup() {
	requires root jq
	setup_store
	make_root
}

teardown() {
	teardown_store
}

@test "import killed at random moments a hundred times leaves a store that works" {
	head -c 3000000 /dev/urandom >"$work/root/big"
	for i in {1..40}; do printf '%s' "$i" >"$work/root/f$i"; done
	tar -C "$work/root" -cf "$work/big.tar" .
	ob import "$work/root.tar" kept
	whole=$(duration "$builder" import -q "$work/big.tar" killed)
	killed=0
	for i in {1..100}; do
		killed_midway "$builder" import -q "$work/big.tar" "killed:$i" -c "CMD $i" && killed=$((killed + 1))
		# whatever has a name is whole
		if [ $((i % 10)) = 0 ]; then
			for name in $("$builder" images --format json | jq -r '.[].names[]'); do
				"$builder" export "$name" | tar xOf - etc/motd | grep -qx hello
			done
		fi
	done
	echo "killed $killed of 100" >&2
	[ "$killed" -gt 20 ]
	store_works
	[ "$(ob export kept | tar xOf - etc/motd)" = hello ]
	ob import "$work/big.tar" killed:last
	ob export killed:last | tar xOf - big | cmp - "$work/root/big"
	# the next session sweeps: only what is complete stays
	wait_for 10 idle_store
	for layer in "$ORLOP_STORE"/layers/*; do
		[ -e "$layer/meta.json" ] && [ -e "$layer/headers.zst" ] && [ -d "$layer/tree" ]
	done
}

@test "rmi killed at random moments loses no other image" {
	ob import "$work/root.tar" kept
	for i in {1..30}; do
		"$builder" import -q "$work/root.tar" victim -c "CMD $i" >/dev/null
		"$builder" rmi victim 2>/dev/null &
		pid=$!
		sleep "0.00$((RANDOM % 10))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	[ "$(ob export kept | tar xOf - etc/motd)" = hello ]
	store_works
}

@test "several builders import, tag and remove at once" {
	pids=()
	for n in 1 2 3 4; do
		(
			for i in 1 2 3 4 5 6; do
				"$builder" import -q "$work/root.tar" "mine$n" -c "CMD $n $i"
				"$builder" tag "mine$n" "other$n:$i"
				"$builder" export "mine$n" | tar xOf - etc/motd
				"$builder" rmi "other$n:$i"
			done
		) >"$work/log$n" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || { tail "$work"/log*; false; }
	done
	[ "$(cat "$work"/log* | grep -cx hello)" = 24 ]
	for n in 1 2 3 4; do
		[ "$(ob inspect "mine$n" | jq -r '.[0].Config.Cmd[2]')" = "$n 6" ]
	done
	store_works
	wait_for 10 idle_store
}

@test "another format, another namespace and somebody's folder are refused" {
	ob images
	sed 's/"version":1/"version":9/' "$ORLOP_STORE/format" >"$work/format"
	cp "$work/format" "$ORLOP_STORE/format"
	run -1 ob images
	[[ $output = *"format 9, this program knows 1: use another with --store DIR"* ]]
	mkdir "$work/home"
	echo dear >"$work/home/diary"
	run -1 ob --store "$work/home" images
	[[ $output = *"not empty and not a store"* ]]
	[ "$(ls "$work/home")" = diary ]
}

@test "other users get at nothing in the store" {
	ob import "$work/root.tar" x
	chmod 755 "$work" "$ORLOP_STORE"
	[ -u "$(find "$ORLOP_STORE/layers" -name tool)" ]
	run ! setpriv --reuid 65534 --regid 65534 --clear-groups find "$ORLOP_STORE" -name tool
	[ -z "$(setpriv --reuid 65534 --regid 65534 --clear-groups find "$ORLOP_STORE" -mindepth 2 2>/dev/null)" ]
	run ! setpriv --reuid 65534 --regid 65534 --clear-groups flock -n "$ORLOP_STORE/lock" true
}

@test "a store made inside a user namespace is refused outside, with the way out" {
	unshare -Ur true 2>/dev/null || skip "needs user namespaces"
	unshare -Ur "$builder" images
	run -1 ob images
	[[ $output = *"another user namespace"*"--store DIR"* ]]
}

@test "a truncated ref is an error that does not stop the rest" {
	ob import "$work/root.tar" good
	ob import "$work/root.tar" bad -c 'CMD x'
	: >"$ORLOP_STORE/refs/docker.io/library/bad/:latest"
	run -1 ob inspect bad
	run -0 ob images
	[[ $output = *good* && $output = *"refs/docker.io/library/bad/:latest"* ]]
	# what it needed is not known: nothing is collected as long as it is there
	run -1 ob rmi good
	[ "$(ls "$ORLOP_STORE/layers" | wc -l)" = 1 ]
	ob import "$work/root.tar" good
	ob rmi bad
	[ "$(ob images -q | wc -l)" = 1 ]
}

@test "after a power cut nothing is taken for whole that only has its name" {
	ob import -q "$work/root.tar" whole >"$work/id"
	whole=$(ls "$ORLOP_STORE/layers")
	echo more >"$work/root/more"
	tar -C "$work/root" -cf "$work/more.tar" .
	ob import -q "$work/more.tar" cut
	layer=$(ls "$ORLOP_STORE/layers" | grep -v "$whole")
	# names are journaled before what they name, and before the image that leads there is published
	rm -r "$ORLOP_STORE/refs/docker.io/library/cut"
	: >"$ORLOP_STORE/layers/$layer/meta.json"
	: >"$ORLOP_STORE/layers/$layer/headers.zst"
	run ! ob fsck
	# the same boot: it is as it was
	ob import -q "$work/root.tar" again
	[ -d "$ORLOP_STORE/layers/$layer" ]
	# another
	echo another >"$ORLOP_STORE/boot"
	ob import -q "$work/root.tar" again
	[ "$(ls "$ORLOP_STORE/layers")" = "$whole" ]
	[[ $(cat "$ORLOP_STORE/boot") = "$(cat /proc/sys/kernel/random/boot_id)"-* ]]
	ob fsck
	ob import -q "$work/more.tar" cut
	[ "$(ob export cut | tar xOf - more)" = more ]
	ob export whole | tar tf - >/dev/null
	ob fsck
}

@test "what was told to have a name has it on the disk" {
	requires strace
	strace -f -y -qq -e trace=syncfs,renameat,fsync -o "$work/trace" \
		"$builder" import -q "$work/root.tar" some/name:tag >/dev/null
	# its documents, its name, the folder that the name is in
	sed -nE 's#.*(syncfs)\(.*#\1#p; s#.*renameat\(.*"refs/(.*)"\) = 0#\1#p; s#.*fsync\([0-9]+<.*/refs/(.*)>\).*#fsync \1#p' \
		"$work/trace" >"$work/order"
	cat "$work/order"
	[ "$(tail -n 3 "$work/order" | xargs)" = \
		"syncfs docker.io/some/name/:tag fsync docker.io/some/name" ]
}
