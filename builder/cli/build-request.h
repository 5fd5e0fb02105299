/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build was asked for, into its journal and back: so that the image can be built once more,
 * from anywhere, and without what was secret.
 */
#ifndef BUILDER_CLI_BUILD_REQUEST_H
#define BUILDER_CLI_BUILD_REQUEST_H

#include "builder/cli/build-internal.h"

/** Add what the graph that has run has found, of each platform. */
void build_request_collect(struct build *build);
/** Hand the request of a build that is done to its journal. */
void build_request_finish(struct build *build);

/** What a request says, as if its words stood on the command line; they live as long as it. */
int build_request_take(const struct journal_request *request, struct build_args *args,
		       struct error *err);

#endif
