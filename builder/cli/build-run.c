/* SPDX-License-Identifier: Apache-2.0 */
/* The third part of a build: its steps, for one platform or several, and what is said when one
 * fails. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "builder/build/runtime-exec.h"
#include "builder/build/schedule.h"
#include "builder/cli/build-attest.h"
#include "builder/cli/build-internal.h"
#include "builder/cli/build-request.h"
#include "builder/cli/build-warnings.h"
#include "builder/context/stat-cache.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/signals.h"
#include "lib/table.h"

void build_explain(struct build *build, const struct error *why)
{
	if (why->code == ERROR_CANCELLED || build->explained)
		return;
	build->explained = true;
	progress_print_tail(&build->progress, stderr);
	if (build->where.first)
		dockerfile_print_excerpt(&build->dockerfile.source, &build->where, stderr);
}

/* What the person who gets the shell wants to have read. */
static void announce_shell(void *context, const struct step *step, const struct error *why)
{
	struct build *build = context;
	char text[2048];

	build->where = step->range;
	progress_stop(&build->progress); /* the terminal is the shell's */
	build_explain(build, why);
	fprintf(stderr,
		"%s\n"
		"A shell where it failed; what you change is not kept, \"exit\" ends the build.\n",
		error_text(why, text, sizeof(text)));
	fflush(stderr);
}

/* Of the progress: all steps, all FROM, and the image itself. */
static size_t count_items(const struct graph *graph)
{
	size_t count = 1;

	for (size_t i = 0; i < graph->order_count; i++)
		count += graph->order[i]->total;
	return count;
}

/* Not every runtime can write a trace. */
static void ask_runtime(struct build *build)
{
	const struct runtime runtime = { build->options.runtime, RUNTIME_STEPS };

	build->options.engine.timeline = build->records.timeline;
	if (build->records.trace)
		build->records.timeline->want_runtime = runtime_has_trace(&runtime);
}

/* Which commits contexts were that are repositories. */
static void collect_contexts(const struct build *build, struct pins *pins)
{
	const struct named_contexts *named = &build->options.contexts;

	if (build->origin.kind == LOCATION_GIT)
		pins_add_repository(pins, &build->origin, build->context.commit);
	for (size_t i = 0; i < named->count; i++)
		if (named->items[i].opened && named->items[i].location.kind == LOCATION_GIT)
			pins_add_repository(pins, &named->items[i].location,
					    named->items[i].context.commit);
}

static int collect_pins(struct build *build)
{
	const struct build_args *args = &build->options.args;
	int ret = 0;

	if (args->lock) {
		collect_contexts(build, &build->options.pins);
		ret = pins_collect(&build->options.pins, &build->graph, &build->cli->err);
	}
	if (ret < 0)
		return ret;
	collect_contexts(build, &build->request.pins);
	build_request_collect(build);
	return 0;
}

static int run_engine(struct build *build, unsigned int events)
{
	struct engine *engine = &build->engine;
	int ret;

	*engine = (struct engine){ .store = &build->store,
				   .graph = &build->graph,
				   .context = &build->context,
				   .build = build->journal.number,
				   .imports = build->cache.imports,
				   /* files of a build that is apart are read, not believed */
				   .stats = build->store.apart ? NULL
							       : stat_cache_open(&build->store,
										 build->context.fd),
				   .options = &build->options.engine };
	ret = engine_open(engine, &build->cli->err);
	engine->schedule->events = events;
	if (ret == 0)
		registry_set_cancel(build->images.registry, engine->stop_fd);
	if (ret == 0)
		ret = engine_run(engine, &build->cli->err);
	if (ret == 0)
		ret = collect_pins(build);
	if (ret == 0)
		ret = build_cache_select(&build->cache, engine, &build->options, &build->cli->err);
	stat_cache_close(engine->stats);
	engine->stats = NULL;
	if (ret < 0 && engine_failed(engine))
		build->where = engine_failed(engine)->range;
	return ret;
}

bool build_has_index(const struct build *build)
{
	return build->options.platforms.count > 1 || attest_wanted(&build->options.attest);
}

/* Plan and run for another platform; what is the same in both is in the cache. */
static int run_platform(struct build *build, char *platform)
{
	unsigned int events = build->engine.schedule->events;
	int ret;

	build_result_count(&build->result, &build->graph);
	cache_imports_next_platform(build->cache.imports);
	registry_set_cancel(build->images.registry, -EBADF);
	engine_close(&build->engine);
	graph_done(&build->graph);
	build->graph = (struct graph){ .store = NULL };
	stages_done(&build->stages);
	build->stages = (struct stages){ .where = { 0 } };
	build->options.platform = platform;
	build->options.graph.platform = platform;
	ret = build_resolve_stages(build);
	if (ret < 0)
		return ret;
	ret = build_plan_graph(build, &build->cli->err);
	build->where = build->graph.where;
	return ret < 0 ? ret : run_engine(build, events);
}

static int add_platform(struct build *build)
{
	const struct build_attest attest = { .options = &build->options,
					     .graph = &build->graph,
					     .context = &build->context,
					     .dockerfile = &build->dockerfile.source,
					     .location = build->location,
					     .store = &build->store,
					     .build = build->journal.number,
					     .begin = build->started };
	struct error *err = &build->cli->err;
	struct built_platform *built;
	int ret = build_platforms_add(&build->platforms, &build->engine, &build->options, &built,
				      err);

	return ret < 0 ? ret : build_attest(&attest, built, err);
}

int build_run_platforms(struct build *build)
{
	const struct strv *platforms = &build->options.platforms;
	struct error *err = &build->cli->err;
	int ret = 0;

	for (size_t i = 0; ret == 0 && build_has_index(build) && i < platforms->count; i++) {
		if (i > 0)
			ret = run_platform(build, platforms->items[i]);
		if (ret == 0)
			ret = add_platform(build);
		if (ret < 0)
			return error_prefix(err, ret, "platform %s", platforms->items[i]);
	}
	return ret;
}

/* A step was taken from an imported cache that does not have its layer: without that cache, and
 * with all that was made since, from the beginning. */
int build_run_again(struct build *build)
{
	char *first = build->options.platforms.items[0];
	int ret;

	build->cli->err = (struct error){ .errnum = 0 };
	report_again(&build->records.report, &build->graph);
	journal_again(&build->journal);
	build_platforms_done(&build->platforms);
	build_cache_forget(&build->cache);
	ret = run_platform(build, first);
	build->result.steps = build->result.cached = 0;
	return ret < 0 ? ret : build_run_platforms(build);
}

int build_run(struct build *build)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	int ret;

	build->signal_fd = signal_open_fd(signals, ARRAY_SIZE(signals), &build->cli->err);
	if (build->signal_fd < 0)
		return build->signal_fd;
	ret = build_start_progress(build);
	if (ret < 0)
		return ret;
	progress_set_total(&build->progress, count_items(&build->graph));
	build->options.engine.signal_fd = build->signal_fd;
	ask_runtime(build);
	if (build->options.shell_on_error)
		build->options.engine.before_shell = announce_shell;
	build->options.engine.shell_context = build;
	build_warn_stages(&build->graph, &build->options);
	build_records_listen(&build->records, progress_event, &build->progress, &build->journal);
	build->journal.bytes_max = build->options.gc.logs;
	if (!build->store.apart)
		journal_open(&build->journal, &build->store, &build->graph);
	build->options.engine.event = journal_event;
	build->options.engine.event_context = &build->journal;
	build_cache_open(&build->cache, &build->options);
	return run_engine(build, build->events);
}
