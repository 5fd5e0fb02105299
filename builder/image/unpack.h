/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading tar archives (plain, gzip, bzip2, xz, zstd) into a folder; the only file that knows
 * libarchive. Every entry name and hardlink target is resolved inside the folder (openat2); one
 * that leaves it is an error. Symlink targets are data. Memory does not grow with file sizes.
 */
#ifndef BUILDER_IMAGE_UNPACK_H
#define BUILDER_IMAGE_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

struct unpack_options {
	bool whiteouts;	 /* .wh. entries become overlay whiteouts (layers of images) */
	bool user_xattr; /* ... with user.overlay.* for opaque folders (rootless stores) */
	bool set_owner;	 /* everything belongs to uid:gid (ADD --chown) */
	uid_t uid;
	gid_t gid;
};

struct unpack_result {
	uint64_t entries;
	uint64_t bytes; /* of regular files */
};

/** Does a (compressed) tar archive start here? 1, 0 or a negative errno; the offset is restored. */
int unpack_is_archive(int fd, struct error *err);

/** Unpack all of fd (from its offset; may be a pipe) into the folder, later entries win. result
 *  may be NULL. The message of a failure names the entry. umask must be 0. */
int unpack_archive(int fd, int folder_fd, const struct unpack_options *options,
		   struct unpack_result *result, struct error *err);

#endif
