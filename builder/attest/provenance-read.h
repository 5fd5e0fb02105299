/* SPDX-License-Identifier: Apache-2.0 */
/* The provenance of an image, for building it again. Whoever made the image may have written
 * anything into it: nothing of this machine and no privilege is taken from it. */
#ifndef BUILDER_ATTEST_PROVENANCE_READ_H
#define BUILDER_ATTEST_PROVENANCE_READ_H

#include <stdbool.h>

#include "builder/build/journal.h"
#include "builder/image/image.h"

/**
 * Find the statement (SLSA provenance v1 or v0.2 with BuildKit's members) beside the image in its
 * index: 1 and what it says, as the request of a build; 0 when there is none. has_arguments: it has
 * build arguments and labels (mode=max).
 */
int provenance_read(struct store *store, const struct image *image, struct arena *arena,
		    struct journal_request *out, bool *has_arguments, struct error *err);

#endif
