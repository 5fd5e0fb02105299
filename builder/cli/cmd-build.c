/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: read, resolve, plan, run, name. Everything that can be wrong with the command line, the
 * Dockerfile and the base images is found before the first step runs; names are set last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/agents.h"
#include "builder/build/authorize.h"
#include "builder/build/journal.h"
#include "builder/build/runtime-exec.h"
#include "builder/build/schedule.h"
#include "builder/cli/build-cache.h"
#include "builder/cli/build-options.h"
#include "builder/cli/build-output.h"
#include "builder/cli/build-platforms.h"
#include "builder/cli/build-records.h"
#include "builder/cli/build-result.h"
#include "builder/cli/build-warnings.h"
#include "builder/cli/checks.h"
#include "builder/cli/progress-context.h"
#include "builder/cli/progress.h"
#include "builder/cli/source-date.h"
#include "builder/context/context.h"
#include "builder/context/stat-cache.h"
#include "builder/dockerfile/stages.h"
#include "builder/registry/transport.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "lib/table.h"

/* A build from its command line to its image; everything it owns. */
struct build {
	struct cli *cli;
	struct build_options options;
	struct context context;
	struct dockerfile dockerfile;
	struct stages stages;
	struct checks checks;
	struct lint_report warnings;
	struct store store;
	struct graph graph;
	struct engine engine;
	struct progress progress;
	struct journal journal;
	struct build_records records;
	struct build_result result;
	struct build_platforms platforms;
	struct build_cache cache;
	struct image_source images;
	int64_t begin;	     /* us */
	bool pulled;	     /* images were looked for elsewhere */
	bool shown;	     /* the progress has started */
	unsigned int events; /* that it was told of before there was an engine */
	int signal_fd;
	struct source_range where; /* of a failure; 0 = nowhere in the Dockerfile */
	bool explained;		   /* with what is around it */
};

static void build_done(struct build *build)
{
	engine_close(&build->engine);
	journal_close(&build->journal);
	progress_done(&build->progress);
	build_records_done(&build->records);
	build_result_done(&build->result);
	build_cache_done(&build->cache);
	build_platforms_done(&build->platforms);
	graph_done(&build->graph);
	lint_done(&build->warnings);
	image_source_done(&build->images);
	registry_close(build->images.registry);
	agents_stop(build->options.engine.agents, build->options.engine.agent_count);
	checks_done(&build->checks);
	store_close(&build->store);
	stages_done(&build->stages);
	dockerfile_done(&build->dockerfile);
	context_close(&build->context);
	cleanup_close_fd(&build->signal_fd);
	build_options_done(&build->options);
}

/* -- the Dockerfile ------------------------------------------------------------------------------
 */

static int open_store(struct build *build)
{
	int ret = build->store.fd >= 0 ? 0 : cli_open_store(build->cli, true, &build->store);

	build->checks = (struct checks){ .dockerfile = &build->dockerfile,
					 .stages = &build->stages,
					 .store = &build->store,
					 .context = &build->context,
					 .build_args = &build->options.build_args,
					 .platform = build->options.platform,
					 .enable = build->options.lint };
	return ret;
}

static int start_progress(struct build *build)
{
	if (build->shown)
		return 0;
	build->shown = true;
	build->progress.why = build->options.args.why;
	return progress_start(&build->progress, build->options.progress, stderr, &build->cli->err);
}

/* A context that has to be fetched takes its time: people see it, unless a check is all they want.
 */
static int fetch_context_shown(struct build *build, const struct context_options *options)
{
	const struct build_args *args = &build->options.args;
	int ret = open_store(build);

	if (ret < 0 || args->check || args->call || options->location->kind == LOCATION_FOLDER)
		return ret < 0 ? ret : context_open(&build->context, options, &build->cli->err);
	ret = start_progress(build);
	return ret < 0 ? ret
		       : progress_fetch_context(&build->progress, ++build->events, options,
						&build->context, &build->cli->err);
}

