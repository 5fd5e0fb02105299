/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a table of an SQLite database, read from its bytes:
 * https://sqlite.org/fileformat2.html No SQL is run and no library is loaded: the file is an
 * image's, and what may stand in its schema (views, triggers, functions) is nothing to try out
 * here.
 */
#ifndef BUILDER_ATTEST_SQLITE_TABLE_H
#define BUILDER_ATTEST_SQLITE_TABLE_H

#include "builder/attest/bytes.h"

#define SQLITE_MAGIC "SQLite format 3" /* with its NUL */

/** A value of a row. Texts and blobs; numbers are value. */
struct sqlite_column {
	struct bytes bytes; /* size 0 = a number or NULL */
	int64_t value;
};

/** false = the row has no such column. The first is 0. */
bool sqlite_row_column(struct bytes row, size_t number, struct sqlite_column *out);

typedef void (*sqlite_row_fn)(void *ctx, struct bytes row);

/**
 * Call fn for every row of the table. The time that takes is bounded by the size of the file: pages
 * and rows that are used twice, as no SQLite does it, end it. A journal beside the file is not
 * seen. -ENOENT: there is no such table; -EBADMSG: this is no database, or a damaged one.
 */
int sqlite_table_each(struct bytes file, const char *table, sqlite_row_fn fn, void *ctx);

#endif
