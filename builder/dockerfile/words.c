/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splitting an instruction's text, called by parse.c. The JSON reader here knows only what an exec
 * form can be: it validates any value but keeps strings. Whether text is JSON decides between exec
 * and shell form, so it must agree with Go's encoding/json, also about what is not JSON.
 */
#include "builder/dockerfile/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

#define JSON_DEPTH_MAX 100

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

void spans_done(struct spans *spans)
{
	free(spans->items);
	*spans = (struct spans){ 0 };
}

void spans_add(struct spans *spans, const struct span *span)
{
	ARRAY_GROW(spans->items, spans->count, spans->capacity);
	spans->items[spans->count++] = *span;
}

/* The bytes from start to before end of text. */
static void add_span(struct spans *spans, const char *text, const char *start, const char *end)
{
	if (spans)
		spans_add(spans, &(struct span){ (size_t)(start - text), (size_t)(end - text) });
}

void words_split_blanks(const char *text, struct strv *out, struct spans *spans)
{
	const char *whole = text;

	for (;;) {
		size_t size = 0;

		while (is_blank(*text))
			text++;
		while (text[size] && !is_blank(text[size]))
			size++;
		if (!size)
			return;
		strv_take(out, xstrndup(text, size));
		add_span(spans, whole, text, text + size);
		text += size;
	}
}

/* The size of the blank at text, 0 when there is none. Pairs and commands are cut at the blanks of
 * all scripts (a no-break space comes from a page that was copied), lists of words are not. */
static size_t blank_size(const char *text)
{
	static const char *const blanks[] = {
		"\xC2\x85",	"\xC2\xA0",	"\xE1\x9A\x80", "\xE2\x80\xA8",
		"\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80",
	};

	if ((unsigned char)*text < 0x80)
		return is_blank(*text);
	for (size_t i = 0; i < ARRAY_SIZE(blanks); i++)
		if (strncmp(text, blanks[i], strlen(blanks[i])) == 0)
			return strlen(blanks[i]);
	return strncmp(text, "\xE2\x80", 2) == 0 && (unsigned char)text[2] >= 0x80 &&
			       (unsigned char)text[2] <= 0x8A
		       ? 3
		       : 0;
}

/* The end of the word at text: a blank outside of quotes, or the end. In a command the blanks
 * behind "<<" are the word's, too. */
static const char *quoted_word_end(const char *text, char escape, bool command)
{
	char quote = '\0';

	for (; *text; text++) {
		if (!quote && blank_size(text))
			break;
		if (!quote && command && strncmp(text, "<<", 2) == 0) {
			text += 1 + strspn(text + 2, " \t\r");
			continue;
		}
		if (*text == escape && quote != '\'') {
			if (text[1])
				text++;
		} else if (quote) {
			if (*text == quote)
				quote = '\0';
		} else if (*text == '"' || *text == '\'') {
			quote = *text;
		}
	}
	return text;
}

static void split_quoted(const char *text, char escape, bool command, struct strv *out,
			 struct spans *spans)
{
	const char *whole = text;

	for (;;) {
		const char *end;

		for (size_t size; (size = blank_size(text)) > 0;)
			text += size;
		if (!*text)
			return;
		end = quoted_word_end(text, escape, command);
		strv_take(out, xstrndup(text, (size_t)(end - text)));
		add_span(spans, whole, text, end);
		text = end;
	}
}

void words_split_quoted(const char *text, char escape, struct strv *out, struct spans *spans)
{
	split_quoted(text, escape, false, out, spans);
}

void words_split_command(const char *text, char escape, struct strv *out, struct spans *spans)
{
	split_quoted(text, escape, true, out, spans);
}

