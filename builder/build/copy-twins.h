/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer that the same COPY made before, of other files: most of them are usually the same, and
 * become hardlinks of what is there instead of being written again.
 */
#ifndef BUILDER_BUILD_COPY_TWINS_H
#define BUILDER_BUILD_COPY_TWINS_H

#include <stdbool.h>

#include "builder/image/inode-names.h"
#include "builder/image/store.h"
#include "builder/image/tar-write.h"

struct copy_twins {
	int tree_fd;   /* -EBADF: there is no such layer, nothing is found */
	int folder_fd; /* of the last file that was asked for */
	char *folder;
	struct inode_names given; /* of those with several names: each file is found once */
};

#define COPY_TWINS_INIT                                                                            \
	{                                                                                          \
		.tree_fd = -EBADF, .folder_fd = -EBADF                                             \
	}

/** The layer must be held by the session. What cannot be opened has no twins. */
void copy_twins_open(struct copy_twins *twins, struct store *store, const char *layer);
void copy_twins_done(struct copy_twins *twins);

/**
 * The file of that layer at the entry's path, opened for reading: -EBADF unless it is as the entry
 * is going to be in all but, perhaps, its contents. It lies at path_base(entry->path) in folder_fd.
 */
int copy_twins_find(struct copy_twins *twins, const struct tar_entry *entry);

#endif
