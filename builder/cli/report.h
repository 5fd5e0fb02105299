/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build --report: a page about a build, in one file that needs nothing else, and no scripts:
 * report.html is its template. It listens to the events of the build and passes them on.
 */
#ifndef BUILDER_CLI_REPORT_H
#define BUILDER_CLI_REPORT_H

#include "builder/build/events.h"
#include "builder/build/graph.h"
#include "builder/build/timeline.h"
#include "builder/cli/build-result.h"
#include "builder/dockerfile/lint.h"
#include "lib/error.h"
#include "lib/strv.h"

#define REPORT_TAIL 20 /* lines of a failed step's output */

/** Something that the progress has told of: a step, a FROM, the export. */
struct report_item {
	unsigned int id;
	char *name;
	enum build_event_kind state; /* EVENT_BEGIN: it has no end */
	int64_t begin, end;	     /* us */
	struct strv why, notes;
	struct strbuf output; /* the end of it */
};

struct report {
	build_event_fn next; /* who gets the events after us */
	void *next_context;
	struct report_item *items;
	size_t count, capacity;
};

/** A build_event_fn; context is the struct report. */
void report_event(void *report, const struct build_event *event);
/** The build begins again: keep the steps of its graph that it has made, all else comes once more.
 */
void report_again(struct report *report, const struct graph *graph);
void report_done(struct report *report);

/** What else there is to say; how far the build came decides what of it is empty. */
struct report_build {
	const struct timeline *timeline;
	struct store *store;
	const struct graph *graph;
	const struct lint_report *warnings;
	const struct build_result *result;
	const struct source_text *source; /* the Dockerfile; its name is NULL when there is none */
	struct source_range where;	  /* of the failure */
	const struct error *failure;	  /* NULL = it succeeded */
	const char *context;
	const char *platform;
	uint64_t number; /* of its journal */
	int64_t us;
};

/** Make the file: a page that says that the build has not ended. */
int report_open(const char *path, struct error *err);
int report_write(const struct report *report, const struct report_build *build, const char *path,
		 struct error *err);

/* parts of the page */
struct template_scope;
/** The rows with their bars, and the axis. */
void report_timeline(struct template_scope *page, const struct timeline *timeline);
/** The layers of the image that was built. */
void report_layers(struct template_scope *page, const struct report_build *build);
/** "12.3s", "45ms", "0.3ms" */
void report_time(struct template_scope *scope, const char *name, int64_t us);
void report_size(struct template_scope *scope, const char *name, uint64_t bytes);

#endif
