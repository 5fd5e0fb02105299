# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# builder: the builder's rows. Sourced by inside.sh, which owns the variables used here.
#
# Each round makes one fresh journaled ext4 file system on a loop device. The build context and the
# stores of all contestants live there: nobody meets an old store, a full journal or another disk.
# In a round everyone builds once on a store that holds nothing but the base image (cold, after
# dropping the caches), then everyone builds the same again three times (cached).
# A series whose sha256 calibration varies by more than 15 % was run on an unsteady machine: it is
# rejected and run again; when no try is steady, the steadiest is shown and marked.

spread_limit=15
image_dir=$work/image # the file system, as seen from the host's root
image_in=/mnt         # the same, as seen from the peers' root
docker_socket=unix:///run/docker-bench.sock
buildah="/usr/bin/buildah --root $image_in/buildah --runroot /run/buildah-bench"
buildah="$buildah --storage-driver overlay"
# by default it asks for more than a process without CAP_SYS_RESOURCE may
buildah_limits="--ulimit nofile=$(ulimit -Hn):$(ulimit -Hn) --ulimit nproc=$(ulimit -Hu):$(ulimit -Hu)"
dockerd_pid=
out= # the contestants that failed to make their base image

builder_contestants() {
	local name
	for name in orlop docker buildah; do
		wanted "$name" && [[ $out != *,$name,* ]] || continue
		[[ $name != orlop ]] || [[ -x $builder && -x $runtime ]] || continue
		[[ $name == orlop || -n $peers ]] || continue
		echo "$name"
	done
}

# ---- what is built ----

builder_base_tar() {
	local root=$work/base
	mkdir -p "$root"/{bin,etc,tmp,root,proc,sys,dev}
	cp "$fast/busybox" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	ln -s busybox "$root/bin/true"
	echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
	tar --owner=0 --group=0 -cf "$work/base.tar" -C "$root" .
}

builder_context_run20() {
	local i
	for i in $(seq 20); do
		echo "RUN true $i"
	done >>"$1/Dockerfile"
}

# 20 directories, so that nobody's figure hangs on one huge directory
builder_context_files() {
	local i per=$((${BENCH_FILES:-20000} / 20))
	for i in $(seq 20); do
		mkdir -p "$1/tree/d$i"
		head -c $((per * 1024)) /dev/urandom | split -b 1024 -a 4 -d - "$1/tree/d$i/f"
	done
	echo "COPY tree /tree" >>"$1/Dockerfile"
}

builder_context_big() {
	cp "$work/big" "$1/big"
	echo "COPY big /big" >>"$1/Dockerfile"
}

# ---- one round's world ----

builder_mount_image() {
	rm -f "$work/disk.img"
	truncate -s 32G "$work/disk.img"
	mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$work/disk.img"
	mkdir -p "$image_dir"
	mount -o loop "$work/disk.img" "$image_dir" # autoclear: the device goes with the mount
	[ -z "$peers" ] || mount --rbind "$image_dir" "$peers$image_in"
}

builder_unmount_image() {
	world_stop_docker
	# storage drivers leave mounts below
	if [ -n "$peers" ] && mountpoint -q "$peers$image_in"; then
		umount -R "$peers$image_in" 2>/dev/null || umount -R -l "$peers$image_in"
	fi
	if mountpoint -q "$image_dir"; then
		umount -R "$image_dir" 2>/dev/null || umount -R -l "$image_dir"
	fi
	rm -f "$work/disk.img"
}

builder_start_docker() {
	world_start_docker docker-bench "$image_in/docker" "$work/dockerd.log"
}

# The daemon, and the containerd that it starts: their memory is the builder's too.
builder_docker_pids() {
	echo "$dockerd_pid"
	cat "$peers/run/docker-bench/containerd/containerd.pid"
}

builder_setup_orlop() {
	"$builder" --store "$image_dir/orlop" import -t bench-base "$work/base.tar"
}

