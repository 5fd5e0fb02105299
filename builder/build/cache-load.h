/* SPDX-License-Identifier: Apache-2.0 */
/* One imported cache: its manifest and its document, and fetching its blobs. For cache-import.c. */
#ifndef BUILDER_BUILD_CACHE_LOAD_H
#define BUILDER_BUILD_CACHE_LOAD_H

#include "builder/build/cache-document.h"
#include "builder/build/cache-options.h"
#include "builder/build/graph.h"
#include "builder/image/blob-place.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "spec/image-manifest.h"

enum cache_state { CACHE_UNKNOWN, CACHE_READY, CACHE_IGNORED };

struct cache_import {
	const struct cache_option *option;
	enum cache_state state;
	bool in_index; /* of images, one for each platform */
	bool is_old;   /* a later one of the same option is another platform's */
	struct blob_place *place;
	struct arena arena;
	struct image_manifest *manifest;
	struct cache_document document; /* as many contents as the manifest has layers */
};

/** Open its place and read what it has, with the build's client, for its platform. */
int cache_import_load(struct cache_import *import, struct store *store,
		      const struct graph_options *build, struct error *err);
/** The same from a place (borrowed) that is open. platform: which image of an index is meant. */
int cache_import_read(struct cache_import *import, struct blob_place *place, struct store *store,
		      const char *platform, struct error *err);
void cache_import_done(struct cache_import *import);

/** The blob with these contents; NULL = it has none. */
const struct descriptor *cache_import_blob(const struct cache_import *import, const char *contents);
/** Fetch a blob into a scratch file: its fd. */
int cache_import_fetch(struct cache_import *import, struct store *store,
		       const struct descriptor *blob, struct error *err);

#endif
