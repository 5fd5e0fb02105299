/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding: yajl's events go straight into structs as the field tables say, without a tree. This is
 * the only file that knows yajl. A stack of frames holds the open objects and arrays; whatever is
 * in no table is skipped by counting brackets.
 */
#include "spec/json-table.h"

#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "lib/cleanup.h"
#include "lib/number.h"
#include "spec/findings.h"

/* The names of these rules in docs/validation.md; the first two end the decoding. */
#define RULE_SYNTAX "json-syntax"
#define RULE_LIMIT "json-limit"
#define RULE_TYPE "json-type"
#define RULE_VALUE "json-value"
#define RULE_TEXT "json-text"
#define RULE_TWICE "json-twice"
#define RULE_MISSING "json-missing"

/* One open object or array. `kind` tells what it fills: a struct (INLINE) or one of the lists. */
struct frame {
	enum json_kind kind;
	const struct json_field *field; /* the row that this is the value of */
	char *target;			/* where the finished list goes */

	const struct json_object *object; /* a struct: its table ... */
	char *base;			  /* ... and the struct */
	const struct json_field *current; /* row of the property being read; NULL = unknown one */
	uint64_t seen;			  /* bit per row */
	size_t start;			  /* offset of its bracket */
	unsigned int next;		  /* row to try first */

	char *items; /* a list, a map, or the unknown members of a struct */
	size_t count;
	size_t capacity;
	uint64_t mask;	 /* of a FLAGS array */
	const char *key; /* of the member being read, where it is kept */
};

struct decoder {
	const struct json_source *source;
	struct arena *arena;
	struct error *err;
	struct findings *findings; /* NULL: end at the first */
	yajl_handle yajl;
	int ret;     /* what was found wrong */
	bool at_end; /* yajl_complete_parse() counts its bytes from 0 again */

	size_t token_end;  /* offset behind the token before this one */
	unsigned int skip; /* open brackets of a value that no table asks for ... */
	bool skip_lost;	   /* ... or that is not what the table asks for */
	size_t raw_start;  /* where that value began */
	size_t elements;
	unsigned int depth; /* frames in use */
	struct frame frames[JSON_DEPTH_MAX];
};

static struct frame *top(struct decoder *decoder)
{
	return &decoder->frames[decoder->depth - 1];
}

static bool frame_is_struct(const struct frame *frame)
{
	return frame->kind == JSON_KIND_INLINE;
}

static bool frame_is_map(const struct frame *frame)
{
	return frame->kind == JSON_KIND_MAP || frame->kind == JSON_KIND_SET ||
	       frame->kind == JSON_KIND_OBJECT_MAP;
}

/* -- places and messages ----------------------------------------------------------------------- */

static size_t consumed(const struct decoder *decoder)
{
	size_t offset = yajl_get_bytes_consumed(decoder->yajl);

	return offset < decoder->source->size && !decoder->at_end ? offset : decoder->source->size;
}

/* Where the token that yajl reports right now begins. */
static size_t token_start(const struct decoder *decoder)
{
	const char *text = decoder->source->text;
	size_t offset = decoder->token_end;

	/* \v and \f are no blanks of JSON, but yajl takes them as such */
	while (offset < decoder->source->size && text[offset] &&
	       strchr(" \t\r\n\v\f,:", text[offset]))
		offset++;
	return offset;
}

static void pointer_build(const struct decoder *decoder, struct strbuf *pointer)
{
	/* the first frame stands for the document itself */
	for (unsigned int i = 1; i < decoder->depth; i++) {
		const struct frame *frame = &decoder->frames[i];

		if (frame_is_struct(frame)) {
			if (frame->current)
				json_pointer_add(pointer, frame->current->name);
			else if (frame->key)
				json_pointer_add(pointer, frame->key);
		} else if (frame_is_map(frame)) {
			if (frame->key)
				json_pointer_add(pointer, frame->key);
		} else {
			strbuf_addf(pointer, "/%zu", frame->count);
		}
	}
}

