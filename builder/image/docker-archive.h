/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacked archives of `docker save` that are no OCI layouts: made into one. */
#ifndef BUILDER_IMAGE_DOCKER_ARCHIVE_H
#define BUILDER_IMAGE_DOCKER_ARCHIVE_H

#include "lib/error.h"

/** Write into layout_fd (an empty folder) the layout with all images of the archive's
 * manifest.json, each under each of its names. Nothing outside of folder_fd is read, whatever links
 * are in it. */
int docker_archive_convert(int folder_fd, int layout_fd, struct error *err);

#endif
