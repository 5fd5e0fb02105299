/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing a layer beside the next step, each in a fiber of its own; called by engine.c. */
#include "builder/build/pending.h"

#include <string.h>

#include "builder/build/schedule.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

/* A draft from this size on is begun to be written to the disk while it is hashed. */
#define EARLY_SYNC_SIZE ((uint64_t)16 << 20)

struct pending_layer {
	struct engine engine; /* as the branch saw it */
	struct step *step;
	size_t index; /* in its stage's layers */
	struct layer_draft draft;
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

struct hash_call {
	const struct engine *engine;
	struct layer_draft *draft;
	struct error *err;
	int ret;
};

static void call_hash(void *context)
{
	struct hash_call *call = context;

	call->ret = layer_hash(call->engine->store, call->draft, call->engine->kill_fd, call->err);
}

int hash_draft(const struct engine *engine, struct layer_draft *draft, struct error *err)
{
	struct hash_call call = { engine, draft, err, 0 };
	struct timeline_mark span;

	if (draft->diff_id.text[0])
		return 0;
	if (draft->size >= EARLY_SYNC_SIZE)
		store_sync_early(engine->store);
	span = engine_span(engine, TIMELINE_HASH);
	fiber_offload(call_hash, &call);
	timeline_end(&span);
	return call.ret;
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
	pending->ret = hash_draft(&pending->engine, &pending->draft, &pending->err);
	pending->hashed = true;
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

int pending_start(struct engine *engine, struct step *step, const struct layer_draft *draft,
		  char *manifest, struct step_lock *lock, struct error *err)
{
	struct graph_stage *stage = step->stage;
	struct pending_layer *pending = xzalloc(sizeof(*pending));
	int ret;

	*pending = (struct pending_layer){ .engine = *engine,
					   .step = step,
					   .index = stage->layers.count,
					   .draft = *draft,
					   .manifest = manifest,
					   .lock = *lock,
					   .next = stage->pending };
	pending->engine.has_place = false;
	*lock = (struct step_lock)STEP_LOCK_INIT;
	ret = schedule_start(engine->schedule, run_pending, pending, err);
	if (ret < 0) {
		pending_free(pending);
		return ret;
	}
	strv_add(&stage->layers, "");
	strv_take(&stage->trees, layer_draft_tree(draft));
	stage->pending = pending;
	return 0;
}
