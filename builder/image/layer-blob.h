/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer, or any folder, as a compressed blob for elsewhere, and back. What comes back is only
 * taken when our writer makes the very same tar of it: whoever sent it, and whatever the blob is
 * called, the layer is the one that was asked for. For any thread; publishing is the store's.
 */
#ifndef BUILDER_IMAGE_LAYER_BLOB_H
#define BUILDER_IMAGE_LAYER_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/layer.h"
#include "builder/image/store.h"
#include "lib/error.h"

struct layer_blob {
	struct digest digest; /* of the bytes */
	uint64_t size;
	struct digest contents; /* of the tar in them */
};

/** Write a layer's tar, as zstd or as it is, to fd (empty). */
int layer_to_blob(struct store *store, const char *id, bool compress, int fd,
		  struct layer_blob *out, struct error *err);
/** The same of all that is in a folder; its tar lies in scratch meanwhile. */
int folder_to_blob(struct store *store, int folder_fd, bool compress, int fd,
		   struct layer_blob *out, struct error *err);

/** A draft of the layer with this diffID from fd (from its beginning); ERROR_INVALID when the blob
 *  is another one. */
int layer_from_blob(struct store *store, int fd, const struct digest *diff_id,
		    struct layer_draft *out, struct error *err);

#endif
