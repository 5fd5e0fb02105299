/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: read, plan, run, name. Everything that can be wrong with the command line, the Dockerfile
 * and the base images is found before the first step runs; names are set last.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "builder/build/agents.h"
#include "builder/cli/build-internal.h"
#include "builder/cli/build-output.h"
#include "builder/cli/build-request.h"
#include "builder/registry/transport.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"

void build_done(struct build *build)
{
	engine_close(&build->engine);
	journal_close(&build->journal);
	pins_done(&build->request.pins);
	arena_done(&build->request_arena);
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

static void note(struct build *build, unsigned int id, const char *what, const char *name)
{
	cleanup_free char *text = xasprintf("%s %s done", what, name);

	engine_event(&build->engine, EVENT_NOTE, id, text, strlen(text));
}

/* Of what has an index the outputs make it. */
static int take_first(struct build *build)
{
	const struct built_platform *first = &build->platforms.items[0];

	build->result.image_id = first->id;
	build->result.ref = (struct store_ref){ .digest = first->ref.digest,
						.media_type = xstrdup(first->ref.media_type),
						.size = first->ref.size };
	return 0;
}

static int export_image(struct build *build, unsigned int id)
{
	struct build_result *result = &build->result;
	struct error *err = &build->cli->err;
	struct build_output output = { .engine = &build->engine,
				       .options = &build->options,
				       .platforms = &build->platforms,
				       .registry = build->images.registry,
				       .event = id,
				       .result = result,
				       .err = err };
	int ret = engine_check_cancel(&build->engine, err);

	if (ret == 0)
		ret = build_has_index(build) ? take_first(build)
					     : engine_create_image(&build->engine, &result->ref,
								   &result->image_id, err);
	if (ret < 0)
		return ret;
	if (build->options.platforms.count == 1)
		note(build, id, "writing image", result->image_id.text);
	ret = build_output_write(&output);
	if (ret == 0 && build->options.platforms.count > 1) {
		result->image_id = result->ref.digest; /* of all together */
		note(build, id, "writing image", result->image_id.text);
	}
	return ret < 0 ? ret
		       : build_result_measure(result, &build->store, build->options.platform, err);
}

static int write_files(struct build *build)
{
	struct build_options *options = &build->options;
	const struct build_args *args = &options->args;
	const struct build_result *result = &build->result;
	int ret = 0;

	if (args->iidfile)
		ret = io_write_result(args->iidfile, result->image_id.text, DIGEST_TEXT,
				      &build->cli->err);
	if (ret == 0 && args->metadata)
		ret = build_result_write(result, args->metadata, &build->cli->err);
	if (ret == 0 && args->lock)
		ret = pins_write(&options->pins, args->lock, &build->cli->err);
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
	build->result.number = build->journal.number;
	return write_files(build);
}

static struct timeline_mark begin_part(struct build *build, const char *name)
{
	return timeline_begin(build->records.timeline, 0, TIMELINE_BUILD, 0, name);
}

static int do_build(struct build *build, const char *context)
{
	struct timeline_mark span = begin_part(build, "plan");
	int ret = build_plan(build);

	timeline_end(&span);
	if (ret < 0)
		return ret;
	span = begin_part(build, "run");
	ret = build_run(build);
	if (ret == 0)
		ret = build_run_platforms(build);
	timeline_end(&span);
	if (ret == 0)
		ret = finish(build);
	while (ret < 0 && build_cache_lost(&build->cache)) {
		ret = build_run_again(build);
		if (ret == 0)
			ret = finish(build);
	}
	if (ret == 0)
		ret = build_cache_export(&build->cache, &build->engine, &build->options,
					 &build->cli->err);
	build_cache_collect(&build->cache, &build->engine, &build->options);
	if (ret == 0)
		build_request_finish(build);
	journal_finish(&build->journal, ret, &build->cli->err, context,
		       build->result.image_id.text);
	return ret;
}

static int build_or_answer(struct build *build, const char *context)
{
	struct timeline_mark span = begin_part(build, "read context and Dockerfile");
	int ret = build_read(build, context);

	timeline_end(&span);
	if (build->options.args.check || build->options.args.call)
		return build_answer_call(build, ret);
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

/* /dev/null and the like stay. */
static void remove_file(const char *path)
{
	struct stat st;

	if (path && lstat(path, &st) == 0 && S_ISREG(st.st_mode))
		(void)unlink(path);
}

/* A build that fails leaves no answer, neither an old one nor its own. */
static void remove_files(const struct build_args *args)
{
	remove_file(args->iidfile);
	remove_file(args->metadata);
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
	remove_files(&build.options.args);
	ret = build_options_read(&build.options, globals);
	if (ret == 0)
		ret = build_records_open(&build.records, &build.options.args, &build.cli->err);
	if (ret < 0)
		return ret;
	build.location = result.arguments[0];
	build.started = time(NULL);
	ret = build_or_answer(&build, result.arguments[0]);
	progress_stop(&build.progress);
	ret = write_records(&build, result.arguments[0], ret);
	build_cache_print_warnings(&build.cache);
	build_print_warnings(&build);
	if (ret < 0) {
		remove_files(&build.options.args);
		build_explain(&build, &build.cli->err);
	} else if (build.result.ref.media_type) {
		build_result_print(&build.result, build.options.progress, stderr);
	}
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
