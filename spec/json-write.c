/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON: the piecewise writer, and structs through the same field tables that decode them.
 */
#include "spec/json-write.h"

#include <string.h>

#include "lib/base64.h"
#include "spec/json-table.h"

/* -- the writer ----------------------------------------------------------------------------------
 */

static void new_line(struct json_writer *writer)
{
	if (writer->style == JSON_COMPACT)
		return;
	strbuf_addc(writer->out, '\n');
	for (unsigned int i = 0; i < writer->depth; i++)
		strbuf_adds(writer->out, writer->style == JSON_INDENT_TAB ? "\t" : "  ");
}

/* What stands before a value or a key. */
static void separate(struct json_writer *writer)
{
	if (writer->after_key) {
		writer->after_key = false;
		return;
	}
	if (writer->filled)
		strbuf_addc(writer->out, ',');
	if (writer->depth)
		new_line(writer);
	writer->filled = true;
}

static void begin(struct json_writer *writer, char bracket)
{
	separate(writer);
	strbuf_addc(writer->out, bracket);
	writer->depth++;
	writer->filled = false;
}

static void end(struct json_writer *writer, char bracket)
{
	writer->depth--;
	if (writer->filled)
		new_line(writer);
	strbuf_addc(writer->out, bracket);
	writer->filled = true;
}

void json_begin_object(struct json_writer *writer)
{
	begin(writer, '{');
}

void json_end_object(struct json_writer *writer)
{
	end(writer, '}');
}

void json_begin_array(struct json_writer *writer)
{
	begin(writer, '[');
}

void json_end_array(struct json_writer *writer)
{
	end(writer, ']');
}

/* The escapes that JSON demands and no others: '/' stays, hooks of old compare text. */
static void add_escape(struct strbuf *out, unsigned char c)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* character, letter */

	for (const char *pair = letters; *pair; pair += 2) {
		if ((unsigned char)*pair == c) {
			strbuf_addc(out, '\\');
			strbuf_addc(out, pair[1]);
			return;
		}
	}
	strbuf_addf(out, "\\u%04x", c);
}

/* The size of the UTF-8 sequence at text, whose first byte is not ASCII; 0 when it is none. */
static size_t sequence_size(const unsigned char *text)
{
	size_t size = *text < 0xC2 ? 0 : *text < 0xE0 ? 2 : *text < 0xF0 ? 3 : *text < 0xF5 ? 4 : 0;

	/* overlong forms, surrogates and what is above U+10FFFF */
	if ((*text == 0xE0 && text[1] < 0xA0) || (*text == 0xED && text[1] > 0x9F) ||
	    (*text == 0xF0 && text[1] < 0x90) || (*text == 0xF4 && text[1] > 0x8F))
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	return size;
}

/* A document is UTF-8 whatever names and values hold: other bytes become U+FFFD, as in Go. */
static void add_quoted(struct strbuf *out, const char *text)
{
	const char *run = text;

	strbuf_addc(out, '"');
	while (*text) {
		unsigned char c = (unsigned char)*text;
		size_t size = c < 0x80 ? 1 : sequence_size((const unsigned char *)text);

		if (size && c >= 0x20 && c != '"' && c != '\\') {
			text += size;
			continue;
		}
		strbuf_add(out, run, (size_t)(text - run));
		if (size)
			add_escape(out, c);
		else
			strbuf_adds(out, "\xEF\xBF\xBD");
		run = ++text;
	}
	strbuf_add(out, run, (size_t)(text - run));
	strbuf_addc(out, '"');
}

void json_key(struct json_writer *writer, const char *name)
{
	separate(writer);
	add_quoted(writer->out, name);
	strbuf_adds(writer->out, writer->style == JSON_COMPACT ? ":" : ": ");
	writer->after_key = true;
}

void json_string(struct json_writer *writer, const char *text)
{
	separate(writer);
	if (text)
		add_quoted(writer->out, text);
	else
		strbuf_adds(writer->out, "null");
}

void json_base64(struct json_writer *writer, const void *data, size_t size)
{
	separate(writer);
	strbuf_addc(writer->out, '"');
	base64_encode(data, size, writer->out);
	strbuf_addc(writer->out, '"');
}

void json_u64(struct json_writer *writer, uint64_t value)
{
	separate(writer);
	strbuf_addf(writer->out, "%llu", (unsigned long long)value);
}

void json_put_string(struct json_writer *writer, const char *name, const char *text)
{
	json_key(writer, name);
	json_string(writer, text);
}

void json_put_text(struct json_writer *writer, const char *name, const char *text)
{
	json_put_string(writer, name, text ? text : "");
}

void json_put_bool(struct json_writer *writer, const char *name, bool value)
{
	json_key(writer, name);
	json_bool(writer, value);
}

void json_put_i64(struct json_writer *writer, const char *name, int64_t value)
{
	json_key(writer, name);
	json_i64(writer, value);
}

