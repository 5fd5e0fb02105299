/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where in a document JSON pointers point. Decoding keeps no places (it would cost every create
 * what only `validate` wants), so the text is walked once more, with all the pointers at once.
 */
#include "spec/findings.h"

#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "spec/json-table.h"

struct level {
	bool is_array;
	size_t index;  /* of the element that comes next */
	size_t parent; /* length of the pointer to this array or object */
};

struct walk {
	yajl_handle yajl;
	const char *text;
	size_t size;
	size_t token_end; /* offset behind the token before this one */
	struct strbuf pointer;
	struct finding **wanted; /* by pointer */
	size_t count;
	size_t depth;
	struct level levels[JSON_DEPTH_MAX];
};

static int compare_pointers(const void *a, const void *b)
{
	const struct finding *const *left = a, *const *right = b;

	return strcmp((*left)->pointer, (*right)->pointer);
}

/* The first wanted one that is not before text. */
static size_t lower_bound(const struct walk *walk, const char *text)
{
	size_t first = 0, last = walk->count;

	while (first < last) {
		size_t middle = first + (last - first) / 2;

		if (strcmp(walk->wanted[middle]->pointer, text) < 0)
			first = middle + 1;
		else
			last = middle;
	}
	return first;
}

static size_t token_start(const struct walk *walk)
{
	size_t offset = walk->token_end;

	while (offset < walk->size && walk->text[offset] &&
	       strchr(" \t\r\n\v\f,:", walk->text[offset]))
		offset++;
	return offset;
}

/* All that is here or inside of this: what lies deeper is met later and then has the last word. */
static void note(struct walk *walk)
{
	const char *here = strbuf_text(&walk->pointer);
	size_t size = strlen(here), start = token_start(walk);

	for (size_t i = lower_bound(walk, here); i < walk->count; i++) {
		struct finding *finding = walk->wanted[i];

		if (strncmp(finding->pointer, here, size) != 0)
			break;
		if (!finding->pointer[size] || finding->pointer[size] == '/')
			finding->offset = start;
	}
}

static void begin_value(struct walk *walk)
{
	struct level *level = walk->depth ? &walk->levels[walk->depth - 1] : NULL;

	if (level && level->is_array)
		strbuf_addf(&walk->pointer, "/%zu", level->index++);
	note(walk);
}

static int end_value(struct walk *walk)
{
	if (walk->depth)
		strbuf_truncate(&walk->pointer, walk->levels[walk->depth - 1].parent);
	walk->token_end = yajl_get_bytes_consumed(walk->yajl);
	return 1;
}

static int on_scalar(void *context)
{
	begin_value(context);
	return end_value(context);
}

static int on_bool(void *context, int value)
{
	(void)value;
	return on_scalar(context);
}

static int on_number(void *context, const char *text, size_t size)
{
	(void)text;
	(void)size;
	return on_scalar(context);
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
	(void)text;
	(void)size;
	return on_scalar(context);
}

static int on_key(void *context, const unsigned char *text, size_t size)
{
	cleanup_free char *name = xstrndup((const char *)text, size);
	struct walk *walk = context;

	json_pointer_add(&walk->pointer, name);
	walk->token_end = yajl_get_bytes_consumed(walk->yajl);
	return 1;
}

static int open_level(struct walk *walk, bool is_array)
{
	begin_value(walk);
	if (walk->depth >= JSON_DEPTH_MAX)
		return 0;
	walk->levels[walk->depth++] =
		(struct level){ .is_array = is_array, .parent = walk->pointer.size };
	walk->token_end = yajl_get_bytes_consumed(walk->yajl);
	return 1;
}

static int on_start_map(void *context)
{
	return open_level(context, false);
}

static int on_start_array(void *context)
{
	return open_level(context, true);
}

static int on_end(void *context)
{
	struct walk *walk = context;

	walk->depth--;
	return end_value(walk);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_scalar,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end,
};

/* The document has been decoded before: what stops yajl here has been reported then. */
static void find_pointers(struct walk *walk)
{
	qsort(walk->wanted, walk->count, sizeof(struct finding *), compare_pointers);
	walk->yajl = yajl_alloc(&callbacks, NULL, walk);
	(void)yajl_config(walk->yajl, yajl_allow_trailing_garbage, 1);
	(void)yajl_parse(walk->yajl, (const unsigned char *)walk->text, walk->size);
	(void)yajl_complete_parse(walk->yajl);
	yajl_free(walk->yajl);
	strbuf_done(&walk->pointer);
}

/* At the same place in the order in which they were found, which is that of the addresses. */
static int compare_offsets(const void *a, const void *b)
{
	const struct finding *const *left = a, *const *right = b;

	if ((*left)->offset != (*right)->offset)
		return (*left)->offset < (*right)->offset ? -1 : 1;
	return (*left > *right) - (*left < *right);
}

static void find_lines(struct finding **order, size_t count, const char *text, size_t size)
{
	size_t line = 1, column = 1, offset = 0;

	qsort(order, count, sizeof(struct finding *), compare_offsets);
	for (size_t i = 0; i < count; i++) {
		for (; offset < order[i]->offset && offset < size; offset++) {
			if (text[offset] == '\n') {
				line++;
				column = 1;
			} else if (((unsigned char)text[offset] & 0xc0) != 0x80) {
				column++; /* a character, not a byte of one */
			}
		}
		order[i]->line = line;
		order[i]->column = column;
	}
}

static void reorder(struct findings *findings, struct finding *const *order)
{
	struct finding *items = xreallocarray(NULL, findings->count, sizeof(*items));

	for (size_t i = 0; i < findings->count; i++)
		items[i] = *order[i];
	free(findings->items);
	findings->items = items;
	findings->capacity = findings->count;
}

void findings_locate(struct findings *findings, const char *text, size_t size)
{
	cleanup_free struct finding **order = NULL;
	struct walk walk = { .text = text, .size = size };

	if (!findings->count)
		return;
	order = xreallocarray(NULL, findings->count, sizeof(struct finding *));
	walk.wanted = order;
	for (size_t i = 0; i < findings->count; i++) {
		struct finding *finding = &findings->items[i];

		if (finding->offset == FINDING_NOWHERE) {
			finding->offset = 0;
			order[walk.count++] = finding;
		}
	}
	if (walk.count)
		find_pointers(&walk);
	for (size_t i = 0; i < findings->count; i++)
		order[i] = &findings->items[i];
	find_lines(order, findings->count, text, size);
	reorder(findings, order);
}
