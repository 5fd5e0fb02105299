# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# builder: the builder's rows. Sourced by inside.sh, which owns the variables used here.
#
# Each round makes one fresh journaled ext4 file system on a loop device. The build context and the
# stores of all contestants live there: nobody meets an old store, a full journal or another disk.
# A round goes through the phases of its row (builder_phases): in each, everyone builds once, or
# three times, right after each other. So every round gives one ratio of its own to the peer and to
# the floor; a goal counts as met when the worst of them meets it. How fast the machine was beside
# each build (sha256) is shown, and decides nothing.

image_dir=$work/image # the file system, as seen from the host's root
image_in=/mnt         # the same, as seen from the peers' root
docker_socket=unix:///run/docker-bench.sock
buildah="/usr/bin/buildah --root $image_in/buildah --runroot /run/buildah-bench"
buildah="$buildah --storage-driver overlay"
# by default it asks for more than a process without CAP_SYS_RESOURCE may
buildah_limits="--ulimit nofile=$(ulimit -Hn):$(ulimit -Hn) --ulimit nproc=$(ulimit -Hu):$(ulimit -Hu)"
dockerd_pid=
overlay_options=redirect_dir=off,index=off,metacopy=off,xino=off,nfs_export=off,volatile
out= # the contestants that failed to make their base image

. "$here/registry.sh"

# In which of the rows buildah runs: in the others it takes minutes, and no goal is measured by it.
buildah_rows=,run20,files,big,

# builder_contestants ROW
builder_contestants() {
	local name
	for name in orlop docker buildah; do
		wanted "$name" && [[ $out != *,$name,* ]] || continue
		[[ $name != buildah || $buildah_rows == *,$1,* ]] || continue
		[[ $name != orlop ]] || [[ -x $builder && -x $runtime ]] || continue
		[[ $name == orlop || -n $peers ]] || continue
		echo "$name"
	done
}

# ---- what is built ----

# The image of all rows but one is a static busybox.
builder_base_tar() {
	local root=$work/base
	mkdir -p "$root"/{bin,etc,tmp,root,proc,sys,dev}
	cp "$fast/busybox" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	ln -s busybox "$root/bin/true"
	echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
	tar --owner=0 --group=0 -cf "$work/base.tar" -C "$root" .
}

# 100,000 files in 100 directories.
builder_many_tar() {
	local root=$work/many i
	cp -a "$work/base" "$root"
	for i in $(seq 100); do
		mkdir -p "$root/many/$i"
		head -c $((per_folder * 256)) /dev/zero | split -b 256 -a 4 -d - "$root/many/$i/f"
	done
	tar --owner=0 --group=0 -cf "$work/many.tar" -C "$root" .
	rm -rf "$root"
}

builder_context_run20() {
	local i
	for i in $(seq 20); do
		echo "RUN true $i"
	done >>"$1/Dockerfile"
}

# 20 directories, so that nobody's figure hangs on one huge directory
builder_context_files() {
	local i
	for i in $(seq 20); do
		mkdir -p "$1/tree/d$i"
		head -c $((per_folder * 1024)) /dev/urandom | split -b 1024 -a 4 -d - "$1/tree/d$i/f"
	done
	echo "COPY tree /tree" >>"$1/Dockerfile"
}

builder_context_big() {
	cp "$work/big" "$1/big"
	echo "COPY big /big" >>"$1/Dockerfile"
}

per_folder=$((${BENCH_FILES:-20000} / 20)) # files
written_command="head -c $((${BENCH_MIB:-1024} << 20)) /dev/zero >/big; x=\$(head -c 1023 /dev/zero | tr '\\0' x); for d in \$(seq 50); do mkdir -p /files/\$d; for f in \$(seq $per_folder); do echo \$x >/files/\$d/\$f; done; done"

# builder_floor_base TAR: what the floor runs a row's commands on, as the lower layer of an overlay
builder_floor_base() {
	local lower=$image_dir/lower
	wanted floor || return 0
	mkdir "$lower"
	tar -xf "$1" -C "$lower"
	mknod "$lower/dev/zero" c 1 5
	mknod -m 666 "$lower/dev/null" c 1 3
}

declare -A base_commands=([touch]='touch /many/1/new' [rm]='rm -rf /many' [chown]='chown -R 1000:1000 /many')

# 1 GiB and 50,000 files.
builder_context_written() {
	echo "RUN $written_command" >>"$1/Dockerfile"
	builder_floor_base "$work/base.tar"
	! wanted floor || echo "$written_command" >"$image_dir/lower/command"
}

