/* SPDX-License-Identifier: Apache-2.0 */
/* --build-context: names for other contexts, which win over stages and images. */
#include <string.h>
#include <strings.h>

#include "builder/context/context.h"
#include "lib/cleanup.h"

static int parse_one(const char *text, struct arena *arena, struct named_context *out,
		     struct error *err)
{
	size_t size = strcspn(text, "=");

	*out = (struct named_context){ .context = CONTEXT_INIT };
	if (!size || !text[size] || !text[size + 1])
		return error_set(err, ERROR_USAGE, 0, "expected NAME=LOCATION");
	if (strncmp(text + size + 1, "target:", 7) == 0)
		return error_set(err, ERROR_USAGE, 0,
				 "target: is for bake files; --from=STAGE names a stage");
	out->name = arena_strndup(arena, text, size);
	return location_parse(text + size + 1, true, arena, &out->location, err);
}

int named_contexts_parse(const struct strv *texts, struct arena *arena, struct named_contexts *out,
			 struct error *err)
{
	out->items = arena_alloc(arena, texts->count * sizeof(*out->items));
	for (size_t i = 0; i < texts->count; i++) {
		int ret = parse_one(texts->items[i], arena, &out->items[i], err);

		if (ret < 0)
			return error_prefix(err, ret, "--build-context %s", texts->items[i]);
		out->count++;
	}
	return 0;
}

/* Names of images mean the same with and without the parts that are understood. */
static const char *short_name(const char *name, size_t *out_size)
{
	static const char *const prefixes[] = { "docker.io/", "library/" };
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			name += strlen(prefixes[i]);
	size = strlen(name);
	if (size > 7 && strcmp(name + size - 7, ":latest") == 0)
		size -= 7;
	*out_size = size;
	return name;
}

struct named_context *named_contexts_find(const struct named_contexts *contexts, const char *name)
{
	size_t size;

	name = short_name(name, &size);
	for (size_t i = contexts ? contexts->count : 0; i-- > 0;) { /* the last one counts */
		size_t own_size;
		const char *own = short_name(contexts->items[i].name, &own_size);

		if (own_size == size && strncasecmp(own, name, size) == 0)
			return &contexts->items[i];
	}
	return NULL;
}

int named_context_open(struct named_context *named, struct store *store, struct error *err)
{
	const struct context_options options = { .location = &named->location,
						 .store = store,
						 .cancel_fd = -EBADF,
						 .files_only = true };
	int ret;

	if (named->opened)
		return 0;
	if (named->refusal)
		return error_set(err, ERROR_NOT_FOUND, 0, "context \"%s\": %s", named->name,
				 named->refusal);
	named->opened = true;
	ret = context_open(&named->context, &options, err);
	return error_prefix(err, ret, "context \"%s\"", named->name);
}

void named_contexts_done(struct named_contexts *contexts)
{
	for (size_t i = 0; i < contexts->count; i++)
		context_close(&contexts->items[i].context);
	contexts->count = 0;
}
