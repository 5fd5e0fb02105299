/* SPDX-License-Identifier: Apache-2.0 */
/* How much place a container takes. */
#ifndef BUILDER_CONTAINER_SIZE_H
#define BUILDER_CONTAINER_SIZE_H

#include <stdint.h>

#include "builder/container/record.h"

struct container_size {
	uint64_t own; /* of its writable layer, on the disk */
	uint64_t all; /* the same with its image's layers, as `images` counts them */
};

/** What cannot be read counts as nothing. */
void container_size_get(struct store *store, const struct container_record *record,
			struct container_size *out);

#endif
