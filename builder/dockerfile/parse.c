/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From logical lines to instructions: keyword, flags, the grammar's arguments, here-documents.
 * Called by cmd-build.c with the file's bytes, and by the planner with the triggers of images.
 */
#include "builder/dockerfile/parse.h"

#include <string.h>
#include <strings.h>

#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/words.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "lib/table.h"

struct parser {
	struct arena *arena;
	struct lines *lines; /* NULL: no lines follow (triggers) */
	char escape;
	struct span *guilty; /* of the logical line: what a failure is about */
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *skip_blanks(const char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

/* Where text, a part of the instruction's, stands in the logical line. */
static size_t offset_of(const struct instruction *instruction, const char *text)
{
	return instruction->offset + (size_t)(text - instruction->text);
}

static struct span span_at(size_t base, const struct span *span)
{
	return (struct span){ base + span->start, base + span->end };
}

/* Words of text become the arguments. */
static void take_args(const struct parser *parser, struct instruction *instruction,
		      const char *text, const struct strv *words, const struct spans *places)
{
	size_t base = offset_of(instruction, text);
	const char **args = arena_alloc(parser->arena, (words->count + 1) * sizeof(*args));
	struct span *spans = arena_alloc(parser->arena, words->count * sizeof(*spans));

	for (size_t i = 0; i < words->count; i++) {
		args[i] = arena_strdup(parser->arena, words->items[i]);
		spans[i] = span_at(base, &places->items[i]);
	}
	instruction->args = args;
	instruction->arg_spans = spans;
	instruction->arg_count = words->count;
}

/* -- grammars: the text behind the flags, trimmed ------------------------------------------------
 */

static int read_words(const struct parser *parser, const char *text,
		      struct instruction *instruction, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_spans struct spans spans = { 0 };

	(void)err;
	words_split_blanks(text, &words, &spans);
	take_args(parser, instruction, text, &words, &spans);
	return 0;
}

static int read_text(const struct parser *parser, const char *text, struct instruction *instruction,
		     struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;
	struct span whole = { 0, strlen(text) };
	struct spans spans = { .items = &whole, .count = 1 };

	(void)err;
	if (*text || (instruction_spec(instruction)->properties & INST_EMPTY_OK))
		strv_add(&words, text);
	take_args(parser, instruction, text, &words, &spans);
	return 0;
}

/* The exec form, or else the other reader. */
static int read_json_or(const struct parser *parser, const char *text,
			struct instruction *instruction,
			int (*other)(const struct parser *, const char *, struct instruction *,
				     struct error *),
			struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_spans struct spans spans = { 0 };
	int ret = words_split_json(text, &words, &spans, err);

	if (ret < 0)
		return ret;
	if (ret == 0)
		return other(parser, text, instruction, err);
	instruction->json = true;
	take_args(parser, instruction, text, &words, &spans);
	return 0;
}

static int read_list(const struct parser *parser, const char *text, struct instruction *instruction,
		     struct error *err)
{
	return read_json_or(parser, text, instruction, read_words, err);
}

static int read_command(const struct parser *parser, const char *text,
			struct instruction *instruction, struct error *err)
{
	return read_json_or(parser, text, instruction, read_text, err);
}

/* "name rest of the line", chosen by the absence of '=' in the first word. */
static int read_legacy_pair(const struct parser *parser, const char *text,
			    struct instruction *instruction, struct error *err)
{
	const char **args = arena_alloc(parser->arena, 3 * sizeof(*args));
	struct span *spans = arena_alloc(parser->arena, 2 * sizeof(*spans));
	size_t size = 0, base = offset_of(instruction, text);
	const char *value;

	while (text[size] && !is_blank(text[size]))
		size++;
	value = skip_blanks(text + size);
	if (!*value)
		return error_invalid(err, "%s must have two arguments",
				     instruction_spec(instruction)->name);
	args[0] = arena_strndup(parser->arena, text, size);
	args[1] = arena_strdup(parser->arena, value);
	spans[0] = (struct span){ base, base + size };
	spans[1] = (struct span){ base + (size_t)(value - text), base + strlen(text) };
	instruction->args = args;
	instruction->arg_spans = spans;
	instruction->arg_count = 2;
	instruction->legacy = true;
	return 0;
}

/* One word: name and value, or a name alone, whose value is NULL. */
static int split_pair(const struct parser *parser, const char *word, bool optional,
		      const char **args, struct error *err)
{
	const char *equals = strchr(word, '=');
	size_t size = equals ? (size_t)(equals - word) : strlen(word);

	if (!equals && !optional)
		return error_invalid(err, "can't find = in \"%s\": must be of the form name=value",
				     word);
	args[0] = arena_strndup(parser->arena, word, size);
	args[1] = equals ? arena_strdup(parser->arena, equals + 1) : NULL;
	return 0;
}

/* name=value words; with optional, "name" alone is a name without value. */
static int split_pairs(const struct parser *parser, const char *text, bool optional,
		       struct instruction *instruction, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_spans struct spans places = { 0 };
	size_t base = offset_of(instruction, text);
	const char **args;
	struct span *spans;
	int ret = 0;

	words_split_quoted(text, parser->escape, &words, &places);
	args = arena_alloc(parser->arena, (2 * words.count + 1) * sizeof(*args));
	spans = arena_alloc(parser->arena, 2 * words.count * sizeof(*spans));
	for (size_t i = 0; i < words.count && ret == 0; i++) {
		struct span span = span_at(base, &places.items[i]);

		*parser->guilty = span;
		ret = split_pair(parser, words.items[i], optional, &args[2 * i], err);
		spans[2 * i] = spans[2 * i + 1] = span;
		if (ret == 0)
			spans[2 * i].end = span.start + strlen(args[2 * i]);
		if (ret == 0 && args[2 * i + 1])
			spans[2 * i + 1].start = spans[2 * i].end + 1;
	}
	instruction->args = args;
	instruction->arg_spans = spans;
	instruction->arg_count = 2 * words.count;
	return ret;
}

static int read_pairs(const struct parser *parser, const char *text,
		      struct instruction *instruction, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;

	words_split_quoted(text, parser->escape, &words, NULL);
	if (words.count && !strchr(words.items[0], '='))
		return read_legacy_pair(parser, text, instruction, err);
	return split_pairs(parser, text, false, instruction, err);
}

static int read_names(const struct parser *parser, const char *text,
		      struct instruction *instruction, struct error *err)
{
	return split_pairs(parser, text, true, instruction, err);
}

static int read_health(const struct parser *parser, const char *text,
		       struct instruction *instruction, struct error *err)
{
	struct instruction command = *instruction;
	size_t size = 0;
	const char **args;
	struct span *spans;
	int ret;

	if (!*text)
		return 0; /* the arity check has the message */
	while (text[size] && !is_blank(text[size]))
		size++;
	ret = read_command(parser, skip_blanks(text + size), &command, err);
	if (ret < 0)
		return ret;
	args = arena_alloc(parser->arena, (command.arg_count + 2) * sizeof(*args));
	spans = arena_alloc(parser->arena, (command.arg_count + 1) * sizeof(*spans));
	args[0] = arena_strndup(parser->arena, text, size);
	spans[0].start = offset_of(instruction, text);
	spans[0].end = spans[0].start + size;
	if (command.arg_count) {
		memcpy(args + 1, command.args, command.arg_count * sizeof(*args));
		memcpy(spans + 1, command.arg_spans, command.arg_count * sizeof(*spans));
	}
	instruction->args = args;
	instruction->arg_spans = spans;
	instruction->arg_count = command.arg_count + 1;
	instruction->json = command.json;
	return 0;
}

static int parse_instruction(const struct parser *parser, const char *text, bool nested,
			     struct instruction *out, struct error *err);

/* The same lines as the instruction that it stands in; text is a part of that one's. */
static void place_nested(const struct instruction *outer, const char *text,
			 struct instruction *nested)
{
	nested->range = outer->range;
	nested->pieces = outer->pieces;
	nested->piece_count = outer->piece_count;
	nested->offset = offset_of(outer, text);
}

static int read_nested(const struct parser *parser, const char *text,
		       struct instruction *instruction, struct error *err)
{
	if (!*text)
		return error_invalid(err, "ONBUILD requires an instruction");
	instruction->nested = arena_alloc(parser->arena, sizeof(*instruction->nested));
	place_nested(instruction, text, instruction->nested);
	return parse_instruction(parser, text, true, instruction->nested, err);
}

static int (*const readers[])(const struct parser *, const char *, struct instruction *,
			      struct error *) = {
	[GRAMMAR_WORDS] = read_words,	  [GRAMMAR_LIST] = read_list,
	[GRAMMAR_COMMAND] = read_command, [GRAMMAR_TEXT] = read_text,
	[GRAMMAR_PAIRS] = read_pairs,	  [GRAMMAR_NAMES] = read_names,
	[GRAMMAR_HEALTH] = read_health,	  [GRAMMAR_NESTED] = read_nested,
};

/* -- here-documents ------------------------------------------------------------------------------
 */

/* The text of a delimiter without quotes; *quoted = some of it was quoted. */
static char *unquote_delimiter(const struct parser *parser, const char *word, bool *quoted)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	char quote = '\0';

	*quoted = false;
	for (; *word; word++) {
		if (*word == parser->escape && quote != '\'' && word[1])
			word++;
		else if (quote ? *word == quote : *word == '"' || *word == '\'') {
			quote = quote ? '\0' : *word;
			*quoted = true;
			continue;
		} else {
			strbuf_addc(&name, *word);
			continue;
		}
		*quoted = true;
		strbuf_addc(&name, *word);
	}
	return quote ? NULL : arena_strdup(parser->arena, strbuf_text(&name));
}

/* "[digits]<<[-]WORD": is it one, and which? */
static bool parse_heredoc_word(const struct parser *parser, const char *word, struct heredoc *out)
{
	bool quoted;
	char *name;

	word += strspn(word, "0123456789");
	if (strncmp(word, "<<", 2) != 0)
		return false;
	word += 2;
	out->strip = *word == '-';
	word += out->strip;
	if (!*word || strchr(word, '<'))
		return false;
	name = unquote_delimiter(parser, word, &quoted);
	if (!name || !*name)
		return false;
	out->name = name;
	out->expand = !quoted;
	return true;
}

static int take_heredocs(const struct parser *parser, const char *text,
			 struct instruction *instruction, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_spans struct spans places = { 0 };
	struct heredoc *heredocs;

	if (!(instruction_spec(instruction)->properties & INST_HEREDOC) || instruction->json ||
	    !parser->lines || !strstr(text, "<<"))
		return 0;
	if (instruction->kind == INST_RUN)
		words_split_quoted(text, parser->escape, &words, &places);
	else
		words_split_blanks(text, &words, &places);
	heredocs = arena_alloc(parser->arena, (words.count + 1) * sizeof(*heredocs));
	instruction->heredocs = heredocs;
	for (size_t i = 0; i < words.count; i++) {
		struct heredoc *heredoc = &heredocs[instruction->heredoc_count];

		if (!parse_heredoc_word(parser, words.items[i], heredoc))
			continue;
		heredoc->arg = i;
		*parser->guilty = span_at(offset_of(instruction, text), &places.items[i]);
		heredoc->body = lines_take_heredoc(parser->lines, heredoc->name, heredoc->strip,
						   parser->arena);
		if (!heredoc->body)
			return error_invalid(err, "unterminated heredoc \"%s\"", heredoc->name);
		instruction->heredoc_count++;
	}
	if (instruction->heredoc_count)
		instruction->range.last = (unsigned int)parser->lines->next;
	return 0;
}

/* -- instructions --------------------------------------------------------------------------------
 */

static int unknown_instruction(const char *name, size_t size, struct error *err)
{
	cleanup_free char *upper = xstrndup(name, size);
	struct suggestion near = { .word = upper };
	int ret;

	for (char *p = upper; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 32);
	for (int i = 0; i < INST_COUNT; i++)
		suggestion_consider(&near, instruction_table[i].name);
	ret = error_invalid(err, "unknown instruction: %.*s", (int)(size > 80 ? 80 : size), name);
	return near.best ? error_suffix(err, ret, " (did you mean %s?)", near.best) : ret;
}

/* The words "--name=value" at the start of text; *rest is what follows. */
static int take_flags(const struct parser *parser, const char *text, struct instruction *out,
		      const char **rest, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_spans struct spans spans = { 0 };
	int ret = 0;

	*rest = words_take_flags(text, parser->escape, &words, &spans);
	for (size_t i = 0; i < words.count && ret == 0; i++) {
		*parser->guilty = span_at(offset_of(out, text), &spans.items[i]);
		ret = instruction_add_flag(out, words.items[i], parser->arena, err);
		if (ret == 0)
			out->flags[i].span = *parser->guilty;
	}
	return ret;
}

static int parse_arguments(const struct parser *parser, const char *rest, struct instruction *out,
			   struct error *err)
{
	int ret;

