/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects and arrays: a stack of frames holds the open ones. Keys are looked up in the tables;
 * whatever is in none is skipped by counting brackets.
 */
#include "spec/json-decoder.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

/* -- objects and arrays --------------------------------------------------------------------------
 */

struct json_frame *json_push(struct json_decoder *decoder)
{
	struct json_frame *frame;

	if (decoder->depth >= JSON_DEPTH_MAX) {
		(void)json_stop(decoder, "nested more than %d levels deep", JSON_DEPTH_MAX - 1);
		return NULL;
	}
	frame = &decoder->frames[decoder->depth++];
	memset(frame, 0, sizeof(*frame));
	frame->start = json_token_start(decoder);
	return frame;
}

static int push_struct(struct json_decoder *decoder, const struct json_field *field, char *base)
{
	struct json_frame *frame = json_push(decoder);

	if (!frame)
		return 0;
	frame->kind = JSON_KIND_INLINE;
	frame->field = field;
	frame->object = field->object;
	frame->base = base;
	return 1;
}

static int push_list(struct json_decoder *decoder, const struct json_field *field, char *target)
{
	struct json_frame *frame = json_push(decoder);

	if (!frame)
		return 0;
	frame->kind = (enum json_kind)field->kind;
	frame->field = field;
	frame->target = target;
	return 1;
}

/* An object as the value of a struct's property. */
static int open_property(struct json_decoder *decoder, struct json_frame *frame)
{
	const struct json_field *field = frame->current;
	char *target = frame->base + field->offset;
	char *base = NULL;

	switch (field->kind) {
	case JSON_KIND_INLINE:
		return push_struct(decoder, field, target);
	case JSON_KIND_OBJECT:
		base = arena_alloc(decoder->arena, field->size);
		json_store_pointer(target, base);
		return push_struct(decoder, field, base);
	case JSON_KIND_SET:
	case JSON_KIND_MAP:
	case JSON_KIND_OBJECT_MAP:
		return push_list(decoder, field, target);
	default:
		return json_mismatch_open(decoder, "an object");
	}
}

int json_take_map(struct json_decoder *decoder)
{
	struct json_frame *frame = json_top(decoder);

	if (decoder->skip || json_is_raw(frame) || frame->kind == JSON_KIND_SET)
		return json_skip_open(decoder);
	if (json_frame_is_struct(frame))
		return open_property(decoder, frame);
	if (frame->kind == JSON_KIND_OBJECTS) {
		if (!json_element_allowed(decoder))
			return 0;
		return push_struct(decoder, frame->field,
				   json_frame_grow(decoder, frame, frame->field->size));
	}
	if (frame->kind == JSON_KIND_OBJECT_MAP)
		return push_struct(decoder, frame->field,
				   frame->items + frame->count * frame->field->size);
	return json_mismatch_open(decoder, "an object");
}

int json_take_array(struct json_decoder *decoder)
{
	struct json_frame *frame = json_top(decoder);

	if (decoder->skip || json_is_raw(frame))
		return json_skip_open(decoder);
	if (!json_frame_is_struct(frame))
		return json_mismatch_open(decoder, "an array");
	switch (frame->current->kind) {
	case JSON_KIND_STRINGS:
	case JSON_KIND_NUMBERS:
	case JSON_KIND_FLAGS:
	case JSON_KIND_OBJECTS:
		return push_list(decoder, frame->current, frame->base + frame->current->offset);
	default:
		return json_mismatch_open(decoder, "an array");
	}
}

