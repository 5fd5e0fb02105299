/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One folder of the trees below a layer, merged but not mounted, for walks that ask about many
 * names in it: a name costs one stat per tree that has the folder. (snapshot_lookup is for single
 * paths.)
 */
#ifndef BUILDER_IMAGE_LAYER_BELOW_H
#define BUILDER_IMAGE_LAYER_BELOW_H

#include <stdbool.h>
#include <sys/stat.h>

#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

struct below {
	struct store *store;
	const struct strv *trees; /* bottom to top; NULL = there is nothing below */
	char *path;
	size_t *have; /* indexes of the trees whose folder counts, topmost first */
	size_t count; /* 0 = no such folder below */
	int *fds;     /* of those folders; NULL = closed */
};

/** The root of the trees (which may be NULL: then nothing is below). below_done in any case. */
int below_root(struct store *store, const struct strv *trees, struct below *out, struct error *err);
/** The folder name in it, which may be absent or no folder: then out->count is 0. */
int below_enter(struct below *below, const char *name, struct below *out, struct error *err);
void below_done(struct below *below);

/** Open the folders (otherwise done when needed); the topmost one decides about metadata. */
int below_open(struct below *below, struct error *err);
/** Close them until they are needed again: walks are deep, descriptors are few. */
void below_close(struct below *below);

/** What is at name: the fd of the folder it is in (borrowed) and its stat; -ENOENT without a
 *  message when there is nothing. */
int below_find(struct below *below, const char *name, struct stat *out, struct error *err);

/** All names in it, sorted. */
int below_names(struct below *below, struct strv *out, struct error *err);

#endif