	*parser->guilty = out->keyword;
	ret = readers[instruction_spec(out)->grammar](parser, rest, out, err);
	if (ret == 0)
		ret = take_heredocs(parser, rest, out, err);
	if (ret < 0)
		return ret;
	*parser->guilty = out->keyword;
	return instruction_check(out, err);
}

static int parse_instruction(const struct parser *parser, const char *text, bool nested,
			     struct instruction *out, struct error *err)
{
	size_t size = 0, end = strlen(text);
	char *trimmed;
	const char *rest;
	int ret;

	while (end && is_blank(text[end - 1]))
		end--;
	trimmed = arena_strndup(parser->arena, text, end);
	while (trimmed[size] && !is_blank(trimmed[size]))
		size++;
	out->text = trimmed;
	out->keyword = (struct span){ out->offset, out->offset + size };
	*parser->guilty = out->keyword;
	out->kind = instruction_find(trimmed, size);
	if (out->kind == INST_COUNT)
		return unknown_instruction(trimmed, size, err);
	if (nested && (instruction_spec(out)->properties & INST_NO_ONBUILD))
		return error_invalid(err, "%s isn't allowed as an ONBUILD trigger",
				     instruction_spec(out)->name);
	ret = take_flags(parser, skip_blanks(trimmed + size), out, &rest, err);
	return ret < 0 ? ret : parse_arguments(parser, rest, out, err);
}

int dockerfile_parse_trigger(const char *text, struct arena *arena, struct instruction *out,
			     struct error *err)
{
	struct source_text source;
	struct lines lines = { .source = &source, .escape = '\\' };
	struct span guilty;
	struct parser parser = { arena, &lines, '\\', &guilty };
	struct logical_line line;
	struct instruction instruction = { 0 };
	int ret = source_load(&source, "ONBUILD", text, strlen(text), arena, err);

