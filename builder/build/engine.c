/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: every stage is a branch that goes through its steps (schedule.h has the rules of
 * their running together), and a step is straight-line code that may wait anywhere (loop/fiber.h).
 * What steps come to is in the graph; nothing in it depends on which branch came first.
 */
#include "builder/build/engine.h"

#include <errno.h>
#include <string.h>

#include "builder/build/ahead.h"
#include "builder/build/engine-step.h"
#include "builder/build/pending.h"
#include "builder/build/run-record.h"
#include "builder/build/schedule.h"
#include "builder/container/leftovers.h"
#include "builder/container/sandbox.h"
#include "lib/cleanup.h"

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

/* -- stages --------------------------------------------------------------------------------------
 */

struct timeline_mark engine_begin_span(struct engine *engine, const char *name)
{
	engine->running = engine_begin(engine, name);
	return timeline_begin(engine->options->timeline, engine->row, TIMELINE_STEP,
			      engine->running, name);
}

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
	span = engine_begin_span(engine, name);
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
		ret = engine_step(engine, stage->steps[i], &err);
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
