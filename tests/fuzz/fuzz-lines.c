/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical and logical lines, directives, here-documents: no byte of the source is lost, and every
 * part of a logical line is where its piece says. A logical line that ends with "<<WORD" takes a
 * here-document, as the parser would.
 */
#include "builder/dockerfile/lines.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "tests/fuzz/fuzz.h"

static const char bom[] = "\xEF\xBB\xBF";

/* The lines are the bytes, cut at "\n". */
static void check_source(const struct source_text *source, const uint8_t *data, size_t size)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t skip = size >= 3 && memcmp(data, bom, 3) == 0 ? 3 : 0;

	for (size_t i = 0; i < source->count; i++) {
		FUZZ_ASSERT(!strchr(source->lines[i].text, '\n'));
		FUZZ_ASSERT(*source->lines[i].ending || i + 1 == source->count);
		strbuf_adds(&text, source->lines[i].text);
		strbuf_adds(&text, source->lines[i].ending);
	}
	/* a CR at the very end of the file has no ending to be part of */
	if (skip + text.size + 1 == size && data[size - 1] == '\r')
		size--;
	FUZZ_ASSERT(skip + text.size == size);
	FUZZ_ASSERT(memcmp(strbuf_text(&text), data + skip, text.size) == 0);
}

/* Every piece is a part of its physical line; together they are the text. */
static void check_pieces(const struct source_text *source, const struct logical_line *line)
{
	size_t size = strlen(line->text);

	FUZZ_ASSERT(line->piece_count >= 1 && line->pieces[0].offset == 0);
	for (size_t i = 0; i < line->piece_count; i++) {
		const struct source_piece *piece = &line->pieces[i];
		size_t end = i + 1 < line->piece_count ? line->pieces[i + 1].offset : size;
		const char *text;

		FUZZ_ASSERT(piece->line >= line->range.first && piece->line <= line->range.last);
		FUZZ_ASSERT(i == 0 || piece->line > piece[-1].line);
		FUZZ_ASSERT(piece->offset <= end && end <= size && piece->column >= 1);
		text = source->lines[piece->line - 1].text;
		FUZZ_ASSERT(piece->column - 1 + end - piece->offset <= strlen(text));
		FUZZ_ASSERT(memcmp(text + piece->column - 1, line->text + piece->offset,
				   end - piece->offset) == 0);
	}
}

static void check_point(const struct source_text *source, const struct logical_line *line)
{
	for (size_t start = 0; start < strlen(line->text) && start < 100; start++) {
		struct span span = { start, start + 3 };
		struct source_range range = line->range;

		source_range_point(&range, line->pieces, line->piece_count, &span);
		FUZZ_ASSERT(range.line >= range.first && range.line <= range.last);
		FUZZ_ASSERT(range.width >= 1 && range.width <= 3);
		FUZZ_ASSERT(source->lines[range.line - 1].text[range.column - 1] ==
			    line->text[start]);
	}
}

static void check_heredoc(struct lines *lines, const char *word, struct arena *arena)
{
	size_t before = lines->next;
	bool strip = *word == '-';
	char *body = lines_take_heredoc(lines, word + strip, strip, arena);

	if (!body) {
		FUZZ_ASSERT(lines->next == before);
		return;
	}
	FUZZ_ASSERT(lines->next > before && lines->next <= lines->source->count);
	FUZZ_ASSERT(strstr(lines->source->lines[lines->next - 1].text, word + strip));
	FUZZ_ASSERT(!*body || body[strlen(body) - 1] == '\n');
}

static void read_all(const struct source_text *source, size_t first, char escape,
		     struct arena *arena)
{
	struct lines lines = { .source = source, .next = first, .escape = escape };
	struct logical_line line;
	unsigned int last = (unsigned int)first;

	while (lines_next(&lines, &line, arena)) {
		const char *word = strrchr(line.text, '<');

		FUZZ_ASSERT(line.range.first > last && line.range.last >= line.range.first);
		FUZZ_ASSERT(line.range.last <= lines.next && lines.next <= source->count);
		FUZZ_ASSERT(*line.text && !strchr(" \t\v\f\r#", *line.text));
		check_pieces(source, &line);
		check_point(source, &line);
		if (word && word > line.text && word[-1] == '<' && word[1])
			check_heredoc(&lines, word + 1, arena);
		last = (unsigned int)lines.next;
	}
	FUZZ_ASSERT(lines.next == source->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct source_text source;
	struct source_range where = { .first = 0 };
	struct directives directives = { .count = 0 };

	if (source_load(&source, "fuzz", (const char *)data, size, &arena, NULL) < 0) {
		FUZZ_ASSERT(memchr(data, '\0', size));
		return 0;
	}
	check_source(&source, data, size);
	if (directives_parse(&source, &directives, &arena, &where, NULL) < 0) {
		FUZZ_ASSERT(where.first >= 1 && where.first <= source.count);
		return 0;
	}
	FUZZ_ASSERT(directives.count <= 3 && directives.count <= source.count);
	FUZZ_ASSERT(directives.escape == '\\' || directives.escape == '`');
	read_all(&source, directives.count, directives.escape, &arena);
	read_all(&source, 0, '`', &arena);
	return 0;
}
