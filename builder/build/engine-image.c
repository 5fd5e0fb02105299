/* SPDX-License-Identifier: Apache-2.0 */
/* The image of a build whose steps are all there: its history gets the times of its layers. Of
 * engine.c. */
#include <string.h>
#include <time.h>

#include "builder/build/cache-export.h"
#include "builder/build/cache-import.h"
#include "builder/build/engine.h"
#include "builder/image/image.h"
#include "lib/alloc.h"

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
