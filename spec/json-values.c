/* SPDX-License-Identifier: Apache-2.0 */
/* Scalars: what may stand where, and their conversion to what the field tables ask for. */
#include "spec/json-decoder.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/number.h"

static const struct name_value *name_find(const struct name_value *names, const char *text,
					  size_t size)
{
	for (; names->name; names++) {
		if (!strncmp(names->name, text, size) && !names->name[size])
			return names;
	}
	return NULL;
}

static int fail_name(struct json_decoder *decoder, const struct json_field *field, const char *text,
		     size_t size)
{
	cleanup_free char *word = xstrndup(text, size);
	struct suggestion suggestion = { .word = word };
	const char *complaint = field->complaint ? field->complaint : "";
	const char *colon = field->complaint ? ": " : "";

	/* the distance takes time and memory by length, and nobody mistypes this much */
	for (size_t i = 0; field->names[i].name && size < 64; i++)
		suggestion_consider(&suggestion, field->names[i].name);
	if (suggestion.best)
		return json_fail(decoder, RULE_VALUE,
				 "%s%sunknown value \"%s\", did you mean \"%s\"?", complaint, colon,
				 word, suggestion.best);
	return json_fail(decoder, RULE_VALUE, "%s%sunknown value \"%s\"", complaint, colon, word);
}

static int store_string(struct json_decoder *decoder, struct json_frame *frame, const char *text,
			size_t size)
{
	const struct json_field *field = frame->current;
	const struct name_value *name = NULL;
	void *target = frame->base + field->offset;

	if (field->names) {
		name = name_find(field->names, text, size);
		if (!name)
			return fail_name(decoder, field, text, size);
	}
	if (field->kind == JSON_KIND_STRING)
		json_store_pointer(target, arena_strndup(decoder->arena, text, size));
	else if (field->kind == JSON_KIND_NAME)
		*(int *)target = (int)name->value;
	else
		*(uint64_t *)target = (uint64_t)name->value;
	json_mark_present(frame);
	return 1;
}

static int append_string(struct json_decoder *decoder, struct json_frame *frame, const char *text,
			 size_t size)
{
	const struct name_value *name = NULL;

	if (!json_element_allowed(decoder))
		return 0;
	if (frame->kind == JSON_KIND_MAP) {
		struct json_pair *pair = (void *)json_frame_grow(decoder, frame, sizeof(*pair));

		pair->key = frame->key;
		pair->value = arena_strndup(decoder->arena, text, size);
		frame->count++;
		return 1;
	}
	if (frame->field->names) {
		name = name_find(frame->field->names, text, size);
		if (!name)
			return fail_name(decoder, frame->field, text, size);
	}
	if (frame->kind == JSON_KIND_FLAGS)
		frame->mask |= (uint64_t)name->value;
	else
		json_store_pointer(json_frame_grow(decoder, frame, sizeof(char *)),
				   arena_strndup(decoder->arena, text, size));
	frame->count++;
	return 1;
}
int json_take_null(struct json_decoder *decoder)
{
	struct json_frame *frame = json_top(decoder);
	const struct json_field *field = frame->current;

	if (decoder->depth == 1)
		return json_mismatch(decoder, "null");
	if (json_frame_is_struct(frame)) {
		if (!(field->flags & JSON_KEEP_NULL))
			frame->seen &= ~(UINT64_C(1) << (field - frame->object->fields));
		else if (field->kind == JSON_KIND_MAP)
			((struct json_map *)(void *)(frame->base + field->offset))->null = true;
		else
			((struct json_strings *)(void *)(frame->base + field->offset))->null = true;
		return 1;
	}
	switch (frame->kind) {
	case JSON_KIND_MAP: /* a property that is absent */
		return 1;
	case JSON_KIND_SET:
	case JSON_KIND_OBJECT_MAP: /* the key alone says something */
		frame->count++;
		return 1;
	default:
		return json_mismatch(decoder, "null");
	}
}

int json_take_bool(struct json_decoder *decoder, bool value)
{
	struct json_frame *frame = json_top(decoder);

	if (!json_frame_is_struct(frame) || frame->current->kind != JSON_KIND_BOOL)
		return json_mismatch(decoder, value ? "true" : "false");
	*(bool *)(frame->base + frame->current->offset) = value;
	json_mark_present(frame);
	return 1;
}

