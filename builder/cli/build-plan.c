/* SPDX-License-Identifier: Apache-2.0 */
/* The second part of a build: the checks, the base images and the graph. Nothing runs here. */
#include <errno.h>
#include <stdio.h>

#include "builder/cli/build-internal.h"

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

int build_plan_graph(struct build *build, struct error *err)
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
	int ret = build_plan_graph(build, err);

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
int build_answer_call(struct build *build, int failed)
{
	struct error *err = &build->cli->err;
	const char *call = build->options.args.call ? build->options.args.call : "check";
	int ret;

	if (failed < 0 && !build->dockerfile.source.name)
		return failed; /* there is none */
	ret = build_open_store(build);
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

void build_print_warnings(const struct build *build)
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

int build_plan(struct build *build)
{
	struct error *err = &build->cli->err;
	int ret = build_open_store(build);

	if (ret == 0)
		ret = check(build);
	if (ret < 0)
		return ret;
	ret = build_plan_graph(build, err);
	if (ret < 0)
		build->where = build->graph.where;
	if (ret < 0 || !build->pulled)
		return ret;
	/* rules about base images had nothing to look at */
	lint_done(&build->warnings);
	return check(build);
}
