#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# inside: the bench inside the mount and pid namespace that `run` made: a pure cgroup v2 view, the
# peers' root, a tmpfs for all state, then the suites, then result.json in the work directory.
set -euo pipefail

here=$BENCH_HERE build=$BENCH_BUILD work=$BENCH_WORK peers=$BENCH_PEERS
tag=orlop-bench-${work##*-} # part of every container id, so that `run` can find what stays
fast=$work/fast             # the tmpfs, as seen from the host's root
fast_in=/run/bench          # the same, as seen from the peers' root
raw=$work/raw.tsv
# at the top of a build directory or in their folders
runtime=$build/orlop-runtime builder=$build/orlop-builder
[ -x "$runtime" ] || runtime=$build/runtime/orlop-runtime
[ -x "$builder" ] || builder=$build/builder/orlop-builder
failed=0

die() {
	echo "bench: $*" >&2
	exit 1
}

say() {
	echo "bench: $*" >&2
}

wanted() {
	[[ ,$BENCH_WANTED, == *,$1,* ]]
}

row_wanted() {
	[ -z "$BENCH_ROWS" ] || [[ ,$BENCH_ROWS, == *,$1,* ]]
}

# version NAME COMMAND...: remember the first two lines that a program says of itself
version() {
	local name=$1
	shift
	printf '%s\t%s\n' "$name" "$("$@" 2>/dev/null | head -2 | tr '\t\n' '  ')" >>"$work/versions.tsv"
}

# measure SUITE ROW OPTIONS... PLAN: samples of one row go to $raw, prefixed with suite and row.
# What the commands said is only shown of those that failed.
measure() {
	local suite=$1 row=$2 status=0 loser
	shift 2
	: >"$fast/log"
	env -i PATH="$PATH" HOME=/root LC_ALL=C "$build/tests/bench/measure" -l "$fast/log" "$@" \
		>"$work/samples" || status=$?
	sed "s/^/$suite\t$row\t/" "$work/samples" >>"$raw"
	[ $status = 0 ] && return
	failed=1
	for loser in $(awk -F'\t' '$2 < 0 { print $1 }' "$work/samples"); do
		say "$suite/$row: $loser failed; the end of its output:"
		awk -v loser="$loser" '/^== / { on = $2 == loser } on' "$fast/log" | tail -n 20 >&2
	done
}

machine_json() {
	jq -n --arg kernel "$(uname -sr)" --arg arch "$(uname -m)" --arg cpus "$(nproc)" \
		--arg cpu "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" \
		--arg memory "$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)" \
		--arg load "$(cut -d' ' -f1 /proc/loadavg)" \
		--arg system "$(. /etc/os-release && echo "$PRETTY_NAME")" \
		--arg virt "$(grep -qw hypervisor /proc/cpuinfo && echo yes || echo no)" \
		--arg sha "$(grep -qw sha_ni /proc/cpuinfo && echo yes || echo no)" '{
			kernel: $kernel, architecture: $arch, cpus: ($cpus | tonumber), cpu: $cpu,
			memory_mib: (($memory | tonumber) / 1024 | floor), system: $system,
			virtual_machine: $virt, sha_instructions: $sha,
			load_at_start: ($load | tonumber) }'
}

. "$here/world.sh"
. "$here/runtime.sh"
. "$here/builder.sh"

: >"$raw"
: >"$work/versions.tsv"
: >"$work/adapted.tsv"
machine_json >"$work/machine.json"
mkdir "$fast"
mount -t tmpfs -o size=2g tmpfs "$fast"
world_pure_cgroups "$BENCH_CGROUP" "$work/cg2"
if [ -n "$peers" ]; then
	world_enter_peers
	world_bind "$fast" "$fast_in"
fi
case $1 in runtime | all) bench_runtime ;; esac
case $1 in builder | all) bench_builder ;; esac
jq -n -R -f "$here/samples.jq" --slurpfile machine "$work/machine.json" \
	--rawfile versions "$work/versions.tsv" --rawfile adapted "$work/adapted.tsv" \
	--arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
	--arg commit "$(git -c safe.directory='*' -C "$here" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)" \
	"$raw" >"$work/result.json"
exit "$failed"
