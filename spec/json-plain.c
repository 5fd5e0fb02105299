/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quick way back for what json_encode() wrote in compact form and what is plain: members in the
 * order of the table, strings of ASCII without escapes. Everything else, what is wrong included, is
 * the decoder's: the answer here is "not plain", never an error. `list` reads the state of every
 * container, and the decoder was most of that.
 */
#include <string.h>

#include "lib/number.h"
#include "spec/json-table.h"

/* More of them in a map are not plain: each key is compared with all before it. */
#define PAIRS_MAX 64

struct plain {
	const char *at; /* never behind the NUL that ends the text */
	struct arena *arena;
};

static bool take_char(struct plain *p, char c)
{
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

static bool take_word(struct plain *p, const char *word)
{
	size_t size = strlen(word);

	if (strncmp(p->at, word, size) != 0)
		return false;
	p->at += size;
	return true;
}

static bool take_string(struct plain *p, const char **out)
{
	const char *end;

	if (!take_char(p, '"'))
		return false;
	for (end = p->at; *end != '"'; end++)
		if ((unsigned char)*end < ' ' || (unsigned char)*end > '~' || *end == '\\')
			return false; /* the end, too */
	*out = arena_strndup(p->arena, p->at, (size_t)(end - p->at));
	p->at = end + 1;
	return true;
}

/* A negative one is not plain. */
static bool take_number(struct plain *p, uint64_t max, uint64_t *out)
{
	char text[24];
	size_t size = strspn(p->at, "0123456789");

	if (size >= sizeof(text))
		return false;
	memcpy(text, p->at, size);
	text[size] = '\0';
	p->at += size;
	if (text[0] == '0' && size > 1)
		return false; /* no number of JSON */
	return number_parse_u64(text, out) == 0 && *out <= max;
}

/* The decoder has a verdict on a key that comes twice, and it is the same everywhere. */
static bool has_key(const struct json_pair *pairs, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(pairs[i].key, key) == 0)
			return true;
	return false;
}

static bool take_map(struct plain *p, struct json_map *out)
{
	struct json_pair pairs[PAIRS_MAX], *pair = pairs;

	if (!take_char(p, '{'))
		return false;
	do {
		if (pair == pairs + PAIRS_MAX || !take_string(p, &pair->key) ||
		    has_key(pairs, (size_t)(pair - pairs), pair->key) || !take_char(p, ':') ||
		    !take_string(p, &pair->value))
			return false;
		pair++;
	} while (take_char(p, ','));
	out->count = (size_t)(pair - pairs);
	out->items = arena_alloc(p->arena, out->count * sizeof(*pairs));
	memcpy(out->items, pairs, out->count * sizeof(*pairs));
	return take_char(p, '}');
}

static bool take_value(struct plain *p, const struct json_field *field, char *base)
{
	void *target = base + field->offset;
	uint64_t number;

	switch (field->kind) {
	case JSON_KIND_BOOL:
		*(bool *)target = *p->at == 't';
		return take_word(p, *p->at == 't' ? "true" : "false");
	case JSON_KIND_STRING:
		return !field->names && take_string(p, target);
	case JSON_KIND_U32:
		if (!take_number(p, UINT32_MAX, &number))
			return false;
		*(uint32_t *)target = (uint32_t)number;
		return true;
	case JSON_KIND_I32:
		if (!take_number(p, INT32_MAX, &number))
			return false;
		*(int32_t *)target = (int32_t)number;
		return true;
	case JSON_KIND_U64:
		return take_number(p, UINT64_MAX, target);
	case JSON_KIND_MAP:
		return take_map(p, target);
	default:
		return false;
	}
}

/* Goes on to the row that the next member is of; a required one must not be passed over. */
static const struct json_field *find_row(struct plain *p, const struct json_field *row,
					 const struct json_field *end)
{
	for (; row < end; row++) {
		if (strncmp(p->at, row->name, row->length) == 0 && p->at[row->length] == '"')
			return row;
		if (row->flags & JSON_REQUIRED)
			return NULL;
	}
	return NULL;
}

bool json_decode_plain(const char *text, const struct json_object *table, struct arena *arena,
		       void *out)
{
	const struct json_field *row = table->fields, *end = row + table->count;
	struct plain p = { text, arena };

	if (!take_char(&p, '{'))
		return false;
	do {
		if (!take_char(&p, '"'))
			return false;
		row = find_row(&p, row, end);
		if (!row || row->has)
			return false;
		p.at += row->length + 1;
		if (!take_char(&p, ':') || !take_value(&p, row, out))
			return false;
		row++;
	} while (take_char(&p, ','));
	for (; row < end; row++)
		if (row->flags & JSON_REQUIRED)
			return false;
	return take_char(&p, '}') && (take_char(&p, '\n'), !*p.at);
}
