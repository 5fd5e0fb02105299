/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching a build context in sight of people. */
#ifndef BUILDER_CLI_PROGRESS_CONTEXT_H
#define BUILDER_CLI_PROGRESS_CONTEXT_H

#include "builder/cli/progress.h"
#include "builder/context/context.h"

/** context_open as an item of the progress with this id. */
int progress_fetch_context(struct progress *progress, unsigned int id,
			   const struct context_options *options, struct context *context,
			   struct error *err);

#endif