static int authorize_contexts(struct build *build, struct location *location)
{
	const struct engine_options *engine = &build->options.engine;
	struct named_contexts *named = &build->options.contexts;
	struct arena *arena = &build->cli->arena;
	struct error *err = &build->cli->err;
	int ret = authorize(location, engine->secrets, engine->secret_count, arena, err);

	for (size_t i = 0; i < named->count && ret == 0; i++)
		ret = authorize(&named->items[i].location, engine->secrets, engine->secret_count,
				arena, err);
	return ret;
}

/* The store is needed before the Dockerfile is known only by what has to be fetched. */
static int open_context(struct build *build, const char *path)
{
	const char *keep =
		strv_env_get(&build->options.build_args, "BUILDKIT_CONTEXT_KEEP_GIT_DIR");
	struct error *err = &build->cli->err;
	struct location location;
	const struct context_options options = { .location = &location,
						 .store = &build->store,
						 .cancel_fd = -EBADF,
						 .dockerfile = build->options.args.file };
	int ret = location_parse(path, true, &build->cli->arena, &location, err);

	if (ret == 0)
		ret = authorize_contexts(build, &location);
	if (ret == 0 && keep && (strcmp(keep, "1") == 0 || strcmp(keep, "true") == 0))
		location.keep_git_dir = true;
	if (ret == 0 && context_needs_store(&options))
		return fetch_context_shown(build, &options);
	return ret < 0 ? ret : context_open(&build->context, &options, err);
}

/* The time of this build: what new folders and history entries get. */
static int read_date(struct build *build)
{
	struct build_options *options = &build->options;
	struct named_context *named = source_date_context(options, &build->stages);
	struct error *err = &build->cli->err;
	int ret = named ? open_store(build) : 0;

	if (ret == 0 && named && !location_is_image(&named->location))
		ret = named_context_open(named, &build->store, err);
	return ret < 0 ? ret : source_date_read(options, &build->stages, &build->context, err);
}

static int resolve_stages(struct build *build)
{
	const struct stages_options options = { .build_args = &build->options.build_args,
						.target = build->options.args.target,
						.platform = build->options.platform,
						.host = build->options.host,
						.contexts = &build->options.contexts };
	int ret = stages_resolve(&build->dockerfile, &options, &build->stages, &build->cli->err);

	build->where = ret < 0 ? build->stages.where : (struct source_range){ .first = 0 };
	return ret;
}

static int read_dockerfile(struct build *build, const char *path)
{
	struct error *err = &build->cli->err;
	int ret = open_context(build, path);

	if (ret < 0)
		return ret;
	ret = dockerfile_parse(build->context.dockerfile_name,
			       strbuf_text(&build->context.dockerfile),
			       build->context.dockerfile.size, &build->dockerfile, err);
	build->where = build->dockerfile.where;
	if (ret == 0)
		ret = resolve_stages(build);
	if (ret < 0)
		return ret;
	build_warn_unused(&build->dockerfile, &build->stages);
	build_warn_syntax(&build->dockerfile, &build->options);
	return read_date(build);
}

/* -- checks --------------------------------------------------------------------------------------
 */

/* Are people told what happens? */
static bool is_shown(const struct build *build)
{
	return build->options.progress == PROGRESS_PLAIN || build->options.progress == PROGRESS_TTY;
}

/* Said before anything is shown, because it may take long. */
static void tell_pull(void *context, const char *name)
{
	struct build *build = context;

	build->pulled = true;
	if (is_shown(build))
		fprintf(stderr, "looking for %s\n", name);
}

static int open_images(struct build *build, struct error *err)
{
	struct image_source *images = &build->images;

	if (images->store)
		return 0;
	*images = (struct image_source){ .store = &build->store,
					 .policy = build->options.pull,
					 .pulling = tell_pull,
					 .context = build };
	build->options.graph.images = images;
	return registry_args_open(&build->options.args.registry, -EBADF, &images->registry, err);
}

static int plan_graph(struct build *build, struct error *err)
{
	int ret = open_images(build, err);

	if (ret < 0)
		return ret;
	build->graph.store = &build->store;
	build->graph.dockerfile = &build->dockerfile;
	build->graph.stages = &build->stages;
	build->graph.options = &build->options.graph;
	return graph_plan(&build->graph, err);
}

