# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# runtime: the runtime's rows. Sourced by inside.sh, which owns the variables used here.
#
# Every contestant has a bundle and a state directory on one tmpfs, the same static payload, and its
# own `spec` output, adapted (same-work.jq). The programs are on the disk, where they get installed
# (the peers are in a root there): a tmpfs maps a program page by page, each of which is a fault.
# A runtime seals itself against being overwritten unless its program is on a read-only mount:
# plain names pay for that, @ro names do not need to.

orlop_cache=/run/orlop-runtime-cache
containers=10 # that `exec`, `state` and `list` find
many_containers=200
many_runs=3

# runtime_program NAME: its path in its own root
runtime_program() {
	case $1 in
	orlop) echo "$work/bin/orlop-runtime" ;;
	orlop@ro) echo "$work/bin-ro/orlop-runtime" ;;
	crun) echo /usr/bin/crun ;;
	crun@ro) echo "$fast_in/peer-bin-ro/crun" ;;
	runc) echo /usr/sbin/runc ;;
	esac
}

runtime_is_peer() {
	[[ $1 =~ ^(crun|runc) ]]
}

# what NAME calls the tmpfs
runtime_base() {
	runtime_is_peer "$1" && echo "$fast_in" || echo "$fast"
}

runtime_call() {
	if runtime_is_peer "$1"; then
		in_peers sh -c "cd $fast_in/bundles/$1 && exec $(runtime_program "$1") $2"
	else
		(cd "$fast/bundles/$1" && "$(runtime_program "$1")" "$2")
	fi
}

# The leaves of the config that adapting changed, one line per contestant, for the JSON file.
runtime_note_adapted() {
	jq -n -r --arg name "$1" --slurpfile was "$2" --slurpfile is "$3" '
		def leaves: [paths(scalars) as $p | ($p | map(if type == "number" then "*" else . end)
			| join("/")) + "=" + (getpath($p) | tojson)] | unique;
		(($was[0] | leaves) - ($is[0] | leaves)) + (($is[0] | leaves) - ($was[0] | leaves))
		| map(sub("=.*"; "")) | unique | [$name, join(" ")] | @tsv' >>"$work/adapted.tsv"
}

# runtime_pause NAME FROM TO: TO is FROM with `pause`
runtime_pause() {
	mkdir -p "$3"
	jq '.process.args = ["/bin/pause"]' "$2/config.json" >"$3/config.json"
}

# bundles/NAME runs `true` in the default config, docker/NAME in one as dockerd writes them; paused/
# and docker-paused/NAME are the same with `pause`
runtime_make_bundle() {
	local bundle=$fast/bundles/$1 base
	base=$(runtime_base "$1")
	mkdir -p "$bundle" "$fast/docker/$1" "$fast/state/$1"
	cp -r "$fast/rootfs" "$bundle/rootfs"
	[ "$1" = floor ] && return
	runtime_call "$1" spec
	mv "$bundle/config.json" "$bundle/spec.json"
	# an absolute root, so that one rootfs serves all bundles
	jq -f "$here/same-work.jq" "$bundle/spec.json" |
		jq --arg root "$base/bundles/$1/rootfs" '.root.path = $root' >"$bundle/config.json"
	jq -f "$here/docker-like.jq" --slurpfile profile "$here/../../builder/build/seccomp.json" \
		--arg volumes "$base/volumes" "$bundle/config.json" >"$fast/docker/$1/config.json"
	runtime_pause "$1" "$bundle" "$fast/paused/$1"
	runtime_pause "$1" "$fast/docker/$1" "$fast/docker-paused/$1"
	runtime_note_adapted "$1" "$bundle/spec.json" "$bundle/config.json"
}

runtime_prepare() {
	local root=$fast/rootfs dir
	for dir in bin proc sys dev tmp etc srv; do
		mkdir -p "$root/$dir"
	done
	mkdir -p "$fast/volumes/folder"
	echo text >"$fast/volumes/file"
	# the one limit that every host with cgroup v2 has a controller for
	echo '{ "unified": { "hugetlb.2MB.max": "4194304" } }' >"$fast/update.json"
	# our compiled filters are not below --root: a /run that is not the host's
	mount -t tmpfs -o mode=755 tmpfs /run
	cp "$here/many" "$fast/many"
	cp "$build/tests/bench/payload" "$root/bin/true"
	cp "$build/tests/bench/payload" "$root/bin/pause"
	mkdir "$work/bin" "$work/bin-ro" "$fast/peer-bin-ro"
	cp "$build/tests/bench/floor" "$work/bin/"
	if [ -x "$runtime" ]; then
		cp "$runtime" "$work/bin/"
		mount --bind "$work/bin" "$work/bin-ro"
		mount -o remount,bind,ro "$work/bin-ro"
		version orlop-runtime "$runtime" --version
	fi
	if [ -n "$peers" ]; then
		mount --bind "$peers/usr/bin" "$peers$fast_in/peer-bin-ro"
		mount -o remount,bind,ro "$peers$fast_in/peer-bin-ro"
		version crun in_peers crun --version
		version runc in_peers runc --version
	fi
}

