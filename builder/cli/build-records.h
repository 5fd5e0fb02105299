/* SPDX-License-Identifier: Apache-2.0 */
/* What is written about a build for later: --trace and --report. */
#ifndef BUILDER_CLI_BUILD_RECORDS_H
#define BUILDER_CLI_BUILD_RECORDS_H

#include "builder/build/journal.h"
#include "builder/cli/build-options.h"
#include "builder/cli/report.h"

struct build_records {
	const char *trace, *page;  /* files; NULL = not asked for */
	struct timeline *timeline; /* NULL when there is neither */
	struct report report;
};

/** Before the build, so that a place that cannot be written to costs none. */
int build_records_open(struct build_records *records, const struct build_args *args,
		       struct error *err);
/** The journal's events go to next, through the report if there is one. */
void build_records_listen(struct build_records *records, build_event_fn next, void *next_context,
			  struct journal *journal);
/**
 * Write them. ret: how the build ended, which counts more than what is written about it; a build
 * that succeeded fails when they cannot be written.
 */
int build_records_write(struct build_records *records, const struct report_build *about, int ret,
			struct error *err);
void build_records_done(struct build_records *records);

#endif
