/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing a layer beside the walk through it and the next step, each in a fiber of its own; called
 * by engine-step.c and the steps that have a place. */
#include "builder/build/pending.h"

#include <assert.h>
#include <string.h>

#include "builder/build/schedule.h"
#include "builder/image/layer-growth.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

/* A draft from this size on is begun to be written to the disk while it is hashed. */
#define EARLY_SYNC_SIZE ((uint64_t)16 << 20)

struct pending_layer {
	struct engine engine; /* as the branch saw it */
	struct step *step;
	size_t index; /* in its stage's layers */
	struct layer_draft draft;
	struct layer_growth growth;
	char *manifest;
	struct step_lock lock;
	bool hashed; /* or failed: ret */
	int ret;
	struct error err;
	struct fiber_queue waiting;
	struct pending_layer *next;
};

static void pending_free(struct pending_layer *pending)
{
	step_unlock(&pending->lock);
	free(pending->manifest);
	free(pending);
}

/* -- hashing ------------------------------------------------------------------------------------
 */

/* What a step has done is worth hashing: only a build that is to end at once does not. */
static void call_hash(void *context)
{
	struct pending_layer *pending = context;
	const struct engine *engine = &pending->engine;

	pending->ret = layer_hash_growing(engine->store, &pending->draft, &pending->growth,
					  engine->kill_fd, &pending->err);
}

static void hash(struct pending_layer *pending)
{
	struct timeline_mark span = engine_span(&pending->engine, TIMELINE_HASH);

	fiber_offload(call_hash, pending);
	timeline_end(&span);
	pending->hashed = true;
}

/* -- publishing ---------------------------------------------------------------------------------
 */

static void take_off(struct pending_layer *pending)
{
	struct pending_layer **at = &pending->step->stage->pending;

	while (*at != pending)
		at = &(*at)->next;
	*at = pending->next;
}

/* The layer has its name now, in the store and in the stage. */
static void name_layer(struct pending_layer *pending)
{
	struct graph_stage *stage = pending->step->stage;
	char **id = &stage->layers.items[pending->index];
	char **tree = &stage->trees.items[pending->index];

	free(*id);
	*id = xstrdup(pending->step->layer);
	free(*tree);
	*tree = layer_tree(*id);
	pending->step->finished = true;
}

/* Beside the stage's steps. */
static void enter_lane(struct pending_layer *pending)
{
	struct timeline *timeline = pending->engine.options->timeline;
	cleanup_free char *name = NULL;

	if (!timeline)
		return;
	name = xasprintf("%s" TIMELINE_LAYERS, pending->step->stage->label);
	pending->engine.row = timeline_lane(timeline, name);
}

static void publish(struct pending_layer *pending)
{
	struct engine *engine = &pending->engine;
	struct schedule *schedule = engine->schedule;

	enter_lane(pending); /* another layer may be in the one that it was hashed in */
	take_off(pending);
	if (pending->ret == 0)
		pending->ret = engine_publish(engine, pending->step, &pending->draft,
					      pending->manifest, &pending->err);
	if (pending->ret == 0) {
		name_layer(pending);
	} else {
		pending->step->stage->failed = true;
		schedule_fail(schedule, pending->step, pending->ret, &pending->err);
	}
	pending_free(pending);
	schedule_changed(schedule);
}

static void run_pending(void *context)
{
	struct pending_layer *pending = context;
	struct graph_stage *stage = pending->step->stage;

	enter_lane(pending);
	hash(pending);
	if (pending->waiting.first)
		fiber_wake(&pending->waiting);
	else if (!stage->working)
		publish(pending);
}

void pending_publish(struct graph_stage *stage)
{
	for (struct pending_layer *next, *pending = stage->pending; pending; pending = next) {
		next = pending->next;
		if (pending->hashed)
			publish(pending);
	}
}

int pending_finish(struct graph_stage *stage, struct error *err)
{
	while (stage->pending) {
		if (!stage->pending->hashed)
			fiber_wait(&stage->pending->waiting);
		else
			publish(stage->pending);
	}
	return stage->failed ? error_set(err, ERROR_CANCELLED, ECANCELED,
					 "a layer of the stage could not be made")
			     : 0;
}

/* -- the beginning ------------------------------------------------------------------------------
 */

static int start_hashing(struct engine *engine, struct step *step, const struct layer_draft *draft,
			 struct error *err)
{
	struct pending_layer *pending = xzalloc(sizeof(*pending));
	int ret;

	*pending = (struct pending_layer){ .engine = *engine,
					   .step = step,
					   .draft = *draft,
					   .growth = LAYER_GROWTH_INIT,
					   .lock = STEP_LOCK_INIT };
	pending->engine.has_place = false;
	ret = schedule_start(engine->schedule, run_pending, pending, err);
	if (ret < 0)
		pending_free(pending);
	else
		step->pending = pending;
	return ret;
}

int pending_take(struct engine *engine, struct step *step, struct place *place,
		 const struct strv *trees, struct error *err)
{
	cleanup_timeline_mark struct timeline_mark span = engine_span(engine, TIMELINE_SCAN);
	struct layer_draft draft;
	int ret = place_take(place, &draft, err);

	assert(step->stage->working); /* else it would be published now */
	if (ret == 0)
		ret = start_hashing(engine, step, &draft, err);
	/* The new fiber has its turn when we wait for the walk: that has its thread first, or they
	 * would wait for each other in the last one. */
	if (ret == 0)
		ret = place_walk(place, trees, &step->pending->growth, &draft, err);
	if (ret == 0 && draft.size >= EARLY_SYNC_SIZE)
		store_sync_early(engine->store);
	return ret;
}

void pending_start(struct step *step, char *manifest, struct step_lock *lock)
{
	struct pending_layer *pending = TAKE_PTR(step->pending);
	struct graph_stage *stage = step->stage;

	pending->index = stage->layers.count;
	pending->manifest = manifest;
	pending->lock = *lock;
	*lock = (struct step_lock)STEP_LOCK_INIT;
	strv_add(&stage->layers, "");
	strv_take(&stage->trees, layer_draft_tree(&pending->draft));
	pending->next = stage->pending;
	stage->pending = pending;
}

void pending_drop(struct step *step)
{
	struct pending_layer *pending = TAKE_PTR(step->pending);

	if (!pending)
		return;
	layer_growth_end(&pending->growth, false);
	while (!pending->hashed)
		fiber_wait(&pending->waiting);
	pending_free(pending);
}
