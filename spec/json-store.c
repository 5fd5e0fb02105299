/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where decoded values go: members of structs, growing lists, the raw text of what is not looked
 * into. And what stands there instead of a value that is wrong.
 */
#include "spec/json-decoder.h"

#include <string.h>

/* clang-format off */
const char *const json_kind_text[] = {
	[JSON_KIND_BOOL]       = "true or false",
	[JSON_KIND_STRING]     = "a string",
	[JSON_KIND_U16]        = "a whole number from 0 to 65535",
	[JSON_KIND_U32]        = "a whole number from 0 to 4294967295",
	[JSON_KIND_U64]        = "a whole number from 0 to 18446744073709551615",
	[JSON_KIND_I32]        = "a whole number from -2147483648 to 2147483647",
	[JSON_KIND_I64]        = "a whole number from -9223372036854775808 to 9223372036854775807",
	[JSON_KIND_NAME]       = "a string",
	[JSON_KIND_NAME_U64]   = "a string",
	[JSON_KIND_FLAGS]      = "an array of strings",
	[JSON_KIND_STRINGS]    = "an array of strings",
	[JSON_KIND_NUMBERS]    = "an array of numbers",
	[JSON_KIND_SET]        = "an object of objects",
	[JSON_KIND_MAP]        = "an object of strings",
	[JSON_KIND_INLINE]     = "an object",
	[JSON_KIND_OBJECT]     = "an object",
	[JSON_KIND_OBJECTS]    = "an array of objects",
	[JSON_KIND_OBJECT_MAP] = "an object of objects",
	[JSON_KIND_RAW]        = "any value",
};

/* What the values inside an array or map are. */
static const enum json_kind element_kind[] = {
	[JSON_KIND_FLAGS]      = JSON_KIND_STRING,
	[JSON_KIND_STRINGS]    = JSON_KIND_STRING,
	[JSON_KIND_NUMBERS]    = JSON_KIND_U32,
	[JSON_KIND_SET]        = JSON_KIND_INLINE,
	[JSON_KIND_MAP]        = JSON_KIND_STRING,
	[JSON_KIND_OBJECTS]    = JSON_KIND_INLINE,
	[JSON_KIND_OBJECT_MAP] = JSON_KIND_INLINE,
};
/* clang-format on */

enum json_kind json_wanted_kind(const struct json_frame *frame)
{
	return json_frame_is_struct(frame) ? (enum json_kind)frame->current->kind
					   : element_kind[frame->kind];
}

size_t json_element_size(const struct json_frame *frame)
{
	switch (frame->kind) {
	case JSON_KIND_OBJECTS:
	case JSON_KIND_OBJECT_MAP:
		return frame->field->size;
	case JSON_KIND_NUMBERS:
		return sizeof(uint32_t);
	case JSON_KIND_MAP:
		return sizeof(struct json_pair);
	default:
		return sizeof(char *);
	}
}

void json_store_pointer(char *target, const void *pointer)
{
	memcpy(target, &pointer, sizeof(pointer));
}

void json_store_list(char *target, const void *items, size_t count)
{
	json_store_pointer(target, items);
	memcpy(target + sizeof(void *), &count, sizeof(count));
}

char *json_frame_grow(struct json_decoder *decoder, struct json_frame *frame, size_t size)
{
	if (frame->count + 1 >= frame->capacity) {
		size_t capacity = frame->capacity ? frame->capacity * 2 : 8;
		char *items = arena_alloc(decoder->arena, capacity * size);

		if (frame->count)
			memcpy(items, frame->items, frame->count * size);
		frame->items = items;
		frame->capacity = capacity;
	}
	return frame->items + frame->count * size;
}

bool json_element_allowed(struct json_decoder *decoder)
{
	if (++decoder->elements <= JSON_ELEMENTS_MAX)
		return true;
	return json_stop(decoder, "more than %zu elements in one document", JSON_ELEMENTS_MAX);
}

void json_mark_present(const struct json_frame *frame)
{
	if (frame->current->has)
		*(bool *)(frame->base + frame->current->has) = true;
}