	if (ret == 0 && !lines_next(&lines, &line, arena))
		ret = error_invalid(err, "an empty trigger");
	if (ret == 0)
		ret = parse_instruction(&parser, line.text, true, &instruction, err);
	if (ret < 0)
		return error_prefix(err, ret, "ONBUILD trigger \"%.200s\" of the base image", text);
	*out = instruction;
	return 0;
}

static int parse_line(const struct parser *parser, const struct logical_line *line,
		      struct instruction *out, struct error *err)
{
	*out = (struct instruction){ .range = line->range,
				     .pieces = line->pieces,
				     .piece_count = line->piece_count,
				     .comments = line->comments,
				     .empty_continuation = line->empty_continuation };
	return parse_instruction(parser, line->text, false, out, err);
}

static int parse_lines(struct dockerfile *out, const struct parser *parser, struct error *err)
{
	size_t capacity = 0;
	bool in_stage = false;
	struct logical_line line;

	while (lines_next(parser->lines, &line, &out->arena)) {
		struct instruction *instruction;
		int ret;

		ARRAY_GROW(out->instructions, out->count, capacity);
		instruction = &out->instructions[out->count];
		ret = parse_line(parser, &line, instruction, err);
		out->where = instruction_range(instruction, parser->guilty);
		if (ret < 0)
			return ret;
		out->count++;
		in_stage = in_stage || instruction->kind == INST_FROM;
		if (!in_stage && !(instruction_spec(instruction)->properties & INST_BEFORE_FROM))
			return error_invalid(err,
					     "no build stage in current context: %s stands "
					     "before the first FROM",
					     instruction_spec(instruction)->name);
	}
	out->where = (struct source_range){ .first = 1, .last = 1 };
	if (!out->count)
		return error_invalid(err, "file with no instructions");
	if (!in_stage)
		return error_invalid(err, "file with no build stage: there is no FROM");
	return 0;
}

static int parse_all(struct dockerfile *out, struct error *err)
{
	struct lines lines = { .source = &out->source };
	struct span guilty = { 0, 0 };
	struct parser parser = { &out->arena, &lines, '\\', &guilty };
	int ret = directives_parse(&out->source, &out->directives, &out->arena, &out->where, err);

	if (ret < 0)
		return ret;
	lines.next = out->directives.count;
	lines.escape = parser.escape = out->directives.escape;
	return parse_lines(out, &parser, err);
}

int dockerfile_parse(const char *name, const char *bytes, size_t size, struct dockerfile *out,
		     struct error *err)
{
	int ret;

	*out = (struct dockerfile){ .where = { .first = 1, .last = 1 } };
	ret = source_load(&out->source, name, bytes, size, &out->arena, err);
	if (ret < 0)
		return ret;
	ret = parse_all(out, err);
	return source_prefix(&out->source, &out->where, ret, err);
}

void dockerfile_done(struct dockerfile *dockerfile)
{
	free(dockerfile->instructions);
	arena_done(&dockerfile->arena);
	*dockerfile = (struct dockerfile){ 0 };
}

bool dockerfile_syntax_is_known(const char *syntax)
{
	static const char *const prefixes[] = { "docker.io/docker/", "docker/" };
	static const char *const names[] = { "dockerfile", "dockerfile-upstream", "dockerfile.v0" };
	size_t skip = 0, size;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes) && !skip; i++)
		if (strncmp(syntax, prefixes[i], strlen(prefixes[i])) == 0)
			skip = strlen(prefixes[i]);
	size = strcspn(syntax + skip, ":@ ");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == size && strncmp(syntax + skip, names[i], size) == 0)
			return true;
	return false;
}
