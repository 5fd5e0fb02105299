/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path patterns: those of .dockerignore and --exclude (with **), and the wildcards of COPY's
 * sources (Go's filepath.Match). A pattern is compiled once; a match takes time proportional to
 * the path times the pattern, whatever they hold.
 */
#ifndef BUILDER_CONTEXT_PATTERNS_H
#define BUILDER_CONTEXT_PATTERNS_H

#include <stdbool.h>

#include "lib/error.h"

struct pattern; /* compiled */

enum pattern_dialect {
	PATTERN_IGNORE,	  /* ** crosses slashes */
	PATTERN_WILDCARD, /* no pattern crosses a slash */
};

/** The text must be clean (path_clean). A bad class or a trailing backslash is -EINVAL. */
int pattern_compile(const char *text, enum pattern_dialect dialect, struct pattern **out,
		    struct error *err);
void pattern_free(struct pattern *pattern);

/** Does the whole path match? */
bool pattern_matches(const struct pattern *pattern, const char *path);

/** Are there wildcards (*, ?, [) in the text that are not escaped? */
bool pattern_has_wildcards(const char *text);

#endif