/* A check needs no images: what cannot be planned without one is left to the build. */
static int check_plan(void *context, struct source_range *where, struct error *err)
{
	struct build *build = context;
	int ret = plan_graph(build, err);

	if (ret == 0)
		return 0;
	if (err->code == ERROR_NOT_FOUND) {
		*err = (struct error){ .errnum = 0 };
		return 0;
	}
	*where = build->graph.where;
	return ret;
}

/* --check and --call: the exit status, or negative. failed: of reading the Dockerfile. */
static int answer_call(struct build *build, int failed)
{
	struct error *err = &build->cli->err;
	const char *call = build->options.args.call ? build->options.args.call : "check";
	int ret;

	if (failed < 0 && !build->dockerfile.source.name)
		return failed; /* there is none */
	ret = open_store(build);
	if (ret < 0)
		return ret;
	build->options.pull = PULL_NEVER; /* nothing is to be built: it works without a network */
	build->checks.plan = check_plan;
	build->checks.plan_context = build;
	build->checks.failed = failed;
	ret = checks_call(&build->checks, call, &build->where, err);
	if (ret < 0 && failed == 0 && build->where.first)
		ret = source_prefix(&build->dockerfile.source, &build->where, ret, err);
	return ret;
}

/* Warnings stop a build only where the Dockerfile says so. What else is wrong the planner says. */
static int check(struct build *build)
{
	int ret = checks_run(&build->checks, &build->warnings, &build->cli->err);

	if (ret < 0 && build->warnings.bad_options)
		return ret;
	build->cli->err = (struct error){ .errnum = 0 };
	return lint_error(&build->warnings, &build->cli->err);
}

static void print_warnings(const struct build *build)
{
	const struct lint_report *warnings = &build->warnings;
	size_t count = warnings->count;

	if (build->options.progress == PROGRESS_RAWJSON)
		progress_rawjson_warnings(warnings, stderr);
	else if (count && is_shown(build))
		fprintf(stderr, "\n %zu warning%s found (build --check explains %s):\n", count,
			count == 1 ? "" : "s", count == 1 ? "it" : "them");
	if (is_shown(build))
		lint_print_short(warnings, stderr);
}

static int plan(struct build *build)
{
	struct error *err = &build->cli->err;
	int ret = open_store(build);

	if (ret == 0)
		ret = check(build);
	if (ret < 0)
		return ret;
	ret = plan_graph(build, err);
	if (ret < 0)
		build->where = build->graph.where;
	if (ret < 0 || !build->pulled)
		return ret;
	/* rules about base images had nothing to look at */
	lint_done(&build->warnings);
	return check(build);
}

/* -- running -------------------------------------------------------------------------------------
 */

static void explain(struct build *build, const struct error *why)
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
	explain(build, why);
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
	const struct runtime runtime = { build->options.runtime, RUNTIME_ROOT_STEPS };

	build->options.engine.timeline = build->records.timeline;
	if (build->records.trace)
		build->records.timeline->want_runtime = runtime_has_trace(&runtime);
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
				   .stats = stat_cache_open(&build->store, build->context.fd),
				   .options = &build->options.engine };
	ret = engine_open(engine, &build->cli->err);
	engine->schedule->events = events;
	if (ret == 0)
		registry_set_cancel(build->images.registry, engine->stop_fd);
	if (ret == 0)
		ret = engine_run(engine, &build->cli->err);
	stat_cache_close(engine->stats);
	engine->stats = NULL;
	if (ret < 0 && engine_failed(engine))
		build->where = engine_failed(engine)->range;
	return ret;
}

/* A step was taken from an imported cache that does not have its layer: without that cache, and
 * with all that was made since, from the beginning. */
