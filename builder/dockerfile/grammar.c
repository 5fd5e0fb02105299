/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the text of an instruction becomes its arguments: one reader per grammar of the instruction
 * table, called by parse.c with what follows the flags.
 */
#include <string.h>

#include "builder/dockerfile/parser.h"
#include "builder/dockerfile/words.h"
#include "lib/cleanup.h"
#include "lib/strv.h"

/* Words of text become the arguments. */
static void take_args(const struct parser *parser, struct instruction *instruction,
		      const char *text, const struct strv *words, const struct spans *places)
{
	size_t base = parser_offset(instruction, text);
	const char **args = arena_alloc(parser->arena, (words->count + 1) * sizeof(*args));
	struct span *spans = arena_alloc(parser->arena, words->count * sizeof(*spans));

	for (size_t i = 0; i < words->count; i++) {
		args[i] = arena_strdup(parser->arena, words->items[i]);
		spans[i] = parser_span(base, &places->items[i]);
	}
	instruction->args = args;
	instruction->arg_spans = spans;
	instruction->arg_count = words->count;
}

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
	size_t size = 0, base = parser_offset(instruction, text);
	const char *value;

	while (text[size] && !parser_is_blank(text[size]))
		size++;
	value = parser_skip_blanks(text + size);
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
	size_t base = parser_offset(instruction, text);
	const char **args;
	struct span *spans;
	int ret = 0;

	words_split_quoted(text, parser->escape, &words, &places);
	args = arena_alloc(parser->arena, (2 * words.count + 1) * sizeof(*args));
	spans = arena_alloc(parser->arena, 2 * words.count * sizeof(*spans));
	for (size_t i = 0; i < words.count && ret == 0; i++) {
		struct span span = parser_span(base, &places.items[i]);

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
	while (text[size] && !parser_is_blank(text[size]))
		size++;
	ret = read_command(parser, parser_skip_blanks(text + size), &command, err);
	if (ret < 0)
		return ret;
	args = arena_alloc(parser->arena, (command.arg_count + 2) * sizeof(*args));
	spans = arena_alloc(parser->arena, (command.arg_count + 1) * sizeof(*spans));
	args[0] = arena_strndup(parser->arena, text, size);
	spans[0].start = parser_offset(instruction, text);
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

static int (*const readers[])(const struct parser *, const char *, struct instruction *,
			      struct error *) = {
	[GRAMMAR_WORDS] = read_words,	  [GRAMMAR_LIST] = read_list,
	[GRAMMAR_COMMAND] = read_command, [GRAMMAR_TEXT] = read_text,
	[GRAMMAR_PAIRS] = read_pairs,	  [GRAMMAR_NAMES] = read_names,
	[GRAMMAR_HEALTH] = read_health,
};

int grammar_read(const struct parser *parser, const char *text, struct instruction *instruction,
		 struct error *err)
{
	return readers[instruction_spec(instruction)->grammar](parser, text, instruction, err);
}