const char *words_take_flags(const char *text, char escape, struct strv *out, struct spans *spans)
{
	const char *whole = text;

	for (;;) {
		cleanup_strbuf struct strbuf word = STRBUF_INIT;
		char quote = '\0';
		const char *start;

		while (is_blank(*text))
			text++;
		start = text;
		if (strncmp(text, "--", 2) != 0)
			return text;
		for (; *text && (quote || !is_blank(*text)); text++) {
			if (*text == escape && quote != '\'' && text[1])
				strbuf_addc(&word, *++text);
			else if (quote ? *text == quote : *text == '"' || *text == '\'')
				quote = quote ? '\0' : *text;
			else
				strbuf_addc(&word, *text);
		}
		if (strcmp(strbuf_text(&word), "--") == 0) {
			while (is_blank(*text))
				text++;
			return text;
		}
		strv_add(out, strbuf_text(&word));
		add_span(spans, whole, start, text);
	}
}

/* -- JSON ---------------------------------------------------------------------------------------
 */

struct json_reader {
	const char *whole, *at;
	struct spans *spans; /* of the elements; NULL = not wanted */
	int depth;
	bool foreign; /* something that is not a string was in the array */
};

static void json_skip_blanks(struct json_reader *json)
{
	while (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r')
		json->at++;
}

static void add_utf8(struct strbuf *buf, uint32_t c)
{
	if (c < 0x80) {
		strbuf_addc(buf, (char)c);
	} else if (c < 0x800) {
		strbuf_addc(buf, (char)(0xC0 | c >> 6));
		strbuf_addc(buf, (char)(0x80 | (c & 0x3F)));
	} else if (c < 0x10000) {
		strbuf_addc(buf, (char)(0xE0 | c >> 12));
		strbuf_addc(buf, (char)(0x80 | (c >> 6 & 0x3F)));
		strbuf_addc(buf, (char)(0x80 | (c & 0x3F)));
	} else {
		strbuf_addc(buf, (char)(0xF0 | c >> 18));
		strbuf_addc(buf, (char)(0x80 | (c >> 12 & 0x3F)));
		strbuf_addc(buf, (char)(0x80 | (c >> 6 & 0x3F)));
		strbuf_addc(buf, (char)(0x80 | (c & 0x3F)));
	}
}

static bool json_hex4(const char *text, uint32_t *out)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		char lower = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
		const char *digit = lower ? strchr(digits, lower) : NULL;

		if (!digit)
			return false;
		value = value << 4 | (uint32_t)(digit - digits);
	}
	*out = value;
	return true;
}

/* After "\u": one code point, a surrogate pair being one; a lone half becomes U+FFFD as in Go. */
static bool json_unicode(struct json_reader *json, struct strbuf *out)
{
	uint32_t c, low;

	if (!json_hex4(json->at, &c))
		return false;
	json->at += 4;
	if (c >= 0xD800 && c < 0xDC00 && json->at[0] == '\\' && json->at[1] == 'u' &&
	    json_hex4(json->at + 2, &low) && low >= 0xDC00 && low < 0xE000) {
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		json->at += 6;
	} else if (c >= 0xD800 && c < 0xE000) {
		c = 0xFFFD;
	}
	if (!c) /* an argument of a program cannot hold it */
		json->foreign = true;
	else if (out)
		add_utf8(out, c);
	return true;
}

static bool json_string(struct json_reader *json, struct strbuf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	if (*json->at++ != '"')
		return false;
	for (; *json->at != '"';) {
		char c = *json->at++;

		if ((unsigned char)c < 0x20)
			return false; /* also the end of the text */
		if (c == '\\') {
			const char *simple = *json->at ? strchr(from, *json->at) : NULL;

			if (*json->at == 'u') {
				json->at++;
				if (!json_unicode(json, out))
					return false;
				continue;
			}
			if (!simple)
				return false;
			json->at++;
			c = to[simple - from];
		}
		if (out)
			strbuf_addc(out, c);
	}
	json->at++;
	return true;
}

