/* SPDX-License-Identifier: Apache-2.0 */
/* What of a command line and a Dockerfile may be a mistake: said by the log, and gone on. */
#ifndef BUILDER_CLI_BUILD_WARNINGS_H
#define BUILDER_CLI_BUILD_WARNINGS_H

#include "builder/cli/build-options.h"
#include "builder/dockerfile/stages.h"

/** --build-arg that no ARG takes. */
void build_warn_unused(const struct dockerfile *dockerfile, const struct stages *stages);
/** There is one language here; a file for another one may still mean the same. */
void build_warn_syntax(const struct dockerfile *dockerfile, const struct build_options *options);
/** --no-cache-filter: a stage that is misspelt would be taken from the cache in silence. */
void build_warn_stages(const struct graph *graph, const struct build_options *options);

#endif
