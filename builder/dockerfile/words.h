/* SPDX-License-Identifier: Apache-2.0 */
/* The ways a Dockerfile instruction's text becomes a list: by blanks, by shell-like words, by JSON.
 */
#ifndef BUILDER_DOCKERFILE_WORDS_H
#define BUILDER_DOCKERFILE_WORDS_H

#include "builder/dockerfile/lines.h"
#include "lib/error.h"
#include "lib/strv.h"

/** Where each word of a list stands in the text that was split. */
struct spans {
	struct span *items;
	size_t count, capacity;
};

void spans_add(struct spans *spans, const struct span *span);
void spans_done(struct spans *spans);
#define cleanup_spans __attribute__((cleanup(spans_done)))

/* All that follow append to out, and to spans, which may be NULL. */

/** Split at blanks; quotes mean nothing (FROM, EXPOSE, the words of COPY). */
void words_split_blanks(const char *text, struct strv *out, struct spans *spans);

/** Split at blanks outside of quotes; quotes and escapes stay in the words (ENV, LABEL, ARG). */
void words_split_quoted(const char *text, char escape, struct strv *out, struct spans *spans);

/** The same for a command: "<< EOF" is one word, blanks and all, as it is for BuildKit. */
void words_split_command(const char *text, char escape, struct strv *out, struct spans *spans);

/**
 * A JSON array of strings (the exec form): 1. Text that is not a JSON array: 0, as Docker takes it
 * for the shell form then. An array that holds something else than strings is -EINVAL.
 */
int words_split_json(const char *text, struct strv *out, struct spans *spans, struct error *err);

/**
 * Take the leading "--name[=value]" words off the text, quotes and escapes resolved; "--" ends
 * them. Returns what follows, blanks skipped.
 */
const char *words_take_flags(const char *text, char escape, struct strv *out, struct spans *spans);

/** Append text as Go's %q would print it, quotes included (history entries of CMD have that form).
 */
struct strbuf;
void words_quote(struct strbuf *buf, const char *text);

#endif
