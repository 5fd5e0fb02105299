/* SPDX-License-Identifier: Apache-2.0 */
/* What build steps cost, as `du --build` and `history --build` show it. */
#ifndef BUILDER_CLI_STEP_TABLE_H
#define BUILDER_CLI_STEP_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "builder/build/step-info.h"
#include "builder/cli/format.h"
#include "spec/json-write.h"

struct step_row {
	const struct step_info *info; /* build 0: nothing is known of it */
	const char *text;	      /* where info has none */
	uint64_t size;
	time_t used; /* 0 = not shown */
};

struct step_table {
	bool full, json;
	struct text_table table;
	struct strbuf out;
	struct json_writer writer;
};

void step_table_begin(struct step_table *table, bool full, bool json);
void step_table_add(struct step_table *table, const struct step_row *row);
/** Print it to stdout and free it. */
void step_table_print(struct step_table *table);

/** "1.234s"; microseconds. */
void format_seconds(uint64_t us, struct strbuf *out);

#endif
