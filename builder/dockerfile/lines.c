/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to logical lines, called by parse.c. There is no limit to a line's length. The rules
 * are BuildKit's: a comment or an empty line inside a continuation is dropped and the continuation
 * goes on; an escape character doubled at the end of a line is no continuation.
 */
#include "builder/dockerfile/lines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

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

enum { DIRECTIVE_SYNTAX, DIRECTIVE_ESCAPE, DIRECTIVE_CHECK, DIRECTIVES };

/* A first line "#!..." makes the file a program that builds it; for directives it is not there, but
 * for escape (BuildKit looks for that one by another way). */
static bool is_program(const struct source_text *source)
{
	return source->count && strncmp(source->lines[0].text, "#!", 2) == 0;
}

int directives_parse(const struct source_text *source, struct directives *out, struct arena *arena,
		     struct source_range *where, struct error *err)
{
	static const char *const names[DIRECTIVES] = { "syntax", "escape", "check" };
	const char *values[DIRECTIVES] = { NULL };
	size_t first = is_program(source);

	for (size_t i = first; i < source->count; i++) {
		char key[16];
		const char *value;
		size_t size, which = 0;

		if (!directive_split(source->lines[i].text, key, sizeof(key), &value, &size))
			break;
		while (which < DIRECTIVES && strcasecmp(key, names[which]) != 0)
			which++;
		if (which == DIRECTIVES || (which == DIRECTIVE_ESCAPE && first))
			break;
		*where = (struct source_range){ .first = (unsigned int)i + 1,
						.last = (unsigned int)i + 1 };
		if (values[which])
			return error_invalid(err, "only one %s parser directive can be used",
					     names[which]);
		values[which] = arena_strndup(arena, value, size);
		if (which == DIRECTIVE_ESCAPE && strcmp(values[which], "\\") != 0 &&
		    strcmp(values[which], "`") != 0)
			return error_invalid(err,
					     "invalid escape directive \"%s\": must be ` or \\",
					     values[which]);
		out->count = i + 1;
	}
	out->syntax = values[DIRECTIVE_SYNTAX];
	out->escape = values[DIRECTIVE_ESCAPE] ? values[DIRECTIVE_ESCAPE][0] : '\\';
	out->check = values[DIRECTIVE_CHECK];
	return 0;
}

/* Append text to buf without a continuation mark at its end; true if there was one. */
static bool add_without_continuation(struct strbuf *buf, const char *text, char escape)
{
	size_t size = strlen(text), end = size;

	while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'))
		end--;
	if (end > 0 && text[end - 1] == escape && (end == 1 || text[end - 2] != escape)) {
		strbuf_add(buf, text, end - 1);
		return true;
	}
	strbuf_add(buf, text, size);
	return false;
}

/* A logical line while it is read. */
struct line_reader {
	struct lines *lines;
	struct arena *arena;
	struct strbuf text;
	struct source_piece *pieces;
	size_t piece_count, piece_capacity;
	struct strv comments;
	struct logical_line *out;
};

static void add_comment(struct line_reader *reader, const char *text)
{
	size_t size;

	text = skip_blanks(text);
	size = strlen(text);
	while (size && is_blank(text[size - 1]))
		size--;
	if (size)
		strv_addf(&reader->comments, "%.*s", (int)size, text);
	else
		strv_done(&reader->comments); /* "#" alone separates */
}

/* Add one physical line, from start on; true if the next one continues it. */
static bool add_line(struct line_reader *reader, const char *line, const char *start)
{
	struct source_piece piece = { reader->text.size, (unsigned int)reader->lines->next,
				      (unsigned int)(start - line) + 1 };

	ARRAY_GROW(reader->pieces, reader->piece_count, reader->piece_capacity);
	reader->pieces[reader->piece_count++] = piece;
	reader->out->range.last = piece.line;
	return add_without_continuation(&reader->text, start, reader->lines->escape);
}

