/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain progress: "#N [stage i/n] RUN make", "#N 0.321 line", "#N CACHED", "#N DONE 1.2s",
 * "#N ERROR: ...". Nothing of a step's output is ever left out. The last lines of each running
 * step are kept for the report of its failure.
 */
#ifndef BUILDER_CLI_PROGRESS_H
#define BUILDER_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "builder/build/engine.h"

struct progress_item;

struct progress {
	FILE *out;		     /* NULL: quiet */
	struct progress_item *items; /* what is running or has failed */
	size_t count, capacity;
};

/** A build_event_fn; context is the struct progress. */
void progress_event(void *progress, const struct build_event *event);

/** The failed step's name and its last lines, between dashes. */
void progress_print_tail(const struct progress *progress, FILE *out);

void progress_done(struct progress *progress);
#define cleanup_progress __attribute__((cleanup(progress_done)))

#endif