static int run_again(struct build *build)
{
	unsigned int events = build->engine.schedule->events;
	int ret;

	build->cli->err = (struct error){ .errnum = 0 };
	registry_set_cancel(build->images.registry, -EBADF);
	engine_close(&build->engine);
	graph_done(&build->graph);
	build->graph = (struct graph){ .store = NULL };
	ret = plan_graph(build, &build->cli->err);
	return ret < 0 ? ret : run_engine(build, events);
}

static bool has_several(const struct build *build)
{
	return build->options.platforms.count > 1;
}

/* Plan and run for another platform; what is the same in both is in the cache. */
static int run_platform(struct build *build, char *platform)
{
	unsigned int events = build->engine.schedule->events;
	int ret;

	build_result_count(&build->result, &build->graph);
	registry_set_cancel(build->images.registry, -EBADF);
	engine_close(&build->engine);
	graph_done(&build->graph);
	build->graph = (struct graph){ .store = NULL };
	stages_done(&build->stages);
	build->stages = (struct stages){ .where = { 0 } };
	build->options.platform = platform;
	build->options.graph.platform = platform;
	ret = resolve_stages(build);
	if (ret < 0)
		return ret;
	ret = plan_graph(build, &build->cli->err);
	build->where = build->graph.where;
	return ret < 0 ? ret : run_engine(build, events);
}

/* All of --platform, when they are more than one; the first has run. */
static int run_platforms(struct build *build)
{
	const struct strv *platforms = &build->options.platforms;
	struct error *err = &build->cli->err;
	int ret = 0;

	for (size_t i = 0; ret == 0 && has_several(build) && i < platforms->count; i++) {
		if (i > 0)
			ret = run_platform(build, platforms->items[i]);
		if (ret == 0)
			ret = build_platforms_add(&build->platforms, &build->engine,
						  &build->options, err);
		if (ret < 0)
			return error_prefix(err, ret, "platform %s", platforms->items[i]);
	}
	return ret;
}

static int run(struct build *build)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	int ret;

	build->signal_fd = signal_open_fd(signals, ARRAY_SIZE(signals), &build->cli->err);
	if (build->signal_fd < 0)
		return build->signal_fd;
	ret = start_progress(build);
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
	journal_open(&build->journal, &build->store, &build->graph);
	build->options.engine.event = journal_event;
	build->options.engine.event_context = &build->journal;
	build_cache_open(&build->cache, &build->options);
	return run_engine(build, build->events);
}

static void note(struct build *build, unsigned int id, const char *what, const char *name)
{
	cleanup_free char *text = xasprintf("%s %s done", what, name);

	engine_event(&build->engine, EVENT_NOTE, id, text, strlen(text));
}

static int export_image(struct build *build, unsigned int id)
{
	struct build_result *result = &build->result;
	struct error *err = &build->cli->err;
	struct build_output output = { .engine = &build->engine,
				       .options = &build->options,
				       .registry = build->images.registry,
				       .event = id,
				       .result = result,
				       .err = err };
	int ret = engine_check_cancel(&build->engine, err);

	if (ret == 0)
		ret = has_several(build) ? build_platforms_put(&build->platforms, &build->store,
							       &result->ref, &result->image_id, err)
					 : engine_create_image(&build->engine, &result->ref,
							       &result->image_id, err);
	if (ret < 0)
		return ret;
	note(build, id, "writing image", result->image_id.text);
	ret = build_output_write(&output);
	return ret < 0 ? ret
		       : build_result_measure(result, &build->store, build->options.platform, err);
}

static int write_files(const struct build *build)
{
	const struct build_args *args = &build->options.args;
	const struct build_result *result = &build->result;
	int ret = 0;

	if (args->iidfile)
		ret = io_replace_file(AT_FDCWD, args->iidfile, result->image_id.text, DIGEST_TEXT,
				      0644, IO_NO_SYNC, &build->cli->err);
	if (ret == 0 && args->metadata)
		ret = build_result_write(result, args->metadata, &build->cli->err);
	return ret;
}

