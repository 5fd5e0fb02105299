/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patterns of ${v#p}, ${v%p} and ${v/p/r}: * any text, ? one character, \x the character x.
 * Linear in the value times the pattern, whatever they hold.
 */
#ifndef BUILDER_DOCKERFILE_GLOB_H
#define BUILDER_DOCKERFILE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

/** Append value without its shortest (or longest) beginning that matches; unchanged if none does.
 */
void glob_trim_prefix(const char *pattern, const char *value, bool longest, struct strbuf *out);
/** The same for its end. */
void glob_trim_suffix(const char *pattern, const char *value, bool longest, struct strbuf *out);
/** Append value with the first (or every) longest match replaced. An empty pattern matches nothing.
 *  It goes no further when out has more than max bytes. */
void glob_replace(const char *pattern, const char *value, const char *replacement, bool all,
		  size_t max, struct strbuf *out);

#endif
