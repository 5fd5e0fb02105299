/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding: yajl's events go straight into structs as the field tables say, without a tree. What an
 * event means is in json-values.c (scalars) and json-frames.c (objects and arrays).
 */
#include "spec/json-decoder.h"

#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>
#include <yajl/yajl_version.h>

static int on_null(void *context)
{
	struct json_decoder *decoder = context;
	int ret = json_skip_scalar(decoder) || json_take_null(decoder);

	decoder->token_end = json_consumed(decoder);
	return ret;
}

static int on_bool(void *context, int value)
{
	struct json_decoder *decoder = context;
	int ret = json_skip_scalar(decoder) || json_take_bool(decoder, value);

	decoder->token_end = json_consumed(decoder);
	return ret;
}

static int on_number(void *context, const char *text, size_t size)
{
	struct json_decoder *decoder = context;
	int ret = json_skip_scalar(decoder) || json_take_number(decoder, text, size);

	decoder->token_end = json_consumed(decoder);
	return ret;
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
	struct json_decoder *decoder = context;
	int ret = json_skip_scalar(decoder) || json_take_string(decoder, (const char *)text, size);

	decoder->token_end = json_consumed(decoder);
	return ret;
}

static int on_start_map(void *context)
{
	struct json_decoder *decoder = context;
	int ret = json_take_map(decoder);

	decoder->token_end = json_consumed(decoder);
	return ret;
}

static int on_start_array(void *context)
{
	struct json_decoder *decoder = context;
	int ret = json_take_array(decoder);

	decoder->token_end = json_consumed(decoder);
	return ret;
}

static int on_key(void *context, const unsigned char *name, size_t size)
{
	struct json_decoder *decoder = context;
	int ret = json_take_key(decoder, (const char *)name, size);

	decoder->token_end = json_consumed(decoder);
	return ret;
}

static int on_end(void *context)
{
	struct json_decoder *decoder = context;
	int ret = json_take_end(decoder);

	decoder->token_end = json_consumed(decoder);
	return ret;
}

static void *yajl_malloc(void *context, size_t size)
{
	(void)context;
	return xmalloc(size);
}

static void *yajl_realloc(void *context, void *old, size_t size)
{
	(void)context;
	return xreallocarray(old, size, 1);
}

static void yajl_release(void *context, void *pointer)
{
	(void)context;
	free(pointer);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number, /* raw text: yajl's own integers end at 2^63 - 1 */
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end,
};

/* yajl has read past what it does not like: back to the character, or to the token's first. */
static size_t syntax_offset(const struct json_decoder *decoder, const char *message)
{
	size_t offset = json_consumed(decoder), start = json_token_start(decoder);

	if (offset)
		offset--;
	return strncmp(message, "lexical", 7) != 0 && start < offset ? start : offset;
}

static int fail_syntax(struct json_decoder *decoder)
{
	unsigned char *text = yajl_get_error(decoder->yajl, 0, NULL, 0);
	const char *message = text ? (const char *)text : "error: not JSON";
	size_t offset = decoder->at_end ? decoder->source->size : syntax_offset(decoder, message);
	const char *what = strstr(message, "error: ");

	what = what ? what + strlen("error: ") : message;
	if (decoder->at_end)
		what = decoder->source->size ? "the document ends too early"
					     : "the document is empty";
	(void)json_report_at(decoder, RULE_SYNTAX, offset, "%.*s", (int)strcspn(what, ".\n"), what);
	if (text)
		yajl_free_error(decoder->yajl, text);
	return decoder->ret;
}

static int decode(struct json_decoder *decoder)
{
	const struct json_source *source = decoder->source;
	yajl_status status;

	status = yajl_parse(decoder->yajl, (const unsigned char *)source->text, source->size);
	if (status == yajl_status_error)
		return fail_syntax(decoder);
	if (status == yajl_status_ok) {
		decoder->at_end = true;
		status = yajl_complete_parse(decoder->yajl);
	}
	if (status == yajl_status_error)
		return fail_syntax(decoder);
	/* with a list, what counts is that the document was read to its end */
	return decoder->findings && status == yajl_status_ok ? 0 : decoder->ret;
}

static int decode_root(const struct json_source *source, const struct json_field *root,
		       struct arena *arena, void *out, struct error *err)
{
	yajl_alloc_funcs memory = { yajl_malloc, yajl_realloc, yajl_release, NULL };
	const struct json_object document = { .fields = root, .count = 1, .size = root->size };
	size_t max_size = source->max_size ? source->max_size : (size_t)16 << 20;
	struct json_decoder decoder;
	int ret;

	if (source->size > max_size) {
		if (source->findings)
			(void)findings_add(source->findings, RULE_LIMIT, "",
					   "larger than %zu bytes", max_size);
		return error_invalid(err, "%s: larger than %zu bytes", source->name, max_size);
	}
	/* not the frames: json_push() clears each */
	memset(&decoder, 0, offsetof(struct json_decoder, frames));
	decoder.source = source;
	decoder.arena = arena;
	decoder.err = err;
	decoder.findings = source->findings;
	decoder.yajl = yajl_alloc(&callbacks, &memory, &decoder);
	if (source->flags & JSON_IGNORE_TRAILING)
		(void)yajl_config(decoder.yajl, yajl_allow_trailing_garbage, 1);
	(void)json_push(&decoder);
	decoder.frames[0].kind = JSON_KIND_INLINE;
	decoder.frames[0].object = &document;
	decoder.frames[0].base = out;
	decoder.frames[0].current = root;
	ret = decode(&decoder);
	yajl_free(decoder.yajl);
	return ret;
}

int json_decode(const struct json_source *source, const struct json_object *table,
		struct arena *arena, void *out, struct error *err)
{
	const struct json_field root = {
		.name = "", .kind = JSON_KIND_INLINE, .object = table, .size = table->size
	};

	return decode_root(source, &root, arena, out, err);
}

int json_decode_list(const struct json_source *source, const struct json_object *table,
		     struct arena *arena, void *out, struct error *err)
{
	const struct json_field root = {
		.name = "", .kind = JSON_KIND_OBJECTS, .object = table, .size = table->size
	};

	return decode_root(source, &root, arena, out, err);
}

const char *json_library_version(struct arena *arena)
{
	int version = yajl_version();

	return arena_printf(arena, "%d.%d.%d", version / 10000, version / 100 % 100, version % 100);
}
