/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is gone, in both ways of saying it: in a tree as overlayfs does (a 0/0 device in the place
 * of a name, an xattr on a folder that hides all below), in a tar as images do (names with a
 * prefix).
 */
#ifndef BUILDER_IMAGE_OVERLAY_H
#define BUILDER_IMAGE_OVERLAY_H

#include <stdbool.h>
#include <sys/stat.h>

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_META_PREFIX ".wh..wh."
#define OPAQUE_NAME ".wh..wh..opq"

static inline bool overlay_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/** 0, -EEXIST, or another negative errno. */
int overlay_make_whiteout(int dirfd, const char *name);

/** user_xattr: the marks of a rootless store. fd: of the folder, opened for reading. */
bool overlay_is_opaque(int fd, bool user_xattr);
int overlay_set_opaque(int fd, bool user_xattr);
int overlay_clear_opaque(int fd, bool user_xattr);
/** Was the folder renamed in a way that our mount options exclude? */
bool overlay_is_redirected(int fd, bool user_xattr);

#endif
