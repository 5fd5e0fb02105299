/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same image in other words: its layers compressed, its documents by the names of docker or of
 * OCI, with annotations. The configuration's bytes, and so the image's id, stay.
 */
#ifndef BUILDER_IMAGE_IMAGE_VARIANT_H
#define BUILDER_IMAGE_IMAGE_VARIANT_H

#include <stdbool.h>

#include "builder/image/compress.h"
#include "builder/image/image.h"
#include "lib/strv.h"

enum image_format { IMAGE_FORMAT_SAME, IMAGE_FORMAT_OCI, IMAGE_FORMAT_DOCKER };

struct image_variant {
	const struct compression *compression; /* NULL: layers stay what they are */
	bool all; /* also layers that came compressed; else those made here alone */
	enum image_format format;
	const struct strv *annotations; /* "KEY=VALUE" of the manifest; NULL = none */
};

/**
 * Make the variant's manifest, and its layers as blobs of the store, all held. The layers must be
 * in the store. out: its top descriptor, without a name; ours when nothing is to change.
 */
int image_make_variant(struct store *store, const struct image *image,
		       const struct image_variant *variant, struct store_ref *out,
		       struct error *err);

/** Are its names docker's? Then those of layers that are made anew are, too. */
bool manifest_is_docker(const struct image_manifest *manifest);

#endif
