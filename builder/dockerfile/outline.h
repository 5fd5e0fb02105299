/* SPDX-License-Identifier: Apache-2.0 */
/* What a Dockerfile takes and offers: the parameters of a target, and the list of targets. The
 * forms are those of `docker build --call=outline` and `--call=targets`. */
#ifndef BUILDER_DOCKERFILE_OUTLINE_H
#define BUILDER_DOCKERFILE_OUTLINE_H

#include <stdio.h>

#include "builder/dockerfile/walk.h"

/** Build args, secrets and ssh agents that the target uses. walk: hooks and context are ours. On
 *  failure *where says where. */
int outline_print(struct dockerfile *dockerfile, const struct stages *stages,
		  const struct walk_options *walk, bool json, FILE *out, struct source_range *where,
		  struct error *err);

/** The stages. */
void targets_print(const struct dockerfile *dockerfile, const struct stages *stages, bool json,
		   FILE *out);

#endif
