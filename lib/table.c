/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in name tables, and the "did you mean" search. */
#include "lib/table.h"

#include <string.h>

const struct name_value *table_find(const struct name_value *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

const char *table_name(const struct name_value *table, int64_t value)
{
	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	return NULL;
}

#define SUGGESTION_MAX 63 /* longer words are nobody's typing mistake */

static size_t minimum(size_t a, size_t b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Edit distance with swaps of neighbours (three rows); case does not count. */
static size_t edit_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t rows[3][SUGGESTION_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_size; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			size_t differs = lower(a[i - 1]) != lower(b[j - 1]);

			row[j] = minimum(minimum(last[j] + 1, row[j - 1] + 1),
					 last[j - 1] + differs);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = minimum(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_size];
}

void suggestion_consider(struct suggestion *suggestion, const char *candidate)
{
	size_t word_size = strlen(suggestion->word), size = strlen(candidate), distance, limit;

	if (word_size == 0 || word_size > SUGGESTION_MAX || size > SUGGESTION_MAX)
		return;
	limit = (word_size > size ? word_size : size) / 3;
	distance = edit_distance(suggestion->word, word_size, candidate, size);
	if (suggestion->reach ? distance > suggestion->reach
			      : distance > (limit ? limit : 1) || distance >= word_size)
		return;
	if (suggestion->best && distance >= suggestion->distance)
		return;
	suggestion->best = candidate;
	suggestion->distance = distance;
}
