/* SPDX-License-Identifier: Apache-2.0 */
/* A push as people see it: docker's lines. */
#ifndef BUILDER_CLI_PUSH_IMAGE_H
#define BUILDER_CLI_PUSH_IMAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "builder/image/compress.h"
#include "builder/registry/push.h"

struct push_how {
	struct store *store;
	struct registry *registry;
	const struct compression *compression; /* NULL = as what they are, ours as gzip */
	bool recompress;		       /* also what came compressed otherwise */
	bool blobs;			       /* its layers are blobs already: as what they are */
	bool all;			       /* of an index all that it lists */
	FILE *out;			       /* the lines; NULL = none */
};

/** Send an image, or the index it was found by, under a name. */
int push_named(const struct push_how *how, const struct image *image, const struct reference *name,
	       struct push_result *out, struct error *err);

#endif
