/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From stages to steps: walk the instructions of each needed stage with the configuration of its
 * base image, expand what the instruction table says, and let plan-meta.c and plan-files.c do the
 * rest. Base images are loaded (documents only); no layer is touched and nothing runs.
 */
#include <errno.h>
#include <string.h>

#include "builder/build/graph.h"
#include "builder/build/plan-history.h"
#include "builder/build/step-kinds.h"
#include "builder/dockerfile/expand.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

#define DEFAULT_PATH "PATH=" SCOPE_DEFAULT_PATH

/* clang-format off */
static const plan_fn planners[INST_COUNT] = {
	[INST_ADD] = plan_copy,
	[INST_ARG] = plan_arg,
	[INST_CMD] = plan_cmd,
	[INST_COPY] = plan_copy,
	[INST_ENTRYPOINT] = plan_entrypoint,
	[INST_ENV] = plan_env,
	[INST_EXPOSE] = plan_expose,
	[INST_HEALTHCHECK] = plan_healthcheck,
	[INST_LABEL] = plan_label,
	[INST_MAINTAINER] = plan_maintainer,
	[INST_ONBUILD] = plan_onbuild,
	[INST_RUN] = plan_run,
	[INST_SHELL] = plan_shell,
	[INST_STOPSIGNAL] = plan_stopsignal,
	[INST_USER] = plan_user,
	[INST_VOLUME] = plan_volume,
	[INST_WORKDIR] = plan_workdir,
};
/* clang-format on */

/* -- the base ------------------------------------------------------------------------------------
 */

/* A configuration of our own to change: decoded again from the document, unknown members and all.
 */
static int copy_config(struct graph *graph, const struct image_config *from,
		       struct image_config **out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	image_config_write(from, JSON_COMPACT, &text);
	return image_config_decode("config", text.data, text.size, &graph->arena, out, err);
}

static struct image_config *new_config(struct graph *graph, const struct graph_stage *stage)
{
	cleanup_strv struct strv platform = STRV_INIT;
	struct image_config *config = arena_alloc(&graph->arena, sizeof(*config));

	strv_split(&platform, stage->platform, '/');
	config->os = arena_strdup(&graph->arena, platform.items[0]);
	config->architecture =
		arena_strdup(&graph->arena, platform.count > 1 ? platform.items[1] : "");
	if (platform.count > 2)
		config->variant = arena_strdup(&graph->arena, platform.items[2]);
	config->config = arena_alloc(&graph->arena, sizeof(*config->config));
	config->config->working_dir = "/";
	config->rootfs = arena_alloc(&graph->arena, sizeof(*config->rootfs));
	config->rootfs->type = "layers";
	return config;
}

static int check_platform(const struct graph *graph, const struct graph_stage *stage,
			  const struct image *image, struct error *err)
{
	const struct image_config *config = image->config;
	const char *wanted = stage->stage->platform;
	bool variant = config->variant && *config->variant;
	cleanup_free char *actual = NULL, *normal = NULL;

	if (!wanted)
		return 0;
	actual = xasprintf("%s/%s%s%s", config->os ? config->os : "",
			   config->architecture ? config->architecture : "", variant ? "/" : "",
			   variant ? config->variant : "");
	if (platform_normalize(actual, graph->options->platform, &normal, NULL) == 0 &&
	    strcmp(wanted, normal) == 0)
		return 0;
	return error_set(err, ERROR_NOT_FOUND, 0, "image \"%s\" is for %s, not for %s",
			 stage->stage->base, actual, wanted);
}

/* -- entries and steps ---------------------------------------------------------------------------
 */

size_t plan_history(struct plan_context *plan, const char *created_by, bool empty_layer)
{
	struct image_config *config = plan->stage->config;
	struct image_history *entry = image_config_add_history(config, &plan->graph->arena);

	entry->created_by = arena_strdup(&plan->graph->arena, created_by);
	entry->comment = "buildkit.dockerfile.v0";
	entry->empty_layer = empty_layer;
	return config->history.count - 1;
}

