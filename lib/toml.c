/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the text; nothing is kept but the names of the arrays of tables. */
#include "lib/toml.h"

#include <stdint.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

#define DEPTH_MAX 16

struct reader {
	const char *name, *at;
	size_t line;
	struct strv arrays; /* [[names]], each as often as it stands */
	struct strbuf table;
	size_t table_index;
	struct error *err;
};

static void reader_done(struct reader *reader)
{
	strv_done(&reader->arrays);
	strbuf_done(&reader->table);
}

static int fail(struct reader *reader, const char *what)
{
	return error_invalid(reader->err, "%s:%zu: %s", reader->name, reader->line, what);
}

static void skip_blanks(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t\r");
}

static void skip_comment(struct reader *reader)
{
	skip_blanks(reader);
	if (*reader->at == '#')
		reader->at += strcspn(reader->at, "\n");
}

/* Also line ends: between values of an array. */
static void skip_space(struct reader *reader)
{
	for (skip_comment(reader); *reader->at == '\n'; skip_comment(reader)) {
		reader->at++;
		reader->line++;
	}
}

/* -- strings -------------------------------------------------------------------------------------
 */

static void add_utf8(struct strbuf *out, uint32_t c)
{
	if (c < 0x80) {
		strbuf_addc(out, (char)c);
	} else if (c < 0x800) {
		strbuf_addc(out, (char)(0xc0 | c >> 6));
		strbuf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		if (c < 0x10000) {
			strbuf_addc(out, (char)(0xe0 | c >> 12));
		} else {
			strbuf_addc(out, (char)(0xf0 | c >> 18));
			strbuf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		strbuf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* \uXXXX and \UXXXXXXXX */
static int read_code(struct reader *reader, size_t digits, struct strbuf *out)
{
	uint32_t c = 0;

	for (size_t i = 0; i < digits; i++) {
		static const char hex[] = "0123456789abcdef";
		char letter = *reader->at | 32;
		const char *digit = *reader->at ? strchr(hex, letter) : NULL;

		if (!digit || !*digit)
			return fail(reader, "a code point needs hex digits");
		c = c << 4 | (uint32_t)(digit - hex);
		reader->at++;
	}
	if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return fail(reader, "not a code point");
	add_utf8(out, c);
	return 0;
}

static int read_escape(struct reader *reader, struct strbuf *out)
{
	static const char letters[] = "btnfr\"\\e", values[] = "\b\t\n\f\r\"\\\033";
	char letter = *reader->at++;
	const char *found = letter ? strchr(letters, letter) : NULL;

	if (found) {
		strbuf_addc(out, values[found - letters]);
		return 0;
	}
	if (letter == 'u' || letter == 'U')
		return read_code(reader, letter == 'u' ? 4 : 8, out);
	return fail(reader, "unknown escape");
}

/* A backslash at the end of a line, in a string of several: blanks up to the next word go. */
static bool joins_lines(struct reader *reader)
{
	const char *end = reader->at + strspn(reader->at, " \t\r");

	if (*end != '\n')
		return false;
	for (reader->at = end; *reader->at && strchr(" \t\r\n", *reader->at); reader->at++)
		reader->line += *reader->at == '\n';
	return true;
}

static int read_string(struct reader *reader, struct strbuf *out)
{
	char quote = *reader->at;
	bool lines = reader->at[1] == quote && reader->at[2] == quote;
	int ret = 0;

	reader->at += lines ? 3 : 1;
	if (lines && *reader->at == '\n') {
		reader->at++;
		reader->line++;
	}
	while (ret == 0) {
		char c = *reader->at;

		if (!c || (c == '\n' && !lines))
			return fail(reader, "a string does not end");
		if (c == quote && (!lines || (reader->at[1] == quote && reader->at[2] == quote)))
			break;
		reader->at++;
		reader->line += c == '\n';
		if (c != '\\' || quote == '\'')
			strbuf_addc(out, c);
		else if (!lines || !joins_lines(reader))
			ret = read_escape(reader, out);
	}
	reader->at += lines ? 3 : 1;
	/* """x"""" ends with a quote of its own */
	while (ret == 0 && lines && *reader->at == quote) {
		strbuf_addc(out, quote);
		reader->at++;
	}
	return ret;
}

/* -- values --------------------------------------------------------------------------------------
 */

static int read_item(struct reader *reader, struct strv *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t size;
	int ret = 0;

	if (*reader->at == '"' || *reader->at == '\'') {
		ret = read_string(reader, &text);
	} else {
		size = strcspn(reader->at, " \t\r\n,]}#=");
		if (*reader->at == '{')
			return fail(reader, "tables in braces are not read");
		if (!size)
			return fail(reader, "expected a value");
		strbuf_add(&text, reader->at, size);
		reader->at += size;
	}
	if (ret == 0)
		strv_add(out, strbuf_text(&text));
	return ret;
}

/* Arrays of arrays are read as one. */
static int read_array(struct reader *reader, struct strv *out, unsigned int depth)
{
	int ret = 0;

	if (depth == DEPTH_MAX)
		return fail(reader, "arrays are nested too deeply");
	reader->at++;
	for (skip_space(reader); *reader->at != ']' && ret == 0; skip_space(reader)) {
		ret = *reader->at == '[' ? read_array(reader, out, depth + 1)
					 : read_item(reader, out);
		skip_space(reader);
		if (ret == 0 && *reader->at == ',')
			reader->at++;
		else if (ret == 0 && *reader->at != ']')
			return fail(reader, "expected \",\" or \"]\"");
	}
	reader->at += ret == 0;
	return ret;
}

/* Bare or quoted, with dots between. */
static int read_name(struct reader *reader, char end, struct strbuf *out)
{
	int ret = 0;

	for (skip_blanks(reader); *reader->at != end && ret == 0; skip_blanks(reader)) {
		size_t size = strcspn(reader->at, " \t\r\n\"'=]#");

		if (*reader->at == '"' || *reader->at == '\'')
			ret = read_string(reader, out);
		else if (!size)
			return fail(reader, "expected a name");
		else
			strbuf_add(out, reader->at, size);
		if (ret == 0 && size && *reader->at != '"' && *reader->at != '\'')
			reader->at += size;
	}
	return ret < 0 || out->size ? ret : fail(reader, "expected a name");
}

static int end_line(struct reader *reader)
{
	skip_comment(reader);
	if (*reader->at && *reader->at != '\n')
		return fail(reader, "something follows on the line");
	return 0;
}

static int read_value(struct reader *reader, toml_fn fn, void *context)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	struct toml_value value = { .table = strbuf_text(&reader->table),
				    .table_index = reader->table_index,
				    .line = reader->line };
	int ret = read_name(reader, '=', &key);

	if (ret < 0)
		return ret;
	reader->at++;
	skip_blanks(reader);
	value.key = strbuf_text(&key);
	value.is_array = *reader->at == '[';
	ret = value.is_array ? read_array(reader, &value.items, 0)
			     : read_item(reader, &value.items);
	if (ret == 0)
		ret = end_line(reader);
	if (ret == 0)
		ret = error_prefix(reader->err, fn(context, &value, reader->err), "%s:%zu",
				   reader->name, value.line);
	strv_done(&value.items);
	return ret;
}

/* "[table]", "[[one of several]]" */
static int read_table(struct reader *reader)
{
	bool several = reader->at[1] == '[';
	int ret;

	reader->at += several ? 2 : 1;
	strbuf_truncate(&reader->table, 0);
	ret = read_name(reader, ']', &reader->table);
	if (ret < 0)
		return ret;
	reader->at++;
	if (several && *reader->at++ != ']')
		return fail(reader, "expected \"]]\"");
	reader->table_index = 0;
	for (size_t i = 0; i < reader->arrays.count && several; i++)
		reader->table_index +=
			strcmp(reader->arrays.items[i], strbuf_text(&reader->table)) == 0;
	if (several)
		strv_add(&reader->arrays, strbuf_text(&reader->table));
	return end_line(reader);
}

int toml_read(const char *name, const char *text, toml_fn fn, void *context, struct error *err)
{
	__attribute__((cleanup(reader_done))) struct reader reader = {
		.name = name, .at = text, .line = 1, .err = err
	};
	int ret = 0;

	for (skip_space(&reader); *reader.at && ret == 0; skip_space(&reader))
		ret = *reader.at == '[' ? read_table(&reader) : read_value(&reader, fn, context);
	return ret;
}
