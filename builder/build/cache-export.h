/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --cache-to: the records of a build's steps, and their layers, for other machines (docs/cache.md,
 * "Exchange").
 */
#ifndef BUILDER_BUILD_CACHE_EXPORT_H
#define BUILDER_BUILD_CACHE_EXPORT_H

#include "builder/build/cache-options.h"
#include "lib/error.h"
#include "lib/strv.h"
#include "spec/image-config.h"

struct engine;

/** What is to be exported: of one graph that has run, or of several, one for each platform. */
struct cache_selection {
	struct strv steps;	    /* keys of records */
	struct strv folders;	    /* of cache mounts: "mounts/KEY" */
	struct strv folder_targets; /* where they were mounted, for messages */
};
#define CACHE_SELECTION_INIT                                                                       \
	{                                                                                          \
		STRV_INIT, STRV_INIT, STRV_INIT                                                    \
	}
void cache_selection_done(struct cache_selection *selection);

/** Add what the option (NULL: inline) asks for of a build that has run. */
int cache_select(struct engine *engine, const struct cache_option *option,
		 struct cache_selection *out, struct error *err);

/** Write what was selected. event: its number in the progress. What is left out though it was asked
 *  for is said in warnings. */
int cache_export(struct engine *engine, const struct cache_option *option,
		 const struct cache_selection *selection, unsigned int event, struct strv *warnings,
		 struct error *err);

/** Give an image the records of its own steps if the build wants that; in any case it loses those
 *  of its base, which are not its. */
int cache_export_inline(struct engine *engine, struct image_config *config, struct error *err);

#endif
