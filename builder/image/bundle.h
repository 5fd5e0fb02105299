/* SPDX-License-Identifier: Apache-2.0 */
/* The config.json of a bundle that any OCI runtime runs, from an image (image-spec, conversion.md).
 */
#ifndef BUILDER_IMAGE_BUNDLE_H
#define BUILDER_IMAGE_BUNDLE_H

#include "builder/image/image.h"
#include "lib/error.h"
#include "lib/strbuf.h"

/** Append the document. root_fd: of the unpacked root file system, where users are looked up. */
int bundle_config(const struct image *image, int root_fd, struct strbuf *out, struct error *err);

#endif
