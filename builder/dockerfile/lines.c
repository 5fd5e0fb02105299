/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to logical lines, called by parse.c. There is no limit to a line's length. The rules
 * are BuildKit's: a comment or an empty line inside a continuation is dropped and the continuation
 * goes on; an escape character doubled at the end of a line is no continuation.
 */
#include "builder/dockerfile/lines.h"

#include <string.h>
#include <strings.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

static const char *skip_blanks(const char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

int source_load(struct source_text *source, const char *name, const char *bytes, size_t size,
		struct arena *arena, struct error *err)
{
	const char *end = bytes + size;
	size_t count = 0;
	const char *nul = size ? memchr(bytes, '\0', size) : NULL;

	if (nul) {
		unsigned int line = 1;

		for (const char *p = bytes; p < nul; p++)
			line += *p == '\n';
		return error_invalid(err, "%s:%u: a NUL byte: this is not a text file", name, line);
	}
	if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
		bytes += 3;
	for (const char *p = bytes; p < end; p++)
		count += *p == '\n' || p + 1 == end;

	source->name = arena_strdup(arena, name);
	source->lines = arena_alloc(arena, count * sizeof(*source->lines));
	source->count = count;
	for (size_t i = 0; i < count; i++) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = newline ? newline : end;
		bool cr = stop > bytes && stop[-1] == '\r';

		source->lines[i].text = arena_strndup(arena, bytes, (size_t)(stop - bytes) - cr);
		source->lines[i].ending = !newline ? "" : cr ? "\r\n" : "\n";
		bytes = stop + 1;
	}
	return 0;
}

/* "# key = value": 1 and the parts, or 0. */
static int directive_split(const char *text, char *key, size_t key_size, const char **value,
			   size_t *value_size)
{
	size_t size = 0;
	const char *end;

	text = skip_blanks(text);
	if (*text != '#')
		return 0;
	text = skip_blanks(text + 1);
	while ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
	       (size && *text >= '0' && *text <= '9')) {
		if (size + 1 >= key_size)
			return 0;
		key[size++] = *text++;
	}
	key[size] = '\0';
	text = skip_blanks(text);
	if (!size || *text != '=')
		return 0;
	text = skip_blanks(text + 1);
	end = text + strlen(text);
	while (end > text && is_blank(end[-1]))
		end--;
	*value = text;
	*value_size = (size_t)(end - text);
	return end > text;
}

int directives_parse(const struct source_text *source, struct directives *out, struct arena *arena,
		     struct source_range *where, struct error *err)
{
	static const char *const names[] = { "syntax", "escape", "check" };
	const char *values[ARRAY_SIZE(names)] = { NULL };

	for (size_t i = 0; i < source->count; i++) {
		char key[16];
		const char *value;
		size_t size, which = 0;

		if (!directive_split(source->lines[i].text, key, sizeof(key), &value, &size))
			break;
		while (which < ARRAY_SIZE(names) && strcasecmp(key, names[which]) != 0)
			which++;
		if (which == ARRAY_SIZE(names))
			break;
		*where = (struct source_range){ (unsigned int)i + 1, (unsigned int)i + 1 };
		if (values[which])
			return error_invalid(err, "only one %s parser directive can be used",
					     names[which]);
		values[which] = arena_strndup(arena, value, size);
		if (which == 1 && strcmp(values[1], "\\") != 0 && strcmp(values[1], "`") != 0)
			return error_invalid(
				err, "invalid escape directive \"%s\": must be ` or \\", values[1]);
	}
	out->syntax = values[0];
	out->escape = values[1] ? values[1][0] : '\\';
	out->check = values[2];
	return 0;
}

/* Append text to buf without a continuation mark at its end; true if there was one. */
static bool add_without_continuation(struct strbuf *buf, const char *text, char escape)
{
	size_t size = strlen(text), end = size;

	while (end > 0 && is_blank(text[end - 1]))
		end--;
	if (end > 0 && text[end - 1] == escape && (end == 1 || text[end - 2] != escape)) {
		strbuf_add(buf, text, end - 1);
		return true;
	}
	strbuf_add(buf, text, size);
	return false;
}

bool lines_next(struct lines *lines, struct logical_line *out, struct arena *arena)
{
	const struct source_text *source = lines->source;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned int first = 0, last = 0;
	bool open = false;

	while (lines->next < source->count && (first == 0 || open)) {
		const char *line = source->lines[lines->next++].text;
		const char *start = skip_blanks(line);

		if (*start == '#' || *start == '\0')
			continue; /* also inside a continuation */
		if (first == 0)
			first = (unsigned int)lines->next;
		open = add_without_continuation(&text, first == lines->next ? start : line,
						lines->escape);
		last = (unsigned int)lines->next;
		if (!open && *skip_blanks(strbuf_text(&text)) == '\0')
			first = 0; /* escape characters and blanks only */
	}
	if (first == 0 || *skip_blanks(strbuf_text(&text)) == '\0')
		return false;
	out->text = arena_strdup(arena, skip_blanks(strbuf_text(&text)));
	out->range = (struct source_range){ first, last };
	return true;
}

char *lines_take_heredoc(struct lines *lines, const char *terminator, bool strip_tabs,
			 struct arena *arena)
{
	const struct source_text *source = lines->source;
	cleanup_strbuf struct strbuf body = STRBUF_INIT;

	for (size_t i = lines->next; i < source->count; i++) {
		const char *text = source->lines[i].text;

		while (strip_tabs && *text == '\t')
			text++;
		if (strcmp(text, terminator) == 0) {
			lines->next = i + 1;
			return arena_strdup(arena, strbuf_text(&body));
		}
		strbuf_adds(&body, text);
		strbuf_adds(&body, source->lines[i].ending);
	}
	return NULL;
}
