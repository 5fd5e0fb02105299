/* SPDX-License-Identifier: Apache-2.0 */
/* How verbs show things to people: tables, ages, sizes, times of image documents. */
#ifndef BUILDER_CLI_FORMAT_H
#define BUILDER_CLI_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "lib/strbuf.h"
#include "lib/strv.h"

/** Cells in rows of equal length; the first row is the heading. */
struct text_table {
	size_t columns;
	struct strv cells;
};

void text_table_add(struct text_table *table, const char *cell);
/** Left-aligned columns, three blanks between them. */
void text_table_print(const struct text_table *table, FILE *out);
void text_table_done(struct text_table *table);
#define cleanup_text_table __attribute__((cleanup(text_table_done)))

/** "1.24MB": decimal units, three digits. */
void format_size(uint64_t bytes, struct strbuf *out);
/** "12.3s", "2m05s", "1h02m" */
void format_duration(double seconds, struct strbuf *out);
/** "3 hours ago"; created is the text of an image document, anything else gives "N/A". */
void format_age(const char *created, time_t now, struct strbuf *out);

/** "2024-01-02T03:04:05Z" */
void format_time(time_t when, struct strbuf *out);
/** Seconds of an RFC 3339 text (fractions are dropped); false when it is none. */
bool parse_time(const char *text, time_t *out);

#endif