static int finish(struct build *build)
{
	unsigned int id = engine_begin(&build->engine, "exporting to image");
	struct timeline_mark span =
		timeline_begin(build->records.timeline, 0, TIMELINE_EXPORT, id, NULL);
	int ret;

	build->engine.running = id;
	ret = export_image(build, id);

	timeline_end(&span);
	engine_end(&build->engine, id, ret, &build->cli->err);
	if (ret < 0)
		return ret;
	build_result_count(&build->result, &build->graph);
	build->result.warnings = build->warnings.count;
	build->result.us = clock_us() - build->begin;
	return write_files(build);
}

static struct timeline_mark begin_part(struct build *build, const char *name)
{
	return timeline_begin(build->records.timeline, 0, TIMELINE_BUILD, 0, name);
}

static int do_build(struct build *build, const char *context)
{
	struct timeline_mark span = begin_part(build, "plan");
	int ret = plan(build);

	timeline_end(&span);
	if (ret < 0)
		return ret;
	span = begin_part(build, "run");
	ret = run(build);
	if (ret == 0)
		ret = run_platforms(build);
	timeline_end(&span);
	if (ret == 0)
		ret = finish(build);
	while (ret < 0 && build_cache_lost(&build->cache)) {
		ret = run_again(build);
		if (ret == 0)
			ret = finish(build);
	}
	if (ret == 0)
		ret = build_cache_export(&build->cache, &build->engine, &build->options,
					 &build->cli->err);
	build_cache_collect(&build->cache, &build->engine, &build->options);
	journal_finish(&build->journal, ret, &build->cli->err, context,
		       build->result.image_id.text);
	return ret;
}

static int build_or_answer(struct build *build, const char *context)
{
	struct timeline_mark span = begin_part(build, "read context and Dockerfile");
	int ret = read_dockerfile(build, context);

	timeline_end(&span);
	if (build->options.args.check || build->options.args.call)
		return answer_call(build, ret);
	return ret < 0 ? ret : do_build(build, context);
}

/* --trace and --report */
static int write_records(struct build *build, const char *context, int ret)
{
	cleanup_free char *shown = transport_redact(context);
	const struct report_build about = {
		.timeline = build->records.timeline,
		.store = &build->store,
		.graph = &build->graph,
		.warnings = &build->warnings,
		.result = &build->result,
		.source = &build->dockerfile.source,
		.where = build->where,
		.failure = ret < 0 ? &build->cli->err : NULL,
		.context = shown,
		.platform = build->options.platform,
		.number = build->journal.number,
		.us = clock_us() - build->begin,
	};

	return build_records_write(&build->records, &about, ret, &build->cli->err);
}

static int cmd_build(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_with(build_done) struct build build = {
		.cli = globals,
		.context = CONTEXT_INIT,
		.store = STORE_INIT,
		.journal = JOURNAL_INIT,
		.progress = PROGRESS_INIT,
		.begin = clock_us(),
		.signal_fd = -EBADF,
	};
	struct option_result result;
	int ret = cli_parse(globals, command, argc, argv, &build.options.args, &result);

	if (ret < 0)
		return ret;
	/* a build is no service: the runtime would put /run/notify into its layers */
	(void)unsetenv("NOTIFY_SOCKET");
	/* a failure must not leave an old answer there */
	if (build.options.args.iidfile)
		(void)unlink(build.options.args.iidfile);
	if (build.options.args.metadata)
		(void)unlink(build.options.args.metadata);
	ret = build_options_read(&build.options, globals);
	if (ret == 0)
		ret = build_records_open(&build.records, &build.options.args, &build.cli->err);
	if (ret < 0)
		return ret;
	ret = build_or_answer(&build, result.arguments[0]);
	progress_stop(&build.progress);
	ret = write_records(&build, result.arguments[0], ret);
	build_cache_print_warnings(&build.cache);
	print_warnings(&build);
	if (ret < 0)
		explain(&build, &build.cli->err);
	else if (build.result.ref.media_type)
		build_result_print(&build.result, build.options.progress, stderr);
	return ret;
}

const struct command_spec build_command = {
	.name = "build",
	.arguments = "CONTEXT",
	.options = build_option_table,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_build,
	.summary = "build an image from a Dockerfile",
};
