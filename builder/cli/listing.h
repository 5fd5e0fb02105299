/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How verbs print what they list, and --format chooses: a table, JSON, or a template of Go's
 * (go-template.h) for each row. A row is a JSON object with docker's names for its members.
 */
#ifndef BUILDER_CLI_LISTING_H
#define BUILDER_CLI_LISTING_H

#include <stdbool.h>

#include "builder/cli/cli.h"
#include "builder/cli/go-template.h"
#include "lib/strv.h"

/** The words of --format, for the tables of options. */
#define LISTING_FORMATS "table|json|TEMPLATE"
#define LISTING_HELP "a table (default), a JSON array, or a line each by a template"

/** What stands above a field in a table: "ID", "CONTAINER ID". */
struct heading {
	const char *field, *text;
};

/** What a verb's table has. */
struct listing {
	const char *table; /* template of a row, cells separated by tabs; NULL = there is none */
	const struct heading *headings; /* those that are not the field's name ("CREATED AT" of
					   CreatedAt); the last one's field is NULL; NULL = none */
	const struct go_zero *zeros;	/* what templates may ask for that rows leave out */
};

/** Is it JSON that --format asks for? Verbs whose JSON has more than the rows print it themselves.
 */
bool listing_is_json(const char *format);

/** Print the rows; format as on the command line, NULL = a table. Without a listing there is no
 *  table. */
int listing_print(struct cli *cli, const struct listing *listing, const char *format,
		  const struct strv *rows);

/** Of one value, not a list: JSON text as it is (indented), or by a template. */
int listing_print_one(struct cli *cli, const char *format, const char *json);

#endif
