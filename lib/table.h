/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of names and values, and the "did you mean" search over any list of names. */
#ifndef LIB_TABLE_H
#define LIB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_value {
	const char *name; /* NULL ends the table */
	int64_t value;
};

/** Exact match; NULL when there is none. */
const struct name_value *table_find(const struct name_value *table, const char *name);
/** The first name with this value; NULL when there is none. */
const char *table_name(const struct name_value *table, int64_t value);

/**
 * Did you mean: feed candidates, read the closest at the end (NULL when nothing is near: more than
 * a third of the word would have to change).
 */
struct suggestion {
	const char *word;
	const char *best; /* borrowed from the candidates */
	size_t distance;
	size_t reach; /* how far a candidate may be; 0 = by the length of the words */
};
void suggestion_consider(struct suggestion *suggestion, const char *candidate);

#endif
