/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers whose contents are still being read for their digest. That begins while the tree is walked
 * for what the step has changed, with what was found by then. No key has the digest of a step's
 * layer, so the next step begins on the draft's tree when the walk is over. A layer gets its name
 * in the store only while its branch is between two steps: a step that works knows the trees by
 * name.
 *
 * The lock of a step is held until then. That cannot tie two builders to each other, because
 * hashing waits for nobody and a branch that waits is between two steps.
 */
#ifndef BUILDER_BUILD_PENDING_H
#define BUILDER_BUILD_PENDING_H

#include "builder/build/engine.h"
#include "builder/build/place.h"
#include "lib/error.h"

struct pending_layer;

/** While a step of a branch is made: what was changed in its place on top of the trees becomes its
 *  pending layer, which is being hashed from now on. */
int pending_take(struct engine *engine, struct step *step, struct place *place,
		 const struct strv *trees, struct error *err);
/** The step is made: its stage has the layer on top. Takes manifest and lock. */
void pending_start(struct step *step, char *manifest, struct step_lock *lock);
/** It could not be made: end what was begun, if anything. */
void pending_drop(struct step *step);

/** The stage's step is over: publish what was hashed meanwhile. */
void pending_publish(struct graph_stage *stage);
/** Wait for all of a stage, also when the build is to stop; -ECANCELED when one has failed (which
 *  was told to the schedule). */
int pending_finish(struct graph_stage *stage, struct error *err);

#endif
