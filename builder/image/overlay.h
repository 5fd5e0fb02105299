/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is gone, in all ways of saying it: in a tree as overlayfs does (a 0/0 device in the place of
 * a name, an xattr on a folder that hides all below), in a tar as images do (names with a prefix),
 * and in a tree where the file system takes neither: a socket in the place of the name, which no
 * layer has otherwise, and in a folder that hides all below one with the tar's name for that.
 */
#ifndef BUILDER_IMAGE_OVERLAY_H
#define BUILDER_IMAGE_OVERLAY_H

#include <stdbool.h>
#include <sys/stat.h>

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_META_PREFIX ".wh..wh."
#define OPAQUE_NAME ".wh..wh..opq"

/** How the trees of a store say it. */
enum overlay_marks {
	OVERLAY_MARKS_TRUSTED, /* trusted.overlay.* */
	OVERLAY_MARKS_USER,    /* user.overlay.*: rootless */
	OVERLAY_MARKS_PLAIN,   /* sockets; such trees cannot be mounted as overlays */
};

static inline bool overlay_is_whiteout(enum overlay_marks marks, const struct stat *st)
{
	return (S_ISCHR(st->st_mode) && st->st_rdev == 0) ||
	       (marks == OVERLAY_MARKS_PLAIN && S_ISSOCK(st->st_mode));
}

/** 0, -EEXIST, or another negative errno. */
int overlay_make_whiteout(enum overlay_marks marks, int dirfd, const char *name);

/** fd: of the folder, opened for reading. 1, 0, or a negative errno: nobody knows. */
int overlay_is_opaque(enum overlay_marks marks, int fd);
int overlay_set_opaque(enum overlay_marks marks, int fd);
int overlay_clear_opaque(enum overlay_marks marks, int fd);
/** Was the folder renamed in a way that our mount options exclude? */
bool overlay_is_redirected(enum overlay_marks marks, int fd);

#endif
