/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordered list of ignore patterns (.dockerignore, COPY --exclude): the last one that matches a
 * path decides, "!" re-includes, a match of a folder counts for what is inside.
 */
#ifndef BUILDER_CONTEXT_IGNORE_H
#define BUILDER_CONTEXT_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct ignore_rule;

struct ignore {
	struct ignore_rule *rules;
	size_t count, capacity;
	bool has_inclusions; /* some "!": ignored folders must be walked all the same */
};

#define IGNORE_INIT                                                                                \
	{                                                                                          \
		NULL, 0, 0, false                                                                  \
	}

/** Add the lines of a .dockerignore; the message of a failure has NAME:LINE. */
int ignore_add_file(struct ignore *ignore, const char *name, const char *text, struct error *err);
/** Add one pattern ("!" allowed). */
int ignore_add(struct ignore *ignore, const char *pattern, struct error *err);

/** What is known about a folder, for the paths inside: one byte per rule, then the verdict. */
struct ignore_state {
	unsigned char *matched; /* NULL: no rules, or the root */
	bool ignored;
};

/** Judge path (relative, clean), whose folder's state is parent (NULL = the root). *out is owned.
 */
bool ignore_check(const struct ignore *ignore, const struct ignore_state *parent, const char *path,
		  struct ignore_state *out);
/** Judge a path on its own, by walking down its folders. *out (may be NULL) is its state. */
bool ignore_check_path(const struct ignore *ignore, const char *path, struct ignore_state *out);

/** Could something inside of this ignored folder be re-included? By the patterns' beginnings, so
 * that folders that no "!" speaks of need not be walked. */
bool ignore_may_include_in(const struct ignore *ignore, const char *folder);

void ignore_state_done(struct ignore_state *state);
void ignore_done(struct ignore *ignore);
#define cleanup_ignore __attribute__((cleanup(ignore_done)))
#define cleanup_ignore_state __attribute__((cleanup(ignore_state_done)))

#endif
