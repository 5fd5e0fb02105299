/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the parser share; for parse.c and grammar.c only. */
#ifndef BUILDER_DOCKERFILE_PARSER_H
#define BUILDER_DOCKERFILE_PARSER_H

#include "builder/dockerfile/instructions.h"
#include "builder/dockerfile/lines.h"
#include "lib/alloc.h"
#include "lib/error.h"

/*
 * The first instruction that can be read but is wrong. It is told at the end, because the file may
 * have worse: a later here-document without end, say. (BuildKit reads files in two passes.)
 */
struct mistake {
	struct error err;
	int ret; /* 0 = none */
	struct span guilty;
};

struct parser {
	struct arena *arena;
	struct lines *lines; /* what follows the instruction */
	char escape;
	struct span *guilty; /* of the logical line: what a failure is about */
	struct mistake *mistake;
};

static inline bool parser_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline const char *parser_skip_blanks(const char *text)
{
	while (parser_is_blank(*text))
		text++;
	return text;
}

/** Where text, a part of the instruction's, stands in the logical line. */
static inline size_t parser_offset(const struct instruction *instruction, const char *text)
{
	return instruction->offset + (size_t)(text - instruction->text);
}

static inline struct span parser_span(size_t base, const struct span *span)
{
	return (struct span){ base + span->start, base + span->end };
}

/**
 * The text behind the flags, trimmed, becomes the instruction's arguments by the rules of its
 * grammar (all but GRAMMAR_NESTED). Fails where the file cannot be read on.
 */
int grammar_read(const struct parser *parser, const char *text, struct instruction *instruction,
		 struct error *err);

#endif