static bool read_line(struct line_reader *reader)
{
	struct lines *lines = reader->lines;
	struct source_range *range = &reader->out->range;
	bool open = false;

	while (lines->next < lines->source->count && (range->first == 0 || open)) {
		const char *line = lines->source->lines[lines->next++].text;
		const char *start = skip_blanks(line);

		if (*start == '#' && !open)
			add_comment(reader, start + 1);
		else if (*start == '\0' && open)
			reader->out->empty_continuation = true;
		if (*start == '#' || *start == '\0')
			continue; /* also inside a continuation */
		if (range->first == 0)
			range->first = (unsigned int)lines->next;
		open = add_line(reader, line, range->first == lines->next ? start : line);
		if (!open && *skip_blanks(strbuf_text(&reader->text)) == '\0') {
			range->first = 0; /* escape characters and blanks only */
			reader->piece_count = 0;
			strbuf_truncate(&reader->text, 0);
			reader->out->empty_continuation = false;
		}
	}
	return range->first != 0 && *skip_blanks(strbuf_text(&reader->text)) != '\0';
}

/* Move what was read to the arena; offsets count from the first character that is no blank, and
 * lines that had nothing but blanks before it are no pieces. */
static void keep_line(struct line_reader *reader)
{
	struct logical_line *out = reader->out;
	const char *all = strbuf_text(&reader->text), *text = skip_blanks(all);
	size_t skipped = (size_t)(text - all), first = 0, count = reader->piece_count;
	struct source_piece *pieces;
	const char **comments =
		arena_alloc(reader->arena, (reader->comments.count + 1) * sizeof(*comments));

	while (first + 1 < count && reader->pieces[first + 1].offset <= skipped)
		first++;
	pieces = arena_alloc(reader->arena, (count - first) * sizeof(*pieces));
	for (size_t i = first; i < count; i++) {
		pieces[i - first] = reader->pieces[i];
		pieces[i - first].offset -= skipped;
	}
	pieces[0].column += (unsigned int)(skipped - reader->pieces[first].offset);
	pieces[0].offset = 0;
	for (size_t i = 0; i < reader->comments.count; i++)
		comments[i] = arena_strdup(reader->arena, reader->comments.items[i]);
	out->text = arena_strdup(reader->arena, text);
	out->pieces = pieces;
	out->piece_count = count - first;
	out->comments = comments;
}

bool lines_next(struct lines *lines, struct logical_line *out, struct arena *arena)
{
	struct logical_line line = { .text = NULL };
	struct line_reader reader = { .lines = lines, .arena = arena, .out = &line };
	bool found = read_line(&reader);

	if (found) {
		keep_line(&reader);
		*out = line;
	}
	strbuf_done(&reader.text);
	strv_done(&reader.comments);
	free(reader.pieces);
	return found;
}

void source_range_point(struct source_range *range, const struct source_piece *pieces,
			size_t piece_count, const struct span *span)
{
	size_t at = 0, end;

	if (!piece_count)
		return;
	while (at + 1 < piece_count && pieces[at + 1].offset <= span->start)
		at++;
	end = at + 1 < piece_count && pieces[at + 1].offset < span->end ? pieces[at + 1].offset
									: span->end;
	range->line = pieces[at].line;
	range->column = pieces[at].column + (unsigned int)(span->start - pieces[at].offset);
	range->width = (unsigned int)(end > span->start ? end - span->start : 1);
}

int source_prefix(const struct source_text *source, const struct source_range *where, int ret,
		  struct error *err)
{
	if (ret >= 0)
		return ret;
	if (where->column)
		return error_prefix(err, ret, "%s:%u:%u", source->name, where->line, where->column);
	return error_prefix(err, ret, "%s:%u", source->name, where->first);
}

char *lines_strip_tabs(const char *body, struct arena *arena)
{
	cleanup_strbuf struct strbuf stripped = STRBUF_INIT;

	while (*body) {
		size_t size;

		body += strspn(body, "\t");
		size = strcspn(body, "\n");
		size += body[size] == '\n';
		strbuf_add(&stripped, body, size);
		body += size;
	}
	return arena_strdup(arena, strbuf_text(&stripped));
}

char *lines_take_heredoc(struct lines *lines, const char *terminator, bool strip_tabs,
			 struct arena *arena)
{
	const struct source_text *source = lines->source;
	cleanup_strbuf struct strbuf body = STRBUF_INIT;

	for (size_t i = lines->next; i < source->count; i++) {
		const char *text = source->lines[i].text;
		size_t tabs = strip_tabs ? strspn(text, "\t") : 0;

		if (strcmp(text + tabs, terminator) == 0) {
			lines->next = i + 1;
			return arena_strdup(arena, strbuf_text(&body));
		}
		strbuf_adds(&body, text);
		strbuf_adds(&body, source->lines[i].ending);
	}
	return NULL;
}
