/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expansion of one word, called for every argument that the instruction table marks. A small
 * recursive reader: quotes, escapes and $ at one level; the word inside ${v-...} is the next level.
 * What a variable holds is never read again, so nothing grows beyond the text times the values; but
 * the next line may take what this one made, so what all of a text makes has a limit.
 */
#include "builder/dockerfile/expand.h"

#include <stdint.h>
#include <string.h>

#include "builder/dockerfile/glob.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

#define EXPAND_DEPTH_MAX 64
/* more than the text; a program takes 128 KiB in a variable */
#define EXPAND_MAX ((size_t)1 << 20)
/* each character of a value is compared with it */
#define PATTERN_MAX 4096

struct reader {
	const struct expand *expand;
	const char *at;
	size_t max; /* bytes that it may make */
	int depth;
	struct error *err;
};

/* Where text goes: one string, or words cut at blanks. */
struct output {
	struct strbuf text;
	struct strv *words; /* NULL = do not cut */
	size_t cut;	    /* bytes of the words before */
	bool in_word;
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void output_end_word(struct output *out)
{
	if (!out->in_word)
		return;
	out->cut += out->text.size;
	if (out->text.size) /* "" alone is no word */
		strv_take(out->words, strbuf_take(&out->text));
	out->in_word = false;
}

/* Text in quotes or behind an escape never ends a word. */
static void output_raw(struct output *out, const char *text, size_t size)
{
	strbuf_add(&out->text, text, size);
	out->in_word = true;
}

static void output_plain(struct output *out, const char *text, size_t size)
{
	if (!out->words) {
		strbuf_add(&out->text, text, size);
		return;
	}
	for (size_t i = 0; i < size; i++) {
		if (is_blank(text[i]))
			output_end_word(out);
		else
			output_raw(out, text + i, 1);
	}
}

static int read_until(struct reader *reader, char stop, bool raw_escapes, struct output *out);

/* The character at a byte that is not ASCII, and its size; 0 when it is no UTF-8. */
static uint32_t read_character(const char *at, size_t *size)
{
	unsigned char first = (unsigned char)*at;
	uint32_t c;

	*size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
	c = *size ? first & (0x7Fu >> *size) : 0;
	for (size_t i = 1; i < *size; i++) {
		if (((unsigned char)at[i] & 0xC0) != 0x80)
			*size = 0;
		c = c << 6 | ((unsigned char)at[i] & 0x3F);
	}
	return c;
}

/* Letters of all scripts may be in names, other signs end them ("costs $PRICE€"): what is no letter
 * is a list, because that one is short enough if blocks of signs count as a whole. */
static size_t letter_size(const char *at)
{
	/* clang-format off */
	static const uint32_t signs[][2] = {
		{ 0x80, 0xA9 }, { 0xAB, 0xB4 }, { 0xB6, 0xB9 }, { 0xBB, 0xBF }, { 0xD7, 0xD7 },
		{ 0xF7, 0xF7 }, { 0x300, 0x36F }, { 0x2000, 0x2070 }, { 0x2072, 0x207E },
		{ 0x2080, 0x208F }, { 0x20A0, 0x20FF }, { 0x2190, 0x2BFF }, { 0x2E00, 0x2E7F },
		{ 0x3000, 0x3004 }, { 0x3007, 0x3030 }, { 0xE000, 0xF8FF }, { 0xFE00, 0xFE6F },
		{ 0xFF00, 0xFF0F }, { 0xFF1A, 0xFF20 }, { 0xFF3B, 0xFF40 }, { 0xFF5B, 0xFF65 },
		{ 0xFFE0, 0xFFFF }, { 0x1F000, 0x1FAFF },
	};
	/* clang-format on */
	size_t size;
	uint32_t c = read_character(at, &size);

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (c >= signs[i][0] && c <= signs[i][1])
			return 0;
	return size;
}

/* How many bytes the character of a name has; 0 when it is none. */
static size_t name_size(const char *at)
{
	if ((unsigned char)*at >= 0x80)
		return letter_size(at);
	return *at == '_' || (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
	       (*at >= '0' && *at <= '9');
}

/* A name, a number or one special parameter; "" when there is none. */
static char *read_name(struct reader *reader)
{
	const char *start = reader->at;

	if (*start >= '0' && *start <= '9') {
		reader->at += strspn(start, "0123456789");
	} else if (*start && strchr("@*#?-$!", *start)) {
		reader->at++;
	} else {
		for (size_t size; (size = name_size(reader->at)) > 0;)
			reader->at += size;
	}
	return xstrndup(start, (size_t)(reader->at - start));
}

static int missing_brace(struct reader *reader)
{
	return error_invalid(reader->err, "syntax error: missing '}'");
}

static int check_size(const struct reader *reader, size_t size)
{
	return size <= reader->max
		       ? 0
		       : error_invalid(reader->err,
				       "it grows by more than 1 MiB, which is the limit (does a "
				       "variable hold itself several times?)");
}

/* The word of a modifier, up to stop. */
static int read_operand(struct reader *reader, char stop, bool raw_escapes, char **out)
{
	struct output operand = { .text = STRBUF_INIT };
	int ret = read_until(reader, stop, raw_escapes, &operand);

	if (ret < 0) {
		strbuf_done(&operand.text);
		return *reader->at ? ret : missing_brace(reader);
	}
	*out = strbuf_take(&operand.text);
	return 0;
}

/* The word of a modifier that is a pattern. */
static int read_pattern(struct reader *reader, char stop, char **out)
{
	int ret = read_operand(reader, stop, true, out);

	if (ret == 0 && strlen(*out) > PATTERN_MAX)
		return error_invalid(reader->err, "a pattern is longer than %d bytes", PATTERN_MAX);
	return ret;
}

/* A variable is looked up when all of its form was read: who counts names without a value must not
 * hear of those in text that is no substitution. */
static const char *look_up(const struct reader *reader, const char *name)
{
	return reader->expand->lookup(reader->expand->context, name);
}

/* ${name/pattern/replacement} and ${name//...}; reader->at is behind the first slash. */
static int read_replace(struct reader *reader, const char *name, struct strbuf *out)
{
	cleanup_free char *pattern = NULL, *replacement = NULL;
	const char *value;
	bool all = *reader->at == '/';
	int ret;

	reader->at += all;
	ret = read_pattern(reader, '/', &pattern);
	if (ret == 0)
		ret = read_operand(reader, '}', true, &replacement);
	if (ret < 0)
		return ret;
	value = look_up(reader, name);
	glob_replace(pattern, value ? value : "", replacement, all, reader->max, out);
	return 0;
}

/* ${name#pattern}, ##, %, %%. */
static int read_trim(struct reader *reader, char kind, const char *name, struct strbuf *out)
{
	cleanup_free char *pattern = NULL;
	int ret = read_pattern(reader, '}', &pattern);
	const char *value;
	bool longest;

	if (ret < 0)
		return ret;
	value = look_up(reader, name);
	longest = pattern[0] == kind;
	(kind == '#' ? glob_trim_prefix : glob_trim_suffix)(pattern + longest, value ? value : "",
							    longest, out);
	return 0;
}

/* ${name-word} and its relatives; colon = an empty value counts as unset. */
static int read_default(struct reader *reader, char kind, bool colon, const char *name,
			struct strbuf *out)
{
	cleanup_free char *word = NULL;
	int ret = read_operand(reader, '}', false, &word);
	const char *value;
	bool set;

	if (ret < 0)
		return ret;
	value = look_up(reader, name);
	set = value && !(colon && !*value);
	if (kind == '?' && !set)
		return error_invalid(reader->err, "%s: %s", name,
				     *word   ? word
				     : value ? "is not allowed to be empty"
					     : "is not allowed to be unset");
	if (kind == '+')
		strbuf_adds(out, set ? word : "");
	else
		strbuf_adds(out, set ? value : word);
	return 0;
}

/* Behind "${". */
static int read_braces(struct reader *reader, struct strbuf *out)
{
	cleanup_free char *name = NULL;
	bool colon = false;
	char c;

	if (!*reader->at)
		return missing_brace(reader);
	if (strchr("{}:", *reader->at))
		return error_invalid(reader->err, "syntax error: bad substitution");
	name = read_name(reader);
	c = *reader->at;
	if (!c)
		return missing_brace(reader);
	reader->at++;
	if (c == '}') {
		const char *value = look_up(reader, name);

		strbuf_adds(out, value ? value : "");
		return 0;
	}
	if (c == '/')
		return read_replace(reader, name, out);
	if (c == ':') {
		colon = true;
		c = *reader->at;
		if (!c)
			return missing_brace(reader);
		reader->at++;
	}
	if (strchr("+-?", c) || (colon && reader->expand->for_shell))
		return read_default(reader, c, colon, name, out);
	if (!colon && (c == '#' || c == '%'))
		return read_trim(reader, c, name, out);
	return error_invalid(reader->err, "unsupported modifier (%s%c) in substitution",
			     colon ? ":" : "", c);
}

/* At "$". */
static int read_dollar(struct reader *reader, struct strbuf *out)
{
	cleanup_free char *name = NULL;
	const char *value;
	int ret;

	reader->at++;
	if (*reader->at == '{') {
		reader->at++;
		if (++reader->depth > EXPAND_DEPTH_MAX)
			return error_invalid(reader->err, "substitutions nest too deeply");
		ret = read_braces(reader, out);
		reader->depth--;
		return ret < 0 ? ret : check_size(reader, out->size);
	}
	name = read_name(reader);
	if (!*name) {
		strbuf_addc(out, '$');
		return 0;
	}
	value = look_up(reader, name);
	strbuf_adds(out, value ? value : "");
	return check_size(reader, out->size);
}

static int read_single_quotes(struct reader *reader, struct output *out)
{
	const char *end = strchr(reader->at + 1, '\'');

	if (!end) {
		reader->at += strlen(reader->at);
		return error_invalid(reader->err, "unexpected end of statement while looking for "
						  "matching single-quote");
	}
	output_raw(out, reader->at + 1, (size_t)(end - reader->at) - 1);
	reader->at = end + 1;
	return 0;
}

static int read_double_quotes(struct reader *reader, struct output *out)
{
	char escape = reader->expand->escape;

	reader->at++;
	output_raw(out, "", 0);
	while (*reader->at != '"') {
		char c = *reader->at;

		if (!c)
			return error_invalid(reader->err,
					     "unexpected end of statement while looking "
					     "for matching double-quote");
		if (c == '$') {
			int ret = read_dollar(reader, &out->text);

			if (ret < 0)
				return ret;
			continue;
		}
		reader->at++;
		if (c == escape) {
			char next = *reader->at;

			if (!next)
				continue; /* an escape at the very end is ignored */
			if (next == '"' || next == '$' || next == escape) {
				c = next;
				reader->at++;
			}
		}
		output_raw(out, &c, 1);
	}
	reader->at++;
	return 0;
}

/* Anything but a quote: a variable, an escape, or text. */
static int read_plain(struct reader *reader, bool raw_escapes, struct output *out)
{
	char c = *reader->at;

	if (c == '$') {
		cleanup_strbuf struct strbuf value = STRBUF_INIT;
		int ret = read_dollar(reader, &value);

		if (ret == 0)
			output_plain(out, strbuf_text(&value), value.size);
		return ret;
	}
	reader->at++;
	if (c != reader->expand->escape) {
		output_plain(out, &c, 1);
		return 0;
	}
	if (raw_escapes)
		output_raw(out, &c, 1);
	if (*reader->at)
		output_raw(out, reader->at++, 1);
	return 0;
}

static int read_until(struct reader *reader, char stop, bool raw_escapes, struct output *out)
{
	while (*reader->at) {
		char c = *reader->at;
		bool quote = !reader->expand->keep_quotes && (c == '"' || c == '\'');
		int ret;

		if (stop && c == stop) {
			reader->at++;
			return 0;
		}
		if (quote)
			ret = (c == '"' ? read_double_quotes : read_single_quotes)(reader, out);
		else
			ret = read_plain(reader, raw_escapes, out);
		if (ret == 0)
			ret = check_size(reader, out->cut + out->text.size);
		if (ret < 0)
			return ret;
	}
	if (stop)
		return error_invalid(reader->err,
				     "unexpected end of statement while looking for matching %c",
				     stop);
	return 0;
}

static struct reader reader_of(const struct expand *expand, const char *text, struct error *err)
{
	return (struct reader){
		.expand = expand, .at = text, .max = strlen(text) + EXPAND_MAX, .err = err
	};
}

bool expand_is_needed(const struct expand *expand, const char *text)
{
	for (; *text; text++)
		if (*text == '$' || *text == expand->escape ||
		    (!expand->keep_quotes && (*text == '"' || *text == '\'')))
			return true;
	return false;
}

int expand_word(const struct expand *expand, const char *text, char **out, struct error *err)
{
	struct reader reader = reader_of(expand, text, err);
	struct output output = { .text = STRBUF_INIT };
	int ret;

	if (!expand_is_needed(expand, text)) {
		*out = xstrdup(text);
		return 0;
	}
	ret = read_until(&reader, '\0', false, &output);
	if (ret < 0)
		strbuf_done(&output.text);
	else
		*out = strbuf_take(&output.text);
	return ret < 0 ? error_prefix(err, ret, "failed to process \"%s\"", text) : ret;
}

int expand_words(const struct expand *expand, const char *text, struct strv *out, struct error *err)
{
	struct reader reader = reader_of(expand, text, err);
	cleanup_strv struct strv words = STRV_INIT;
	struct output output = { .text = STRBUF_INIT, .words = &words };
	int ret = read_until(&reader, '\0', false, &output);

	if (ret == 0) {
		output_end_word(&output);
		strv_add_all(out, strv_items(&words));
	}
	strbuf_done(&output.text);
	return ret < 0 ? error_prefix(err, ret, "failed to process \"%s\"", text) : ret;
}

const char *expand_lookup_strv(void *context, const char *name)
{
	return strv_env_get(context, name);
}
