/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build that writes an index has made so far: an image for each platform, and what is to be
 * attested of it. Each output makes an index of its own of them, with its compression and its
 * annotations.
 */
#ifndef BUILDER_CLI_BUILD_PLATFORMS_H
#define BUILDER_CLI_BUILD_PLATFORMS_H

#include "builder/attest/attestation.h"
#include "builder/build/engine.h"
#include "builder/cli/build-options.h"

struct built_platform {
	const char *platform;
	struct store_ref ref;
	struct digest id;
	struct attestation_list attestations;
};

struct build_platforms {
	struct arena arena;
	struct built_platform *items;
	size_t count;
};

void build_platforms_done(struct build_platforms *platforms);

/** Add the image that the engine has made; the result is for what is to be said of it, and lives as
 *  long as nothing is added. */
int build_platforms_add(struct build_platforms *platforms, struct engine *engine,
			const struct build_options *options, struct built_platform **out,
			struct error *err);

/** The index of all in the words of an output, without a name. */
int build_platforms_index(struct build_platforms *platforms, struct store *store,
			  const struct output_option *output, const struct strv *names,
			  struct store_ref *out_ref, struct error *err);

#endif