/* Forget what an earlier property of the same name said (documents where the last one wins). */
static void property_reset(struct json_frame *frame, const struct json_field *field)
{
	/* clang-format off */
	static const uint8_t kind_size[] = {
		[JSON_KIND_BOOL]       = sizeof(bool),
		[JSON_KIND_STRING]     = sizeof(char *),
		[JSON_KIND_U16]        = sizeof(uint16_t),
		[JSON_KIND_U32]        = sizeof(uint32_t),
		[JSON_KIND_U64]        = sizeof(uint64_t),
		[JSON_KIND_I32]        = sizeof(int32_t),
		[JSON_KIND_I64]        = sizeof(int64_t),
		[JSON_KIND_NAME]       = sizeof(int),
		[JSON_KIND_NAME_U64]   = sizeof(uint64_t),
		[JSON_KIND_FLAGS]      = sizeof(uint64_t),
		[JSON_KIND_STRINGS]    = sizeof(struct json_strings),
		[JSON_KIND_NUMBERS]    = sizeof(struct json_numbers),
		[JSON_KIND_SET]        = sizeof(struct json_strings),
		[JSON_KIND_MAP]        = sizeof(struct json_map),
		[JSON_KIND_OBJECT]     = sizeof(void *),
		[JSON_KIND_OBJECTS]    = sizeof(struct json_numbers),
		[JSON_KIND_OBJECT_MAP] = sizeof(struct json_numbers),
		[JSON_KIND_RAW]        = sizeof(char *),
	};
	/* clang-format on */
	size_t size = field->kind == JSON_KIND_INLINE ? field->size : kind_size[field->kind];

	memset(frame->base + field->offset, 0, size);
	if (field->has)
		*(bool *)(frame->base + field->has) = false;
}

static const struct json_field *field_find(struct json_frame *frame, const char *name, size_t size)
{
	const struct json_object *object = frame->object;
	unsigned int row = frame->next;

	for (unsigned int i = 0; i < object->count; i++, row++) {
		if (row >= object->count)
			row = 0;
		if (object->fields[row].length == size &&
		    !memcmp(object->fields[row].name, name, size)) {
			frame->next = row + 1;
			return &object->fields[row];
		}
	}
	return NULL;
}

static int open_key(struct json_decoder *decoder, struct json_frame *frame, const char *name,
		    size_t size)
{
	uint64_t bit;

	frame->current = field_find(frame, name, size);
	frame->key = NULL;
	if (!frame->current) {
		if (frame->object->unknown) {
			frame->key = arena_strndup(decoder->arena, name, size);
			return json_element_allowed(decoder);
		}
		return 1;
	}
	bit = UINT64_C(1) << (frame->current - frame->object->fields);
	if (frame->seen & bit) {
		if (!(decoder->source->flags & JSON_LAST_WINS)) {
			json_report(decoder, RULE_TWICE, "property is given twice");
			if (!json_goes_on(decoder))
				return 0;
		}
		property_reset(frame, frame->current);
	}
	frame->seen |= bit;
	return 1;
}

int json_take_key(struct json_decoder *decoder, const char *name, size_t size)
{
	struct json_frame *frame = json_top(decoder);

	if (decoder->skip)
		return 1;
	frame->current = NULL; /* not any more the member before this one */
	frame->key = NULL;
	if (!json_text_allowed(decoder, name, size) && !json_goes_on(decoder))
		return 0;
	if (json_frame_is_struct(frame))
		return open_key(decoder, frame, name, size);
	if (!json_element_allowed(decoder))
		return 0;
	frame->key = arena_strndup(decoder->arena, name, size);
	if (frame->kind == JSON_KIND_SET)
		json_store_pointer(json_frame_grow(decoder, frame, sizeof(char *)), frame->key);
	else if (frame->kind == JSON_KIND_OBJECT_MAP)
		json_store_pointer(json_frame_grow(decoder, frame, frame->field->size), frame->key);
	return 1;
}

/* -- keys that come twice -------------------------------------------------------------------------
 */

/* Every kind of map keeps the key as the first member of its elements. */
static const char *element_key(const void *element)
{
	const char *key;

	memcpy(&key, element, sizeof(key));
	return key;
}

static int element_compare(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;
	int order = strcmp(element_key(*left), element_key(*right));

	return order ? order : (*left > *right) - (*left < *right);
}

