/* SPDX-License-Identifier: Apache-2.0 */
/* build --squash: all that a build puts on its base, as one layer. */
#ifndef BUILDER_BUILD_SQUASH_H
#define BUILDER_BUILD_SQUASH_H

#include "builder/build/engine.h"
#include "lib/strv.h"

/**
 * Replace the layers (ids, all that a finished stage has on its base) by one that has the same
 * effect, and in the history its entry by those of the steps, which have no layer any more. None or
 * one layer stays as it is. Steps in the cache keep theirs; the one layer is remembered, too.
 */
int squash_layers(struct engine *engine, struct graph_stage *stage, struct strv *layers,
		  struct error *err);

#endif
