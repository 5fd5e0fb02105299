/* SPDX-License-Identifier: Apache-2.0 */
/* What a build that succeeded says of itself: to people, to files, to programs. */
#ifndef BUILDER_CLI_BUILD_RESULT_H
#define BUILDER_CLI_BUILD_RESULT_H

#include <stdio.h>

#include "builder/build/graph.h"
#include "builder/cli/progress.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

struct build_result {
	struct digest image_id;
	struct store_ref ref; /* the manifest */
	struct strv names;    /* in full */
	char *created;	      /* of the image, RFC 3339; NULL = several platforms have one each */
	uint64_t size;	      /* of all layers */
	size_t steps, cached; /* that make layers, FROM not counted */
	size_t warnings;
	int64_t us;
	uint64_t number; /* of the build in the store: BUILD in "logs BUILD#N"; 0 = it has none */
};

void build_result_done(struct build_result *result);

/** Steps and cached, from a graph that was run. */
void build_result_count(struct build_result *result, const struct graph *graph);
/** The size and the time, from the image that ref names (of an index the one for platform). */
int build_result_measure(struct build_result *result, struct store *store, const char *platform,
			 struct error *err);

/** --metadata-file: the members that buildx writes, and "orlop.build". */
int build_result_write(const struct build_result *result, const char *path, struct error *err);

/** The last words of a view of this kind. */
void build_result_print(const struct build_result *result, enum progress_kind kind, FILE *out);

#endif
