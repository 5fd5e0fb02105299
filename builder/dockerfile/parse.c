/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From logical lines to instructions: keyword, flags, arguments (grammar.c), here-documents.
 * Called by cmd-build.c with the file's bytes, and by the planner with the triggers of images.
 */
#include "builder/dockerfile/parse.h"

#include <string.h>

#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/parser.h"
#include "builder/dockerfile/words.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "lib/table.h"

/* Where the words about a mistake go: only the first one counts. */
static struct error *mistake_error(const struct parser *parser)
{
	return parser->mistake->ret < 0 ? NULL : &parser->mistake->err;
}

static int tell_mistake(const struct mistake *mistake, struct error *err)
{
	if (mistake->ret < 0 && err)
		*err = mistake->err;
	return mistake->ret;
}

static void note_mistake(const struct parser *parser, int ret)
{
	if (ret == 0 || parser->mistake->ret < 0)
		return;
	parser->mistake->ret = ret;
	parser->mistake->guilty = *parser->guilty;
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
	nested->offset = parser_offset(outer, text);
}

static int read_nested(const struct parser *parser, const char *text,
		       struct instruction *instruction, struct error *err)
{
	if (!*text) {
		note_mistake(parser, error_invalid(mistake_error(parser),
						   "ONBUILD requires an instruction"));
		return 0;
	}
	instruction->nested = arena_alloc(parser->arena, sizeof(*instruction->nested));
	place_nested(instruction, text, instruction->nested);
	return parse_instruction(parser, text, true, instruction->nested, err);
}

/* -- here-documents ------------------------------------------------------------------------------
 */

/* BuildKit reads the marks of here-documents with this one, whatever the directive says. */
#define HEREDOC_ESCAPE '\\'

/* At "${": is it a variable alone? */
static bool is_plain_variable(const char *at)
{
	size_t size =
		strspn(at + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	return at[2 + size] == '}';
}

/* The text of a delimiter without quotes; *quoted = some of it was. An escape quotes nothing: what
 * a shell thinks of <<\EOF is not what BuildKit does. NULL when it cannot be one: an open quote, a
 * substitution with a modifier (a variable alone stays as it is written). */
static char *unquote_delimiter(const struct parser *parser, const char *word, bool *quoted)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	char quote = '\0';

	*quoted = false;
	for (; *word; word++) {
		if (quote != '\'' && strncmp(word, "${", 2) == 0 && !is_plain_variable(word))
			return NULL;
		if (*word == HEREDOC_ESCAPE && quote != '\'' && word[1]) {
			strbuf_addc(&name, *++word);
		} else if (quote ? *word == quote : *word == '"' || *word == '\'') {
			quote = quote ? '\0' : *word;
			*quoted = true;
		} else {
			strbuf_addc(&name, *word);
		}
	}
	return quote ? NULL : arena_strdup(parser->arena, strbuf_text(&name));
}

/* "[digits]<<[-][blanks]WORD": is it one, and which? A "-" behind the blanks is the word's. */
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
	word += strspn(word, " \t\r");
	if (!*word || strchr(word, '<'))
		return false;
	name = unquote_delimiter(parser, word, &quoted);
	if (!name || !*name)
		return false;
	out->name = name;
	out->expand = !quoted;
	return true;
}

static const char *any_value(void *context, const char *name)
{
	(void)context;
	(void)name;
	return "value";
}

/* Text with an open quote or brace, or a substitution that only a shell knows, has no
 * here-documents for BuildKit, wherever in the line that stands. */
static bool can_be_split(const char *text)
{
	struct expand expand = { .escape = HEREDOC_ESCAPE, .for_shell = true, .lookup = any_value };
	cleanup_strv struct strv words = STRV_INIT;

	return expand_words(&expand, text, &words, NULL) == 0;
}

/* "<< 20))" is a mark for BuildKit, too; whoever wrote a number there meant a shift. */
static int unterminated(const struct heredoc *heredoc, const char *word, struct error *err)
{
	int ret = error_invalid(err, "unterminated heredoc \"%s\"", heredoc->name);

	if (!strstr(word, "))"))
		return ret;
	return error_suffix(err, ret,
			    " (\"<<\" at the start of a word begins a here-document, in $((...)), "
			    "too; for a shift write \"1<<2\" without blanks)");
}

