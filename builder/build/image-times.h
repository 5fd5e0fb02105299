/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The times of the files in an image's new layers. Cache keys know nothing of them, so a layer from
 * the cache may have others than are wanted now: then the image gets a copy with the right ones,
 * which is remembered. What comes out depends on the layers and the wish alone.
 */
#ifndef BUILDER_BUILD_IMAGE_TIMES_H
#define BUILDER_BUILD_IMAGE_TIMES_H

#include "builder/build/engine.h"
#include "builder/image/time-rule.h"
#include "lib/strv.h"

/** What a step that is made now gives its files at once. */
struct time_rule image_times_at_once(const struct engine *engine, const struct step *step);

/** The ids of the layers that a finished stage has put on its base, with times as wanted; held. */
int image_times_layers(struct engine *engine, const struct graph_stage *stage, struct strv *out,
		       struct error *err);

#endif
