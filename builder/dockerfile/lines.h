/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Dockerfile's text: physical lines, the logical lines that continuations join, the bodies of
 * here-documents, and the parser directives at the top. Everything keeps its source lines.
 */
#ifndef BUILDER_DOCKERFILE_LINES_H
#define BUILDER_DOCKERFILE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct arena;

/** Lines of the source, counted from 1, both included, and the token in them that is meant. */
struct source_range {
	unsigned int first, last;
	unsigned int line, column, width; /* column in bytes from 1; column 0 = all lines */
};

/** Bytes of a logical line, from start to before end. */
struct span {
	size_t start, end;
};

/** Where a part of a logical line comes from; parts follow one another. */
struct source_piece {
	size_t offset; /* in the logical line */
	unsigned int line, column;
};

struct source_line {
	const char *text;   /* without the line ending */
	const char *ending; /* "\n", "\r\n" or "" at the end of the file */
};

struct source_text {
	const char *name; /* for messages */
	struct source_line *lines;
	size_t count;
};

/** Cut bytes into lines, all in the arena. A NUL byte is an error; a byte order mark is dropped. */
int source_load(struct source_text *source, const char *name, const char *bytes, size_t size,
		struct arena *arena, struct error *err);

struct directives {
	char escape;	    /* '\\' or '`' */
	const char *syntax; /* value of "# syntax=", NULL when there is none */
	const char *check;  /* value of "# check=" */
	size_t count;	    /* lines that they take */
};

/** Read the directives at the top. On failure *where says which line. */
int directives_parse(const struct source_text *source, struct directives *out, struct arena *arena,
		     struct source_range *where, struct error *err);

/** A position in the source. */
struct lines {
	const struct source_text *source;
	size_t next; /* index of the next physical line */
	char escape;
};

struct logical_line {
	char *text; /* continuations joined, comments inside dropped, no leading blanks */
	struct source_range range;
	const struct source_piece *pieces;
	size_t piece_count;
	const char **comments;	 /* those above it, down from the last "#" alone; NULL-terminated */
	bool empty_continuation; /* an empty line inside a continuation */
};

/** Put "NAME:LINE[:COLUMN]: " in front of the message of a failure; returns ret. */
int source_prefix(const struct source_text *source, const struct source_range *where, int ret,
		  struct error *err);

/** Set the token of a range: the bytes of a logical line. */
void source_range_point(struct source_range *range, const struct source_piece *pieces,
			size_t piece_count, const struct span *span);

/** The next logical line that is not empty; false at the end. */
bool lines_next(struct lines *lines, struct logical_line *out, struct arena *arena);

/**
 * Take the physical lines up to one that is the terminator, before which there may be tabs if
 * strip_tabs. The body keeps its tabs and line endings. NULL when the file ends first (nothing is
 * taken then).
 */
char *lines_take_heredoc(struct lines *lines, const char *terminator, bool strip_tabs,
			 struct arena *arena);

/** The body without the leading tabs of its lines. */
char *lines_strip_tabs(const char *body, struct arena *arena);

#endif