void json_put_u64(struct json_writer *writer, const char *name, uint64_t value)
{
	json_key(writer, name);
	json_u64(writer, value);
}

void json_i64(struct json_writer *writer, int64_t value)
{
	separate(writer);
	strbuf_addf(writer->out, "%lld", (long long)value);
}

void json_bool(struct json_writer *writer, bool value)
{
	separate(writer);
	strbuf_adds(writer->out, value ? "true" : "false");
}

void json_null(struct json_writer *writer)
{
	json_string(writer, NULL);
}

/* The length of the string literal that text begins with, both quotes counted. */
static size_t literal_size(const char *text)
{
	size_t size = 1;

	while (text[size] && text[size] != '"')
		size += text[size] == '\\' && text[size + 1] ? 2 : 1;
	return text[size] ? size + 1 : size;
}

/* \v and \f are no blanks of JSON, but the decoder's lexer takes them as such. */
#define BLANKS " \t\r\n\v\f"

void json_raw(struct json_writer *writer, const char *text)
{
	for (size_t size; *text; text += size) {
		size = 1;
		if (strchr(BLANKS ",", *text))
			continue;
		if (*text == '{' || *text == '[') {
			begin(writer, *text);
		} else if (*text == '}' || *text == ']') {
			end(writer, *text);
		} else if (*text == ':') {
			strbuf_adds(writer->out, writer->style == JSON_COMPACT ? ":" : ": ");
			writer->after_key = true;
		} else {
			size = *text == '"' ? literal_size(text) : strcspn(text, BLANKS ",:]}\"");
			separate(writer);
			strbuf_add(writer->out, text, size);
		}
	}
}

/* -- structs by tables ---------------------------------------------------------------------------
 */

struct list {
	const char *items;
	size_t count;
};

static void write_struct(struct json_writer *writer, const struct json_object *object,
			 const char *base);

static const char *load_pointer(const char *source)
{
	const char *pointer;

	memcpy(&pointer, source, sizeof(pointer));
	return pointer;
}

static struct list load_list(const char *source)
{
	struct list list = { .items = load_pointer(source) };

	memcpy(&list.count, source + sizeof(void *), sizeof(list.count));
	return list;
}

/* Lists keep "null was there" behind the count (struct json_strings, struct json_map). */
static bool list_is_null(const struct json_field *field, const char *source)
{
	struct json_strings list;

	if (!(field->flags & JSON_KEEP_NULL))
		return false;
	memcpy(&list, source, sizeof(list));
	return list.null && !list.items;
}

static uint64_t load_number(enum json_kind kind, const char *source)
{
	switch (kind) {
	case JSON_KIND_BOOL:
		return *(const bool *)source;
	case JSON_KIND_U16:
		return *(const uint16_t *)(const void *)source;
	case JSON_KIND_U32:
		return *(const uint32_t *)(const void *)source;
	case JSON_KIND_I32:
		return (uint64_t) * (const int32_t *)(const void *)source;
	case JSON_KIND_NAME:
		return (uint64_t) * (const int *)(const void *)source;
	default:
		return *(const uint64_t *)(const void *)source;
	}
}

static bool kind_is_list(enum json_kind kind)
{
	return kind == JSON_KIND_STRINGS || kind == JSON_KIND_NUMBERS || kind == JSON_KIND_SET ||
	       kind == JSON_KIND_MAP || kind == JSON_KIND_OBJECTS || kind == JSON_KIND_OBJECT_MAP;
}

/* Would leaving the property out lose something? */
static bool is_written(const struct json_field *field, const char *base)
{
	const char *source = base + field->offset;
	bool omit_empty = field->flags & JSON_OMIT_EMPTY;

	if (field->has)
		return *(const bool *)(base + field->has);
	if (field->kind == JSON_KIND_STRING || field->kind == JSON_KIND_RAW ||
	    field->kind == JSON_KIND_OBJECT) {
		const char *pointer = load_pointer(source);

		if (!pointer)
			return false;
		return !(omit_empty && field->kind == JSON_KIND_STRING && !*pointer);
	}
	if (field->flags & (JSON_REQUIRED | JSON_ALWAYS) || field->kind == JSON_KIND_INLINE)
		return true;
	if (kind_is_list(field->kind)) {
		struct list list = load_list(source);

		return omit_empty ? list.count > 0 : list.items || list_is_null(field, source);
	}
	return load_number(field->kind, source) != 0;
}

static void write_flags(struct json_writer *writer, const struct name_value *names, uint64_t mask)
{
	json_begin_array(writer);
	for (; names->name; names++) {
		if (mask & (uint64_t)names->value)
			json_string(writer, names->name);
	}
	json_end_array(writer);
}

static void write_strings(struct json_writer *writer, struct list list)
{
	json_begin_array(writer);
	for (size_t i = 0; i < list.count; i++)
		json_string(writer, load_pointer(list.items + i * sizeof(char *)));
	json_end_array(writer);
}

