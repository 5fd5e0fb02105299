/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading TOML, as far as configuration files of containers use it (containers.conf): tables,
 * arrays of tables, strings of all four kinds, words (numbers, booleans), arrays of those. Inline
 * tables are refused.
 */
#ifndef LIB_TOML_H
#define LIB_TOML_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#include "lib/strv.h"

struct toml_value {
	const char *table;  /* "engine", "engine.runtimes"; "" before the first */
	size_t table_index; /* which [[table]] of that name it is in, from 0 */
	const char *key;    /* as written, dots and all */
	bool is_array;
	struct strv items; /* one, or those of the array; words as they stand */
	size_t line;
};

typedef int (*toml_fn)(void *context, const struct toml_value *value, struct error *err);

/** Give every value to fn, in order; its failure ends the reading. Messages have NAME:LINE. */
int toml_read(const char *name, const char *text, toml_fn fn, void *context, struct error *err);

#endif
