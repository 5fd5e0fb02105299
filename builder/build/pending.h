/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers whose contents are still being read for their digest. No key has the digest of a step's
 * layer, so the next step begins on the draft's tree at once. A layer gets its name in the store
 * only while its branch is between two steps: a step that works knows the trees by name.
 *
 * The lock of a step is held until then. That cannot tie two builders to each other, because
 * hashing waits for nobody and a branch that waits is between two steps.
 */
#ifndef BUILDER_BUILD_PENDING_H
#define BUILDER_BUILD_PENDING_H

#include "builder/build/engine.h"
#include "builder/image/layer.h"
#include "lib/error.h"

struct pending_layer;

/** Begin: the step's stage has the draft on top. Takes manifest and lock, also on failure. */
int pending_start(struct engine *engine, struct step *step, const struct layer_draft *draft,
		  char *manifest, struct step_lock *lock, struct error *err);

/** The stage's step is over: publish what was hashed meanwhile. */
void pending_publish(struct graph_stage *stage);
/** Wait for all of a stage, also when the build is to stop; -ECANCELED when one has failed (which
 *  was told to the schedule). */
int pending_finish(struct graph_stage *stage, struct error *err);

/** Read a draft's contents in another thread, and wait for it. What a step has done is worth that:
 *  only a build that is to end at once does not. */
int hash_draft(const struct engine *engine, struct layer_draft *draft, struct error *err);

#endif
