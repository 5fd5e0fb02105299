/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of all images that a plan is going to ask for, several at once: each costs a few
 * round trips to a registry. Called by plan.c before it begins.
 */
#include <string.h>

#include "builder/build/graph.h"
#include "builder/dockerfile/expand.h"
#include "builder/loop/fiber.h"
#include "lib/cleanup.h"

#define AT_ONCE 8

struct ahead {
	struct graph *graph;
	struct graph_image *next; /* that nobody has begun with */
};

/* -- which ---------------------------------------------------------------------------------------
 */

static void add(struct graph *graph, const char *name, const char *platform,
		struct graph_image ***end)
{
	const struct named_context *named = named_contexts_find(graph->options->contexts, name);
	struct graph_image *image;

	if (named && !location_is_image(&named->location))
		return;
	for (image = graph->ahead; image; image = image->next)
		if (strcmp(image->name, name) == 0 && strcmp(image->platform, platform) == 0)
			return;
	image = arena_alloc(&graph->arena, sizeof(*image));
	image->name = name;
	image->platform = platform;
	**end = image;
	*end = &image->next;
}

/* What a base image's variables may change is not asked for before they are known. */
static void add_flag(struct graph *graph, const struct instruction_flag *flag,
		     struct graph_image ***end)
{
	const struct expand expand = { graph->dockerfile->directives.escape, false,
				       expand_lookup_strv, &graph->stages->globals };
	cleanup_free char *word = NULL;
	struct stage *stage = NULL;
	const char *from = NULL;

	if (strchr(flag->value, '$'))
		return;
	if (strcmp(flag->spec->name, "mount") == 0)
		(void)run_mount_from(flag->value, &expand, &graph->arena, &from, NULL);
	else if (strcmp(flag->spec->name, "from") == 0 &&
		 expand_word(&expand, flag->value, &word, NULL) == 0)
		from = arena_strdup(&graph->arena, word);
	if (from && stages_find(graph->stages, from, &stage, NULL) == 0 && !stage)
		add(graph, from, graph->options->platform, end);
}

static void find_wanted(struct graph *graph)
{
	const struct stages *stages = graph->stages;
	struct graph_image **end = &graph->ahead;

	for (size_t i = 0; i < stages->order_count; i++) {
		const struct stage *stage = stages->order[i];

		if (!stage->parent && strcmp(stage->base, "scratch") != 0)
			add(graph, stage->base, graph->items[stage->index].platform, &end);
		for (size_t j = 0; j < stage->body_count; j++)
			for (size_t k = 0; k < stage->body[j].flag_count; k++)
				add_flag(graph, &stage->body[j].flags[k], &end);
	}
}

/* -- at once -------------------------------------------------------------------------------------
 */

/* A fiber, or alone. What fails is told when the plan asks for it. */
static void run(void *context)
{
	struct ahead *ahead = context;
	struct graph_image *image;

	while ((image = ahead->next)) {
		ahead->next = image->next;
		plan_read_image(ahead->graph, image);
	}
}

int plan_images_ahead(struct graph *graph, struct error *err)
{
	struct ahead ahead = { .graph = graph };
	struct fibers *fibers = NULL;
	size_t wanted = 0;
	int ret;

	if (!graph->options->images)
		return 0;
	find_wanted(graph);
	ahead.next = graph->ahead;
	for (const struct graph_image *image = graph->ahead; image; image = image->next)
		wanted++;
	if (wanted <= 1) { /* nearly always; fibers would cost what they save */
		run(&ahead);
		return 0;
	}
	ret = fibers_create(&fibers, err);
	for (size_t i = 0; ret == 0 && i < wanted && i < AT_ONCE; i++)
		ret = fibers_start(fibers, run, &ahead, err);
	if (ret == 0)
		fibers_run(fibers);
	fibers_free(fibers);
	return ret;
}
