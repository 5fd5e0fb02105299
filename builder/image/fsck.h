/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking a store: every blob and layer is read and compared with its name, every name and record
 * with what it needs. Reads all of the store; takes no lock while it reads, so what disappears
 * meanwhile is no problem.
 */
#ifndef BUILDER_IMAGE_FSCK_H
#define BUILDER_IMAGE_FSCK_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/image/store.h"
#include "lib/error.h"

enum fsck_repair {
	FSCK_NONE,   /* nothing can bring it back here: an image has to be made or loaded again */
	FSCK_REMOVE, /* it goes; a build makes it again */
};

/** Something that is wrong. */
struct fsck_problem {
	char *name; /* relative to the store: "layers/ID", "steps/KEY", "refs of NAME" */
	char *text; /* what is wrong, and who needs it */
	enum fsck_repair repair;
};

struct fsck {
	struct fsck_problem *items;
	size_t count, capacity;
	size_t blobs, layers, images, records; /* looked at */
	/* told of what is being looked at; may be NULL */
	void (*progress)(void *context, const char *name);
	void *context;
};

/** Look at everything. Negative only when the store cannot be read at all. */
int fsck_run(struct store *store, struct fsck *fsck, struct error *err);
/** Remove what FSCK_REMOVE says, and the records that lead to it; returns how many are left. */
int fsck_repair(struct store *store, struct fsck *fsck, size_t *out_left, struct error *err);
void fsck_done(struct fsck *fsck);
#define cleanup_fsck __attribute__((cleanup(fsck_done)))

/** Add a problem; text is taken over. */
void fsck_add(struct fsck *fsck, const char *name, char *text, enum fsck_repair repair);

#endif
