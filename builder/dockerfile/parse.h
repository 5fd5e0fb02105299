/* SPDX-License-Identifier: Apache-2.0 */
/* A Dockerfile as a list of instructions. Pure: text in, structs out. */
#ifndef BUILDER_DOCKERFILE_PARSE_H
#define BUILDER_DOCKERFILE_PARSE_H

#include <stdio.h>

#include "builder/dockerfile/instructions.h"
#include "builder/dockerfile/lines.h"
#include "lib/alloc.h"
#include "lib/error.h"

struct dockerfile {
	struct arena arena; /* owns all below */
	struct source_text source;
	struct directives directives;
	struct instruction *instructions;
	size_t count; /* those that are right, down from the first one */
	size_t read;  /* more than count: the one behind them is wrong, the rest unjudged */
	bool right;   /* parsing did not fail: there is a stage, too */
	struct source_range where; /* of the failure, when parsing failed */
};

/**
 * Parse. The message of a failure begins with "NAME:LINE: ". Text that cannot be cut into
 * instructions (a here-document without end, a list that is no list of strings) is told first,
 * then the first instruction that is wrong; the struct is good for an excerpt of the source and
 * for the checks that need no more than was read. Free with dockerfile_done in any case.
 */
int dockerfile_parse(const char *name, const char *bytes, size_t size, struct dockerfile *out,
		     struct error *err);
void dockerfile_done(struct dockerfile *dockerfile);
#define cleanup_dockerfile __attribute__((cleanup(dockerfile_done)))

/** Is the value of "# syntax=" one that this parser is for? */
bool dockerfile_syntax_is_known(const char *syntax);

/** One instruction from text without continuations: the triggers of ONBUILD in an image. */
int dockerfile_parse_trigger(const char *text, struct arena *arena, struct instruction *out,
			     struct error *err);

/** The canonical text: parses again to the same instructions. */
void dockerfile_print(const struct dockerfile *dockerfile, FILE *out);

/**
 * The lines around a failure, the guilty ones marked:
 *	Dockerfile:12
 *	--------------------
 *	  11 |
 *	  12 | >>> RUN make all
 *	--------------------
 */
void dockerfile_print_excerpt(const struct source_text *source, const struct source_range *where,
			      FILE *out);

#endif
