/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step, from its turn to its record: its key, the cache, other builders that make the same, the
 * layer. Of engine.c, which has the stages.
 */
#include "builder/build/engine-step.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "builder/build/cache-import.h"
#include "builder/build/pending.h"
#include "builder/build/schedule.h"
#include "builder/build/step-info.h"
#include "builder/build/step-wait.h"
#include "builder/build/why.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/strbuf.h"

bool engine_ignores_cache(const struct engine *engine, const struct step *step)
{
	const struct strv *stages = engine->options->no_cache_stages;
	char number[24];

	if (engine->options->no_cache || !stages || !step->stage->stage)
		return engine->options->no_cache;
	snprintf(number, sizeof(number), "%zu", step->stage->stage->index);
	return strv_contains(stages, step->stage->label) || strv_contains(stages, number);
}

static void take_record(struct step *step, const struct step_record *record)
{
	memcpy(step->layer, record->layer, LAYER_ID_SIZE);
	step->created = record->created;
}

/* 1: the cache has it. */
static int look_up(struct engine *engine, struct step *step, struct error *err)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	int ret;

	if (engine_ignores_cache(engine, step) || !step->key.hex[0])
		return 0;
	ret = cache_find(engine, step->key.hex, &record, err);
	if (ret <= 0 || !record.layer[0])
		return ret < 0 ? ret : 0;
	take_record(step, &record);
	step->cached = true;
	return 1;
}

int engine_enter(struct engine *engine, struct error *err)
{
	int ret = schedule_enter(engine->schedule, err);

	engine->has_place = true;
	return ret;
}

bool engine_leave(struct engine *engine)
{
	bool had_place = engine->has_place;

	if (had_place)
		schedule_leave(engine->schedule);
	engine->has_place = false;
	return had_place;
}

/* Without a place: those who can work should. */
static int wait_for_builder(struct engine *engine, const struct step *step, struct error *err)
{
	cleanup_timeline_mark struct timeline_mark span = engine_span(engine, TIMELINE_WAIT);
	int ret, entered;

	(void)engine_leave(engine);
	ret = step_wait(engine, step, err);
	entered = engine_enter(engine, ret < 0 ? NULL : err);
	return ret < 0 ? ret : entered;
}

/* What the key is may be known only now. */
static int look_again(struct engine *engine, struct step *step, char **manifest, struct error *err)
{
	int ret;

	free(*manifest);
	*manifest = NULL;
	ret = step->kind->find_key(engine, step, manifest, err);
	return ret < 0 ? ret : look_up(engine, step, err);
}

/* The lock of a step, unless another builder makes it meanwhile: 0 locked, 1 it is in the cache. */
static int lock_step(struct engine *engine, struct step *step, struct step_lock *lock,
		     char **manifest, struct error *err)
{
	static const char note[] = "waiting for another builder to do this step";

	for (bool told = false;; told = true) {
		int ret = step_try_lock(engine, step, lock, err);

		if (ret < 0)
			return ret;
		if (ret == 1) /* it may have come in between */
			return step->key.hex[0] ? look_up(engine, step, err)
						: look_again(engine, step, manifest, err);
		if (!told)
			engine_event(engine, EVENT_NOTE, engine->running, note, strlen(note));
		ret = wait_for_builder(engine, step, err);
		if (ret == 0)
			ret = look_again(engine, step, manifest, err);
		if (ret != 0)
			return ret;
	}
}

/* --why, as events of the step. */
static void explain(struct engine *engine, const struct step *step, const char *manifest)
{
	cleanup_strv struct strv lines = STRV_INIT;

	if (!engine->options->why)
		return;
	if (engine_ignores_cache(engine, step))
		strv_add(&lines, engine->options->no_cache ? "--no-cache" : "--no-cache-filter");
	else
		why_explain(engine->store, step, manifest, &lines);
	for (size_t i = 0; i < lines.count; i++)
		engine_event(engine, EVENT_WHY, engine->running, lines.items[i],
			     strlen(lines.items[i]));
}

/* What du, history and logs will want to know of it. */
static void describe(const struct engine *engine, const struct step *step, uint64_t size,
		     struct strbuf *out)
{
	cleanup_free char *below = step_below(step);
	const struct rusage *usage = &step->usage;
	const struct step_info info = {
		.build = engine->build,
		.event = step->event,
		.stage = step->stage->label,
		.number = step->number,
		.text = step->text,
		.below = below,
		.wall_us = step->wall_us,
		.user_us = (uint64_t)usage->ru_utime.tv_sec * 1000000 +
			   (uint64_t)usage->ru_utime.tv_usec,
		.system_us = (uint64_t)usage->ru_stime.tv_sec * 1000000 +
			     (uint64_t)usage->ru_stime.tv_usec,
		.peak_rss = (uint64_t)usage->ru_maxrss * 1024,
		.size = size,
	};

	step_info_encode(&info, out);
}

int engine_publish(struct engine *engine, struct step *step, struct layer_draft *draft,
		   char *manifest, struct error *err)
{
	cleanup_timeline_mark struct timeline_mark span = engine_span(engine, TIMELINE_PUBLISH);
	cleanup_strbuf struct strbuf info = STRBUF_INIT;
	const struct graph_options *options = engine->graph->options;
	/* a build that somebody has dated dates itself alone */
	struct step_record record = { .created = options->dated ? time(NULL) : step->now,
				      .manifest = manifest };
	struct layer_info layer;
	int ret = layer_publish(engine->store, draft, &layer, err);

	if (ret < 0)
		return ret;
	describe(engine, step, layer.size, &info);
	record.info = info.data;
	memcpy(record.list, step->list, LAYER_ID_SIZE);
	memcpy(record.layer, layer.id, LAYER_ID_SIZE);
	take_record(step, &record);
	return store_step_put(engine->store, step->key.hex, &record, err);
}

