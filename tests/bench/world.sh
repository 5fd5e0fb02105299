# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# world: what every world with peers needs (the bench's and the interop lane's). Sourced by scripts
# that run in a mount namespace of their own; $peers is the root that ./peers prints.

# world_pure_cgroups CGROUP2 SCRATCH: /sys/fs/cgroup shows the v2 hierarchy and nothing else.
# Never mount cgroup2 anew from the host's cgroup namespace: it would reset the host's mount options.
world_pure_cgroups() {
	[ "$1" = /sys/fs/cgroup ] && return
	mkdir "$2"
	mount --bind "$1" "$2"
	umount -R /sys/fs/cgroup
	mount --bind "$2" /sys/fs/cgroup
	umount "$2"
}

# world_enter_peers: the cached root itself stays as it was made: everything that programs write to
# is a tmpfs.
world_enter_peers() {
	local dir
	mount --bind "$peers" "$peers" # runtimes need a root that is a mount point (pivot_root)
	mount -t proc proc "$peers/proc"
	mount -t sysfs sysfs "$peers/sys"
	mount --bind /sys/fs/cgroup "$peers/sys/fs/cgroup"
	mount --rbind /dev "$peers/dev"
	for dir in run tmp root var/lib etc/docker; do
		mkdir -p "$peers/$dir"
		mount -t tmpfs -o size=4g tmpfs "$peers/$dir"
	done
	mkdir "$peers/run/lock"
}

# world_bind DIR AT: DIR of the host is seen at AT by the peers
world_bind() {
	mkdir -p "$peers$2"
	mount --bind "$1" "$peers$2"
}

in_peers() {
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		chroot "$peers" "$@"
}

# world_start_docker NAME DATA LOG [OPTIONS...]: a private dockerd without networks of its own, state
# in DATA (as the peers see it), at unix:///run/NAME.sock; its pid is $dockerd_pid.
world_start_docker() {
	local name=$1 data=$2 log=$3 limit
	shift 3
	limit=$(ulimit -Hn) # the daemon may be too unprivileged to raise what it does not set
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot "$peers" dockerd \
		--data-root "$data" --exec-root "/run/$name" -p "/run/$name.pid" \
		-H "unix:///run/$name.sock" --iptables=false --ip6tables=false --bridge=none \
		--default-ulimit "nofile=$limit:$limit" "$@" >"$log" 2>&1 &
	dockerd_pid=$!
	for _ in $(seq 300); do
		in_peers docker -H "unix:///run/$name.sock" version >/dev/null 2>&1 && return
		kill -0 "$dockerd_pid" 2>/dev/null || break
		sleep 0.1
	done
	tail -n 20 "$log"
	return 1
}

world_stop_docker() {
	[ -n "${dockerd_pid:-}" ] || return 0
	kill "$dockerd_pid" 2>/dev/null || true
	wait "$dockerd_pid" 2>/dev/null || true
	dockerd_pid=
}

# world_remove_cgroups CGROUP2 BEFORE PATTERN...: the empty trees that dockerd, buildah and the
# runtimes leave, unless they are among BEFORE ("a/ b/"); one that has a process refuses to go.
world_remove_cgroups() {
	local cgroup=$1 before=$2 pattern dir
	shift 2
	for pattern; do
		# shellcheck disable=SC2231 # a pattern
		for dir in "$cgroup"/$pattern/; do
			dir=${dir%/}
			[ -d "$dir" ] && [[ " $before" != *" ${dir##*/}/"* ]] || continue
			find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
		done
	done
}
