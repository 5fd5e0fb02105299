/* SPDX-License-Identifier: Apache-2.0 */
/* From an option to the place of its blobs. */
#include "builder/build/cache-place.h"

#include "builder/build/graph.h"
#include "builder/registry/source.h"

struct registry *cache_registry_of(const struct graph_options *build)
{
	return build->images ? build->images->registry : NULL;
}

int cache_place_open(const struct cache_option *option, bool to, struct registry *registry,
		     struct blob_place **out, struct error *err)
{
	if (option->type == CACHE_REGISTRY)
		return cache_registry_open(option->ref, to, registry, out, err);
	if (to)
		return blob_layout_create(option->path, option->tag, out, err);
	return blob_layout_open(option->path, option->tag, option->digest, out, err);
}
