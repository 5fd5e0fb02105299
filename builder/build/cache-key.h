/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cache keys: a hash over named components, and the same components as a JSON document (the key
 * manifest) that is kept with the record, so that a miss can be explained without hashing again.
 * No key contains the diffID of a step: hashing a layer may overlap with the next step.
 */
#ifndef BUILDER_BUILD_CACHE_KEY_H
#define BUILDER_BUILD_CACHE_KEY_H

#include <stddef.h>

#include "builder/image/digest.h"
#include "lib/strbuf.h"
#include "spec/json-write.h"

/** Part of every key: raised when what a step does changes its meaning. */
#define CACHE_KEY_FORMAT "2"

struct cache_key {
	char hex[DIGEST_HEX + 1]; /* "" = not known yet */
};

struct key_builder {
	struct hasher hasher;
	struct strbuf manifest;
	struct json_writer json;
};

/** kind: "base", "run", "copy", ... */
void key_begin(struct key_builder *builder, const char *kind);
/** text NULL: the component is absent, which is not the same as empty. */
void key_add(struct key_builder *builder, const char *name, const char *text);
/** A list; items may hold NULLs only at the end. */
void key_add_list(struct key_builder *builder, const char *name, const char *const *items,
		  size_t count);
/** out_manifest (may be NULL) is owned. Frees the builder. */
void key_finish(struct key_builder *builder, struct cache_key *out, char **out_manifest);

#endif