/* The first line of the instruction as written: what progress shows. */
static const char *step_text(struct plan_context *plan)
{
	const struct instruction *raw = plan->raw;
	size_t skip = strcspn(raw->text, " \t");

	return arena_printf(&plan->graph->arena, "%s%s", instruction_spec(raw)->name,
			    raw->text + skip);
}

struct step *plan_step(struct plan_context *plan, const struct step_kind *kind,
		       const char *created_by)
{
	struct graph_stage *stage = plan->stage;
	struct step *step = arena_alloc(&plan->graph->arena, sizeof(*step));

	step->kind = kind;
	step->stage = stage;
	step->range = plan->graph->where;
	step->text = step_text(plan);
	step->now = plan->graph->options->now;
	step->history = plan_history(plan, created_by, false);
	ARRAY_GROW(stage->steps, stage->step_count, stage->step_capacity);
	stage->steps[stage->step_count++] = step;
	step->number = stage->step_count + 1;
	return step;
}

/* -- stages --------------------------------------------------------------------------------------
 */

/* Every layer needs its entry: a base made by other tools may lack some. */
static void complete_history(struct graph *graph, struct image_config *config)
{
	size_t entries = 0;

	for (size_t i = 0; i < config->history.count; i++)
		entries += !config->history.items[i].empty_layer;
	for (; entries < config->rootfs->diff_ids.count; entries++) {
		struct image_history *entry = image_config_add_history(config, &graph->arena);

		entry->created = config->created;
		entry->comment = "a layer of the base image without history";
	}
}

/* A folder is a root file system: nothing, and a step that puts its files there. */
static int begin_from_files(struct graph *graph, struct graph_stage *stage,
			    struct named_context *named, struct error *err)
{
	int ret = named_context_open(named, graph->store, err);

	if (ret < 0)
		return ret;
	stage->files = named;
	stage->config = new_config(graph, stage);
	return 0;
}

static int begin_from_image(struct graph *graph, struct graph_stage *stage, struct error *err)
{
	struct named_context *named =
		named_contexts_find(graph->options->contexts, stage->stage->base);
	int ret;

	if (named && !location_is_image(&named->location))
		return begin_from_files(graph, stage, named, err);
	ret = plan_load_image(graph, stage->stage->base, stage->platform, &stage->base, err);

	/* without a number it is there, but not for this platform */
	if (ret == -ENOENT && err && err->code == ERROR_NOT_FOUND && err->errnum) {
		ret = error_set(err, ERROR_NOT_FOUND, 0,
				"the base image \"%s\" is not in the store (import makes one of a "
				"root filesystem)",
				stage->stage->base);
	}
	if (ret < 0 && err && err->code != ERROR_CANCELLED) {
		const char *near = stages_nearest(graph->stages, stage->stage->base);

		if (near)
			ret = error_suffix(err, ret, "; did you mean the stage \"%s\"?", near);
	}
	if (ret == 0)
		ret = check_platform(graph, stage, stage->base, err);
	if (ret == 0)
		ret = copy_config(graph, stage->base->config, &stage->config, err);
	if (ret == 0)
		complete_history(graph, stage->config);
	return ret;
}

static int plan_stage(struct graph *graph, struct graph_stage *stage, struct error *err);

static int begin_from_stage(struct graph *graph, struct graph_stage *stage, struct error *err)
{
	int ret;

	stage->parent = &graph->items[stage->stage->parent->index];
	ret = plan_stage(graph, stage->parent, err);
	if (ret < 0)
		return ret;
	stage->base = stage->parent->base;
	scope_copy(&stage->parent->scope, &stage->scope);
	return copy_config(graph, stage->parent->config, &stage->config, err);
}

/* "K=V" */
static void set_variable(struct scope *scope, const char *pair)
{
	cleanup_free char *name = xstrndup(pair, strcspn(pair, "="));

	scope_set_env(scope, name, strchr(pair, '=') + 1);
}

