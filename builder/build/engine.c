/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: every stage is a branch that goes through its steps (schedule.h has the rules of
 * their running together), and a step is straight-line code that may wait anywhere (loop/fiber.h).
 * What steps come to is in the graph; nothing in it depends on which branch came first.
 */
#include "builder/build/engine.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "builder/build/ahead.h"
#include "builder/build/cache-export.h"
#include "builder/build/cache-import.h"
#include "builder/build/pending.h"
#include "builder/build/place.h"
#include "builder/build/run-record.h"
#include "builder/build/schedule.h"
#include "builder/build/step-info.h"
#include "builder/build/step-wait.h"
#include "builder/build/why.h"
#include "builder/container/leftovers.h"
#include "builder/container/sandbox.h"
#include "builder/container/user.h"
#include "builder/registry/source.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/strbuf.h"

/* -- events --------------------------------------------------------------------------------------
 */

void engine_event(struct engine *engine, enum build_event_kind kind, unsigned int id,
		  const char *data, size_t size)
{
	struct build_event event = { .kind = kind, .id = id, .data = data, .size = size };

	engine->options->event(engine->options->event_context, &event);
}

static unsigned int begin_event(struct engine *engine, const char *name, bool beside)
{
	struct build_event event = { .kind = EVENT_BEGIN,
				     .id = ++engine->schedule->events,
				     .name = name,
				     .beside = beside };

	engine->options->event(engine->options->event_context, &event);
	return event.id;
}

unsigned int engine_begin(struct engine *engine, const char *name)
{
	return begin_event(engine, name, false);
}

unsigned int engine_begin_beside(struct engine *engine, const char *name)
{
	return begin_event(engine, name, true);
}

struct timeline_mark engine_span(const struct engine *engine, enum timeline_phase phase)
{
	return timeline_begin(engine->options->timeline, engine->row, phase, engine->running, NULL);
}

void engine_end(struct engine *engine, unsigned int id, int ret, const struct error *err)
{
	char text[2048];

	if (ret == 0) {
		engine_event(engine, EVENT_DONE, id, NULL, 0);
		return;
	}
	if (err->code == ERROR_CANCELLED) {
		engine_event(engine, EVENT_CANCELED, id, NULL, 0);
		return;
	}
	error_text(err, text, sizeof(text));
	engine_event(engine, EVENT_FAILED, id, text, strlen(text));
}

void engine_tell_failure(struct engine *engine, const struct error *err)
{
	if (engine->failure_told)
		return;
	engine->failure_told = true;
	engine_end(engine, engine->running, -ECANCELED, err);
}

int engine_check_cancel(const struct engine *engine, struct error *err)
{
	return schedule_check(engine->schedule, err);
}

/* -- what a step stands on -----------------------------------------------------------------------
 */

/* Layers on their way, for the progress: it is told of when something comes. */
struct layers_progress {
	struct engine *engine;
	const struct image *image;
	unsigned int id;
};

static void tell_layers(void *context, uint64_t current, uint64_t total)
{
	struct layers_progress *progress = context;
	struct engine *engine = progress->engine;
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	struct build_event event = { .kind = EVENT_TRANSFER, .current = current, .total = total };

	if (!progress->id) {
		strbuf_adds(&name, "pulling ");
		if (progress->image->top.name.name[0])
			reference_familiar(&progress->image->top.name, true, &name);
		else
			strbuf_adds(&name, progress->image->top.digest.text);
		progress->id = engine_begin(engine, strbuf_text(&name));
	}
	event.id = progress->id;
	engine->options->event(engine->options->event_context, &event);
}

/* The image's layers are in the store afterwards: they are pulled when the first step needs them.
 */
static int have_layers(struct engine *engine, const struct image *image, struct error *err)
{
	struct image_source *source = engine->graph->options->images;
	struct layers_progress progress = { engine, image, 0 };
	const struct pull_events events = { .progress = tell_layers, .context = &progress };
	char text[2048];
	int ret;

	if (!source)
		return 0;
	ret = image_source_layers(source, image, &events, err);
	if (!progress.id)
		return ret;
	if (ret == 0)
		engine_event(engine, EVENT_DONE, progress.id, NULL, 0);
	else if (err->code == ERROR_CANCELLED)
		engine_event(engine, EVENT_CANCELED, progress.id, NULL, 0);
	else
		engine_event(engine, EVENT_FAILED, progress.id, error_text(err, text, sizeof(text)),
			     strlen(text));
	return ret;
}

int engine_image_trees(struct engine *engine, struct image *image, struct strv *out,
		       struct error *err)
{
	int ret = have_layers(engine, image, err);

	return ret < 0 ? ret : image_trees(engine->store, image, out, err);
}

int engine_trees(struct engine *engine, struct graph_stage *stage, struct strv *out,
		 struct error *err)
{
	int ret = cache_need_layers(engine, &stage->layers, err);

