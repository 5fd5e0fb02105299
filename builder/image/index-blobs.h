/* SPDX-License-Identifier: Apache-2.0 */
/* All that an index is made of. */
#ifndef BUILDER_IMAGE_INDEX_BLOBS_H
#define BUILDER_IMAGE_INDEX_BLOBS_H

#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

/** The digests of all blobs behind it, each once, those that others list before them; the last one
 *  is the index. Its layers must be blobs of the store (index-write.h). */
int index_blobs(struct store *store, const struct store_ref *index, struct strv *out,
		struct error *err);

/** A blob of the store for reading, with its size. */
int index_blob_open(struct store *store, const char *digest, uint64_t *out_size, struct error *err);

#endif
