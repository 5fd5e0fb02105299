/* SPDX-License-Identifier: Apache-2.0 */
/* What build steps cost, as `du --build` and `history --build` show it. */
#ifndef BUILDER_CLI_STEP_TABLE_H
#define BUILDER_CLI_STEP_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "builder/build/step-info.h"
#include "builder/cli/cli.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

struct step_row {
	const struct step_info *info; /* build 0: nothing is known of it */
	const char *text;	      /* where info has none */
	uint64_t size;
	time_t used; /* 0 = not shown */
};

struct step_table {
	bool full;
	struct strv rows;      /* as they are shown */
	struct strv documents; /* the same in numbers, for JSON */
};

void step_table_add(struct step_table *table, const struct step_row *row);
/** Print it to stdout as --format says, and free it. */
int step_table_print(struct step_table *table, struct cli *cli, const char *format);

/** "1.234s"; microseconds. */
void format_seconds(uint64_t us, struct strbuf *out);

#endif
