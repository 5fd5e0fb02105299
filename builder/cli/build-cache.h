/* SPDX-License-Identifier: Apache-2.0 */
/* A build's side of --cache-from and --cache-to. */
#ifndef BUILDER_CLI_BUILD_CACHE_H
#define BUILDER_CLI_BUILD_CACHE_H

#include <stdbool.h>

#include "builder/build/cache-export.h"
#include "builder/build/cache-import.h"
#include "builder/build/engine.h"
#include "builder/cli/build-options.h"
#include "lib/error.h"
#include "lib/strv.h"

/** Zeroed = nothing. */
struct build_cache {
	struct cache_imports *imports;	    /* NULL = none */
	struct cache_selection *selections; /* of the options' cache_to; NULL = nothing yet */
	size_t selection_count;
	struct strv warnings; /* of exports */
};

void build_cache_open(struct build_cache *cache, const struct build_options *options);
void build_cache_done(struct build_cache *cache);

/** A step was taken from an imported cache that does not have its layer: begin again, without it.
 */
bool build_cache_lost(struct build_cache *cache);

/** The steps of a platform that has run, for the exports. */
int build_cache_select(struct build_cache *cache, struct engine *engine,
		       const struct build_options *options, struct error *err);
/** All is to be run again. */
void build_cache_forget(struct build_cache *cache);

/** All exports that the options ask for. */
int build_cache_export(struct build_cache *cache, struct engine *engine,
		       const struct build_options *options, struct error *err);

/** Remove what is over the limits of the policy, when the build has made something; it says what.
 */
void build_cache_collect(struct build_cache *cache, struct engine *engine,
			 const struct build_options *options);

/** What did not go well with caches but fails no build; after the progress has ended. */
void build_cache_print_warnings(const struct build_cache *cache);

#endif
