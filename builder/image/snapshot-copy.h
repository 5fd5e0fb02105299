/* SPDX-License-Identifier: Apache-2.0 */
/* The trees of a snapshot merged into a folder, for places where no overlay can be mounted. */
#ifndef BUILDER_IMAGE_SNAPSHOT_COPY_H
#define BUILDER_IMAGE_SNAPSHOT_COPY_H

#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

enum snapshot_copy_flags {
	SNAPSHOT_COPY_LINKS = 1, /* files may be hardlinks: nobody will write into them */
};

/**
 * Fill an empty folder with what the trees (bottom to top) show together, metadata and times as
 * they are there. Names of one inode become files of their own, as a copy-up makes them: what
 * becomes a layer is the same either way. For any thread; ends when the store's stop_fd says so.
 */
int snapshot_copy(struct store *store, const struct strv *trees, int folder_fd, unsigned int flags,
		  struct error *err);

#endif
