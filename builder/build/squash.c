/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Squashing, called by engine-image.c: what all layers together show is compared with what the base
 * shows, as it is done for a step where no overlay can be mounted. Contents are not copied: files
 * of the merged tree are hardlinks of those in the layers.
 */
#include "builder/build/squash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "builder/build/cache-key.h"
#include "builder/image/layer.h"
#include "builder/image/snapshot-copy.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"

static int make_key(const struct graph_stage *stage, const struct strv *layers,
		    struct cache_key *out, struct error *err)
{
	struct digest chain = { .text = "" };
	struct key_builder builder;
	int ret = stage->base ? image_chain(stage->base, &chain, err) : 0;

	if (ret < 0)
		return ret;
	key_begin(&builder, "squash");
	key_add(&builder, "base", chain.text);
	key_add_list(&builder, "layers", (const char *const *)layers->items, layers->count);
	key_finish(&builder, out, NULL);
	return 0;
}

/* All layers merged in a scratch folder, and the difference to the base. */
static int merge(struct engine *engine, const struct strv *base, const struct strv *all,
		 struct layer_draft *out, struct error *err)
{
	const struct layer_scan scan = { .lowers = base->count ? base : NULL,
					 .complete = true,
					 .subsecond = engine->graph->options->subsecond };
	cleanup_close int folder_fd = -EBADF;
	struct snapshot_upper upper;
	int ret = snapshot_upper_create(engine->store, all, &upper, err);

	if (ret < 0)
		return ret;
	folder_fd = openat(engine->store->fd, upper.upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		return error_errno(err, errno, "open a folder of the store");
	ret = snapshot_copy(engine->store, all, folder_fd, SNAPSHOT_COPY_LINKS, err);
	return ret < 0 ? ret : layer_from_folder(engine->store, upper.upper, &scan, out, err);
}

static int squash(struct engine *engine, struct graph_stage *stage, const struct strv *layers,
		  const struct cache_key *key, struct step_record *record, struct error *err)
{
	cleanup_strv struct strv base = STRV_INIT, all = STRV_INIT;
	struct layer_draft draft = { .name = "" };
	struct layer_info info;
	int ret = stage->base ? engine_image_trees(engine, stage->base, &base, err) : 0;

	if (ret < 0)
		return ret;
	strv_add_all(&all, strv_items(&base));
	for (size_t i = 0; i < layers->count; i++)
		strv_take(&all, layer_tree(layers->items[i]));
	ret = merge(engine, &base, &all, &draft, err);
	if (ret == 0)
		ret = layer_publish(engine->store, &draft, &info, err);
	if (ret < 0)
		return ret;
	memcpy(record->layer, info.id, LAYER_ID_SIZE);
	record->created = engine->graph->options->now;
	return store_step_put(engine->store, key->hex, record, err);
}

/* What the steps did is still told. */
static void merge_history(struct engine *engine, struct graph_stage *stage)
{
	struct image_config *config = stage->config;
	struct graph_stage *first = stage;
	struct image_history *last;

	while (first->parent)
		first = first->parent;
	for (size_t i = first->history_first; i < config->history.count; i++)
		config->history.items[i].empty_layer = true;
	last = image_config_add_history(config, &engine->graph->arena);
	last->created = config->created;
	last->created_by = "orlop-builder build --squash";
}

int squash_layers(struct engine *engine, struct graph_stage *stage, struct strv *layers,
		  struct error *err)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	struct cache_key key;
	int ret;

	if (layers->count < 2)
		return 0;
	ret = make_key(stage, layers, &key, err);
	if (ret == 0)
		ret = store_step_get(engine->store, key.hex, &record, err);
	if (ret == 0)
		ret = squash(engine, stage, layers, &key, &record, err);
	if (ret < 0)
		return error_prefix(err, ret, "squash the layers");
	strv_done(layers);
	strv_add(layers, record.layer);
	merge_history(engine, stage);
	return 0;
}