/*
 * Sorting once at the end instead of searching at each insertion: a hostile document has 10^5 keys.
 * Marks all but the last of equal keys; their number, or -EINVAL when they are not allowed.
 */
static int duplicates_mark(struct json_decoder *decoder, struct json_frame *frame, size_t size,
			   bool *drop)
{
	cleanup_free const char **order = xreallocarray(NULL, frame->count, sizeof(*order));
	int found = 0;

	for (size_t i = 0; i < frame->count; i++)
		order[i] = frame->items + i * size;
	qsort(order, frame->count, sizeof(*order), element_compare);
	for (size_t i = 1; i < frame->count; i++) {
		const char *key = element_key(order[i]);

		if (strcmp(element_key(order[i - 1]), key) != 0)
			continue;
		if (!(decoder->source->flags & JSON_LAST_WINS)) {
			struct finding *finding;

			frame->key = key;
			finding = json_report_at(decoder, RULE_TWICE, json_token_start(decoder),
						 "key is given twice");
			if (finding) /* the map's end, where we are, helps nobody */
				finding->offset = FINDING_NOWHERE;
			if (!json_goes_on(decoder))
				return -EINVAL;
		}
		drop[(size_t)(order[i - 1] - frame->items) / size] = true;
		found++;
	}
	return found;
}

static int duplicates_remove(struct json_decoder *decoder, struct json_frame *frame, size_t size)
{
	cleanup_free bool *drop = NULL;
	size_t kept = 0;
	int found;

	if (frame->count < 2)
		return 1;
	drop = xzalloc(frame->count * sizeof(*drop));
	found = duplicates_mark(decoder, frame, size, drop);
	if (found <= 0)
		return found == 0;
	for (size_t i = 0; i < frame->count; i++) {
		if (!drop[i])
			memmove(frame->items + kept++ * size, frame->items + i * size, size);
	}
	memset(frame->items + kept * size, 0, (frame->count - kept) * size);
	frame->count = kept;
	return 1;
}

/* -- the ends -------------------------------------------------------------------------------------
 */

static int close_struct(struct json_decoder *decoder, struct json_frame *frame)
{
	const struct json_object *object = frame->object;

	frame->current = NULL;
	frame->key = NULL;
	for (unsigned int i = 0; i < object->count; i++) {
		if (!(object->fields[i].flags & JSON_REQUIRED) || (frame->seen & UINT64_C(1) << i))
			continue;
		(void)json_report_at(decoder, RULE_MISSING, frame->start,
				     "property \"%s\" is missing", object->fields[i].name);
		if (!json_goes_on(decoder))
			return 0;
		json_fill_required(object, frame->base);
	}
	if (!frame->count)
		return 1;
	if (!duplicates_remove(decoder, frame, sizeof(struct json_pair)))
		return 0;
	json_store_list(frame->base + object->unknown, frame->items, frame->count);
	return 1;
}

static int close_list(struct json_decoder *decoder, struct json_frame *frame)
{
	struct json_frame *parent = &decoder->frames[decoder->depth - 2];

	if (frame->kind == JSON_KIND_FLAGS) {
		*(uint64_t *)(void *)frame->target = frame->mask;
		json_mark_present(parent);
		return 1;
	}
	if (json_frame_is_map(frame) &&
	    !duplicates_remove(decoder, frame, json_element_size(frame)))
		return 0;
	if (!frame->items) /* [] and {} are not NULL */
		(void)json_frame_grow(decoder, frame, json_element_size(frame));
	json_store_list(frame->target, frame->items, frame->count);
	return 1;
}

int json_take_end(struct json_decoder *decoder)
{
	struct json_frame *frame = json_top(decoder);

	if (decoder->skip) {
		return json_skip_close(decoder);
	}
	if (json_frame_is_struct(frame) ? !close_struct(decoder, frame)
					: !close_list(decoder, frame))
		return 0;
	decoder->depth--;
	frame = json_top(decoder);
	if (!json_frame_is_struct(frame))
		frame->count++;
	return 1;
}
