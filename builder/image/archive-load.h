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

/** May images come from such an archive ("docker-archive", "oci-archive")? Asked when it is known
 *  what it is, before anything of it gets into the store. */
typedef int (*archive_allow_fn)(void *context, const char *transport, struct error *err);

struct archive_reader {
	const char *platform; /* NULL = this machine's */
	archive_allow_fn allow;
	archive_image_fn found;
	void *context;
};

/** Load all images of the archive that fd holds (may be a pipe). Every byte is checked against its
 *  digest; no name is set here. */
int archive_load(struct store *store, int fd, const struct archive_reader *reader,
		 struct error *err);

/** Unpack an archive into the store's scratch space as an OCI layout, if reader->allow says so: the
 * folder's name there, and an fd of it. */
int archive_unpack(struct store *store, int fd, const struct archive_reader *reader,
		   char name[STORE_NAME_SIZE], int *out_fd, struct error *err);

/** As archive_load, of a folder with an OCI layout; nobody is asked. */
int layout_load_all(struct store *store, int folder_fd, const struct archive_reader *reader,
		    struct error *err);

#endif
