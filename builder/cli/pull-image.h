/* SPDX-License-Identifier: Apache-2.0 */
/* A pull as people see it: docker's lines. */
#ifndef BUILDER_CLI_PULL_IMAGE_H
#define BUILDER_CLI_PULL_IMAGE_H

#include <stdio.h>

#include "builder/registry/pull.h"

struct pull_image {
	struct store *store;
	struct registry *registry;
	const char *platform; /* normal form; NULL = this machine's */
	bool all;	      /* all platforms that it has */
	FILE *out;	      /* the lines; NULL = none */
};

/** Pull an image with its layers, and give it its name. */
int pull_image(const struct pull_image *pull, const struct reference *name, struct error *err);

/**
 * The same for the first of what a word may stand for (short_names_list) that can be had: out_name.
 * The error is that of the last.
 */
int pull_image_first(const struct pull_image *pull, const char *word, struct reference *out_name,
		     struct error *err);

/** Have the layers of an image that was only built upon, by stored credentials. */
int pull_lazy_layers(struct store *store, const struct image *image, struct error *err);

#endif
