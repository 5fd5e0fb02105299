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

static void take_args(struct instruction *instruction, const struct strv *words,
		      struct arena *arena)
{
	const char **args = arena_alloc(arena, (words->count + 1) * sizeof(*args));

	for (size_t i = 0; i < words->count; i++)
		args[i] = arena_strdup(arena, words->items[i]);
	instruction->args = args;
	instruction->arg_count = words->count;
}

/* -- grammars: the text behind the flags, trimmed ------------------------------------------------
 */

static int read_words(const struct parser *parser, const char *text,
		      struct instruction *instruction, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;

	(void)err;
	words_split_blanks(text, &words);
	take_args(instruction, &words, parser->arena);
	return 0;
}

static int read_text(const struct parser *parser, const char *text, struct instruction *instruction,
		     struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;

	(void)err;
	if (*text)
		strv_add(&words, text);
	take_args(instruction, &words, parser->arena);
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
	int ret = words_split_json(text, &words, err);

	if (ret < 0)
		return ret;
	if (ret == 0)
		return other(parser, text, instruction, err);
	instruction->json = true;
	take_args(instruction, &words, parser->arena);
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
	size_t size = 0;
	const char *value;

	while (text[size] && !is_blank(text[size]))
		size++;
	value = skip_blanks(text + size);
	if (!*value)
		return error_invalid(err, "%s must have two arguments",
				     instruction_spec(instruction)->name);
	args[0] = arena_strndup(parser->arena, text, size);
	args[1] = arena_strdup(parser->arena, value);
	instruction->args = args;
	instruction->arg_count = 2;
	return 0;
}

/* name=value words; with optional, "name" alone is a name without value. */
static int split_pairs(const struct parser *parser, const struct strv *words, bool optional,
		       struct instruction *instruction, struct error *err)
{
	const char **args = arena_alloc(parser->arena, (2 * words->count + 1) * sizeof(*args));

	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i], *equals = strchr(word, '=');
		size_t size = equals ? (size_t)(equals - word) : strlen(word);

		if (!equals && !optional)
			return error_invalid(err,
					     "can't find = in \"%s\": must be of the form "
					     "name=value",
					     word);
		args[2 * i] = arena_strndup(parser->arena, word, size);
		args[2 * i + 1] = equals ? arena_strdup(parser->arena, equals + 1) : NULL;
	}
	instruction->args = args;
	instruction->arg_count = 2 * words->count;
	return 0;
}

static int read_pairs(const struct parser *parser, const char *text,
		      struct instruction *instruction, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;

	words_split_quoted(text, parser->escape, &words);
	if (words.count && !strchr(words.items[0], '='))
		return read_legacy_pair(parser, text, instruction, err);
	return split_pairs(parser, &words, false, instruction, err);
}

static int read_names(const struct parser *parser, const char *text,
		      struct instruction *instruction, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;

	words_split_quoted(text, parser->escape, &words);
	return split_pairs(parser, &words, true, instruction, err);
}

static int read_health(const struct parser *parser, const char *text,
		       struct instruction *instruction, struct error *err)
{
	struct instruction command = { .kind = instruction->kind };
	size_t size = 0;
	const char **args;
	int ret;

	if (!*text)
		return 0; /* the arity check has the message */
	while (text[size] && !is_blank(text[size]))
		size++;
	ret = read_command(parser, skip_blanks(text + size), &command, err);
	if (ret < 0)
		return ret;
	args = arena_alloc(parser->arena, (command.arg_count + 2) * sizeof(*args));
	args[0] = arena_strndup(parser->arena, text, size);
	if (command.arg_count)
		memcpy(args + 1, command.args, command.arg_count * sizeof(*args));
	instruction->args = args;
	instruction->arg_count = command.arg_count + 1;
	instruction->json = command.json;
	return 0;
}

static int parse_instruction(const struct parser *parser, const char *text, bool nested,
			     struct instruction *out, struct error *err);

static int read_nested(const struct parser *parser, const char *text,
		       struct instruction *instruction, struct error *err)
{
	if (!*text)
		return error_invalid(err, "ONBUILD requires an instruction");
	instruction->nested = arena_alloc(parser->arena, sizeof(*instruction->nested));
	instruction->nested->range = instruction->range;
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
	struct heredoc *heredocs;

