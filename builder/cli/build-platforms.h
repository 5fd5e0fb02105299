/* SPDX-License-Identifier: Apache-2.0 */
/* What a build for several platforms has made so far: an image for each, which become an index. */
#ifndef BUILDER_CLI_BUILD_PLATFORMS_H
#define BUILDER_CLI_BUILD_PLATFORMS_H

#include "builder/build/engine.h"
#include "builder/cli/build-options.h"
#include "builder/image/index-write.h"

struct build_platforms {
	struct arena arena;
	struct image_index index;
};

void build_platforms_done(struct build_platforms *platforms);

/** Add the image that the engine has made, in the words of the first type=image output. */
int build_platforms_add(struct build_platforms *platforms, struct engine *engine,
			const struct build_options *options, struct error *err);

/** The index of all, without a name; its digest stands for the image's id. */
int build_platforms_put(struct build_platforms *platforms, struct store *store,
			struct store_ref *out_ref, struct digest *out_id, struct error *err);

#endif
