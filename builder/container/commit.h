/* SPDX-License-Identifier: Apache-2.0 */
/* A container's own layer as one more layer of an image. */
#ifndef BUILDER_CONTAINER_COMMIT_H
#define BUILDER_CONTAINER_COMMIT_H

#include <stdbool.h>

#include "builder/container/record.h"
#include "lib/error.h"

struct commit {
	const char *author, *message; /* NULL = none */
	const char *created;	      /* RFC 3339 */
	bool pause;		      /* a container that runs stands still meanwhile */
	/* Change what the image runs by default, which is what the container runs; NULL = as it is.
	 */
	int (*change)(void *context, struct image_defaults *defaults, struct arena *arena,
		      struct error *err);
	void *context;
};

/** Make the image; nothing is visible until out_ref is given a name. The container stays as it is.
 */
int container_commit(struct store *store, const struct container_record *record,
		     const struct commit *commit, struct store_ref *out_ref, struct digest *out_id,
		     struct error *err);

#endif
