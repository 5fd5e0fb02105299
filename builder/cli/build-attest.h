/* SPDX-License-Identifier: Apache-2.0 */
/* Making the attestations that a build was asked for. */
#ifndef BUILDER_CLI_BUILD_ATTEST_H
#define BUILDER_CLI_BUILD_ATTEST_H

#include "builder/cli/build-options.h"
#include "builder/cli/build-platforms.h"

struct build_attest {
	const struct build_options *options;
	const struct graph *graph;
	const struct context *context;
	const struct source_text *dockerfile;
	const char *location; /* of the context, as given */
	struct store *store;
	uint64_t build; /* its number */
	int64_t begin;	/* seconds */
};

/** Of an image that was built for one platform, while its graph is there. */
int build_attest(const struct build_attest *attest, struct built_platform *built,
		 struct error *err);

#endif
