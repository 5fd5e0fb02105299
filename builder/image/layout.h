/* SPDX-License-Identifier: Apache-2.0 */
/* Images from OCI layouts: folders with oci-layout, index.json and blobs (image-spec,
 * image-layout.md). */
#ifndef BUILDER_IMAGE_LAYOUT_H
#define BUILDER_IMAGE_LAYOUT_H

#include "builder/image/image.h"
#include "builder/image/store.h"
#include "lib/error.h"

/**
 * Load an image of the layout in folder_fd into the store, without a name there, held by the
 * session. wanted: "sha256:..." of a manifest or an index that index.json lists; else the
 * annotation org.opencontainers.image.ref.name; NULL = latest, or the only one there is. platform
 * as in image_load_for. Every byte is checked against its digest; nothing outside of the folder is
 * read.
 */
int layout_load(struct store *store, int folder_fd, const char *wanted, const char *platform,
		struct image *out, struct error *err);

#endif
