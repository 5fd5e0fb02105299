#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# world: the machine of an orchestrator's suite. Namespaces of their own (mount, pid, network, ipc, host
# name, cgroup), where /sys/fs/cgroup is v2 and nothing else, what orchestrators write to is empty
# memory, and the runtime is installed where a user would install it. Nobody's state, network or
# cgroup mounts are touched, and all of it ends with this process.
#
# world.sh CGROUP RUNTIME READY [ROOT]: CGROUP is a new folder of the v2 hierarchy, the world's root there;
# READY is a file that is made when the world is; ROOT is another root file system, whose programs it
# then has (the folders of temporary files and of the tests stay where they are).
set -euo pipefail

cgroup=$1 runtime=$2 ready=$3 root=${4:-}

# enter_root: what is written there goes into memory
enter_root() {
	local place new=/run/root
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir $new /run/upper /run/work
	mount -t overlay -o "lowerdir=$root,upperdir=/run/upper,workdir=/run/work" world $new
	for place in /proc /dev /sys /tmp /var/tmp "$ORLOP_SOURCE" "${cgroup%/*}"; do
		mkdir -p "$new$place"
		mount --rbind "$place" "$new$place"
	done
	cp /etc/resolv.conf $new/etc/resolv.conf
	cp "$runtime" $new/orlop-runtime
	runtime=/orlop-runtime
	mkdir $new/before
	cd $new
	pivot_root . before
	umount -l /before
	hash -r
}

case ${WORLD_STAGE:-} in
'')
	# The cgroup namespace's root is where we are when it is made.
	echo $$ >"$cgroup/cgroup.procs"
	WORLD_STAGE=cgroup exec unshare --cgroup bash "$0" "$@"
	;;
cgroup)
	# Only a cgroup without processes can hand on its controllers: ours are in a leaf, as everywhere.
	mkdir "$cgroup/host"
	echo $$ >"$cgroup/host/cgroup.procs"
	WORLD_STAGE=inside exec unshare --mount --propagation private --pid --fork --kill-child \
		--mount-proc --net --ipc --uts bash "$0" "$@"
	;;
esac

[ -z "$root" ] || enter_root

# A bind of the hierarchy, not a mount: that would set the mount options of the whole machine anew.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/cgroup
mount --bind "$cgroup" /run/cgroup
umount -R /sys/fs/cgroup
mount --bind /run/cgroup /sys/fs/cgroup
umount /run/cgroup
rmdir /run/cgroup

# What is installed is seen and written over; what containers fill is on no overlay, that they may make
# their own.
mkdir -p /run/lock /run/home /run/world
for place in etc var/lib usr/local opt; do
	mkdir -p "/run/world/$place" "/run/world/work/$place"
	mount -t overlay -o "lowerdir=/$place,upperdir=/run/world/$place,workdir=/run/world/work/$place" world "/$place"
done
for place in /var/lib/{containers,docker,containerd,cni} /etc/{containers,docker,containerd,cni}; do
	mkdir -p "$place"
	mount -t tmpfs -o mode=755 tmpfs "$place"
done
mount -t tmpfs -o mode=755 tmpfs /usr/local/bin # a machine's own docker is not what is tested
cp "$runtime" /usr/local/bin/orlop-runtime
for other in /usr/{bin,sbin}/{runc,crun}; do # nor any other runtime, by mistake
	[ ! -e "$other" ] || mount --bind /bin/false "$other"
done
hostname world
ip link set lo up
touch "$ready"
# Orphans are for the first process; one that ignores SIGCHLD never sees them.
exec env --ignore-signal=CHLD sleep infinity
