/* SPDX-License-Identifier: Apache-2.0 */
/* See image-times.h. Called by the steps that write files themselves, and by engine-image.c. */
#include "builder/build/image-times.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "builder/build/cache-key.h"
#include "builder/image/layer-times.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

/* Does it put files of a context into the image, as they are there, or make folders for them?
 * What ADD unpacks or fetches has times of its own. */
static bool copies_context(const struct step *step)
{
	const struct step_copy *copy = &step->copy;

	if (step->kind == &step_kind_workdir)
		return true;
	if (step->kind != &step_kind_copy || copy->unpack || copy->from.stage || copy->from.image)
		return false;
	for (size_t i = 0; i < copy->item_count; i++)
		if (copy->items[i].remote)
			return false;
	return true;
}

/* What a repository's files have is when they were checked out, which says nothing of them: those
 * of a --build-context are as old as its commit, whatever time the image has. An inline cache is of
 * the layers as the steps have made them. */
static struct time_rule times_of_named(const struct engine *engine, const struct context *context)
{
	bool has_time =
		context->is_commit && context->time >= 0 && context->time <= CLOCK_SECONDS_MAX;

	return has_time && !engine->options->inline_cache
		       ? (struct time_rule){ TIME_SET, context->time }
		       : (struct time_rule){ .kind = TIME_KEEP };
}

struct time_rule image_times_at_once(const struct engine *engine, const struct step *step)
{
	if (!copies_context(step))
		return (struct time_rule){ .kind = TIME_KEEP };
	if (step->kind == &step_kind_copy && step->copy.from.context)
		return times_of_named(engine, &step->copy.from.context->context);
	return engine->graph->options->copy_times;
}

/* One for all files of all layers is stronger than the commit's, and later is later. */
static struct time_rule final_times(const struct engine *engine, const struct step *step)
{
	const struct time_rule *all = &engine->graph->options->layer_times;
	struct time_rule own = image_times_at_once(engine, step);

	if (all->kind == TIME_SET || own.kind == TIME_KEEP)
		return *all;
	if (all->kind == TIME_CLAMP && own.seconds > all->seconds)
		own.seconds = all->seconds;
	return own;
}

static void make_key(const char *id, const struct time_rule *rule, struct cache_key *out)
{
	struct key_builder builder;
	char text[40];

	snprintf(text, sizeof(text), "%s %" PRId64, rule->kind == TIME_SET ? "set" : "clamp",
		 rule->seconds);
	key_begin(&builder, "times");
	key_add(&builder, "layer", id);
	key_add(&builder, "rule", text);
	key_finish(&builder, out, NULL);
}

static int remember(struct engine *engine, const struct cache_key *key, const char *id,
		    struct error *err)
{
	struct step_record record = { .created = engine->graph->options->now };

	memcpy(record.layer, id, LAYER_ID_SIZE);
	return store_step_put(engine->store, key->hex, &record, err);
}

static int add_layer(struct engine *engine, const struct step *step, const char *id,
		     struct strv *out, struct error *err)
{
	const struct time_rule rule = final_times(engine, step);
	const struct time_rule made = image_times_at_once(engine, step);
	cleanup_step_record struct step_record record = { .manifest = NULL };
	struct layer_info info;
	struct cache_key key;
	int ret;

	if (rule.kind == TIME_KEEP) {
		strv_add(out, id);
		return 0;
	}
	make_key(id, &rule, &key);
	ret = store_step_get(engine->store, key.hex, &record, err);
	if (ret == 1)
		strv_add(out, record.layer);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	if (!step->cached && made.kind == rule.kind && made.seconds == rule.seconds)
		memcpy(info.id, id, LAYER_ID_SIZE);
	else
		ret = layer_retime(engine->store, id, &rule, &info, err);
	if (ret == 0)
		ret = remember(engine, &key, info.id, err);
	strv_add(out, info.id);
	return ret;
}

int image_times_layers(struct engine *engine, const struct graph_stage *stage, struct strv *out,
		       struct error *err)
{
	size_t inherited = stage->parent ? stage->parent->layers.count : 0;
	size_t next = inherited;
	int ret = stage->parent ? image_times_layers(engine, stage->parent, out, err) : 0;

	for (size_t i = 0; ret == 0 && i < stage->step_count && next < stage->layers.count; i++)
		if (stage->steps[i]->layer[0])
			ret = add_layer(engine, stage->steps[i], stage->layers.items[next++], out,
					err);
	return ret;
}
