/* SPDX-License-Identifier: Apache-2.0 */
/* -v and --volume: SRC:DST[:OPTIONS]. */
#ifndef BUILDER_CONTAINER_VOLUME_H
#define BUILDER_CONTAINER_VOLUME_H

#include "builder/build/run-step.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"

/**
 * Parse and resolve each: the source is made absolute by our working directory and must exist, the
 * target must be absolute and not "/". The array and its texts live in arena.
 */
int volumes_parse(const struct strv *texts, struct arena *arena, struct run_volume **out,
		  size_t *out_count, struct error *err);

#endif
