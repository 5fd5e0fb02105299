/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of an archive into a folder, for unpack.c: folders that are missing, names that are
 * taken, whiteouts, hardlinks. Nothing here knows what archives are read by.
 */
#ifndef BUILDER_IMAGE_UNPACK_PLACE_H
#define BUILDER_IMAGE_UNPACK_PLACE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/image/folder-times.h"
#include "builder/image/tar-write.h"
#include "builder/image/unpack.h"
#include "lib/error.h"

/** Some of a file's contents; what lies between two of them is a hole. */
struct unpack_piece {
	const void *data;
	size_t size;
	int64_t offset;
};

/** The next piece of the entry that is being placed: 1, or 0 at their end. */
typedef int (*unpack_piece_fn)(void *context, struct unpack_piece *out, struct error *err);

struct unpack_place {
	const struct unpack_options *options;
	struct unpack_result *result; /* bytes and parents are counted there */
	int root_fd;		      /* borrowed */
	unpack_piece_fn next;
	void *context;

	/* of unpack-place.c */
	int parent_fd;		     /* the folder of the last entry, parent_path */
	char *parent_path;	     /* NULL = none */
	unsigned int symlinks;	     /* to nothing, followed for the current entry */
	bool stale;		     /* something was removed: parent_path may lead elsewhere now */
	struct folder_times folders; /* to be set when all entries are there */
};
#define UNPACK_PLACE_INIT                                                                          \
	{                                                                                          \
		.root_fd = -EBADF, .parent_fd = -EBADF                                             \
	}
void unpack_place_done(struct unpack_place *place);

/** Make the entry, whose path is clean; later ones win. */
int unpack_place_entry(struct unpack_place *place, const struct tar_entry *entry,
		       struct error *err);

#endif