static void write_set(struct json_writer *writer, struct list list)
{
	json_begin_object(writer);
	for (size_t i = 0; i < list.count; i++) {
		json_key(writer, load_pointer(list.items + i * sizeof(char *)));
		json_begin_object(writer);
		json_end_object(writer);
	}
	json_end_object(writer);
}

static void write_numbers(struct json_writer *writer, struct list list)
{
	json_begin_array(writer);
	for (size_t i = 0; i < list.count; i++)
		json_u64(writer, load_number(JSON_KIND_U32, list.items + i * sizeof(uint32_t)));
	json_end_array(writer);
}

static void write_map(struct json_writer *writer, struct list list)
{
	const struct json_pair *pairs = (const void *)list.items;

	json_begin_object(writer);
	for (size_t i = 0; i < list.count; i++) {
		json_key(writer, pairs[i].key);
		json_string(writer, pairs[i].value);
	}
	json_end_object(writer);
}

static void write_objects(struct json_writer *writer, const struct json_field *field,
			  struct list list)
{
	json_begin_array(writer);
	for (size_t i = 0; i < list.count; i++)
		write_struct(writer, field->object, list.items + i * field->size);
	json_end_array(writer);
}

static void write_object_map(struct json_writer *writer, const struct json_field *field,
			     struct list list)
{
	json_begin_object(writer);
	for (size_t i = 0; i < list.count; i++) {
		json_key(writer, load_pointer(list.items + i * field->size));
		write_struct(writer, field->object, list.items + i * field->size);
	}
	json_end_object(writer);
}

static void write_list(struct json_writer *writer, const struct json_field *field,
		       const char *source)
{
	struct list list = load_list(source);

	if (list_is_null(field, source)) {
		json_null(writer);
		return;
	}
	switch (field->kind) {
	case JSON_KIND_STRINGS:
		write_strings(writer, list);
		break;
	case JSON_KIND_NUMBERS:
		write_numbers(writer, list);
		break;
	case JSON_KIND_SET:
		write_set(writer, list);
		break;
	case JSON_KIND_MAP:
		write_map(writer, list);
		break;
	case JSON_KIND_OBJECTS:
		write_objects(writer, field, list);
		break;
	default:
		write_object_map(writer, field, list);
		break;
	}
}

static void write_value(struct json_writer *writer, const struct json_field *field,
			const char *source)
{
	switch (field->kind) {
	case JSON_KIND_BOOL:
		json_bool(writer, load_number(JSON_KIND_BOOL, source));
		break;
	case JSON_KIND_STRING:
		json_string(writer, load_pointer(source));
		break;
	case JSON_KIND_U16:
	case JSON_KIND_U32:
	case JSON_KIND_U64:
		json_u64(writer, load_number(field->kind, source));
		break;
	case JSON_KIND_I32:
	case JSON_KIND_I64:
		json_i64(writer, (int64_t)load_number(field->kind, source));
		break;
	case JSON_KIND_NAME:
	case JSON_KIND_NAME_U64:
		json_string(writer,
			    table_name(field->names, (int64_t)load_number(field->kind, source)));
		break;
	case JSON_KIND_FLAGS:
		write_flags(writer, field->names, load_number(JSON_KIND_U64, source));
		break;
	case JSON_KIND_INLINE:
		write_struct(writer, field->object, source);
		break;
	case JSON_KIND_OBJECT:
		write_struct(writer, field->object, load_pointer(source));
		break;
	case JSON_KIND_RAW:
		json_raw(writer, load_pointer(source));
		break;
	default:
		write_list(writer, field, source);
		break;
	}
}

static void write_struct(struct json_writer *writer, const struct json_object *object,
			 const char *base)
{
	json_begin_object(writer);
	for (unsigned int i = 0; i < object->count; i++) {
		const struct json_field *field = &object->fields[i];

		if (!is_written(field, base))
			continue;
		json_key(writer, field->name);
		write_value(writer, field, base + field->offset);
	}
	if (object->unknown) {
		const struct json_map *unknown = (const void *)(base + object->unknown);

		for (size_t i = 0; i < unknown->count; i++) {
			json_key(writer, unknown->items[i].key);
			json_raw(writer, unknown->items[i].value);
		}
	}
	json_end_object(writer);
}

void json_encode(const struct json_object *table, const void *in, enum json_style style,
		 struct strbuf *out)
{
	struct json_writer writer = { .out = out, .style = style };

	write_struct(&writer, table, in);
}

void json_encode_list(const struct json_object *table, const void *in, enum json_style style,
		      struct strbuf *out)
{
	struct json_writer writer = { .out = out, .style = style };
	const struct json_field field = { .object = table, .size = table->size };

	write_objects(&writer, &field, load_list(in));
}
