/* SPDX-License-Identifier: Apache-2.0 */
/* Beginning what takes a network's time before the step that needs it has its turn. */
#ifndef BUILDER_BUILD_AHEAD_H
#define BUILDER_BUILD_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/build/engine.h"
#include "lib/error.h"

/**
 * Begin what the steps of a stage from number first on will ask of remote sources: what they are,
 * and the download where nothing else tells. missed: a step before them was not in the cache, so
 * none of them will be, and all is downloaded. A failure is the step's that asks for it.
 */
int ahead_start(struct engine *engine, const struct graph_stage *stage, size_t first, bool missed,
		struct error *err);

#endif
