/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a file the same as the one below? Overlayfs copies a file up when it is opened for writing or
 * its mode is set, also when nothing changes by that: such copies are not in the layer. Times count
 * with their nanoseconds, and contents are compared: tools put files back with their old times.
 */
#ifndef BUILDER_IMAGE_LAYER_SAME_H
#define BUILDER_IMAGE_LAYER_SAME_H

#include <sys/stat.h>

#include "lib/error.h"

/** name in two folders, neither of them a folder itself; a and b are their stats. 1, 0 or negative
 */
int layer_same_entry(int a_folder_fd, const struct stat *a, int b_folder_fd, const struct stat *b,
		     const char *name, struct error *err);

/** Two folders by themselves, without what is in them. */
int layer_same_folder(int a_fd, const struct stat *a, int b_fd, const struct stat *b,
		      struct error *err);

#endif