/* in_branch: the step is one of its stage's own, and the next one can begin before this one's layer
 * is hashed. */
static int make_step(struct engine *engine, struct step *step, bool in_branch, char **manifest,
		     struct error *err)
{
	struct step_lock lock = STEP_LOCK_INIT;
	struct layer_draft draft = { .name = "" };
	int64_t begin_us;
	int ret = 0;
	bool early;

	/* who takes nothing of others does not wait for it either */
	if (step->lock.hex[0] && !engine->store->apart)
		ret = lock_step(engine, step, &lock, manifest, err);
	if (ret == 0) {
		/* else its list of files is not there yet */
		early = step->key.hex[0] && !step->list[0];
		begin_us = clock_us();
		if (early)
			explain(engine, step, *manifest);
		step->stage->working = in_branch;
		ret = step->kind->make(engine, step, &draft, manifest, err);
		step->wall_us = (uint64_t)(clock_us() - begin_us);
		if (ret == 0 && !early)
			explain(engine, step, *manifest);
		if (ret < 0)
			pending_drop(step);
		else if (step->pending)
			pending_start(step, TAKE_PTR(*manifest), &lock);
		else
			ret = engine_publish(engine, step, &draft, *manifest, err);
		step->stage->working = false;
	}
	step_unlock(&lock);
	return ret < 0 ? ret : 0;
}

/* The same step may be under way in another branch, or done: 1, and its result is ours. */
static int take_twin(struct engine *engine, struct step *step, struct error *err)
{
	cleanup_timeline_mark struct timeline_mark span = engine_span(engine, TIMELINE_WAIT);
	const struct step *twin;
	int ret = schedule_twin(engine->schedule, step, &twin, err);

	if (ret < 0 || !twin)
		return ret;
	step->key = twin->key;
	memcpy(step->layer, twin->layer, LAYER_ID_SIZE);
	step->created = twin->created;
	step->cached = true;
	return 1;
}

/* Key and cache: 1 when there is nothing to do. */
static int find(struct engine *engine, struct step *step, char **manifest, struct error *err)
{
	cleanup_timeline_mark struct timeline_mark span = engine_span(engine, TIMELINE_LOOKUP);
	const struct step_kind *kind = step->kind;
	int ret = engine_check_cancel(engine, err);

	if (ret == 0 && kind->identify) {
		ret = kind->identify(engine, step, err);
		if (ret == 0)
			ret = take_twin(engine, step, err);
	}
	if (ret != 0)
		return ret;
	ret = kind->find_key(engine, step, manifest, err);
	if (ret >= 0 && !kind->identify) {
		step->identity = step->key;
		ret = take_twin(engine, step, err);
		if (ret != 0)
			return ret;
	}
	return ret < 0 ? ret : look_up(engine, step, err);
}

static int make_or_begin(struct engine *engine, struct step *step, bool in_branch,
			 struct error *err)
{
	cleanup_free char *manifest = NULL;
	int ret;

	if (step->finished)
		return 0;
	ret = find(engine, step, &manifest, err);
	if (ret == 0)
		ret = make_step(engine, step, in_branch, &manifest, err);
	if (ret < 0 || !step->layer[0])
		return ret;
	step->finished = true;
	schedule_changed(engine->schedule);
	return 0;
}

int engine_make(struct engine *engine, struct step *step, struct error *err)
{
	return make_or_begin(engine, step, false, err);
}

/* The layer on top, unless it is there as a pending one. */
static void add_layer(struct graph_stage *stage, const struct step *step)
{
	if (!step->layer[0])
		return;
	strv_add(&stage->layers, step->layer);
	strv_take(&stage->trees, layer_tree(step->layer));
}

/* The key of all that is there now. */
static void chain_key(struct graph_stage *stage, const struct step *step)
{
	struct cache_key below = stage->key;
	struct key_builder builder;

	stage->key = step->key;
	if (!step->independent)
		return;
	key_begin(&builder, "on top");
	key_add(&builder, "parent", below.hex);
	key_add(&builder, "layer", step->key.hex);
	key_finish(&builder, &stage->key, NULL);
}

static int run_with_place(struct engine *engine, struct step *step, struct error *err)
{
	struct graph_stage *stage = step->stage;
	cleanup_free char *name =
		xasprintf("[%s %zu/%zu] %s", stage->label, step->number, stage->total, step->text);
	struct timeline_mark span = engine_begin_span(engine, name);
	int ret;

	step->event = engine->running;
	ret = make_or_begin(engine, step, true, err);
	if (ret < 0) {
		timeline_end_step(&span, err->code == ERROR_CANCELLED ? "canceled" : "failed");
		engine_tell_failure(engine, err);
		return ret;
	}
	timeline_end_step(&span, step->cached ? "cached" : "done");
	engine_event(engine, step->cached ? EVENT_CACHED : EVENT_DONE, engine->running, NULL, 0);
	add_layer(stage, step);
	pending_publish(stage);
	chain_key(stage, step);
	return 0;
}

int engine_step(struct engine *engine, struct step *step, struct error *err)
{
	struct timeline_mark span =
		timeline_begin(engine->options->timeline, engine->row, TIMELINE_WAIT, 0, NULL);
	int ret = 0;

	while (ret == 0 && step->kind->is_ready && !step->kind->is_ready(step))
		ret = schedule_wait(engine->schedule, err);
	if (ret < 0) {
		timeline_end(&span);
		return ret;
	}
	ret = engine_enter(engine, err);
	timeline_end(&span);
	if (ret == 0)
		ret = run_with_place(engine, step, err);
	(void)engine_leave(engine);
	return ret;
}
