# shellcheck shell=sh disable=SC2154 # $base and $command are the caller's
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts that make base images share. A script sets $base (its name), $command (its
# default command, a line of a Dockerfile), defines base_make TAR (which writes the image's files as a tar) and
# base_recipe (which prints all that TAR depends on), then calls base_main "$@".
#
#	ORLOP_BUILDER	the builder to import with (default: orlop-builder)
#	ORLOP_CACHE	where tars are kept between runs (default: /var/cache/orlop-dev)
#	ORLOP_STORE	the builder's store, read by the builder itself

bases=$(cd "$(dirname "$0")" && pwd)
ORLOP_BUILDER=${ORLOP_BUILDER:-orlop-builder}
ORLOP_CACHE=${ORLOP_CACHE:-/var/cache/orlop-dev}

base_die() {
	echo "$base: $*" >&2
	exit 1
}

base_usage() {
	cat <<-END
		usage: $base [--tar] [NAME:TAG]

		Imports the $base base image into the builder's store as NAME:TAG ($base:latest), unless
		the store has it. --tar only makes the tar of its files and prints where it is.
	END
}

# base_need PROGRAM PACKAGE
base_need() {
	command -v "$1" >/dev/null 2>&1 || base_die "needs $1 (Debian package: $2)"
}

# A change of the recipe gives a new name, so an old tar can never stand in for it.
base_tar_path() {
	key=$({ base_recipe; cat "$bases/$base"; } | sha256sum | cut -c1-16)
	echo "$ORLOP_CACHE/bases/$base-$key.tar"
}

# base_tar: makes the tar unless it is cached; prints its path. The lock keeps two runs from making
# the same tar at once, the rename keeps a killed run from leaving half of one.
base_tar() {
	tar=$(base_tar_path)
	mkdir -p "$ORLOP_CACHE/bases"
	(
		flock 9
		if [ ! -s "$tar" ]; then
			echo "$base: making the base image (kept as $tar)" >&2
			base_make "$tar.part" >&2
			mv "$tar.part" "$tar"
			# what older recipes made, and nobody has used for two weeks
			find "$ORLOP_CACHE/bases" -maxdepth 1 -name "$base-*.tar" -mtime +14 -delete
		fi
		touch "$tar"
	) 9>"$ORLOP_CACHE/bases/$base.lock"
	echo "$tar"
}

base_import() {
	command -v "$ORLOP_BUILDER" >/dev/null 2>&1 || base_die "there is no $ORLOP_BUILDER"
	if "$ORLOP_BUILDER" inspect "$1" >/dev/null 2>&1; then
		return 0
	fi
	tar=$(base_tar)
	"$ORLOP_BUILDER" import -t "$1" --change "$command" "$tar" >&2
}

base_main() {
	case ${1:-} in
	-h | --help)
		base_usage
		;;
	--tar)
		base_tar
		;;
	-*)
		base_usage >&2
		exit 2
		;;
	*)
		base_import "${1:-$base:latest}"
		;;
	esac
}
