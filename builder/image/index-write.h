/* SPDX-License-Identifier: Apache-2.0 */
/* Images of several platforms, made of images of the store. */
#ifndef BUILDER_IMAGE_INDEX_WRITE_H
#define BUILDER_IMAGE_INDEX_WRITE_H

#include "builder/image/image-variant.h"
#include "builder/image/image.h"
#include "lib/error.h"
#include "spec/image-index.h"

/** Add an image for the platform that its configuration names, as its variant, whose layers are
 *  blobs, so that the index can be sent as it is. NULL: layers that were made here as gzip. */
int index_add_image(struct store *store, struct image_index *index, const struct image *image,
		    const struct image_variant *variant, struct arena *arena, struct error *err);
/** The same of a finished entry: one of its digest is replaced. */
void index_add(struct image_index *index, const struct descriptor *entry, struct arena *arena);

/** An index of the store, decoded into arena; ERROR_INVALID when it is an image of one platform. */
int index_read(struct store *store, const struct store_ref *ref, struct arena *arena,
	       struct image_index **out, struct error *err);

/** Write it into the store; out has no name. */
int index_put(struct store *store, const struct image_index *index, struct store_ref *out,
	      struct error *err);

#endif
