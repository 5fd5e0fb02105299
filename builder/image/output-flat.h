/* SPDX-License-Identifier: Apache-2.0 */
/* What a container of an image would see at its start: as one tar, or as a folder. */
#ifndef BUILDER_IMAGE_OUTPUT_FLAT_H
#define BUILDER_IMAGE_OUTPUT_FLAT_H

#include <stdbool.h>

#include "builder/image/image.h"
#include "builder/image/store.h"
#include "lib/error.h"

/** Write the root file system as a tar archive to fd: sorted, the same bytes each time. The layers
 *  must be in the store, and the store opened with mounts. */
int output_tar(struct store *store, const struct image *image, int fd, struct error *err);

struct output_folder_options {
	bool keep_owners; /* else all belongs to who we are */
	bool exact;	  /* what else is in the folder is removed */
};

/** Write it into a folder, which is made when it is not there; what has the same name is replaced.
 *  Nothing outside of the folder is touched, whatever links are in it. */
int output_folder(struct store *store, const struct image *image, const char *path,
		  const struct output_folder_options *options, struct error *err);

#endif