static int take_heredocs(const struct parser *parser, const char *text,
			 struct instruction *instruction, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_spans struct spans places = { 0 };
	struct heredoc *heredocs;

	if (!(instruction_spec(instruction)->properties & INST_HEREDOC) || instruction->json ||
	    !parser->lines || !strstr(text, "<<") || !can_be_split(text))
		return 0;
	if (instruction->kind == INST_RUN)
		words_split_command(text, HEREDOC_ESCAPE, &words, &places);
	else
		words_split_blanks(text, &words, &places);
	heredocs = arena_alloc(parser->arena, (words.count + 1) * sizeof(*heredocs));
	instruction->heredocs = heredocs;
	for (size_t i = 0; i < words.count; i++) {
		struct heredoc *heredoc = &heredocs[instruction->heredoc_count];

		if (!parse_heredoc_word(parser, words.items[i], heredoc))
			continue;
		heredoc->arg = i;
		heredoc->alone = words.count == 1;
		*parser->guilty = parser_span(parser_offset(instruction, text), &places.items[i]);
		heredoc->raw = lines_take_heredoc(parser->lines, heredoc->name, heredoc->strip,
						  parser->arena);
		if (!heredoc->raw)
			return unterminated(heredoc, words.items[i], err);
		heredoc->body = heredoc->strip ? lines_strip_tabs(heredoc->raw, parser->arena)
					       : heredoc->raw;
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

/* The words "--name=value" at the start of text; returns what follows. */
static const char *take_flags(const struct parser *parser, const char *text,
			      struct instruction *out)
{
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_spans struct spans spans = { 0 };
	const char *rest = words_take_flags(text, parser->escape, &words, &spans);
	int ret = 0;

	for (size_t i = 0; i < words.count && ret == 0; i++) {
		*parser->guilty = parser_span(parser_offset(out, text), &spans.items[i]);
		ret = instruction_add_flag(out, words.items[i], parser->arena,
					   mistake_error(parser));
		note_mistake(parser, ret);
		if (ret == 0)
			out->flags[i].span = *parser->guilty;
	}
	return rest;
}

/* Fails where the file cannot be read on; what is only wrong is noted. */
static int parse_arguments(const struct parser *parser, const char *rest, struct instruction *out,
			   struct error *err)
{
	int ret;

	*parser->guilty = out->keyword;
	ret = instruction_spec(out)->grammar == GRAMMAR_NESTED
		      ? read_nested(parser, rest, out, err)
		      : grammar_read(parser, rest, out, err);
	if (ret == 0)
		ret = take_heredocs(parser, rest, out, err);
	if (ret < 0)
		return ret;
	*parser->guilty = out->keyword;
	note_mistake(parser, instruction_check(out, mistake_error(parser)));
	return 0;
}

static int parse_instruction(const struct parser *parser, const char *text, bool nested,
			     struct instruction *out, struct error *err)
{
	size_t size = 0, end = strlen(text);
	char *trimmed;

	while (end && parser_is_blank(text[end - 1]))
		end--;
	trimmed = arena_strndup(parser->arena, text, end);
	while (trimmed[size] && !parser_is_blank(trimmed[size]))
		size++;
	out->text = trimmed;
	out->keyword = (struct span){ out->offset, out->offset + size };
	*parser->guilty = out->keyword;
	out->kind = instruction_find(trimmed, size);
	if (out->kind == INST_COUNT) {
		note_mistake(parser, unknown_instruction(trimmed, size, mistake_error(parser)));
		return 0;
	}
	if (nested && (instruction_spec(out)->properties & INST_NO_ONBUILD))
		note_mistake(parser, error_invalid(mistake_error(parser),
						   "%s isn't allowed as an ONBUILD trigger",
						   instruction_spec(out)->name));
	return parse_arguments(parser, take_flags(parser, parser_skip_blanks(trimmed + size), out),
			       out, err);
}

int dockerfile_parse_trigger(const char *text, struct arena *arena, struct instruction *out,
			     struct error *err)
{
	struct source_text source;
	struct lines lines = { .source = &source, .escape = '\\' };
	struct span guilty;
	struct mistake mistake = { .ret = 0 };
	struct parser parser = { arena, &lines, '\\', &guilty, &mistake };
	struct logical_line line;
	struct instruction instruction = { 0 };
	int ret = source_load(&source, "ONBUILD", text, strlen(text), arena, err);

	if (ret == 0 && !lines_next(&lines, &line, arena))
		ret = error_invalid(err, "an empty trigger");
	if (ret == 0)
		ret = parse_instruction(&parser, line.text, true, &instruction, err);
	if (ret == 0)
		ret = tell_mistake(&mistake, err);
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

/* What a single instruction cannot know: which ones stood before it. */
static void check_order(const struct parser *parser, const struct instruction *instruction,
			bool in_stage)
{
	if (in_stage || instruction->kind == INST_COUNT ||
	    (instruction_spec(instruction)->properties & INST_BEFORE_FROM))
		return;
	*parser->guilty = instruction->keyword;
	note_mistake(parser, error_invalid(mistake_error(parser),
					   "no build stage in current context: %s stands before "
					   "the first FROM",
					   instruction_spec(instruction)->name));
}

static int parse_lines(struct dockerfile *out, const struct parser *parser, struct error *err)
{
	size_t capacity = 0;
	bool in_stage = false;
	struct logical_line line;

	while (lines_next(parser->lines, &line, &out->arena)) {
		struct instruction *instruction;
		int ret;

		ARRAY_GROW(out->instructions, out->read, capacity);
		instruction = &out->instructions[out->read];
		ret = parse_line(parser, &line, instruction, err);
		out->read++;
		if (ret < 0) {
			out->where = instruction_range(instruction, parser->guilty);
			out->count = out->read = 0; /* no instruction is sure */
			return ret;
		}
		in_stage = in_stage || instruction->kind == INST_FROM;
		check_order(parser, instruction, in_stage);
		if (parser->mistake->ret == 0)
			out->count++;
		else if (out->read == out->count + 1)
			out->where = instruction_range(instruction, &parser->mistake->guilty);
	}
	if (parser->mistake->ret < 0)
		return tell_mistake(parser->mistake, err);
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
	struct mistake mistake = { .ret = 0 };
	struct parser parser = { &out->arena, &lines, '\\', &guilty, &mistake };
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
	out->right = ret == 0;
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
