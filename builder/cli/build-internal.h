/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the verb `build` share: one build and its parts, in the order in which they
 * come. */
#ifndef BUILDER_CLI_BUILD_INTERNAL_H
#define BUILDER_CLI_BUILD_INTERNAL_H

#include "builder/build/journal.h"
#include "builder/cli/build-cache.h"
#include "builder/cli/build-options.h"
#include "builder/cli/build-platforms.h"
#include "builder/cli/build-records.h"
#include "builder/cli/build-result.h"
#include "builder/cli/checks.h"
#include "builder/cli/cli.h"
#include "builder/cli/progress.h"
#include "builder/context/context.h"
#include "builder/dockerfile/stages.h"

/* A build from its command line to its image; everything it owns. */
struct build {
	struct cli *cli;
	struct build_options options;
	struct context context;
	struct location origin; /* of the context */
	struct dockerfile dockerfile;
	struct stages stages;
	struct checks checks;
	struct lint_report warnings;
	struct store store;
	struct graph graph;
	struct engine engine;
	struct progress progress;
	struct journal journal;
	struct journal_request request; /* what it was asked for; in */
	struct arena request_arena;
	struct build_records records;
	struct build_result result;
	struct build_platforms platforms;
	struct build_cache cache;
	struct image_source images;
	const char *location; /* of the context, as given */
	int64_t begin;	      /* us */
	int64_t started;      /* seconds since 1970 */
	bool pulled;	      /* images were looked for elsewhere */
	bool shown;	      /* the progress has started */
	unsigned int events;  /* that it was told of before there was an engine */
	int signal_fd;
	struct source_range where; /* of a failure; 0 = nowhere in the Dockerfile */
	bool explained;		   /* with what is around it */
};

/** Frees all of it. */
void build_done(struct build *build);
/** The store, on the first call; and what the checks look at. */
int build_open_store(struct build *build);
/** Show what happens from now on; only the first call does. */
int build_start_progress(struct build *build);

/* -- build-read.c: the context and the Dockerfile -- */

/** Open the context, parse the Dockerfile in it, resolve its stages, find the build's time. */
int build_read(struct build *build, const char *path);
/** The stages for the platform that the options say. */
int build_resolve_stages(struct build *build);

/* -- build-plan.c: all that can be wrong is found before the first step runs -- */

/** The graph of the stages, with their base images. */
int build_plan_graph(struct build *build, struct error *err);
/** The same with the checks before it. */
int build_plan(struct build *build);
/** --check and --call: the exit status, or negative. failed: of build_read. */
int build_answer_call(struct build *build, int failed);
/** The warnings of the checks, as the progress wants them. */
void build_print_warnings(const struct build *build);

/* -- build-run.c: the steps -- */

/** The steps of the graph, with progress, journal and imported caches. */
int build_run(struct build *build);
/** Once more without an imported cache that turned out not to have its layers. */
int build_run_again(struct build *build);
/** All of --platform, and what is attested of each, of an image that will have an index; the first
 *  has run. */
int build_run_platforms(struct build *build);
bool build_has_index(const struct build *build);
/** The end of the failed step's output and its place in the Dockerfile, once. */
void build_explain(struct build *build, const struct error *why);

#endif
