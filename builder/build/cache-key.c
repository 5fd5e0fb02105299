/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building keys, for every kind of step. Each component is hashed with its name and its length,
 * lists with their count, so that no two different sets of components give one stream.
 */
#include "builder/build/cache-key.h"

#include <string.h>

#include "lib/cleanup.h"

static void hash_text(struct key_builder *builder, const char *text)
{
	hasher_add_field(&builder->hasher, text, strlen(text));
}

void key_begin(struct key_builder *builder, const char *kind)
{
	*builder = (struct key_builder){ .hasher = HASHER_INIT };
	builder->json.out = &builder->manifest;
	hasher_start(&builder->hasher);
	json_begin_object(&builder->json);
	key_add(builder, "format", CACHE_KEY_FORMAT);
	key_add(builder, "kind", kind);
}

void key_add(struct key_builder *builder, const char *name, const char *text)
{
	hash_text(builder, name);
	hash_text(builder, text ? "text" : "absent");
	json_key(&builder->json, name);
	json_string(&builder->json, text);
	if (text)
		hash_text(builder, text);
}

void key_add_list(struct key_builder *builder, const char *name, const char *const *items,
		  size_t count)
{
	char number[24];

	snprintf(number, sizeof(number), "list %zu", count);
	hash_text(builder, name);
	hash_text(builder, number);
	json_key(&builder->json, name);
	json_begin_array(&builder->json);
	for (size_t i = 0; i < count; i++) {
		hash_text(builder, items[i]);
		json_string(&builder->json, items[i]);
	}
	json_end_array(&builder->json);
}

void key_finish(struct key_builder *builder, struct cache_key *out, char **out_manifest)
{
	struct digest digest;

	json_end_object(&builder->json);
	hasher_finish(&builder->hasher, &digest);
	memcpy(out->hex, digest_hex(&digest), sizeof(out->hex));
	if (out_manifest)
		*out_manifest = strbuf_take(&builder->manifest);
	hasher_done(&builder->hasher);
	strbuf_done(&builder->manifest);
}