static bool json_number(struct json_reader *json)
{
	const char *p = json->at;
	size_t digits;

	p += *p == '-';
	digits = strspn(p, "0123456789");
	if (!digits || (digits > 1 && *p == '0'))
		return false;
	p += digits;
	if (*p == '.') {
		digits = strspn(++p, "0123456789");
		if (!digits)
			return false;
		p += digits;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		digits = strspn(p, "0123456789");
		if (!digits)
			return false;
		p += digits;
	}
	json->at = p;
	return true;
}

static bool json_value(struct json_reader *json);

/* The members of an array or object up to its closing bracket; json->at is after the opening one.
 */
static bool json_members(struct json_reader *json, char close)
{
	json_skip_blanks(json);
	if (*json->at == close) {
		json->at++;
		return true;
	}
	for (;;) {
		json_skip_blanks(json);
		if (close == '}') {
			if (!json_string(json, NULL))
				return false;
			json_skip_blanks(json);
			if (*json->at++ != ':')
				return false;
		}
		if (!json_value(json))
			return false;
		json_skip_blanks(json);
		if (*json->at == close) {
			json->at++;
			return true;
		}
		if (*json->at++ != ',')
			return false;
	}
}

/* Validates any value. */
static bool json_value(struct json_reader *json)
{
	static const char *const words[] = { "true", "false", "null" };
	bool ok;

	json_skip_blanks(json);
	if (*json->at == '"')
		return json_string(json, NULL);
	if (*json->at == '[' || *json->at == '{') {
		if (json->depth == JSON_DEPTH_MAX)
			return false;
		json->depth++;
		ok = json_members(json, *json->at++ == '[' ? ']' : '}');
		json->depth--;
		return ok;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strncmp(json->at, words[i], strlen(words[i])) == 0) {
			json->at += strlen(words[i]);
			return true;
		}
	}
	return json_number(json);
}

/* One element of the array: a string goes to out, anything else is noted. */
static bool json_element(struct json_reader *json, struct strv *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *start;

	json_skip_blanks(json);
	start = json->at;
	if (*json->at != '"') {
		json->foreign = true;
		return json_value(json);
	}
	if (!json_string(json, &text))
		return false;
	strv_take(out, strbuf_take(&text));
	add_span(json->spans, json->whole, start, json->at);
	return true;
}

static bool json_array(struct json_reader *json, struct strv *out)
{
	json_skip_blanks(json);
	if (*json->at++ != '[')
		return false;
	json_skip_blanks(json);
	if (*json->at == ']') {
		json->at++;
	} else {
		for (char next = ','; next == ',';) {
			if (!json_element(json, out))
				return false;
			json_skip_blanks(json);
			next = *json->at++;
			if (next != ',' && next != ']')
				return false;
		}
	}
	json_skip_blanks(json);
	return *json->at == '\0';
}

int words_split_json(const char *text, struct strv *out, struct spans *spans, struct error *err)
{
	cleanup_strv struct strv found = STRV_INIT;
	cleanup_spans struct spans places = { 0 };
	struct json_reader json = { .whole = text, .at = text, .spans = &places };

	while (is_blank(*json.at))
		json.at++;
	if (*json.at != '[' || !json_array(&json, &found))
		return 0;
	if (json.foreign)
		return error_invalid(err, "when using JSON array syntax, arrays must be comprised "
					  "of strings only");
	strv_add_all(out, strv_items(&found));
	if (spans) {
		free(spans->items);
		*spans = places;
		places = (struct spans){ 0 };
	}
	return 1;
}

/* -- Go's %q -------------------------------------------------------------------------------------
 */

void words_quote(struct strbuf *buf, const char *text)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";

	strbuf_addc(buf, '"');
	for (; *text; text++) {
		const char *simple = strchr(from, *text);

		if (simple) {
			strbuf_addc(buf, '\\');
			strbuf_addc(buf, to[simple - from]);
		} else if ((unsigned char)*text < 0x20 || *text == 0x7F) {
			strbuf_addf(buf, "\\x%02x", (unsigned char)*text);
		} else {
			strbuf_addc(buf, *text);
		}
	}
	strbuf_addc(buf, '"');
}
