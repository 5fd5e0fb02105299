/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of images (an OCI layout or what `docker save` writes, also compressed) into the store.
 */
#ifndef BUILDER_IMAGE_ARCHIVE_LOAD_H
#define BUILDER_IMAGE_ARCHIVE_LOAD_H

#include "builder/image/image.h"
#include "builder/image/store.h"
#include "lib/error.h"

/** Called for each image: all of it is in the store. name: in full, as the archive has it; NULL =
 *  it has none. A negative result ends it. */
typedef int (*archive_image_fn)(void *context, const struct image *image, const char *name,
				struct error *err);

/** Load all images of the archive that fd holds (may be a pipe) for platform (NULL = this
 *  machine's). Every byte is checked against its digest; no name is set here. */
int archive_load(struct store *store, int fd, const char *platform, archive_image_fn found,
		 void *context, struct error *err);

/** The same of a folder with an OCI layout. */
int layout_load_all(struct store *store, int folder_fd, const char *platform,
		    archive_image_fn found, void *context, struct error *err);

#endif
