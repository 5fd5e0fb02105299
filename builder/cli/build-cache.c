/* SPDX-License-Identifier: Apache-2.0 */
/* Caches of other machines around a build. */
#include "builder/cli/build-cache.h"

#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"

void build_cache_open(struct build_cache *cache, const struct build_options *options)
{
	if (options->cache_from_count)
		cache->imports = cache_imports_new(options->cache_from, options->cache_from_count);
}

void build_cache_forget(struct build_cache *cache)
{
	for (size_t i = 0; i < cache->selection_count; i++)
		cache_selection_done(&cache->selections[i]);
	free(cache->selections);
	cache->selections = NULL;
	cache->selection_count = 0;
}

void build_cache_done(struct build_cache *cache)
{
	build_cache_forget(cache);
	cache_imports_free(cache->imports);
	strv_done(&cache->warnings);
	*cache = (struct build_cache){ .imports = NULL };
}

bool build_cache_lost(struct build_cache *cache)
{
	return cache_imports_lost(cache->imports);
}

int build_cache_select(struct build_cache *cache, struct engine *engine,
		       const struct build_options *options, struct error *err)
{
	int ret = 0;

	if (!cache->selections) {
		cache->selection_count = options->cache_to_count;
		cache->selections =
			xzalloc((cache->selection_count + 1) * sizeof(*cache->selections));
	}
	for (size_t i = 0; i < options->cache_to_count && ret == 0; i++)
		if (options->cache_to[i].type != CACHE_INLINE)
			ret = cache_select(engine, &options->cache_to[i], &cache->selections[i],
					   err);
	return ret;
}

static int export_one(struct build_cache *cache, struct engine *engine,
		      const struct cache_option *option, const struct cache_selection *selection,
		      struct error *err)
{
	cleanup_free char *name = NULL;
	char text[2048];
	unsigned int id;
	int ret;

	if (option->type == CACHE_INLINE)
		return 0; /* it is in the image */
	name = xasprintf("exporting cache to %s", option->path ? option->path : option->ref);
	id = engine_begin_beside(engine, name);
	ret = cache_export(engine, option, selection, id, &cache->warnings, err);
	ret = error_prefix(err, ret, "--cache-to %s", option->text);
	engine_end(engine, id, ret, err);
	if (ret == 0 || !option->ignore_error || err->code == ERROR_CANCELLED)
		return ret;
	strv_add(&cache->warnings, error_text(err, text, sizeof(text)));
	*err = (struct error){ .errnum = 0 };
	return 0;
}

int build_cache_export(struct build_cache *cache, struct engine *engine,
		       const struct build_options *options, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < options->cache_to_count && ret == 0; i++)
		ret = export_one(cache, engine, &options->cache_to[i], &cache->selections[i], err);
	return ret;
}

/* A build that only took steps has added nothing. */
static bool has_made(const struct graph *graph)
{
	for (size_t i = 0; i < graph->order_count; i++) {
		const struct graph_stage *stage = graph->order[i];

		for (size_t j = 0; j < stage->step_count; j++)
			if (stage->steps[j]->finished && !stage->steps[j]->cached)
				return true;
	}
	return false;
}

void build_cache_collect(struct build_cache *cache, struct engine *engine,
			 const struct build_options *options)
{
	cleanup_strbuf struct strbuf said = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char text[2048];
	unsigned int id;
	int ret;

	if (!has_made(engine->graph))
		return;
	ret = gc_run(engine->store, &options->gc, &said, &err);
	if (ret < 0)
		strv_addf(&cache->warnings, "the cache is not collected: %s",
			  error_text(&err, text, sizeof(text)));
	if (ret <= 0)
		return;
	id = engine_begin(engine, "collecting the cache");
	strbuf_addc(&said, '\n');
	engine_event(engine, EVENT_OUTPUT, id, said.data, said.size);
	engine_end(engine, id, 0, NULL);
}

void build_cache_print_warnings(const struct build_cache *cache)
{
	const struct strv *imports = cache_imports_warnings(cache->imports);

	for (size_t i = 0; imports && i < imports->count; i++)
		log_warning("%s", imports->items[i]);
	for (size_t i = 0; i < cache->warnings.count; i++)
		log_warning("%s", cache->warnings.items[i]);
}
