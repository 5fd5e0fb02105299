/* SPDX-License-Identifier: Apache-2.0 */
/* The document of an exported cache; whoever made it is not trusted. */
#include "builder/build/cache-document.h"

#include <string.h>

#include "builder/image/digest.h"
#include "spec/json-table.h"

#define VERSION 1
#define LATEST_SECOND INT64_C(253402300799) /* of the year 9999 */

/* clang-format off */
static const struct json_field step_fields[] = {
	JSON_STRING(struct cache_step, "key", key, .flags = JSON_REQUIRED),
	JSON_STRING(struct cache_step, "layer", layer),
	JSON_STRING(struct cache_step, "list", list),
	JSON_I64(struct cache_step, "created", created),
	JSON_RAW(struct cache_step, "manifest", manifest),
	JSON_RAW(struct cache_step, "info", info),
};
static const struct json_object step_object = JSON_TABLE(struct cache_step, step_fields);

static const struct json_field folder_fields[] = {
	JSON_STRING(struct cache_folder, "name", name, .flags = JSON_REQUIRED),
	JSON_STRING(struct cache_folder, "contents", contents, .flags = JSON_REQUIRED),
};
static const struct json_object folder_object = JSON_TABLE(struct cache_folder, folder_fields);

static const struct json_field document_fields[] = {
	JSON_U64(struct cache_document, "version", version, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct cache_document, "contents", contents),
	JSON_OBJECTS(struct cache_document, "steps", steps, &step_object),
	JSON_OBJECTS(struct cache_document, "mounts", mounts, &folder_object),
};
static const struct json_object document_object = JSON_TABLE(struct cache_document, document_fields);
/* clang-format on */

static int check_digest(const char *text, struct error *err)
{
	struct digest ignored;

	return text ? digest_parse(text, &ignored, err) : 0;
}

static int check_step(const struct cache_step *step, struct error *err)
{
	int ret = 0;

	if (!digest_is_hex(step->key))
		ret = error_invalid(err, "\"%.100s\" is not a key", step->key);
	if (ret == 0)
		ret = check_digest(step->layer, err);
	if (ret == 0)
		ret = check_digest(step->list, err);
	if (ret == 0 && (step->created < 0 || step->created > LATEST_SECOND))
		ret = error_invalid(err, "impossible time");
	return error_prefix(err, ret, "step %.12s", step->key);
}

/* KEY, or KEY.N of a private one */
static int check_folder(const struct cache_folder *folder, struct error *err)
{
	if (!digest_is_hex(folder->name))
		return error_invalid(err, "\"%.100s\" is not a cache mount", folder->name);
	return check_digest(folder->contents, err);
}

int cache_document_decode(const char *text, size_t size, struct arena *arena,
			  struct cache_document *out, struct error *err)
{
	struct json_source source = {
		.name = "cache", .text = text, .size = size, .max_size = CACHE_DOCUMENT_MAX
	};
	int ret;

	*out = (struct cache_document){ .version = 0 };
	ret = json_decode(&source, &document_object, arena, out, err);
	if (ret == 0 && out->version != VERSION)
		ret = error_set(err, ERROR_UNSUPPORTED, 0, "version %llu of the format",
				(unsigned long long)out->version);
	for (size_t i = 0; i < out->contents.count && ret == 0; i++)
		ret = check_digest(out->contents.items[i], err);
	for (size_t i = 0; i < out->steps.count && ret == 0; i++)
		ret = check_step(&out->steps.items[i], err);
	for (size_t i = 0; i < out->mounts.count && ret == 0; i++)
		ret = check_folder(&out->mounts.items[i], err);
	return ret;
}

void cache_document_write(const struct cache_document *document, struct strbuf *out)
{
	struct cache_document copy = *document;

	copy.version = VERSION;
	json_encode(&document_object, &copy, JSON_COMPACT, out);
}

struct cache_step *cache_document_find(const struct cache_document *document, const char *key)
{
	for (size_t i = 0; i < document->steps.count; i++)
		if (strcmp(document->steps.items[i].key, key) == 0)
			return &document->steps.items[i];
	return NULL;
}

void cache_step_record(const struct cache_step *step, struct step_record *out)
{
	*out = (struct step_record){ .created = step->created };
	if (step->layer)
		memcpy(out->layer, strchr(step->layer, ':') + 1, LAYER_ID_SIZE);
	if (step->list)
		memcpy(out->list, strchr(step->list, ':') + 1, LAYER_ID_SIZE);
	if (step->manifest)
		out->manifest = xstrdup(step->manifest);
	if (step->info)
		out->info = xstrdup(step->info);
}