builder_setup_docker() {
	builder_start_docker &&
		in_peers docker -H "$docker_socket" build -q -t bench-base "$image_in/base"
}

builder_setup_buildah() {
	in_peers $buildah bud -q --network host -t bench-base "$image_in/base"
}


builder_setup() {
	local name context=$image_dir/context
	builder_mount_image
	mkdir "$context" "$image_dir/base"
	echo "FROM bench-base" >"$context/Dockerfile"
	"builder_context_$1" "$context"
	cp "$work/base.tar" "$image_dir/base/"
	printf 'FROM scratch\nADD base.tar /\n' >"$image_dir/base/Dockerfile"
	for name in $(builder_contestants); do
		"builder_setup_$name" >"$work/setup.log" 2>&1 && continue
		tail -n 20 "$work/setup.log" >&2
		say "builder/$1: $name: the base image cannot be made"
		printf 'builder\t%s\t%s\t-1\tfailed\t0\t0\t0\t0\n' "$1" "$name" >>"$raw"
		out=$out,$name, failed=1
	done
}

# ---- plans ----

# The command that builds, and the programs that it runs, by contestant.
builder_command() {
	case $1 in
	orlop) echo "$builder --store $image_dir/orlop build -t bench-image" \
		"--network host --runtime $runtime $image_dir/context" ;;
	docker) echo "/usr/bin/docker build --progress plain --network host -t bench-image" \
		"$image_in/context" ;;
	buildah) echo "$buildah bud --layers --network host --pull=never $buildah_limits" \
		"-t bench-image $image_in/context" ;;
	esac
}

builder_programs() {
	case $1 in
	orlop) echo "$builder $runtime" ;;
	docker) echo /usr/bin/docker /usr/libexec/docker/cli-plugins/docker-buildx \
		/usr/sbin/dockerd /usr/bin/containerd /usr/sbin/runc ;;
	buildah) echo /usr/bin/buildah /usr/bin/crun ;;
	esac
}

builder_plan_head() {
	local pid
	echo "contestant $1"
	[ "$1" = orlop ] && return
	echo "root $peers"
	[ "$1" = docker ] || return 0
	echo "setenv DOCKER_HOST=$docker_socket"
	for pid in $(builder_docker_pids); do
		echo "daemon $pid"
	done
}

# The floor of a COPY, in the same round (copy-floor.c says what is in it).
builder_plan_floor() {
	case $1 in
	files) set -- files "$image_dir/context/tree" ;;
	big) set -- big "$image_dir/context/big" ;;
	*) return 0 ;;
	esac
	wanted floor && [[ -x $fast/copy-floor ]] || return 0
	echo "contestant floor"
	echo "each $fast/busybox sh $fast/cold $fast/copy-floor"
	echo "time cold $fast/copy-floor $1 $2 $image_dir/floor"
	echo "after $fast/busybox rm -rf $image_dir/floor"
}

builder_plan() {
	local name phase=$1 row=$2 base at
	for name in $(builder_contestants); do
		base=$fast_in at=$image_in
		[ "$name" != orlop ] || base=$fast at=$image_dir
		builder_plan_head "$name"
		if [ "$phase" = cold ]; then
			echo "each $base/busybox sh $base/cold $(builder_programs "$name")"
			for _ in $(seq 12); do
				echo "time sha256 $base/busybox sha256sum $base/sha256.data"
			done
		else
			echo "each $base/busybox sync"
		fi
		echo "time $phase $(builder_command "$name")"
		echo "time $phase-sync $base/busybox sync -f $at"
	done
	[ "$phase" = cold ] || return 0
	builder_plan_floor "$row"
	echo "contestant machine"
	echo "each $fast/busybox sync"
	echo "time copy $fast/busybox cp $fast/copy.data $image_dir/copy.data"
	echo "after $fast/busybox rm $image_dir/copy.data"
}

