/* SPDX-License-Identifier: Apache-2.0 */
/* Being the only builder that makes a step: its lock, and waiting for whoever has it. */
#ifndef BUILDER_BUILD_STEP_WAIT_H
#define BUILDER_BUILD_STEP_WAIT_H

#include "builder/build/engine.h"
#include "builder/image/store.h"
#include "lib/error.h"

/** Take the lock: 1, or 0 when another builder has it. */
int step_try_lock(struct engine *engine, const struct step *step, struct step_lock *lock,
		  struct error *err);

/** Wait until the builder that has the lock has written a record, given it back or ended. It may
 *  also be less: try the lock again. */
int step_wait(struct engine *engine, const struct step *step, struct error *err);

#endif