static void load_environment(struct graph *graph, struct graph_stage *stage)
{
	struct image_defaults *defaults;

	if (!stage->config->config)
		stage->config->config = arena_alloc(&graph->arena, sizeof(*defaults));
	defaults = stage->config->config;
	for (size_t i = 0; i < defaults->env.count; i++)
		if (strchr(defaults->env.items[i], '='))
			set_variable(&stage->scope, defaults->env.items[i]);
	if (scope_lookup(&stage->scope, "PATH"))
		return;
	json_strings_add(&defaults->env, &graph->arena, DEFAULT_PATH);
	set_variable(&stage->scope, DEFAULT_PATH);
}

static int begin_stage(struct graph *graph, struct graph_stage *stage, struct error *err)
{
	int ret = 0;

	stage->scope.escape = graph->dockerfile->directives.escape;
	stage->scope.build_args = graph->options->build_args;
	stage->scope.globals = &graph->stages->globals;
	if (stage->stage->parent)
		ret = begin_from_stage(graph, stage, err);
	else if (strcmp(stage->stage->base, "scratch") == 0)
		stage->config = new_config(graph, stage);
	else
		ret = begin_from_image(graph, stage, err);
	if (ret < 0)
		return ret;
	load_environment(graph, stage);
	stage->history_first = stage->config->history.count;
	return 0;
}

static int plan_instruction(struct graph *graph, struct graph_stage *stage,
			    const struct instruction *raw, struct error *err)
{
	struct expand expand = { stage->scope.escape, false, scope_lookup, &stage->scope };
	struct plan_context plan = { graph, stage, raw };
	struct instruction expanded = *raw;
	int ret = instruction_check_support(raw, err);

	if (ret == 0 && instruction_spec(raw)->expansion != EXPAND_VALUES) /* one by one */
		ret = instruction_expand(raw, &expand, &graph->arena, &expanded, err);
	if (ret == 0)
		ret = instruction_check(&expanded, err); /* values may be blank now */
	if (ret == 0)
		ret = planners[raw->kind](&plan, &expanded, err);
	if (ret < 0 && raw->pieces && graph->where.first == raw->range.first)
		graph->where = instruction_range(raw, &raw->keyword);
	return ret;
}

/* The triggers that the base carries run first, and are gone from the child. */
static int plan_triggers(struct graph *graph, struct graph_stage *stage, struct error *err)
{
	struct json_strings triggers = stage->config->config->on_build;
	int ret = 0;

	stage->config->config->on_build = (struct json_strings){ 0 };
	for (size_t i = 0; i < triggers.count && ret == 0; i++) {
		struct instruction *trigger = arena_alloc(&graph->arena, sizeof(*trigger));

		ret = dockerfile_parse_trigger(triggers.items[i], &graph->arena, trigger, err);
		if (ret == 0)
			ret = plan_instruction(graph, stage, trigger, err);
	}
	return ret;
}

static void plan_base_files(struct graph *graph, struct graph_stage *stage)
{
	struct plan_context plan = { graph, stage, stage->stage->from };
	struct copy_item *item = arena_alloc(&graph->arena, sizeof(*item));
	cleanup_free char *created_by = xasprintf("FROM %s", stage->stage->base);
	struct step *step = plan_step(&plan, &step_kind_copy, created_by);

	*item = (struct copy_item){ .path = "/", .literal = true };
	step->text = arena_printf(&graph->arena, "files of %s", stage->stage->base);
	step->copy = (struct step_copy){
		.items = item, .item_count = 1, .target = "/", .from = { .context = stage->files }
	};
}

static int plan_stage(struct graph *graph, struct graph_stage *stage, struct error *err)
{
	int ret;

	if (stage->planned)
		return 0;
	if (stage->running)
		return error_invalid(err, "circular dependency detected on stage: %s",
				     stage->label);
	stage->running = true;
	graph->where = stage->stage->from->range;
	ret = begin_stage(graph, stage, err);
	if (ret == 0 && stage->files)
		plan_base_files(graph, stage);
	if (ret == 0) {
		graph->where = stage->stage->from->range;
		ret = plan_triggers(graph, stage, err);
	}
	for (size_t i = 0; i < stage->stage->body_count && ret == 0; i++) {
		graph->where = stage->stage->body[i].range;
		ret = plan_instruction(graph, stage, &stage->stage->body[i], err);
	}
	if (ret < 0)
		return ret;
	stage->total = stage->step_count + 1;
	stage->running = false;
	stage->planned = true;
	graph->order[graph->order_count++] = stage;
	return 0;
}

