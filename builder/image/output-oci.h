/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images as one archive: an OCI layout that also has the manifest.json of docker's archives, so
 * that docker, podman, skopeo and containerd all load it.
 */
#ifndef BUILDER_IMAGE_OUTPUT_OCI_H
#define BUILDER_IMAGE_OUTPUT_OCI_H

#include <stddef.h>

#include <stdbool.h>

#include "builder/image/image.h"
#include "builder/image/store.h"
#include "lib/error.h"

/**
 * Write the images to fd. What several of them share is in the archive once. The same images give
 * the same bytes: entries have no time and belong to 0:0. whole: of what was loaded from an index
 * (whose layers are blobs: index-write.h) all of that; docker's list has the image that was loaded.
 */
int output_oci(struct store *store, const struct image *images, size_t count, bool whole, int fd,
	       struct error *err);

#endif
