/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables and quotes in the words of a Dockerfile: $v ${v} ${v:-w} ${v-w} ${v:+w} ${v+w} ${v:?m}
 * ${v?m} ${v#p} ${v##p} ${v%p} ${v%%p} ${v/p/r} ${v//p/r}; words nest. Patterns know * and ? only.
 */
#ifndef BUILDER_DOCKERFILE_EXPAND_H
#define BUILDER_DOCKERFILE_EXPAND_H

#include <stdbool.h>

#include "lib/error.h"

struct strv;

struct expand {
	char escape;
	bool keep_quotes; /* quotes are text (bodies of here-documents) */
	/* The value of a variable, NULL when it is not set. Borrowed, until the next call. */
	const char *(*lookup)(void *context, const char *name);
	void *context;
	bool for_shell; /* ${v:0:3} is not ours to judge: any sign behind ":" is a modifier */
};

/** Expand text as one word: quotes removed, blanks kept. *out is owned by the caller. */
int expand_word(const struct expand *expand, const char *text, char **out, struct error *err);

/** Expand and split at blanks outside of quotes, also at those that come from a variable. */
int expand_words(const struct expand *expand, const char *text, struct strv *out,
		 struct error *err);

/** Does the text have a '$' or a quote or an escape at all? Cheap; false = nothing to expand. */
bool expand_is_needed(const struct expand *expand, const char *text);

/** The lookup for a "K=V" list (struct strv) as context. */
const char *expand_lookup_strv(void *context, const char *name);

#endif
