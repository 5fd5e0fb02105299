/* SPDX-License-Identifier: Apache-2.0 */
/* Images of several platforms: which manifest of an index is meant. */
#ifndef BUILDER_IMAGE_IMAGE_INDEX_H
#define BUILDER_IMAGE_IMAGE_INDEX_H

#include <stdbool.h>

#include "lib/error.h"
#include "spec/image-index.h"

/** An index, or docker's manifest list? */
bool media_type_is_index(const char *media_type);

/** Does an index list it as the image of a platform? (Attestations have none.) */
bool descriptor_is_image(const struct descriptor *descriptor);

/**
 * The manifest for a platform in its normal form ("linux/arm64"); one that differs in the variant
 * alone is taken where none is the same. NULL: this machine's, else the only one there is. The
 * message of a failure lists what there is.
 */
int image_index_choose(const struct image_index *index, const char *platform,
		       const struct descriptor **out, struct error *err);

#endif
