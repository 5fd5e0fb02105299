/* SPDX-License-Identifier: Apache-2.0 */
/* The first part of a build: its context, its Dockerfile, its stages and its time. */
#include <errno.h>
#include <string.h>

#include "builder/build/authorize.h"
#include "builder/cli/build-internal.h"
#include "builder/cli/build-warnings.h"
#include "builder/cli/progress-context.h"
#include "builder/cli/source-date.h"

int build_open_store(struct build *build)
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

int build_start_progress(struct build *build)
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
	int ret = build_open_store(build);

	if (ret < 0 || args->check || args->call || options->location->kind == LOCATION_FOLDER)
		return ret < 0 ? ret : context_open(&build->context, options, &build->cli->err);
	ret = build_start_progress(build);
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

/* --locked: repositories at the commits that they were. A named one counts when it is used. */
static int hold_contexts(struct build *build, struct location *location, struct error *err)
{
	const struct pins *pins = build->options.graph.pins;
	struct named_contexts *named = &build->options.contexts;
	int ret = 0;

	if (!pins)
		return 0;
	if (location->kind == LOCATION_GIT)
		ret = pins_hold_repository(pins, location, err);
	for (size_t i = 0; i < named->count; i++) {
		struct error why = ERROR_INIT;

		if (named->items[i].location.kind == LOCATION_GIT &&
		    pins_hold_repository(pins, &named->items[i].location, &why) < 0)
			named->items[i].refusal = arena_strdup(&build->cli->arena, why.msg);
	}
	return ret;
}

/* The store is needed before the Dockerfile is known only by what has to be fetched. */
static int open_context(struct build *build, const char *path)
{
	const char *keep =
		strv_env_get(&build->options.build_args, "BUILDKIT_CONTEXT_KEEP_GIT_DIR");
	struct error *err = &build->cli->err;
	struct location *location = &build->origin;
	const struct context_options options = { .location = location,
						 .store = &build->store,
						 .cancel_fd = -EBADF,
						 .dockerfile = build->options.args.file };
	int ret = location_parse(path, true, &build->cli->arena, location, err);

	if (ret == 0)
		ret = hold_contexts(build, location, err);
	if (ret == 0)
		ret = authorize_contexts(build, location);
	if (ret == 0 && keep && (strcmp(keep, "1") == 0 || strcmp(keep, "true") == 0))
		location->keep_git_dir = true;
	if (ret == 0 && context_needs_store(&options))
		return fetch_context_shown(build, &options);
	return ret < 0 ? ret : context_open(&build->context, &options, err);
}

/* The time of this build: what new folders and history entries get. */
static int read_date(struct build *build, const char *path)
{
	struct build_options *options = &build->options;
	struct named_context *named = source_date_context(options, &build->stages);
	struct error *err = &build->cli->err;
	bool asks = source_date_asks_commit(options, &build->stages);
	int ret = named || asks ? build_open_store(build) : 0;

	if (ret == 0 && named && !location_is_image(&named->location))
		ret = named_context_open(named, &build->store, err);
	if (ret < 0)
		return ret;
	if (asks)
		context_look_for_commit(&build->context, path, &build->store);
	return source_date_read(options, &build->stages, &build->context, err);
}

int build_resolve_stages(struct build *build)
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

int build_read(struct build *build, const char *path)
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
		ret = build_resolve_stages(build);
	if (ret < 0)
		return ret;
	build_warn_unused(&build->dockerfile, &build->stages);
	build_warn_syntax(&build->dockerfile, &build->options);
	return read_date(build, path);
}