	if (ret == 0 && stage->base)
		ret = engine_image_trees(engine, stage->base, out, err);
	if (ret == 0)
		strv_add_all(out, strv_items(&stage->trees));
	return ret;
}

int engine_resolve_user(struct engine *engine, const struct strv *trees, const char *name,
			struct user *out, struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret = place_mount(engine->store, trees, NULL, &fd, err);

	return ret < 0 ? ret : user_resolve(fd, name, out, err);
}

/* -- one step ------------------------------------------------------------------------------------
 */

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

/* Without a place: those who can work should. */
static int wait_for_builder(struct engine *engine, const struct step *step, struct error *err)
{
	cleanup_timeline_mark struct timeline_mark span = engine_span(engine, TIMELINE_WAIT);
	int ret, entered;

	schedule_leave(engine->schedule);
	ret = step_wait(engine, step, err);
	entered = schedule_enter(engine->schedule, ret < 0 ? NULL : err);
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
	struct step_record record = { .created = engine->graph->options->now,
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

	if (step->lock.hex[0])
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
		if (ret == 0 && in_branch && !draft.diff_id.text[0])
			ret = pending_start(engine, step, &draft, TAKE_PTR(*manifest), &lock, err);
		else if (ret == 0)
			ret = hash_draft(engine, &draft, err);
		if (ret == 0 && draft.diff_id.text[0])
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

/* A step, or a FROM, as one span of its stage's row. */
static struct timeline_mark begin_step(struct engine *engine, const char *name)
{
	engine->running = engine_begin(engine, name);
	return timeline_begin(engine->options->timeline, engine->row, TIMELINE_STEP,
			      engine->running, name);
}

static int run_with_place(struct engine *engine, struct step *step, struct error *err)
{
	struct graph_stage *stage = step->stage;
	cleanup_free char *name =
		xasprintf("[%s %zu/%zu] %s", stage->label, step->number, stage->total, step->text);
	struct timeline_mark span = begin_step(engine, name);
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

static int run_one_step(struct engine *engine, struct step *step, struct error *err)
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
	ret = schedule_enter(engine->schedule, err);
	timeline_end(&span);
	if (ret == 0)
		ret = run_with_place(engine, step, err);
	schedule_leave(engine->schedule);
	return ret;
}

/* -- stages --------------------------------------------------------------------------------------
 */

static int begin_stage(struct engine *engine, struct graph_stage *stage, struct error *err)
{
	cleanup_free char *name =
		xasprintf("[%s 1/%zu] FROM %s", stage->label, stage->total, stage->stage->base);
	struct digest chain = { .text = "" };
	struct timeline_mark span =
		timeline_begin(engine->options->timeline, engine->row, TIMELINE_WAIT, 0, NULL);
	struct key_builder builder;
	int ret = 0;

	while (ret == 0 && stage->parent && !stage->parent->finished)
		ret = schedule_wait(engine->schedule, err);
	timeline_end(&span);
	if (ret < 0)
		return ret;
	span = begin_step(engine, name);
	if (stage->parent) {
		stage->key = stage->parent->key;
		strv_add_all(&stage->layers, strv_items(&stage->parent->layers));
		strv_add_all(&stage->trees, strv_items(&stage->parent->trees));
	} else {
		if (stage->base)
			ret = image_chain(stage->base, &chain, err);
		if (ret < 0) {
			timeline_end_step(&span, "failed");
			engine_tell_failure(engine, err);
			return ret;
		}
		key_begin(&builder, "base");
		key_add(&builder, "platform", stage->platform);
		key_add(&builder, "chain", chain.text);
		if (engine->graph->options->subsecond)
			key_add(&builder, "times", "subsecond");
		key_finish(&builder, &stage->key, NULL);
	}
	/* images are local: nothing to do */
	timeline_end_step(&span, "cached");
	engine_event(engine, EVENT_CACHED, engine->running, NULL, 0);
	return 0;
}

/* A stage on its way: what its fiber has. */
struct branch {
	struct engine engine;
	struct graph_stage *stage;
};

static void run_branch(void *context)
{
	struct branch *branch = context;
	struct engine *engine = &branch->engine;
	struct graph_stage *stage = branch->stage;
	struct error err = ERROR_INIT;
	const struct step *step = NULL;
	bool missed = false;
	int ret = begin_stage(engine, stage, &err);

	for (size_t i = 0; i < stage->step_count && ret == 0; i++) {
		step = stage->steps[i];
		ret = run_one_step(engine, stage->steps[i], &err);
		if (ret < 0 || missed || step->cached)
			continue;
		missed = true;
		ret = ahead_start(engine, stage, i + 1, missed, &err);
	}
	/* also of what was done before a failure */
	if (pending_finish(stage, ret < 0 ? NULL : &err) < 0 && ret == 0)
		ret = -ECANCELED;
	run_record_stage(engine, stage, ret < 0 ? step : NULL);
	stage->finished = ret == 0;
	if (ret < 0)
		schedule_fail(engine->schedule, step, ret, &err);
	schedule_changed(engine->schedule);
}

int engine_open(struct engine *engine, struct error *err)
{
	const struct engine_options *options = engine->options;
	int ret;

	engine->schedule = xzalloc(sizeof(*engine->schedule));
	ret = schedule_open(engine->schedule, options->jobs, options->signal_fd, err);
	engine->stop_fd = engine->schedule->stop_fd;
	engine->kill_fd = engine->schedule->kill_fd;
	engine->store->stop_fd = engine->stop_fd;
	return ret;
}

void engine_close(struct engine *engine)
{
	if (engine->schedule) {
		engine->store->stop_fd = -EBADF;
		schedule_close(engine->schedule);
	}
	free(engine->schedule);
	engine->schedule = NULL;
}

const struct step *engine_failed(const struct engine *engine)
{
	return engine->schedule->failed;
}

int engine_run(struct engine *engine, struct error *err)
{
	const struct graph *graph = engine->graph;
	cleanup_free struct branch *branches =
		xreallocarray(NULL, graph->order_count + 1, sizeof(*branches));
	/* The session begins here, outside of all fibers: while it ends what a killed builder left
	 * running it holds the store's mutex, and no other branch may have a turn then. */
	const struct sandbox *sandbox = engine->options->sandbox;
	int ret = store_lease_note(engine->store, LEFTOVER_RUNTIME, engine->options->runtime, err);

	if (ret == 0 && sandbox && sandbox->cgroup_parent)
		ret = store_lease_note(engine->store, LEFTOVER_CGROUP, sandbox->cgroup_parent, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < graph->order_count && ret == 0; i++) {
		branches[i] = (struct branch){ *engine, graph->order[i] };
		branches[i].engine.row =
			timeline_row(engine->options->timeline, graph->order[i]->label);
		ret = schedule_start(engine->schedule, run_branch, &branches[i], err);
		if (ret == 0)
			ret = ahead_start(engine, graph->order[i], 0, false, err);
		if (ret < 0)
			schedule_fail(engine->schedule, NULL, ret, err);
	}
	return schedule_run(engine->schedule, err);
}

/* -- the image -----------------------------------------------------------------------------------
 */

static const char *date_text(struct engine *engine, int64_t seconds)
{
	int64_t now = engine->graph->options->now; /* SOURCE_DATE_EPOCH may be before a record */
	time_t time = (time_t)(seconds < now ? seconds : now);
	struct tm broken;
	char text[32];

	gmtime_r(&time, &broken);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &broken);
	return arena_strdup(&engine->graph->arena, text);
}

/* What comes before a stage's first layer: the end of the base's history, else that layer's time.
 */
static const char *first_date(struct engine *engine, const struct graph_stage *stage)
{
	const struct image_config *config = stage->config;

	if (stage->history_first && config->history.items[stage->history_first - 1].created)
		return config->history.items[stage->history_first - 1].created;
	if (stage->step_count)
		return date_text(engine, stage->steps[0]->created);
	return config->created ? config->created : date_text(engine, engine->graph->options->now);
}

/* An entry has the time of the layer that it made, else of the layer before: a build from the
 * cache then gives the same image. */
static void date_history(struct engine *engine, struct graph_stage *stage)
{
	struct image_config *config = stage->config;
	const char *date;
	size_t next = 0;

	if (stage->parent) { /* its entries were copied before it ran */
		date_history(engine, stage->parent);
		for (size_t i = 0; i < stage->history_first; i++)
			config->history.items[i].created =
				stage->parent->config->history.items[i].created;
		config->created = stage->parent->config->created;
	}
	date = first_date(engine, stage);
	for (size_t i = stage->history_first; i < config->history.count; i++) {
		if (next < stage->step_count && stage->steps[next]->history == i)
			date = date_text(engine, stage->steps[next++]->created);
		config->history.items[i].created = date;
	}
	config->created = date;
}

int engine_create_image(struct engine *engine, struct store_ref *out_ref, struct digest *out_id,
			struct error *err)
{
	struct graph_stage *target = engine->graph->target;
	struct image_new image = { .base = target->base,
				   .config = target->config,
				   .arena = &engine->graph->arena,
				   .layers = &target->layers };
	int ret = cache_need_layers(engine, &target->layers, err);

	if (ret < 0)
		return ret;
	date_history(engine, target);
	ret = cache_export_inline(engine, target->config, err);
	if (ret < 0)
		return ret;
	return image_create(engine->store, &image, out_ref, out_id, err);
}
