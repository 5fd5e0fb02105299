/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount points that are missing in a root filesystem (an empty /etc/resolv.conf, /proc, the target
 * of a volume) and that must not end in a layer. They are made before the runtime starts, which
 * would make them itself, and the folders above get their times back at once: so a folder that has
 * another time when the container has ended was changed by the command, however soon that was.
 */
#ifndef BUILDER_BUILD_STUBS_H
#define BUILDER_BUILD_STUBS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "lib/error.h"
#include "lib/strv.h"

struct stub {
	char *path;		  /* where it is in the root: no symlink on the way */
	bool is_device;		  /* a node */
	struct timespec times[2]; /* of its folder, to be restored */
	struct timespec mtime;	  /* of its folder while nobody else has changed it */
};

struct stubs {
	int root_fd;	     /* ours */
	struct strv mounted; /* all destinations so far: what is below is not the root's */
	struct stub *items;
	size_t count, capacity;
};

#define STUBS_INIT                                                                                 \
	{                                                                                          \
		.root_fd = -EBADF, .mounted = STRV_INIT                                            \
	}

/**
 * Make what is missing of a destination (an absolute path in the root), its last component as a
 * folder or an empty file (S_IFDIR, S_IFREG). Symlinks are followed inside the root, also to what
 * does not exist. Call once per mount, in their order, before the container starts. What cannot be
 * a mount point is left to the runtime to complain about.
 */
int stubs_make(struct stubs *stubs, int root_fd, const char *destination, mode_t type,
	       struct error *err);
/** The same for a mount of this source: a folder unless the source is something else. NULL = it has
 *  none. */
int stubs_make_for(struct stubs *stubs, int root_fd, const char *destination, const char *source,
		   struct error *err);

/** The same for what devices bring: their nodes may be elsewhere than in /dev. */
struct container_edits;
int stubs_make_edits(struct stubs *stubs, int root_fd, const struct container_edits *edits,
		     struct error *err);

/** Remove what was made and is still an empty file or folder; anything else is the user's. */
void stubs_remove(struct stubs *stubs);

/** Frees; removes nothing. */
void stubs_done(struct stubs *stubs);
#define cleanup_stubs __attribute__((cleanup(stubs_done)))

#endif
