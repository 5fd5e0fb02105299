# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the guests of faults.bats share: a store on a disk whose faults are the test, builds of parallel
# stages into it by two builders at once, and what they should have made.

set -Eeuo pipefail
trap 'echo "line $LINENO of $0: \"$BASH_COMMAND\" failed" >&2' ERR

B=$ORLOP_BUILD/orlop-builder
C=/tmp/context
export PATH=$ORLOP_BUILD:$PATH	# the builder finds the runtime as any other program

# The VM's last disk, by the name that its kind of VM has for it.
for DISK in /dev/ubdd /dev/vdd; do
	[ ! -b "$DISK" ] || break
done

# open_store DEVICE: journal replayed by the kernel, nothing to mend after that, mounted at /store. Names are
# journaled every second, so that many are on the disk before what they name. ORLOP_FAULT_DATA: ext4's
# data=.
open_store() {
	mkdir -p /store
	mount -t ext4 "$1" /store
	umount /store
	e2fsck -fn "$1" >/tmp/e2fsck 2>&1 || {
		cat /tmp/e2fsck
		return 1
	}
	mount -t ext4 -o "commit=1,data=${ORLOP_FAULT_DATA:-ordered}" "$1" /store
	export ORLOP_STORE=/store/store
}

# close_store: what takes a session long to remove goes on behind it, and holds the file system
close_store() {
	local _
	for _ in {1..600}; do
		umount /store && return
		sleep 0.1
	done
	return 1
}

# is_idle: nothing of a session is left, nor on its way out
is_idle() {
	local _
	for _ in {1..600}; do
		[ -n "$(ls -A "$ORLOP_STORE/tmp")" ] || return 0
		sleep 0.1
	done
	find "$ORLOP_STORE/tmp"
	return 1
}

# import_base STORE
import_base() {
	local root=/tmp/base applet
	if [ ! -d $root ]; then
		mkdir -p $root/{bin,etc,tmp}
		cp "$(command -v busybox)" $root/bin/
		for applet in sh cat echo mkdir rm seq sleep truncate; do
			ln -s busybox $root/bin/$applet
		done
		echo motd >$root/etc/motd
		tar -C $root --mtime=@1000000000 -cf $root.tar .
	fi
	ORLOP_STORE=$1 "$B" import -q $root.tar base >/dev/null
}

# context N: what is built; a part of it is another for every N, a part is the same for a few. /large has no
# blocks, and makes a layer whose sync begins before the commit.
context() {
	local n=$1 i
	mkdir -p $C/tree
	for i in {1..40}; do
		echo "$i of $((n / 3))" >$C/tree/$i
	done
	yes "$n" | head -n 300000 >$C/big || true	# yes ends by SIGPIPE
	# as old as in every boot: the same layers again
	touch -d @1000000000 $C/big $C/tree/* $C/tree
	cat >$C/x <<-END
		FROM base AS left
		RUN echo shared >/shared && mkdir /gone && echo x >/gone/file
		COPY tree /tree/
		RUN rm -r /gone && cat /tree/* >/sum
		FROM base AS right
		ARG N
		RUN --mount=type=cache,target=/c echo \$N >>/c/log && truncate -s 17M /large && mkdir /many && cd /many && for i in \$(seq 50); do echo "\$N \$i" >\$i; done
		FROM base
		ARG N
		COPY --from=left /sum /shared /from/
		COPY --from=right /many /many/
		COPY big .
		RUN rm /etc/motd && echo "\$N" >/n
	END
	# the other builder ends otherwise, and later
	sed '$d' $C/x >$C/y
	echo 'RUN sleep 2 && echo "y $N" >/n && echo more >>/etc/motd' >>$C/y
}

# build STORE N NAME [OPTION...]: image NAME:N from the Dockerfile of this name
build() {
	ORLOP_STORE=$1 "$B" build --network none -f "$C/$3" -t "$3:$2" --build-arg "N=$2" "${@:4}" $C \
		>"/tmp/log.$3" 2>&1
}

# build_both STORE N [OPTION...]: by two builders at once; says so on success, and once it did the images
# are on the disk
build_both() {
	local pid status=0
	build "$1" "$2" x "${@:3}" &
	pid=$!
	build "$1" "$2" y "${@:3}" || status=1
	wait "$pid" || status=1
	return $status
}

# what STORE IMAGE: all of an image that neither a cache nor a fault may change
what() {
	local dir=/tmp/unpacked
	rm -rf $dir
	mkdir $dir
	ORLOP_STORE=$1 "$B" export "$2" | tar -C $dir -xpf - --numeric-owner
	(cd $dir && find . -printf '%P %y %m %U:%G %n %l\n' | sort)
	(cd $dir && find . -type f -print0 | sort -z | xargs -0 sha256sum)
	ORLOP_STORE=$1 "$B" inspect "$2" | jq -c '.[0].Config, [.[0].History[].created_by]'
}

# images: the names of what build() made
images() {
	"$B" images --format json | jq -r '.[].names[]' | sed -n 's|.*/\([xy]:\)|\1|p'
}

# check_image IMAGE: of this name and N, complete
check_image() {
	local n=${1#*:} name=${1%:*} file
	"$B" export "$1" >/tmp/image.tar
	while read -r file text; do
		[ "$(tar -xOf /tmp/image.tar "$file" | sort -u | head -n 2)" = "$text" ] || {
			echo "$1: /$file is not \"$text\" but:"
			tar -xOf /tmp/image.tar "$file" | sort -u | head -c 1000
			return 1
		}
	done <<-END
		n $([ "$name" = x ] || echo 'y ')$n
		big $n
		many/50 $n 50
		from/shared shared
	END
	[ "$(tar -xOf /tmp/image.tar from/sum | wc -l)" = 40 ]
}

# check_images N...: those of the numbers are in the store, and all that are there are complete. Their
# names go: there is not room for all, and what the next builds take from the cache has no name then.
check_images() {
	local all n image
	all=$(images)
	for image in $all; do
		check_image "$image"
	done
	for n; do
		[[ $all == *"x:$n"* && $all == *"y:$n"* ]]
	done
	# shellcheck disable=SC2086 # a name a word
	[ -z "$all" ] || "$B" rmi $all >/dev/null 2>&1
}

# check_store N: a build of N with its cache is what a clean one is, and the store is whole
check_store() {
	local name
	import_base "$ORLOP_STORE"	# also the first session of this boot
	"$B" fsck
	[ -d /tmp/clean ] || import_base /tmp/clean
	context "$1"
	build_both "$ORLOP_STORE" "$1" || {
		cat /tmp/log.*
		return 1
	}
	build_both /tmp/clean "$1" --no-cache
	for name in x y; do
		what /tmp/clean "$name:$1" >/tmp/what.clean
		what "$ORLOP_STORE" "$name:$1" >/tmp/what.cached
		diff /tmp/what.clean /tmp/what.cached
	done
	"$B" fsck
	is_idle
}
