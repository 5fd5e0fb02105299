/* SPDX-License-Identifier: Apache-2.0 */
/* What engine.c and engine-step.c have of each other. */
#ifndef BUILDER_BUILD_ENGINE_STEP_H
#define BUILDER_BUILD_ENGINE_STEP_H

#include "builder/build/engine.h"

/** A stage's next step: wait until it can begin and for a place, then make it or take it from the
 *  cache. Its stage stands on it afterwards. */
int engine_step(struct engine *engine, struct step *step, struct error *err);

/** Begin a step, or a FROM, as one span of its stage's row in the timeline. */
struct timeline_mark engine_begin_span(struct engine *engine, const char *name);

#endif