void json_fill_required(const struct json_object *object, char *base)
{
	for (unsigned int i = 0; i < object->count; i++) {
		const struct json_field *field = &object->fields[i];
		const char *text;

		if (field->kind != JSON_KIND_STRING || !(field->flags & JSON_REQUIRED))
			continue;
		memcpy(&text, base + field->offset, sizeof(text));
		if (!text)
			json_store_pointer(base + field->offset, "");
	}
}

int json_value_lost(struct json_decoder *decoder)
{
	struct json_frame *frame = json_top(decoder);
	char *element;

	if (!json_goes_on(decoder))
		return 0;
	if (json_frame_is_struct(frame)) {
		if (decoder->depth > 1)
			json_fill_required(frame->object, frame->base);
		return 1;
	}
	if (!json_element_allowed(decoder))
		return 0;
	if (frame->kind != JSON_KIND_FLAGS) {
		element = json_frame_grow(decoder, frame, json_element_size(frame));
		if (frame->kind == JSON_KIND_MAP)
			*(struct json_pair *)(void *)element = (struct json_pair){ frame->key, "" };
		else if (frame->kind == JSON_KIND_STRINGS)
			json_store_pointer(element, "");
		else if (frame->kind != JSON_KIND_NUMBERS && frame->kind != JSON_KIND_SET)
			json_fill_required(frame->field->object, element);
	}
	frame->count++;
	return 1;
}

int json_mismatch(struct json_decoder *decoder, const char *found)
{
	return json_fail(decoder, RULE_TYPE, "expected %s, not %s",
			 json_kind_text[json_wanted_kind(json_top(decoder))], found);
}

/* Raw text of an unknown member (kept by open tables) or of a RAW property. */
static void store_raw(struct json_decoder *decoder, struct json_frame *frame)
{
	char *text = NULL;

	if (!frame->current && !frame->object->unknown)
		return;
	text = arena_strndup(decoder->arena, decoder->source->text + decoder->raw_start,
			     json_consumed(decoder) - decoder->raw_start);
	if (frame->current) {
		json_store_pointer(frame->base + frame->current->offset, text);
		json_mark_present(frame);
	} else {
		struct json_pair *pair = (void *)json_frame_grow(decoder, frame, sizeof(*pair));

		pair->key = frame->key;
		pair->value = text;
		frame->count++;
	}
}

bool json_is_raw(const struct json_frame *frame)
{
	return json_frame_is_struct(frame) &&
	       (!frame->current || frame->current->kind == JSON_KIND_RAW);
}

bool json_skip_scalar(struct json_decoder *decoder)
{
	struct json_frame *frame = json_top(decoder);

	if (!decoder->skip) {
		if (!json_is_raw(frame))
			return false;
		decoder->raw_start = json_token_start(decoder);
		store_raw(decoder, frame);
	}
	return true;
}

int json_skip_open(struct json_decoder *decoder)
{
	if (!decoder->skip)
		decoder->raw_start = json_token_start(decoder);
	if (decoder->depth + decoder->skip >= JSON_DEPTH_MAX)
		return json_stop(decoder, "nested more than %d levels deep", JSON_DEPTH_MAX - 1);
	decoder->skip++;
	return 1;
}

int json_skip_close(struct json_decoder *decoder)
{
	struct json_frame *frame = json_top(decoder);

	if (--decoder->skip)
		return 1;
	if (decoder->skip_lost) {
		decoder->skip_lost = false;
		return json_value_lost(decoder);
	}
	if (json_frame_is_struct(frame))
		store_raw(decoder, frame);
	else
		frame->count++; /* a member of a set */
	return 1;
}

/* An object or array where something else should be: all of it is lost. */
int json_mismatch_open(struct json_decoder *decoder, const char *found)
{
	json_report(decoder, RULE_TYPE, "expected %s, not %s",
		    json_kind_text[json_wanted_kind(json_top(decoder))], found);
	decoder->skip_lost = true;
	return json_goes_on(decoder) && json_skip_open(decoder);
}
