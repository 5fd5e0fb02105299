# shellcheck shell=sh disable=SC2154 # $bases and $packages are the caller's
# SPDX-License-Identifier: Apache-2.0
#
# Base images out of Debian's packages. A script sets $packages (beyond a minimal system) as well.
# They are fetched the way this machine's apt fetches; nothing of that stays in the image, whose
# own apt knows the public archive only.

debian_suite() {
	# shellcheck disable=SC1091
	(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:-}") 2>/dev/null |
		grep . || echo bookworm
}

base_recipe() {
	cat "$bases/debian.sh"
	echo "$(debian_suite) $(dpkg --print-architecture 2>/dev/null || uname -m)"
}

# The machine's own sources; on a machine without Debian sources, the public archive.
debian_sources() {
	grep . "$settings/apt-sources" || echo http://deb.debian.org/debian
}

debian_public_sources() {
	cat <<-END
		deb http://deb.debian.org/debian $1 main
		deb http://deb.debian.org/debian $1-updates main
		deb http://deb.debian.org/debian-security $1-security main
	END
}

# What an image drops of its packages' documents, and how its apt leaves nothing behind. The excludes
# come after the essential packages: before, they make mmdebstrap unpack through a slow filter.
debian_write_hooks() {
	debian_public_sources "$(debian_suite)" >"$settings/sources.list"
	cat >"$settings/image-apt.conf" <<-END
		APT::Install-Recommends "false";
		APT::Keep-Downloaded-Packages "false";
		Acquire::Languages "none";
		Acquire::GzipIndexes "true";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
	END
	cat >"$settings/image-dpkg.cfg" <<-END
		force-unsafe-io
		path-exclude=/usr/share/man/*
		path-exclude=/usr/share/info/*
		path-exclude=/usr/share/locale/*
		path-exclude=/usr/share/doc/*
		path-include=/usr/share/doc/*/copyright
	END
	cat >"$settings/essential-hook" <<-END
		#!/bin/sh
		set -eu
		cat "$settings/image-dpkg.cfg" >"\$1/etc/dpkg/dpkg.cfg.d/50image"
		find "\$1/usr/share/doc" -type f ! -name copyright -delete
		rm -rf "\$1"/usr/share/man/* "\$1"/usr/share/info/* "\$1"/usr/share/locale/*
	END
	cat >"$settings/customize-hook" <<-END
		#!/bin/sh
		set -eu
		root=\$1
		rm -f "\$root"/etc/apt/apt.conf.d/99mmdebstrap "\$root"/etc/apt/sources.list.d/*
		cat "$settings/sources.list" >"\$root/etc/apt/sources.list"
		cat "$settings/image-apt.conf" >"\$root/etc/apt/apt.conf.d/50image"
		rm -f "\$root/etc/resolv.conf" "\$root/etc/hostname" "\$root"/var/log/apt/* \\
			"\$root/var/log/dpkg.log" "\$root/var/log/bootstrap.log" \\
			"\$root/var/log/alternatives.log" "\$root"/var/cache/debconf/*-old \\
			"\$root"/var/lib/dpkg/*-old "\$root/var/cache/ldconfig/aux-cache" \\
			"\$root"/var/cache/apt/*.bin
		: >"\$root/etc/machine-id"
	END
	chmod +x "$settings"/*-hook
}

# dpkg waits for the disk after every package: memory, where it is large enough, saves a third.
debian_scratch() {
	free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
	memory=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
	if [ "${free:-0}" -gt 1500000 ] && [ "${memory:-0}" -gt 2500000 ] && [ -w /dev/shm ]; then
		echo /dev/shm
	else
		echo "${TMPDIR:-/tmp}"
	fi
}

# debian_bootstrap TAR: what mmdebstrap says matters only if it fails. It hands a descriptor to a shell
# by number, and that works below 10 only: inherited ones must not take those numbers.
debian_bootstrap() {
	# shellcheck disable=SC2046 # one word per source file
	TMPDIR=$(debian_scratch) mmdebstrap --quiet --variant=minbase --format=tar \
		--skip=output/dev --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
		--include="usr-is-merged,$packages" --aptopt="$settings/apt-host.conf" \
		--essential-hook="$settings/essential-hook" \
		--customize-hook="$settings/customize-hook" \
		"$(debian_suite)" "$1" $(debian_sources) >"$settings/log" 2>&1 \
		3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

base_make() {
	base_need mmdebstrap mmdebstrap
	[ "$(id -u)" = 0 ] || base_die "needs root: mmdebstrap installs packages in a chroot"
	settings=$(mktemp -d "${TMPDIR:-/tmp}/orlop-base.XXXXXX")
	trap 'rm -rf "$settings"' EXIT
	trap 'exit 1' HUP INT TERM
	"$bases/../machine-settings" "$settings"
	debian_write_hooks
	# A mirror that is being updated, or a lost connection: once more is enough to tell.
	debian_bootstrap "$1" || debian_bootstrap "$1" ||
		{
			cat "$settings/log"
			base_die "mmdebstrap failed"
		}
}
