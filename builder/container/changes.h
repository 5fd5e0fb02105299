/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has changed on top of its image, a layer on those below, an image against
 * another. */
#ifndef BUILDER_CONTAINER_CHANGES_H
#define BUILDER_CONTAINER_CHANGES_H

#include <stdbool.h>

#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

/** kind: 'A' added, 'C' changed, 'D' deleted; path: absolute. A negative result ends the walk. */
typedef int (*change_fn)(void *context, char kind, const char *path, struct error *err);

/** Call for each change of a tree (relative to the store) against those below it, in the order of
 *  their paths. */
int tree_changes(struct store *store, const char *tree, const struct strv *below, change_fn call,
		 void *context, struct error *err);

/** Two folders with all that is in them, by their contents and attributes but not their times: what
 *  there is to do to the first to make it the second. one_device: all that they are made of is of
 *  one file system, so that the same inode is the same file. */
int roots_compare(int from_fd, int to_fd, bool one_device, change_fn call, void *context,
		  struct error *err);

#endif