# the contestants that are wanted and there
runtime_contestants() {
	local name
	for name in floor orlop orlop@ro crun crun@ro runc; do
		wanted "$name" || continue
		[[ $name != orlop* ]] || [ -x "$runtime" ] || continue
		[[ $name == floor || $name == orlop* || -n $peers ]] || continue
		echo "$name"
	done
}

runtime_plan_head() {
	echo "contestant $1"
	runtime_is_peer "$1" && echo "root $peers"
	echo "dir $(runtime_base "$1")/$2/$1"
	call="$(runtime_program "$1") --root $(runtime_base "$1")/state/$1"
	id=$tag-${1/@/-}
}

runtime_plan_run() {
	local call id
	runtime_plan_head "$1" bundles
	if [ "$1" = floor ]; then
		echo "time run $work/bin/floor $fast/bundles/floor/rootfs /bin/true"
		return
	fi
	echo "time run $call run $id"
	echo "last $call delete --force $id"
}

runtime_plan_create() {
	local call id
	[ "$1" = floor ] && return
	runtime_plan_head "$1" bundles
	echo "time create $call create $id"
	echo "time start $call start $id"
	echo "reap" # the payload has ended: delete needs no force and no wait
	echo "time delete $call delete $id"
	echo "last $call delete --force $id"
}

runtime_plan_live() {
	local call id i
	[ "$1" = floor ] && return
	runtime_plan_head "$1" paused
	for i in $(seq $containers); do
		echo "first $call create $id-$i"
		echo "first $call start $id-$i"
		echo "last $call delete --force $id-$i"
	done
	echo "time exec $call exec $id-1 /bin/true"
	echo "time state $call state $id-1"
	echo "time list $call list"
	echo "time kill0 $call kill $id-1 0"
	echo "time ps $call ps --format json $id-1"
	echo "time update $call update -r $(runtime_base "$1")/update.json $id-1"
	[[ $1 == crun* ]] || echo "time events $call events --stats $id-1" # crun has no such verb
}

# The rate at which containers start, while those before them run.
runtime_plan_many() {
	local call id many
	[ "$1" = floor ] && return
	runtime_plan_head "$1" paused
	many=$(runtime_base "$1")/many
	echo "time many $many start $many_containers $id $call"
	echo "after $many delete $many_containers $id $call"
}

# What the machine has less for each of them: no time, so no row of the table. In turns, of which the first counts
# for nothing: caches of the kernel fill then.
runtime_memory() {
	local name round call id
	for round in first second third; do
		for name in $(runtime_contestants); do
			[ "$name" != floor ] || continue
			call="$(runtime_program "$name") --root $(runtime_base "$name")/state/$name"
			id=$tag-${name/@/-}
			if runtime_is_peer "$name"; then
				in_peers sh -c "cd $fast_in/paused/$name && exec $fast_in/many memory $many_containers $id $call"
			else
				# shellcheck disable=SC2086 # a command
				(cd "$fast/paused/$name" && "$fast/many" memory $many_containers "$id" $call)
			fi 2>>"$fast/log" | sed "s/^/bench: memory: $round round of $many_containers, each of $name: /" >&2
		done
	done
}

# crun keeps its compiled filters below its state directory; runc has none
runtime_cache() {
	case $1 in
	orlop*) echo "$orlop_cache" ;;
	*) echo "$(runtime_base "$1")/state/$1/.cache" ;;
	esac
}

# the first run of a profile: its filter has to be compiled
runtime_plan_docker_cold() {
	local call id
	[ "$1" = floor ] && return
	runtime_plan_head "$1" docker
	echo "each /bin/rm -rf $(runtime_cache "$1")"
	echo "time docker-cold $call run $id"
	echo "last $call delete --force $id"
}

# all later ones
runtime_plan_docker_warm() {
	local call id
	[ "$1" = floor ] && return
	runtime_plan_head "$1" docker
	echo "first $call run $id"
	echo "time docker-warm $call run $id"
	echo "last $call delete --force $id"
}

runtime_plan_docker_exec() {
	local call id
	[ "$1" = floor ] && return
	runtime_plan_head "$1" docker-paused
	echo "first $call create $id"
	echo "first $call start $id"
	echo "time docker-exec $call exec $id /bin/true"
	echo "last $call delete --force $id"
}

bench_runtime() {
	local name row runs=${BENCH_RUNS:-30} warmups=2
	[ "$runs" -gt 3 ] || warmups=0
	runtime_prepare
	for name in $(runtime_contestants); do
		runtime_make_bundle "$name"
	done
	for row in run create live docker_cold docker_warm docker_exec many; do
		row_wanted "${row%%_*}" || continue
		for name in $(runtime_contestants); do
			"runtime_plan_$row" "$name"
		done >"$work/plan"
		grep -q ^contestant "$work/plan" || continue
		if [ $row = many ] && [ "$runs" -gt $many_runs ]; then
			runs=$many_runs warmups=0
		fi
		say "runtime/$row: $runs runs of $(grep -c ^contestant "$work/plan") contestants"
		measure runtime "$row" -n "$runs" -w "$warmups" -s 20 -t 120 "$work/plan"
	done
	if row_wanted memory; then
		runtime_memory
	fi
}