static void position_find(const struct json_source *source, size_t offset, size_t *line,
			  size_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset && i < source->size; i++) {
		if (source->text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)source->text[i] & 0xc0) != 0x80) {
			++*column; /* a character, not a byte of one */
		}
	}
}

/* A message of the caller's that wants no list. */
static void error_fill(struct decoder *decoder, const char *pointer, size_t offset,
		       const char *message)
{
	struct error *err = decoder->err;
	size_t line, column;

	position_find(decoder->source, offset, &line, &column);
	(void)error_invalid(err, "%s", message);
	if (*pointer) {
		(void)error_prefix(err, -EINVAL, "%s", pointer);
		(void)error_pointer(err, -EINVAL, "%s", pointer);
	}
	(void)error_prefix(err, -EINVAL, "%s:%zu:%zu", decoder->source->name, line, column);
	(void)error_phase(err, -EINVAL, PHASE_CONFIG);
}

static struct finding *report_at(struct decoder *decoder, const char *rule, size_t offset,
				 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What is wrong: into the list, if the caller wants one, and the first into the error. */
static struct finding *report_at(struct decoder *decoder, const char *rule, size_t offset,
				 const char *format, ...)
{
	cleanup_strbuf struct strbuf pointer = STRBUF_INIT, message = STRBUF_INIT;
	struct finding *finding = NULL;
	va_list ap;

	va_start(ap, format);
	strbuf_vaddf(&message, format, ap);
	va_end(ap);
	pointer_build(decoder, &pointer);
	if (!decoder->ret)
		error_fill(decoder, strbuf_text(&pointer), offset, strbuf_text(&message));
	decoder->ret = -EINVAL;
	if (decoder->findings)
		finding = findings_add(decoder->findings, rule, strbuf_text(&pointer), "%s",
				       strbuf_text(&message));
	if (finding)
		finding->offset = offset;
	return finding;
}

#define report(decoder, rule, ...) (void)report_at(decoder, rule, token_start(decoder), __VA_ARGS__)

/* For what ends the decoding, with and without a list. */
#define stop(decoder, ...) (report_at(decoder, RULE_LIMIT, token_start(decoder), __VA_ARGS__), 0)

/* Whether decoding goes on: with a list, each value that is wrong counts as one that is absent. */
static bool goes_on(const struct decoder *decoder)
{
	return decoder->findings && !decoder->findings->dropped;
}

/* clang-format off */
static const char *const kind_text[] = {
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

static enum json_kind wanted_kind(const struct frame *frame)
{
	return frame_is_struct(frame) ? (enum json_kind)frame->current->kind
				      : element_kind[frame->kind];
}

/* The size of an element of a list. */
static size_t element_size(const struct frame *frame)
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

/* -- storing ----------------------------------------------------------------------------------- */

/* Members are of many pointer types: memcpy is the store that is right for all. */
static void store_pointer(char *target, const void *pointer)
{
	memcpy(target, &pointer, sizeof(pointer));
}

static void store_list(char *target, const void *items, size_t count)
{
	store_pointer(target, items);
	memcpy(target + sizeof(void *), &count, sizeof(count));
}

/* The address of a new, zeroed element behind the last; one more slot is kept for a final NULL. */
static char *frame_grow(struct decoder *decoder, struct frame *frame, size_t size)
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

static bool element_allowed(struct decoder *decoder)
{
	if (++decoder->elements <= JSON_ELEMENTS_MAX)
		return true;
	return stop(decoder, "more than %zu elements in one document", JSON_ELEMENTS_MAX);
}

static void mark_present(const struct frame *frame)
{
	if (frame->current->has)
		*(bool *)(frame->base + frame->current->has) = true;
}

/* -- values that are wrong ------------------------------------------------------------------------
 */

/* Who reads the struct may rely on required strings; the other kinds have a harmless zero. */
static void fill_required(const struct json_object *object, char *base)
{
	for (unsigned int i = 0; i < object->count; i++) {
		const struct json_field *field = &object->fields[i];
		const char *text;

		if (field->kind != JSON_KIND_STRING || !(field->flags & JSON_REQUIRED))
			continue;
		memcpy(&text, base + field->offset, sizeof(text));
		if (!text)
			store_pointer(base + field->offset, "");
	}
}

/*
 * A value was reported that cannot be stored. Elements of lists keep their places, so that what is
 * said about those behind has the right index.
 */
static int value_lost(struct decoder *decoder)
{
	struct frame *frame = top(decoder);
	char *element;

	if (!goes_on(decoder))
		return 0;
	if (frame_is_struct(frame)) {
		if (decoder->depth > 1)
			fill_required(frame->object, frame->base);
		return 1;
	}
	if (!element_allowed(decoder))
		return 0;
	if (frame->kind != JSON_KIND_FLAGS) {
		element = frame_grow(decoder, frame, element_size(frame));
		if (frame->kind == JSON_KIND_MAP)
			*(struct json_pair *)(void *)element = (struct json_pair){ frame->key, "" };
		else if (frame->kind == JSON_KIND_STRINGS)
			store_pointer(element, "");
		else if (frame->kind != JSON_KIND_NUMBERS && frame->kind != JSON_KIND_SET)
			fill_required(frame->field->object, element);
	}
	frame->count++;
	return 1;
}

#define fail(decoder, rule, ...)                                                                   \
	(report_at(decoder, rule, token_start(decoder), __VA_ARGS__), value_lost(decoder))

static int mismatch(struct decoder *decoder, const char *found)
{
	return fail(decoder, RULE_TYPE, "expected %s, not %s", kind_text[wanted_kind(top(decoder))],
		    found);
}

/* -- storing by kind ------------------------------------------------------------------------------
 */

static const struct name_value *name_find(const struct name_value *names, const char *text,
					  size_t size)
{
	for (; names->name; names++) {
		if (!strncmp(names->name, text, size) && !names->name[size])
			return names;
	}
	return NULL;
}

static int fail_name(struct decoder *decoder, const struct json_field *field, const char *text,
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
		return fail(decoder, RULE_VALUE, "%s%sunknown value \"%s\", did you mean \"%s\"?",
			    complaint, colon, word, suggestion.best);
	return fail(decoder, RULE_VALUE, "%s%sunknown value \"%s\"", complaint, colon, word);
}

static int store_string(struct decoder *decoder, struct frame *frame, const char *text, size_t size)
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
		store_pointer(target, arena_strndup(decoder->arena, text, size));
	else if (field->kind == JSON_KIND_NAME)
		*(int *)target = (int)name->value;
	else
		*(uint64_t *)target = (uint64_t)name->value;
	mark_present(frame);
	return 1;
}

static int append_string(struct decoder *decoder, struct frame *frame, const char *text,
			 size_t size)
{
	const struct name_value *name = NULL;

	if (!element_allowed(decoder))
		return 0;
	if (frame->kind == JSON_KIND_MAP) {
		struct json_pair *pair = (void *)frame_grow(decoder, frame, sizeof(*pair));

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
		store_pointer(frame_grow(decoder, frame, sizeof(char *)),
			      arena_strndup(decoder->arena, text, size));
	frame->count++;
	return 1;
}

/* Raw text of an unknown member (kept by open tables) or of a RAW property. */
static void store_raw(struct decoder *decoder, struct frame *frame)
{
	char *text = NULL;

	if (!frame->current && !frame->object->unknown)
		return;
	text = arena_strndup(decoder->arena, decoder->source->text + decoder->raw_start,
			     consumed(decoder) - decoder->raw_start);
	if (frame->current) {
		store_pointer(frame->base + frame->current->offset, text);
		mark_present(frame);
	} else {
		struct json_pair *pair = (void *)frame_grow(decoder, frame, sizeof(*pair));

		pair->key = frame->key;
		pair->value = text;
		frame->count++;
	}
}

/* -- values that are not looked into ------------------------------------------------------------
 */

static bool is_raw(const struct frame *frame)
{
	return frame_is_struct(frame) && (!frame->current || frame->current->kind == JSON_KIND_RAW);
}

/* A scalar while skipping or of no interest: true when it is dealt with. */
static bool skip_scalar(struct decoder *decoder)
{
	struct frame *frame = top(decoder);

	if (!decoder->skip) {
		if (!is_raw(frame))
			return false;
		decoder->raw_start = token_start(decoder);
		store_raw(decoder, frame);
	}
	return true;
}

static int skip_open(struct decoder *decoder)
{
	if (!decoder->skip)
		decoder->raw_start = token_start(decoder);
	if (decoder->depth + decoder->skip >= JSON_DEPTH_MAX)
		return stop(decoder, "nested more than %d levels deep", JSON_DEPTH_MAX - 1);
	decoder->skip++;
	return 1;
}

static int skip_close(struct decoder *decoder)
{
	struct frame *frame = top(decoder);

	if (--decoder->skip)
		return 1;
	if (decoder->skip_lost) {
		decoder->skip_lost = false;
		return value_lost(decoder);
	}
	if (frame_is_struct(frame))
		store_raw(decoder, frame);
	else
		frame->count++; /* a member of a set */
	return 1;
}

/* An object or array where something else should be: all of it is lost. */
static int mismatch_open(struct decoder *decoder, const char *found)
{
	report(decoder, RULE_TYPE, "expected %s, not %s", kind_text[wanted_kind(top(decoder))],
	       found);
	decoder->skip_lost = true;
	return goes_on(decoder) && skip_open(decoder);
}

/* -- scalars -------------------------------------------------------------------------------------
 */

static int take_null(struct decoder *decoder)
{
	struct frame *frame = top(decoder);
	const struct json_field *field = frame->current;

	if (decoder->depth == 1)
		return mismatch(decoder, "null");
	if (frame_is_struct(frame)) {
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
		return mismatch(decoder, "null");
	}
}

static int on_null(void *context)
{
	struct decoder *decoder = context;
	int ret = skip_scalar(decoder) || take_null(decoder);

	decoder->token_end = consumed(decoder);
	return ret;
}

static int take_bool(struct decoder *decoder, bool value)
{
	struct frame *frame = top(decoder);

	if (!frame_is_struct(frame) || frame->current->kind != JSON_KIND_BOOL)
		return mismatch(decoder, value ? "true" : "false");
	*(bool *)(frame->base + frame->current->offset) = value;
	mark_present(frame);
	return 1;
}

static int on_bool(void *context, int value)
{
	struct decoder *decoder = context;
	int ret = skip_scalar(decoder) || take_bool(decoder, value);

	decoder->token_end = consumed(decoder);
	return ret;
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

static int take_number(struct decoder *decoder, const char *text, size_t size)
{
	struct frame *frame = top(decoder);
	enum json_kind kind = wanted_kind(frame);
	char digits[48] = "";
	char *target;

	if (!kind_is_number(kind))
		return mismatch(decoder, "a number");
	if (size >= sizeof(digits))
		return fail(decoder, RULE_TYPE, "expected %s, not one of %zu digits",
			    kind_text[kind], size);
	memcpy(digits, text, size);
	if (strpbrk(digits, ".eE"))
		return fail(decoder, RULE_TYPE,
			    "expected %s without a fraction or exponent, not %s", kind_text[kind],
			    digits);
	if (!strcmp(digits, "-0")) /* which JSON has and number_parse_*() need not */
		digits[0] = '0', digits[1] = '\0';
	if (!frame_is_struct(frame) && !element_allowed(decoder))
		return 0;
	target = frame_is_struct(frame) ? frame->base + frame->current->offset
					: frame_grow(decoder, frame, sizeof(uint32_t));
	if (number_store(kind, digits, target) < 0)
		return fail(decoder, RULE_TYPE, "expected %s, not %s", kind_text[kind], digits);
	if (frame_is_struct(frame))
		mark_present(frame);
	else
		frame->count++;
	return 1;
}

static int on_number(void *context, const char *text, size_t size)
{
	struct decoder *decoder = context;
	int ret = skip_scalar(decoder) || take_number(decoder, text, size);

	decoder->token_end = consumed(decoder);
	return ret;
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
static bool surrogates_are_paired(const struct decoder *decoder)
{
	const char *text = decoder->source->text + token_start(decoder);
	const char *end = decoder->source->text + consumed(decoder);

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
static bool is_unescaped(const struct decoder *decoder, const char *text)
{
	uintptr_t start = (uintptr_t)decoder->source->text, here = (uintptr_t)text;

	return here >= start && here - start < decoder->source->size;
}

/* Strings and names: what C and the kernel could not take as it was meant. */
static bool text_allowed(struct decoder *decoder, const char *text, size_t size)
{
	if (is_unescaped(decoder, text))
		return true;
	if (memchr(text, '\0', size)) {
		report(decoder, RULE_TEXT, "a string may not contain NUL (\\u0000)");
		return false;
	}
	if (!surrogates_are_paired(decoder)) {
		report(decoder, RULE_TEXT,
		       "half of a surrogate pair (\\ud800 to \\udfff) in a string");
		return false;
	}
	return true;
}

static int take_string(struct decoder *decoder, const char *text, size_t size)
{
	struct frame *frame = top(decoder);

	if (!text_allowed(decoder, text, size))
		return value_lost(decoder);
	switch (wanted_kind(frame)) {
	case JSON_KIND_STRING:
	case JSON_KIND_NAME:
	case JSON_KIND_NAME_U64:
		return frame_is_struct(frame) ? store_string(decoder, frame, text, size)
					      : append_string(decoder, frame, text, size);
	default:
		return mismatch(decoder, "a string");
	}
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
	struct decoder *decoder = context;
	int ret = skip_scalar(decoder) || take_string(decoder, (const char *)text, size);

	decoder->token_end = consumed(decoder);
	return ret;
}

/* -- objects and arrays --------------------------------------------------------------------------
 */

static struct frame *push(struct decoder *decoder)
{
	struct frame *frame;

	if (decoder->depth >= JSON_DEPTH_MAX) {
		(void)stop(decoder, "nested more than %d levels deep", JSON_DEPTH_MAX - 1);
		return NULL;
	}
	frame = &decoder->frames[decoder->depth++];
	memset(frame, 0, sizeof(*frame));
	frame->start = token_start(decoder);
	return frame;
}

static int push_struct(struct decoder *decoder, const struct json_field *field, char *base)
{
	struct frame *frame = push(decoder);

	if (!frame)
		return 0;
	frame->kind = JSON_KIND_INLINE;
	frame->field = field;
	frame->object = field->object;
	frame->base = base;
	return 1;
}

static int push_list(struct decoder *decoder, const struct json_field *field, char *target)
{
	struct frame *frame = push(decoder);

	if (!frame)
		return 0;
	frame->kind = (enum json_kind)field->kind;
	frame->field = field;
	frame->target = target;
	return 1;
}

/* An object as the value of a struct's property. */
static int open_property(struct decoder *decoder, struct frame *frame)
{
	const struct json_field *field = frame->current;
	char *target = frame->base + field->offset;
	char *base = NULL;

	switch (field->kind) {
	case JSON_KIND_INLINE:
		return push_struct(decoder, field, target);
	case JSON_KIND_OBJECT:
		base = arena_alloc(decoder->arena, field->size);
		store_pointer(target, base);
		return push_struct(decoder, field, base);
	case JSON_KIND_SET:
	case JSON_KIND_MAP:
	case JSON_KIND_OBJECT_MAP:
		return push_list(decoder, field, target);
	default:
		return mismatch_open(decoder, "an object");
	}
}

static int take_map(struct decoder *decoder)
{
	struct frame *frame = top(decoder);

	if (decoder->skip || is_raw(frame) || frame->kind == JSON_KIND_SET)
		return skip_open(decoder);
	if (frame_is_struct(frame))
		return open_property(decoder, frame);
	if (frame->kind == JSON_KIND_OBJECTS) {
		if (!element_allowed(decoder))
			return 0;
		return push_struct(decoder, frame->field,
				   frame_grow(decoder, frame, frame->field->size));
	}
	if (frame->kind == JSON_KIND_OBJECT_MAP)
		return push_struct(decoder, frame->field,
				   frame->items + frame->count * frame->field->size);
	return mismatch_open(decoder, "an object");
}

static int on_start_map(void *context)
{
	struct decoder *decoder = context;
	int ret = take_map(decoder);

	decoder->token_end = consumed(decoder);
	return ret;
}

static int take_array(struct decoder *decoder)
{
	struct frame *frame = top(decoder);

	if (decoder->skip || is_raw(frame))
		return skip_open(decoder);
	if (!frame_is_struct(frame))
		return mismatch_open(decoder, "an array");
	switch (frame->current->kind) {
	case JSON_KIND_STRINGS:
	case JSON_KIND_NUMBERS:
	case JSON_KIND_FLAGS:
	case JSON_KIND_OBJECTS:
		return push_list(decoder, frame->current, frame->base + frame->current->offset);
	default:
		return mismatch_open(decoder, "an array");
	}
}

static int on_start_array(void *context)
{
	struct decoder *decoder = context;
	int ret = take_array(decoder);

	decoder->token_end = consumed(decoder);
	return ret;
}

/* Forget what an earlier property of the same name said (documents where the last one wins). */
static void property_reset(struct frame *frame, const struct json_field *field)
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

static const struct json_field *field_find(struct frame *frame, const char *name, size_t size)
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

static int open_key(struct decoder *decoder, struct frame *frame, const char *name, size_t size)
{
	uint64_t bit;

	frame->current = field_find(frame, name, size);
	frame->key = NULL;
	if (!frame->current) {
		if (frame->object->unknown) {
			frame->key = arena_strndup(decoder->arena, name, size);
			return element_allowed(decoder);
		}
		return 1;
	}
	bit = UINT64_C(1) << (frame->current - frame->object->fields);
	if (frame->seen & bit) {
		if (!(decoder->source->flags & JSON_LAST_WINS)) {
			report(decoder, RULE_TWICE, "property is given twice");
			if (!goes_on(decoder))
				return 0;
		}
		property_reset(frame, frame->current);
	}
	frame->seen |= bit;
	return 1;
}

static int take_key(struct decoder *decoder, const char *name, size_t size)
{
	struct frame *frame = top(decoder);

	if (decoder->skip)
		return 1;
	frame->current = NULL; /* not any more the member before this one */
	frame->key = NULL;
	if (!text_allowed(decoder, name, size) && !goes_on(decoder))
		return 0;
	if (frame_is_struct(frame))
		return open_key(decoder, frame, name, size);
	if (!element_allowed(decoder))
		return 0;
	frame->key = arena_strndup(decoder->arena, name, size);
	if (frame->kind == JSON_KIND_SET)
		store_pointer(frame_grow(decoder, frame, sizeof(char *)), frame->key);
	else if (frame->kind == JSON_KIND_OBJECT_MAP)
		store_pointer(frame_grow(decoder, frame, frame->field->size), frame->key);
	return 1;
}

static int on_key(void *context, const unsigned char *name, size_t size)
{
	struct decoder *decoder = context;
	int ret = take_key(decoder, (const char *)name, size);

	decoder->token_end = consumed(decoder);
	return ret;
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
static int duplicates_mark(struct decoder *decoder, struct frame *frame, size_t size, bool *drop)
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
			finding = report_at(decoder, RULE_TWICE, token_start(decoder),
					    "key is given twice");
			if (finding) /* the map's end, where we are, helps nobody */
				finding->offset = FINDING_NOWHERE;
			if (!goes_on(decoder))
				return -EINVAL;
		}
		drop[(size_t)(order[i - 1] - frame->items) / size] = true;
		found++;
	}
	return found;
}

static int duplicates_remove(struct decoder *decoder, struct frame *frame, size_t size)
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

static int close_struct(struct decoder *decoder, struct frame *frame)
{
	const struct json_object *object = frame->object;

	frame->current = NULL;
	frame->key = NULL;
	for (unsigned int i = 0; i < object->count; i++) {
		if (!(object->fields[i].flags & JSON_REQUIRED) || (frame->seen & UINT64_C(1) << i))
			continue;
		(void)report_at(decoder, RULE_MISSING, frame->start, "property \"%s\" is missing",
				object->fields[i].name);
		if (!goes_on(decoder))
			return 0;
		fill_required(object, frame->base);
	}
	if (!frame->count)
		return 1;
	if (!duplicates_remove(decoder, frame, sizeof(struct json_pair)))
		return 0;
	store_list(frame->base + object->unknown, frame->items, frame->count);
	return 1;
}

static int close_list(struct decoder *decoder, struct frame *frame)
{
	struct frame *parent = &decoder->frames[decoder->depth - 2];

	if (frame->kind == JSON_KIND_FLAGS) {
		*(uint64_t *)(void *)frame->target = frame->mask;
		mark_present(parent);
		return 1;
	}
	if (frame_is_map(frame) && !duplicates_remove(decoder, frame, element_size(frame)))
		return 0;
	if (!frame->items) /* [] and {} are not NULL */
		(void)frame_grow(decoder, frame, element_size(frame));
	store_list(frame->target, frame->items, frame->count);
	return 1;
}

static int take_end(struct decoder *decoder)
{
	struct frame *frame = top(decoder);

	if (decoder->skip) {
		return skip_close(decoder);
	}
	if (frame_is_struct(frame) ? !close_struct(decoder, frame) : !close_list(decoder, frame))
		return 0;
	decoder->depth--;
	frame = top(decoder);
	if (!frame_is_struct(frame))
		frame->count++;
	return 1;
}

static int on_end(void *context)
{
	struct decoder *decoder = context;
	int ret = take_end(decoder);

	decoder->token_end = consumed(decoder);
	return ret;
}

/* -- the document ---------------------------------------------------------------------------------
 */

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
static size_t syntax_offset(const struct decoder *decoder, const char *message)
{
	size_t offset = consumed(decoder), start = token_start(decoder);

	if (offset)
		offset--;
	return strncmp(message, "lexical", 7) != 0 && start < offset ? start : offset;
}

static int fail_syntax(struct decoder *decoder)
{
	unsigned char *text = yajl_get_error(decoder->yajl, 0, NULL, 0);
	const char *message = text ? (const char *)text : "error: not JSON";
	size_t offset = decoder->at_end ? decoder->source->size : syntax_offset(decoder, message);
	const char *what = strstr(message, "error: ");

	what = what ? what + strlen("error: ") : message;
	if (decoder->at_end)
		what = decoder->source->size ? "the document ends too early"
					     : "the document is empty";
	(void)report_at(decoder, RULE_SYNTAX, offset, "%.*s", (int)strcspn(what, ".\n"), what);
	if (text)
		yajl_free_error(decoder->yajl, text);
	return decoder->ret;
}

static int decode(struct decoder *decoder)
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
	struct decoder decoder;
	int ret;

	if (source->size > max_size) {
		if (source->findings)
			(void)findings_add(source->findings, RULE_LIMIT, "",
					   "larger than %zu bytes", max_size);
		return error_invalid(err, "%s: larger than %zu bytes", source->name, max_size);
	}
	/* not the frames: push() clears each */
	memset(&decoder, 0, offsetof(struct decoder, frames));
	decoder.source = source;
	decoder.arena = arena;
	decoder.err = err;
	decoder.findings = source->findings;
	decoder.yajl = yajl_alloc(&callbacks, &memory, &decoder);
	if (source->flags & JSON_IGNORE_TRAILING)
		(void)yajl_config(decoder.yajl, yajl_allow_trailing_garbage, 1);
	(void)push(&decoder);
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
