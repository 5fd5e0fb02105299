/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of an image that was built: names in the store, registries, archives, folders. */
#ifndef BUILDER_CLI_BUILD_OUTPUT_H
#define BUILDER_CLI_BUILD_OUTPUT_H

#include "builder/build/engine.h"
#include "builder/cli/build-options.h"
#include "builder/cli/build-platforms.h"
#include "builder/cli/build-result.h"

struct build_output {
	struct engine *engine;
	const struct build_options *options;
	struct build_platforms *platforms; /* empty: there will be no index */
	struct registry *registry;
	unsigned int event; /* where notes go */
	struct build_result *result;
	struct error *err;
};

/**
 * All outputs, in order. result->ref is the image (of several platforms the first) without a name;
 * afterwards it is what has the names. Names are set when all is on the disk: store_ref_set commits
 * first.
 */
int build_output_write(struct build_output *output);

#endif