# ---- series ----

# How much the calibration varied, in percent: of each contestant and round the best of twelve.
# Many short ones: a neighbour's burst spoils some, a slower machine all of them.
builder_spread() {
	awk -F'\t' '$5 == "sha256" { k = $3 " " $4; if (!(k in best) || $6 < best[k]) best[k] = $6 }
		END { for (k in best) { if (!low || best[k] < low) low = best[k]
				if (best[k] > high) high = best[k] }
			printf "%d\n", low ? (high - low) * 100 / low : 0 }' "$1"
}

# A cached build that did the work again would be a wrong figure, not a slow one: each of the three
# must have said of every step that it came from the cache.
builder_check_cached() {
	local name hits steps=1
	[ "$1" != run20 ] || steps=20
	for name in $(builder_contestants); do
		! grep -q "^builder	$1	$name	-1	failed" "$raw" || continue
		hits=$(awk -v head="== $name cached" '/^== / { on = $0 == head }
			on && /CACHED$|Using cache/ { n++ } END { print n + 0 }' "$fast/log")
		[ "$hits" -lt $((steps * 3)) ] || continue
		say "builder/$1: $name: only $hits steps came from its cache"
		printf 'builder\t%s\t%s\t-1\tfailed\t0\t0\t0\t0\n' "$1" "$name" >>"$raw"
		failed=1
	done
}

builder_round() {
	builder_setup "$1"
	builder_plan cold "$1" >"$work/plan"
	measure builder "$1" -n 1 -f "$2" -t 900 "$work/plan"
	builder_plan cached "$1" >"$work/plan"
	measure builder "$1" -n 3 -f $(($2 * 3)) -t 900 "$work/plan"
	builder_check_cached "$1"
	builder_unmount_image
}

builder_series() {
	local row=$1 rounds=$2 try round spread best='' best_spread=0 total=$raw
	for try in $(seq "${BENCH_TRIES:-3}"); do
		local raw=$work/series.$try # where measure() writes
		: >"$raw"
		for round in $(seq 0 $((rounds - 1))); do
			say "builder/$row: try $try, round $((round + 1)) of $rounds"
			builder_round "$row" "$round"
		done
		spread=$(builder_spread "$raw")
		if [ -z "$best" ] || [ "$spread" -lt "$best_spread" ]; then
			best=$raw best_spread=$spread
		fi
		[ "$spread" -gt $spread_limit ] || break
		say "builder/$row: sha256 varied by $spread %: the series is rejected"
	done
	cat "$best" >>"$total"
	printf 'builder\t%s\tmachine\t0\tspread\t%s\t0\t%s\t0\n' \
		"$row" "$best_spread" "$spread_limit" >>"$total"
	rm -f "$work"/series.*
}

builder_prepare() {
	local busybox
	busybox=$(command -v busybox) || busybox=$peers/usr/bin/busybox
	cp "$busybox" "$fast/busybox" # static: serves both roots and the base image
	cp "$here/cold" "$fast/cold"
	[ ! -x "$build/tests/bench/copy-floor" ] || cp "$build/tests/bench/copy-floor" "$fast/"
	head -c 16M /dev/urandom >"$fast/sha256.data"
	head -c 256M /dev/zero >"$fast/copy.data"
	builder_base_tar
	! row_wanted big || head -c "${BENCH_MIB:-1024}M" /dev/urandom >"$work/big"
	[ ! -x "$builder" ] || version orlop-builder "$builder" --version
	[ -n "$peers" ] || return 0
	version docker in_peers dockerd --version
	version buildx in_peers docker buildx version
	version buildah in_peers buildah --version
}

bench_builder() {
	local row
	[ -n "$(builder_contestants)" ] || return 0
	builder_prepare
	for row in run20 files big; do
		! row_wanted "$row" || builder_series "$row" "${BENCH_RUNS:-3}"
	done
}
