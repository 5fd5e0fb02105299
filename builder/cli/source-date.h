/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOURCE_DATE_EPOCH: the time that a build takes for the present. As in BuildKit, the build
 * argument counts, else the global ARG; it is a number of seconds, "context", or the name of a
 * --build-context: then the time of that commit or download, if it has one.
 */
#ifndef BUILDER_CLI_SOURCE_DATE_H
#define BUILDER_CLI_SOURCE_DATE_H

#include "builder/cli/build-options.h"
#include "builder/context/context.h"
#include "builder/dockerfile/stages.h"
#include "lib/error.h"

/** The --build-context whose time is wanted and that has to be open then; NULL = none. */
struct named_context *source_date_context(const struct build_options *options,
					  const struct stages *stages);

/** Does the main context's commit decide? Then it is to be looked for before source_date_read. */
bool source_date_asks_commit(const struct build_options *options, const struct stages *stages);

/**
 * Set the times in options->graph, and what ARG SOURCE_DATE_EPOCH gives in a stage: the number, or
 * nothing where the time is unknown (a folder that is no clean checkout, an image). Where nothing
 * is said, a main context that is a commit gives its time, to the image and to what is copied from
 * it.
 */
int source_date_read(struct build_options *options, struct stages *stages,
		     const struct context *main_context, struct error *err);

#endif
