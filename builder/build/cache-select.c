/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps and cache mounts of a build are exported. Called by cache-export.c for an image's own
 * cache, and by the command line for others. */
#include "builder/build/cache-export.h"
#include "builder/build/engine.h"
#include "builder/build/run-mounts.h"
#include "lib/cleanup.h"

struct selecting {
	struct engine *engine;
	struct cache_selection *out;
	bool all_stages, mounts;
};

void cache_selection_done(struct cache_selection *selection)
{
	strv_done(&selection->steps);
	strv_done(&selection->folders);
	strv_done(&selection->folder_targets);
}

static void add_key(struct selecting *selecting, const struct cache_key *key)
{
	if (key->hex[0])
		strv_add(&selecting->out->steps, key->hex);
}

/* A step, and what of the context is made for its mounts. */
static void add_step(struct selecting *selecting, const struct step *step)
{
	add_key(selecting, &step->identity);
	add_key(selecting, &step->key);
	for (size_t i = 0; step->kind == &step_kind_run && i < step->run.mount_count; i++)
		if (step->run.mounts[i].files)
			add_step(selecting, step->run.mounts[i].files);
}

static int add_folder(struct selecting *selecting, const struct step_mount *mount,
		      struct error *err)
{
	struct cache_selection *out = selecting->out;
	cleanup_free char *name = NULL;
	int ret = run_mounts_cache_name(selecting->engine, mount, &name, err);

	if (ret < 0 || strv_contains(&out->folders, name))
		return ret;
	strv_add(&out->folders, name);
	strv_add(&out->folder_targets, mount->target);
	return 0;
}

static int add_folders(struct selecting *selecting, const struct step *step, struct error *err)
{
	int ret = 0;

	if (step->kind != &step_kind_run || !selecting->mounts)
		return 0;
	for (size_t i = 0; i < step->run.mount_count && ret == 0; i++)
		if (step->run.mounts[i].type == RUN_MOUNT_CACHE)
			ret = add_folder(selecting, &step->run.mounts[i], err);
	return ret;
}

static int add_stage(struct selecting *selecting, const struct graph_stage *stage,
		     struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < stage->step_count && ret == 0; i++) {
		add_step(selecting, stage->steps[i]);
		ret = add_folders(selecting, stage->steps[i], err);
	}
	return ret;
}

/* min: what the result stands on; max: all. */
int cache_select(struct engine *engine, const struct cache_option *option,
		 struct cache_selection *out, struct error *err)
{
	struct selecting selecting = { engine, out, option && option->all_stages,
				       option && option->mounts };
	const struct graph *graph = engine->graph;
	bool all = selecting.all_stages;
	int ret = 0;

	for (size_t i = 0; all && i < graph->order_count && ret == 0; i++)
		ret = add_stage(&selecting, graph->order[i], err);
	for (const struct graph_stage *stage = graph->target; !all && stage && ret == 0;
	     stage = stage->parent)
		ret = add_stage(&selecting, stage, err);
	return ret;
}
