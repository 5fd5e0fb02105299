/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --cache-from: records of steps that were exported elsewhere (docs/cache.md, "Exchange"). A cache
 * is opened when a step is not in the store, and a layer fetched when something has to stand on it
 * or it is of the result; so a stage that only feeds a COPY that hits costs nothing.
 *
 * Nothing of it is trusted but what the caller of the build trusts by naming it: that its layers
 * are what its steps make. A cache that is damaged, or lies about a digest, is ignored from then
 * on, with one warning. If a step was taken from it whose layer then cannot be had, the build has
 * to begin again: cache_imports_lost.
 */
#ifndef BUILDER_BUILD_CACHE_IMPORT_H
#define BUILDER_BUILD_CACHE_IMPORT_H

#include <stdbool.h>

#include "builder/build/cache-options.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

struct engine;
struct cache_imports;

struct cache_imports *cache_imports_new(const struct cache_option *options, size_t count);
/** NULL is fine. */
void cache_imports_free(struct cache_imports *imports);

/** The build goes on with another platform: of indexes, its images are looked at, too. */
void cache_imports_next_platform(struct cache_imports *imports);

/** The record of a key: of the store, else of an imported cache. 1 there is one; 0 there is none.
 *  Its layer may still have to be fetched. */
int cache_find(struct engine *engine, const char *key, struct step_record *out, struct error *err);

/** These layers will be used: fetch those that the store lacks. "" = one that is being made. */
int cache_need_layers(struct engine *engine, const struct strv *ids, struct error *err);

/** Fill the empty folder of a cache mount ("mounts/KEY") with what an imported cache has of it:
 *  1 done, 0 there is nothing. */
int cache_fill_mount(struct engine *engine, const char *name, int folder_fd, struct error *err);

/** What goes wrong with a cache is no failure: the build's warnings, one for each. NULL: no caches.
 */
const struct strv *cache_imports_warnings(const struct cache_imports *imports);

/** Has the build to begin again? Asking makes it so that it can. */
bool cache_imports_lost(struct cache_imports *imports);

#endif
