/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two layers, file by file. */
#ifndef BUILDER_IMAGE_LAYER_COMPARE_H
#define BUILDER_IMAGE_LAYER_COMPARE_H

#include "builder/image/entry-list.h"

enum layer_difference_kind {
	LAYER_DIFFERS_TYPE = 1 << 0, /* or one is a hardlink */
	LAYER_DIFFERS_MODE = 1 << 1,
	LAYER_DIFFERS_OWNER = 1 << 2,
	LAYER_DIFFERS_SIZE = 1 << 3,
	LAYER_DIFFERS_TIME = 1 << 4,
	LAYER_DIFFERS_TARGET = 1 << 5,
	LAYER_DIFFERS_DEVICE = 1 << 6,
	LAYER_DIFFERS_XATTRS = 1 << 7,
	LAYER_DIFFERS_CONTENT = 1 << 8,
};

/** One path. */
struct layer_difference {
	const struct listed_entry *before, *after; /* NULL: it is not in this one */
	unsigned int what;			   /* of what both have: 1 << ... */
	uint64_t offset;			   /* of the first byte that differs */
};

/** A negative result ends the comparison. */
typedef int (*layer_difference_fn)(void *context, const struct layer_difference *difference,
				   struct error *err);

/** A layer of the store; blob: what it was pulled as; NULL = it was made here. */
struct layer_compared {
	const char *id;
	const struct digest *blob;
};

/** Call for each path that is not the same in both, in the order of paths. */
int layer_compare(struct store *store, const struct layer_compared *before,
		  const struct layer_compared *after, layer_difference_fn call, void *context,
		  struct error *err);

#endif