# Eight stages that wait for a second and do some work each.
builder_context_stages() {
	local i
	for i in $(seq 8); do
		printf 'FROM bench-base AS s%s\nRUN sleep 1; head -c 8388608 /dev/zero | sha256sum >/out%s\n' "$i" "$i"
	done >"$1/Dockerfile"
	echo "FROM bench-base" >>"$1/Dockerfile"
	for i in $(seq 8); do
		echo "COPY --from=s$i /out$i /"
	done >>"$1/Dockerfile"
}

# One step each on a base of many files.
builder_context_base() {
	printf 'FROM bench-base\nRUN %s\n' "${base_commands[touch]}" >"$1/Dockerfile"
	printf 'FROM bench-base\nRUN %s\n' "${base_commands[rm]}" >"$1/Dockerfile.rm"
	printf 'FROM bench-base\nRUN %s\n' "${base_commands[chown]}" >"$1/Dockerfile.chown"
	builder_floor_base "$work/many.tar"
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
	"$builder" --store "$image_dir/orlop" import -t bench-base "$image_dir/base/base.tar"
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
	if [ "$1" = base ]; then
		cp "$work/many.tar" "$image_dir/base/base.tar"
	else
		cp "$work/base.tar" "$image_dir/base/"
	fi
	printf 'FROM scratch\nADD base.tar /\n' >"$image_dir/base/Dockerfile"
	for name in $(builder_contestants "$1"); do
		"builder_setup_$name" >"$work/setup.log" 2>&1 && continue
		tail -n 20 "$work/setup.log" >&2
		say "builder/$1: $name: the base image cannot be made"
		printf 'builder\t%s\t%s\t-1\tfailed\t0\t0\t0\t0\n' "$1" "$name" >>"$raw"
		out=$out,$name, failed=1
	done
}

# ---- plans ----

# builder_command NAME PHASE: the command that builds
builder_command() {
	local file=''
	case $2 in
	rm | chown) file="-f context/Dockerfile.$2" ;;
	esac
	case $1 in
	orlop) echo "$builder --store $image_dir/orlop build -t bench-image" \
		"${file/context/$image_dir/context} --network host --runtime $runtime $image_dir/context" ;;
	docker) echo "/usr/bin/docker build --progress plain --network host -t bench-image" \
		"${file/context/$image_in/context} $image_in/context" ;;
	buildah) echo "$buildah bud --layers --network host --pull=never $buildah_limits" \
		"-t bench-image $image_in/context" ;;
	esac
}

# The programs that it runs, by contestant.

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

# builder_plan_command LABEL COMMAND...: the command alone, on an overlay with the options that ours has
# (builder/image/snapshot.c): what that file system makes of it is in everybody's figure.
builder_plan_command() {
	local at=$image_dir label=$1 bb=$fast/busybox
	shift
	echo "each $bb mkdir -p $at/floor/upper $at/floor/work $at/floor/root"
	echo "each $bb mount -t overlay -o $overlay_options,lowerdir=$at/lower,upperdir=$at/floor/upper,workdir=$at/floor/work floor $at/floor/root"
	echo "each $bb sh $fast/cold $bb"
	echo "time $label $bb chroot $at/floor/root $*"
	echo "after $bb umount $at/floor/root"
	echo "after $bb rm -rf $at/floor"
}

# What cannot be done without, in the same round (copy-floor.c says what is in it).
builder_plan_floor() {
	local floor="$fast/copy-floor" at=$image_dir
	wanted floor && [[ -x $floor ]] || return 0
	case $1-$2 in
	files-cold) set -- files "$at/context/tree" ;;
	big-cold) set -- big "$at/context/big" ;;
	written-cold)
		echo "contestant floor"
		builder_plan_command command /bin/sh /command
		echo "time hash $floor hash $at/floor/upper/big"
		echo "time hash-files $floor hash $at/floor/upper/files"
		echo "time sync $fast/busybox sync -f $at"
		return
		;;
	base-*)
		echo "contestant floor"
		builder_plan_command "$2" "/bin/busybox ${base_commands[$2]}"
		return
		;;
	files-cached)
		echo "contestant floor"
		echo "time cached $floor walk $at/context/tree"
		return
		;;
	files-stat)
		echo "contestant floor"
		echo "time stat $floor hash $at/context/tree"
		return
		;;
	*) return 0 ;;
	esac
	echo "contestant floor"
	echo "each $fast/busybox sh $fast/cold $floor"
	echo "time cold $floor $1 $2 $at/floor"
	echo "after $fast/busybox rm -rf $at/floor"
}

