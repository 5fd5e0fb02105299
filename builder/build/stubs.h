/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount points that a runtime makes in a root filesystem (an empty /etc/resolv.conf, /proc, the
 * target of a volume) and that must not end in a layer: note before the start what is missing,
 * remove afterwards what appeared and is still empty, and give the folders above their times back.
 */
#ifndef BUILDER_BUILD_STUBS_H
#define BUILDER_BUILD_STUBS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lib/error.h"

struct stub {
	char *path;		  /* clean and absolute, as seen in the root */
	bool parent_exists;	  /* else the parent is a stub itself */
	bool is_device;		  /* the runtime makes a node there */
	struct timespec times[2]; /* of the parent, to be restored */
};

struct stubs {
	int root_fd; /* ours */
	struct stub *items;
	size_t count, capacity;
};

#define STUBS_INIT                                                                                 \
	{                                                                                          \
		.root_fd = -EBADF                                                                  \
	}

/**
 * Note which components of the destination (an absolute path in the root) do not exist. Symlinks
 * are followed inside the root. Call once per mount, outermost first, before the container starts.
 */
int stubs_note(struct stubs *stubs, int root_fd, const char *destination, struct error *err);

/** The same for what devices bring: their nodes may be elsewhere than in /dev. */
struct container_edits;
int stubs_note_edits(struct stubs *stubs, int root_fd, const struct container_edits *edits,
		     struct error *err);

/** Remove what was missing and is now an empty file or folder; anything else is the user's. */
void stubs_remove(struct stubs *stubs);

/** Frees; removes nothing. */
void stubs_done(struct stubs *stubs);
#define cleanup_stubs __attribute__((cleanup(stubs_done)))

#endif
