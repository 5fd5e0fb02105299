/* SPDX-License-Identifier: Apache-2.0 */
/* See json-diff.h. Called by verify on configurations of images, which were decoded before. */
#include "builder/cli/json-diff.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cli/go-template-internal.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

struct member {
	const char *key; /* decoded */
	go_value value;
};

struct members {
	struct member *items;
	size_t count, capacity;
};

struct diff {
	struct go_template values; /* its arena: texts of values */
	struct strbuf path;
	json_diff_fn call;
	void *context;
};

static void walk(struct diff *diff, go_value before, go_value after);

static bool is_name(const char *key)
{
	for (const char *p = key; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return *key && !isdigit((unsigned char)*key);
}

static void walk_at(struct diff *diff, const char *step, go_value before, go_value after)
{
	size_t size = diff->path.size;

	strbuf_adds(&diff->path, step);
	walk(diff, before, after);
	strbuf_truncate(&diff->path, size);
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void read_members(struct diff *diff, go_value value, struct members *out)
{
	struct go_cursor cursor = go_open(value);

	while (go_advance(&diff->values, &cursor)) {
		ARRAY_GROW(out->items, out->count, out->capacity);
		out->items[out->count++] =
			(struct member){ cursor.object ? go_text(&diff->values, cursor.key) : "",
					 cursor.item };
	}
	if (cursor.object && out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_members);
}

static void walk_objects(struct diff *diff, const struct members *a, const struct members *b)
{
	for (size_t i = 0, j = 0; i < a->count || j < b->count;) {
		int order = i == a->count   ? 1
			    : j == b->count ? -1
					    : compare_members(&a->items[i], &b->items[j]);
		const char *key = order <= 0 ? a->items[i].key : b->items[j].key;
		cleanup_free char *step =
			is_name(key) ? xasprintf(".%s", key) : xasprintf("[\"%s\"]", key);

		walk_at(diff, step, order <= 0 ? a->items[i].value : NULL,
			order >= 0 ? b->items[j].value : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

static void walk_arrays(struct diff *diff, const struct members *a, const struct members *b)
{
	size_t count = a->count > b->count ? a->count : b->count;

	for (size_t i = 0; i < count; i++) {
		cleanup_free char *step = xasprintf("[%zu]", i);

		walk_at(diff, step, i < a->count ? a->items[i].value : NULL,
			i < b->count ? b->items[i].value : NULL);
	}
}

static bool are_equal(struct diff *diff, go_value before, go_value after)
{
	if (!before || !after)
		return before == after;
	if (strcmp(before, after) == 0)
		return true;
	return *before == '"' && *after == '"' &&
	       strcmp(go_text(&diff->values, before), go_text(&diff->values, after)) == 0;
}

static void walk(struct diff *diff, go_value before, go_value after)
{
	struct members a = { NULL, 0, 0 }, b = { NULL, 0, 0 };
	bool nested = before && after && *before == *after && (*before == '{' || *before == '[');

	if (are_equal(diff, before, after))
		return;
	if (!nested) {
		diff->call(diff->context, strbuf_text(&diff->path), before, after);
		return;
	}
	read_members(diff, before, &a);
	read_members(diff, after, &b);
	if (*before == '{')
		walk_objects(diff, &a, &b);
	else
		walk_arrays(diff, &a, &b);
	free(a.items);
	free(b.items);
}

void json_diff(const char *before, const char *after, json_diff_fn call, void *context)
{
	struct diff diff = { .call = call, .context = context };

	walk(&diff, go_skip_blanks(before), go_skip_blanks(after));
	arena_done(&diff.values.arena);
	strbuf_done(&diff.path);
}
