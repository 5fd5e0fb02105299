/* SPDX-License-Identifier: Apache-2.0 */
/* The image of a build whose steps are all there: its history gets the times of its layers. Of
 * engine.c. */
#include <string.h>

#include "builder/build/cache-export.h"
#include "builder/build/cache-import.h"
#include "builder/build/engine.h"
#include "builder/build/image-times.h"
#include "builder/build/squash.h"
#include "builder/image/image.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

/* Of a build that somebody has dated, all is from then: not from when the cache got it. */
static const char *date_text(struct engine *engine, int64_t seconds)
{
	const struct graph_options *options = engine->graph->options;
	int64_t time = options->dated || seconds > options->now ? options->now : seconds;
	char text[CLOCK_TEXT_SIZE];

	return arena_strdup(&engine->graph->arena, clock_format_seconds(time, text));
}

/* What comes before a stage's first layer: the end of the base's history, else that layer's time.
 */
static const char *first_date(struct engine *engine, const struct graph_stage *stage)
{
	const struct image_config *config = stage->config;

	if (engine->graph->options->dated)
		return date_text(engine, 0);
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
	cleanup_strv struct strv layers = STRV_INIT;
	struct image_new image = { .base = target->base,
				   .config = target->config,
				   .arena = &engine->graph->arena,
				   .layers = &layers };
	int ret = cache_need_layers(engine, &target->layers, err);

	if (ret < 0)
		return ret;
	date_history(engine, target);
	ret = image_times_layers(engine, target, &layers, err);
	if (ret == 0 && engine->options->squash)
		ret = squash_layers(engine, target, &layers, err);
	if (ret == 0)
		ret = cache_export_inline(engine, target->config, err);
	if (ret < 0)
		return ret;
	return image_create(engine->store, &image, out_ref, out_id, err);
}