int plan_source(struct plan_context *plan, const char *from, struct graph_source *out,
		struct error *err)
{
	struct graph *graph = plan->graph;
	struct source_range where = graph->where;
	struct named_context *named;
	struct stage *stage;
	int ret = stages_find(graph->stages, from, &stage, err);

	if (ret < 0)
		return ret;
	named = named_contexts_find(graph->options->contexts, from);
	if (named && !location_is_image(&named->location)) {
		out->context = named;
		return named_context_open(named, graph->store, err);
	}
	if (!stage) {
		const char *near = stages_nearest(graph->stages, from);

		ret = plan_load_image(graph, from, graph->options->platform, &out->image, err);
		if (ret < 0 && near && err && err->code != ERROR_CANCELLED)
			ret = error_suffix(err, ret, " (did you mean the stage \"%s\"?)", near);
		return error_prefix(err, ret, "--from=%s", from);
	}
	out->stage = &graph->items[stage->index];
	ret = plan_stage(graph, out->stage, err); /* only a trigger's is not planned yet */
	if (ret == 0)
		graph->where = where;
	return ret;
}

static void name_stages(struct graph *graph)
{
	for (size_t i = 0; i < graph->stages->count; i++) {
		const struct stage *stage = &graph->stages->items[i];

		graph->items[i].stage = stage;
		graph->items[i].platform =
			stage->platform ? stage->platform : graph->options->platform;
		graph->items[i].label =
			stage->name ? stage->name : arena_printf(&graph->arena, "stage-%zu", i);
	}
}

int graph_plan(struct graph *graph, struct error *err)
{
	const struct strv *labels = graph->options->labels;
	struct stages *stages = graph->stages;
	int ret;

	graph->items = arena_alloc(&graph->arena, stages->count * sizeof(*graph->items));
	graph->order = arena_alloc(&graph->arena, stages->count * sizeof(struct graph_stage *));
	name_stages(graph);
	ret = plan_images_ahead(graph, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < stages->order_count && ret == 0; i++)
		ret = plan_stage(graph, &graph->items[stages->order[i]->index], err);
	if (ret < 0)
		return source_prefix(&graph->dockerfile->source, &graph->where, ret, err);
	graph->target = &graph->items[stages->target->index];
	for (size_t i = 0; i < labels->count; i++) {
		cleanup_free char *name =
			xstrndup(labels->items[i], strcspn(labels->items[i], "="));
		const char *value = strchr(labels->items[i], '=');

		json_map_set(&graph->target->config->config->labels, &graph->arena, name,
			     value ? value + 1 : "");
	}
	return 0;
}

const struct step *graph_find_step(const struct graph *graph, unsigned int event)
{
	for (size_t i = 0; i < graph->order_count; i++) {
		const struct graph_stage *stage = graph->order[i];

		for (size_t j = 0; j < stage->step_count; j++)
			if (stage->steps[j]->event == event)
				return stage->steps[j];
	}
	return NULL;
}

void graph_done(struct graph *graph)
{
	for (size_t i = 0; graph->items && i < graph->stages->count; i++) {
		scope_done(&graph->items[i].scope);
		strv_done(&graph->items[i].layers);
		strv_done(&graph->items[i].trees);
		free(graph->items[i].steps);
	}
	for (struct graph_image *image = graph->images; image; image = image->next)
		image_done(&image->image);
	for (struct graph_image *image = graph->ahead; image; image = image->next)
		if (image->ret == 0)
			image_done(&image->image);
	if (graph->cdi)
		cdi_done(graph->cdi);
	arena_done(&graph->arena);
}
