/* SPDX-License-Identifier: Apache-2.0 */
/* See build-request.h. Called by cmd-build.c and by verify. */
#include "builder/cli/build-request.h"

#include <string.h>

#include "builder/build/agents.h"
#include "builder/build/secrets.h"
#include "builder/registry/transport.h"
#include "lib/cleanup.h"
#include "lib/path.h"

#define LAYOUT "oci-layout://"

/* A path means the same from every working directory; URLs have no passwords. */
static char *portable_location(const char *text, struct arena *arena)
{
	struct location location;
	cleanup_free char *path = NULL;

	if (location_parse(text, true, arena, &location, NULL) < 0)
		return xstrdup(text);
	switch (location.kind) {
	case LOCATION_FOLDER:
		path = path_absolute(location.text);
		return xstrdup(path ? path : text);
	case LOCATION_LAYOUT:
		path = path_absolute(location.text);
		return xasprintf(LAYOUT "%s%s", path ? path : location.text,
				 text + strlen(LAYOUT) + strlen(location.text));
	case LOCATION_HTTP:
	case LOCATION_GIT:
		return transport_redact(text);
	case LOCATION_STDIN:
	case LOCATION_IMAGE:
		break;
	}
	return xstrdup(text);
}

/* The caller's, unless the context is elsewhere and the file in it. */
static char *portable_file(const struct build *build, struct arena *arena)
{
	const char *file = build->options.args.file;
	struct location location;

	if (!file || strcmp(file, "-") == 0)
		return file ? xstrdup(file) : NULL;
	if (strstr(file, "://"))
		return transport_redact(file);
	if (location_parse(build->location, true, arena, &location, NULL) < 0 ||
	    location.kind != LOCATION_FOLDER)
		return xstrdup(file);
	return path_absolute(file);
}

/* "NAME=LOCATION" */
static void add_contexts(const struct strv *texts, struct arena *arena, struct strv *out)
{
	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i];
		size_t size = strcspn(text, "=") + 1;
		cleanup_free char *location = portable_location(text + size, arena);

		strv_addf(out, "%.*s%s", (int)size, text, location);
	}
}

/* With the values of the environment. What no ARG takes has no effect and may be a slip of
 * anything; proxies are predefined, have passwords, and are in no history either. */
static void add_arguments(const struct build *build, struct strv *out)
{
	const struct strv *all = &build->options.build_args;

	for (size_t i = 0; i < all->count; i++) {
		cleanup_free char *name = xstrndup(all->items[i], strcspn(all->items[i], "="));

		if (!scope_is_proxy(name) && !strv_contains(&build->stages.unused, name))
			strv_add(out, all->items[i]);
	}
}

static void add_words(struct build *build, struct journal_request *request)
{
	const struct build_options *options = &build->options;
	cleanup_strv struct strv contexts = STRV_INIT, arguments = STRV_INIT;
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_strbuf struct strbuf platforms = STRBUF_INIT;
	cleanup_free char *file = portable_file(build, &build->request_arena);
	struct build_args args = options->args; /* its lists stay the other one's */

	add_contexts(&options->args.contexts, &build->request_arena, &contexts);
	add_arguments(build, &arguments);
	args.file = file;
	args.contexts = contexts;
	args.volumes = (struct strv)STRV_INIT; /* what a machine lends is recorded nowhere */
	args.build_args = arguments;
	for (size_t i = 0; i < options->platforms.count; i++)
		strbuf_addf(&platforms, "%s%s", i ? "," : "", options->platforms.items[i]);
	args.platform = strbuf_text(&platforms);
	args.epoch = NULL; /* it is a build argument by now */
	for (size_t i = 0; i < options->output_count; i++)
		args.rewrite_timestamp |= options->outputs[i].rewrite_timestamp;
	options_words(build_input_options, &args, &words);
	for (size_t i = 0; i < words.count; i++)
		json_strings_add(&request->arguments, &build->request_arena, words.items[i]);
}

/* Of one platform: what has run last. */
static void collect_times(struct build *build)
{
	const struct graph *graph = &build->graph;
	struct journal_request *request = &build->request;
	size_t count = 0;

	for (size_t i = 0; i < graph->order_count; i++)
		count += graph->order[i]->step_count;
	request->times.items =
		arena_alloc(&build->request_arena, (count + 1) * sizeof(*request->times.items));
	request->times.count = 0;
	for (size_t i = 0; !graph->options->dated && i < graph->order_count; i++) {
		const struct graph_stage *stage = graph->order[i];

		for (size_t j = 0; j < stage->step_count; j++)
			if (stage->steps[j]->created != graph->options->now)
				request->times.items[request->times.count++] =
					(struct journal_time){
						arena_strdup(&build->request_arena, stage->label),
						stage->steps[j]->number, stage->steps[j]->created
					};
	}
}

void build_request_collect(struct build *build)
{
	pins_collect_known(&build->request.pins, &build->graph);
	collect_times(build);
}

void build_request_finish(struct build *build)
{
	const struct engine_options *engine = &build->options.engine;
	const struct graph_options *graph = &build->options.graph;
	struct journal_request *request = &build->request;
	struct arena *arena = &build->request_arena;
	cleanup_free char *context = portable_location(build->location, arena);

	add_words(build, request);
	request->context = arena_strdup(arena, context);
	if (build->context.is_commit)
		request->commit = build->context.commit;
	request->volumes = (int64_t)engine->volume_count;
	request->time = graph->now;
	request->dated = graph->dated;
	request->commit_times = graph->copy_times.kind != TIME_KEEP;
	for (size_t i = 0; i < engine->secret_count; i++)
		json_strings_add(&request->secrets, arena, engine->secrets[i].id);
	for (size_t i = 0; i < engine->agent_count; i++)
		json_strings_add(&request->agents, arena, engine->agents[i].id);
	for (size_t i = 0; i < build->platforms.count; i++)
		json_strings_add(&request->images, arena, build->platforms.items[i].id.text);
	json_strings_add(&request->images, arena, build->result.image_id.text);
	build->journal.request = request;
}

int build_request_take(const struct journal_request *request, struct build_args *args,
		       struct error *err)
{
	const struct command_spec words = { .name = "build", .options = build_input_options };
	size_t count = request->arguments.count;
	cleanup_free char **argv = xreallocarray(NULL, count + 1, sizeof(*argv));
	struct option_result result;

	for (size_t i = 0; i < count; i++)
		argv[i] = request->arguments.items[i];
	argv[count] = NULL;
	return options_parse(&words, (int)count, argv, args, &result, err);
}