	if (!(instruction_spec(instruction)->properties & INST_HEREDOC) || instruction->json ||
	    !parser->lines || !strstr(text, "<<"))
		return 0;
	if (instruction->kind == INST_RUN)
		words_split_quoted(text, parser->escape, &words);
	else
		words_split_blanks(text, &words);
	heredocs = arena_alloc(parser->arena, (words.count + 1) * sizeof(*heredocs));
	instruction->heredocs = heredocs;
	for (size_t i = 0; i < words.count; i++) {
		struct heredoc *heredoc = &heredocs[instruction->heredoc_count];

		if (!parse_heredoc_word(parser, words.items[i], heredoc))
			continue;
		heredoc->arg = i;
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

static int parse_instruction(const struct parser *parser, const char *text, bool nested,
			     struct instruction *out, struct error *err)
{
	cleanup_strv struct strv flags = STRV_INIT;
	const struct instruction_spec *spec;
	size_t size = 0, end = strlen(text);
	char *trimmed;
	const char *rest;
	int ret = 0;

	while (end && is_blank(text[end - 1]))
		end--;
	trimmed = arena_strndup(parser->arena, text, end);
	while (trimmed[size] && !is_blank(trimmed[size]))
		size++;
	out->kind = instruction_find(trimmed, size);
	if (out->kind == INST_COUNT)
		return unknown_instruction(trimmed, size, err);
	spec = instruction_spec(out);
	if (nested && (spec->properties & INST_NO_ONBUILD))
		return error_invalid(err, "%s isn't allowed as an ONBUILD trigger", spec->name);
	out->text = trimmed;
	rest = words_take_flags(skip_blanks(trimmed + size), parser->escape, &flags);
	for (size_t i = 0; i < flags.count && ret == 0; i++)
		ret = instruction_add_flag(out, flags.items[i], parser->arena, err);
	if (ret == 0)
		ret = readers[spec->grammar](parser, rest, out, err);
	if (ret == 0)
		ret = take_heredocs(parser, rest, out, err);
	if (ret == 0)
		ret = instruction_check(out, err);
	return ret;
}

int dockerfile_parse_trigger(const char *text, struct arena *arena, struct instruction *out,
			     struct error *err)
{
	struct source_text source;
	struct lines lines = { .source = &source, .escape = '\\' };
	struct parser parser = { .arena = arena, .lines = &lines, .escape = '\\' };
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

static int parse_all(struct dockerfile *out, struct error *err)
{
	struct lines lines = { .source = &out->source };
	struct parser parser = { .arena = &out->arena, .lines = &lines };
	size_t capacity = 0;
	bool in_stage = false;
	struct logical_line line;
	int ret = directives_parse(&out->source, &out->directives, &out->arena, &out->where, err);

	if (ret < 0)
		return ret;
	lines.escape = parser.escape = out->directives.escape;
	while (lines_next(&lines, &line, &out->arena)) {
		struct instruction *instruction;

		ARRAY_GROW(out->instructions, out->count, capacity);
		instruction = &out->instructions[out->count];
		*instruction = (struct instruction){ .range = line.range };
		out->where = line.range;
		ret = parse_instruction(&parser, line.text, false, instruction, err);
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
	out->where = (struct source_range){ 1, 1 };
	if (!out->count)
		return error_invalid(err, "file with no instructions");
	if (!in_stage)
		return error_invalid(err, "file with no build stage: there is no FROM");
	return 0;
}

int dockerfile_parse(const char *name, const char *bytes, size_t size, struct dockerfile *out,
		     struct error *err)
{
	int ret;

	*out = (struct dockerfile){ .where = { 1, 1 } };
	ret = source_load(&out->source, name, bytes, size, &out->arena, err);
	if (ret < 0)
		return ret;
	ret = parse_all(out, err);
	return error_prefix(err, ret, "%s:%u", name, out->where.first);
}

void dockerfile_done(struct dockerfile *dockerfile)
{
	free(dockerfile->instructions);
	arena_done(&dockerfile->arena);
	*dockerfile = (struct dockerfile){ 0 };
}