# Each build of a row is a phase; "3*" = three times in a round.
builder_phases() {
	case $1 in
	files) echo cold 3*cached 3*touched mtimes stat ;;
	run20 | big) echo cold 3*cached ;;
	written | stages) echo cold ;;
	base) echo touch rm chown ;;
	esac
}

# What happens to the context or the store before the build of a phase.
builder_plan_before() {
	local phase=$1 name=$2 base=$3 at=$4
	case $phase in
	cold | touch | rm | chown) echo "each $base/busybox sh $base/cold $(builder_programs "$name")" ;;
	touched) echo "each $base/busybox sh $base/touch-one $at/context/tree/d7/f0007" ;;
	mtimes) echo "each $base/busybox sh $base/touch-all $at/context/tree" ;;
	stat) echo "each $base/busybox rm -rf $at/orlop/stat" ;;
	esac
	[ "$phase" = cold ] || echo "each $base/busybox sync"
}

# Many short ones, before and after: a neighbour's burst spoils some, a slower machine all of them.
builder_plan_calibration() {
	local i
	for i in 1 2 3; do
		echo "time sha256 $1/busybox sha256sum $1/sha256.data"
	done
}

builder_plan() {
	local name phase=$1 row=$2 base at
	for name in $(builder_contestants "$row"); do
		[ "$phase" != stat ] || [ "$name" = orlop ] || continue
		base=$fast_in at=$image_in
		[ "$name" != orlop ] || base=$fast at=$image_dir
		builder_plan_head "$name"
		builder_plan_before "$phase" "$name" "$base" "$at"
		builder_plan_calibration "$base"
		echo "time $phase $(builder_command "$name" "$phase")"
		echo "time $phase-sync $base/busybox sync -f $at"
		builder_plan_calibration "$base"
	done
	builder_plan_floor "$row" "$phase"
	[ "$phase" = cold ] || return 0
	echo "contestant machine"
	echo "each $fast/busybox sync"
	echo "time copy $fast/busybox cp $fast/copy.data $image_dir/copy.data"
	echo "after $fast/busybox rm $image_dir/copy.data"
}

# ---- series ----

# A cached build that did the work again would be a wrong figure, not a slow one: each of the three
# must have said of every step that it came from the cache.
builder_check_cached() {
	local name hits steps=1
	[ "$1" != run20 ] || steps=20
	for name in $(builder_contestants "$1"); do
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
	local row=$1 round=$2 phase times
	case $row in pull | push | gzip) registry_round "$row" "$round" && return ;; esac
	builder_setup "$row"
	for phase in $(builder_phases "$row"); do
		times=1
		case $phase in 3\**) times=3 phase=${phase#*\*} ;; esac
		builder_plan "$phase" "$row" >"$work/plan"
		measure builder "$row" -n $times -f $((round * times)) -t 900 "$work/plan"
		[ "$phase" != cached ] || builder_check_cached "$row"
	done
	builder_unmount_image
}

builder_series() {
	local row=$1 rounds=$2 round
	for round in $(seq 0 $((rounds - 1))); do
		say "builder/$row: round $((round + 1)) of $rounds"
		builder_round "$row" "$round"
	done
}

builder_prepare() {
	local busybox
	busybox=$(command -v busybox) || busybox=$peers/usr/bin/busybox
	cp "$busybox" "$fast/busybox" # static: serves both roots and the base image
	cp "$here/cold" "$here/touch-one" "$here/touch-all" "$fast/"
	[ ! -x "$build/tests/bench/copy-floor" ] || cp "$build/tests/bench/copy-floor" "$fast/"
	head -c 16M /dev/urandom >"$fast/sha256.data"
	head -c 256M /dev/zero >"$fast/copy.data"
	builder_base_tar
	! row_wanted base || builder_many_tar
	! row_wanted big || head -c "${BENCH_MIB:-1024}M" /dev/urandom >"$work/big"
	[ ! -x "$builder" ] || version orlop-builder "$builder" --version
	[ -n "$peers" ] || return 0
	version docker in_peers dockerd --version
	version buildx in_peers docker buildx version
	version buildah in_peers buildah --version
}

bench_builder() {
	local row
	[ -n "$(builder_contestants run20)" ] || return 0
	builder_prepare
	for row in run20 files big written stages base; do
		! row_wanted "$row" || builder_series "$row" "${BENCH_RUNS:-3}"
	done
	[ -z "$BENCH_ROWS" ] || [[ ,$BENCH_ROWS, =~ ,(pull|push|gzip), ]] || return 0
	registry_prepare
	for row in pull push gzip; do
		! row_wanted "$row" || builder_series "$row" "${BENCH_RUNS:-3}"
	done
}