/* Parses text as kind into *target: 0, -ERANGE, -EINVAL (not a number kind, or not an integer). */
static int number_store(enum json_kind kind, const char *text, void *target)
{
	uint64_t u64 = 0;
	int64_t i64 = 0;
	int ret;

	switch (kind) {
	case JSON_KIND_U16:
		ret = number_parse_u64(text, &u64);
		if (!ret && u64 > UINT16_MAX)
			ret = -ERANGE;
		if (!ret)
			*(uint16_t *)target = (uint16_t)u64;
		return ret;
	case JSON_KIND_U32:
		return number_parse_u32(text, target);
	case JSON_KIND_U64:
		return number_parse_u64(text, target);
	case JSON_KIND_I32:
		ret = number_parse_i64(text, &i64);
		if (!ret && (i64 > INT32_MAX || i64 < INT32_MIN))
			ret = -ERANGE;
		if (!ret)
			*(int32_t *)target = (int32_t)i64;
		return ret;
	case JSON_KIND_I64:
		return number_parse_i64(text, target);
	default:
		return -EINVAL;
	}
}

static bool kind_is_number(enum json_kind kind)
{
	return kind >= JSON_KIND_U16 && kind <= JSON_KIND_I64;
}

int json_take_number(struct json_decoder *decoder, const char *text, size_t size)
{
	struct json_frame *frame = json_top(decoder);
	enum json_kind kind = json_wanted_kind(frame);
	char digits[48] = "";
	char *target;

	if (!kind_is_number(kind))
		return json_mismatch(decoder, "a number");
	if (size >= sizeof(digits))
		return json_fail(decoder, RULE_TYPE, "expected %s, not one of %zu digits",
				 json_kind_text[kind], size);
	memcpy(digits, text, size);
	if (strpbrk(digits, ".eE"))
		return json_fail(decoder, RULE_TYPE,
				 "expected %s without a fraction or exponent, not %s",
				 json_kind_text[kind], digits);
	if (!strcmp(digits, "-0")) /* which JSON has and number_parse_*() need not */
		digits[0] = '0', digits[1] = '\0';
	if (!json_frame_is_struct(frame) && !json_element_allowed(decoder))
		return 0;
	target = json_frame_is_struct(frame) ? frame->base + frame->current->offset
					     : json_frame_grow(decoder, frame, sizeof(uint32_t));
	if (number_store(kind, digits, target) < 0)
		return json_fail(decoder, RULE_TYPE, "expected %s, not %s", json_kind_text[kind],
				 digits);
	if (json_frame_is_struct(frame))
		json_mark_present(frame);
	else
		frame->count++;
	return 1;
}

/* The \uXXXX at text, or -1. */
static int unicode_escape(const char *text, const char *end)
{
	char digits[5] = "";

	if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	memcpy(digits, text + 2, 4);
	return (int)strtoul(digits, NULL, 16); /* yajl has seen that these are four hex digits */
}

/*
 * What the decoded text alone does not tell: yajl makes '?' of half a surrogate pair, Go's decoder
 * U+FFFD, and both end up with another path than the one that was meant.
 */
static bool surrogates_are_paired(const struct json_decoder *decoder)
{
	const char *text = decoder->source->text + json_token_start(decoder);
	const char *end = decoder->source->text + json_consumed(decoder);

	for (text = memchr(text, '\\', (size_t)(end - text)); text && text < end;
	     text = memchr(text, '\\', (size_t)(end - text))) {
		int unit = unicode_escape(text, end);
		int next = unit >= 0 ? unicode_escape(text + 6, end) : -1;
		bool high = unit >= 0xd800 && unit < 0xdc00, low = unit >= 0xdc00 && unit < 0xe000;

		if (low || (high && (next < 0xdc00 || next >= 0xe000)))
			return false;
		text += high ? 12 : unit >= 0 ? 6 : 2;
	}
	return true;
}

/*
 * yajl hands out a piece of the document itself when nothing in the string was escaped; such a
 * piece has no control characters, so there is nothing left to look at.
 */
static bool is_unescaped(const struct json_decoder *decoder, const char *text)
{
	uintptr_t start = (uintptr_t)decoder->source->text, here = (uintptr_t)text;

	return here >= start && here - start < decoder->source->size;
}

bool json_text_allowed(struct json_decoder *decoder, const char *text, size_t size)
{
	if (is_unescaped(decoder, text))
		return true;
	if (memchr(text, '\0', size)) {
		json_report(decoder, RULE_TEXT, "a string may not contain NUL (\\u0000)");
		return false;
	}
	if (!surrogates_are_paired(decoder)) {
		json_report(decoder, RULE_TEXT,
			    "half of a surrogate pair (\\ud800 to \\udfff) in a string");
		return false;
	}
	return true;
}

int json_take_string(struct json_decoder *decoder, const char *text, size_t size)
{
	struct json_frame *frame = json_top(decoder);

	if (!json_text_allowed(decoder, text, size))
		return json_value_lost(decoder);
	switch (json_wanted_kind(frame)) {
	case JSON_KIND_STRING:
	case JSON_KIND_NAME:
	case JSON_KIND_NAME_U64:
		return json_frame_is_struct(frame) ? store_string(decoder, frame, text, size)
						   : append_string(decoder, frame, text, size);
	default:
		return json_mismatch(decoder, "a string");
	}
}
