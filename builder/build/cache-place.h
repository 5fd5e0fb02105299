/* SPDX-License-Identifier: Apache-2.0 */
/* The places that --cache-to and --cache-from name. */
#ifndef BUILDER_BUILD_CACHE_PLACE_H
#define BUILDER_BUILD_CACHE_PLACE_H

#include <stdbool.h>

#include "builder/build/cache-options.h"
#include "builder/image/blob-place.h"
#include "lib/error.h"

struct graph_options;
struct registry;

/** The build's client of registries; NULL = it has none. */
struct registry *cache_registry_of(const struct graph_options *build);

/** Open the place of an option, for writing (to) or for reading; not of inline ones. registry: the
 *  build's client, which outlives the place; NULL = there is none. */
int cache_place_open(const struct cache_option *option, bool to, struct registry *registry,
		     struct blob_place **out, struct error *err);

/** One in a registry: the repository and the tag or digest of an image's name. */
int cache_registry_open(const char *ref, bool to, struct registry *registry,
			struct blob_place **out, struct error *err);

#endif
