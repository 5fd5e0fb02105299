/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The place where a step works: a writable snapshot, mounted in a scratch folder of the store.
 * Mounts live in our own mount namespace and go with it, also on SIGKILL.
 */
#ifndef BUILDER_BUILD_PLACE_H
#define BUILDER_BUILD_PLACE_H

#include <stdbool.h>

#include "builder/image/layer.h"
#include "builder/image/snapshot.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

struct place {
	struct store *store;
	bool subsecond;		     /* the layer's times have nanoseconds */
	struct snapshot_upper upper; /* upper.upper becomes the layer after the unmount */
	char name[STORE_NAME_SIZE];  /* scratch folder with rootfs/ and bundle/ */
	char *rootfs, *bundle;	     /* absolute paths */
	char *script;		     /* the same of a file that is not there */
	bool mounted;
};

/** snapshot_mount; where that copies files, other branches of the build run on meanwhile. */
int place_mount(struct store *store, const struct strv *trees, const struct snapshot_upper *upper,
		int *out_fd, struct error *err);

/** Make and mount; place->store must be set. place_done in any case. */
int place_make(struct place *place, const struct strv *trees, struct error *err);
/** Unmount it: what was changed in it is the tree of a draft now, which is to be walked. */
int place_take(struct place *place, struct layer_draft *out, struct error *err);
/** What of it was changed on top of the trees is the layer; its contents are not hashed. It is
 *  walked in another thread, so that other branches of the build go on; growth is told. */
int place_walk(const struct place *place, const struct strv *trees, struct layer_growth *growth,
	       struct layer_draft *draft, struct error *err);
/** Unmounts what is mounted. */
void place_done(struct place *place);
#define cleanup_place __attribute__((cleanup(place_done)))

#endif
