/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an OCI layout (image-spec, image-layout.md): documents, blobs, the list of what it
 * holds. Nothing outside of the folder is read. */
#ifndef BUILDER_IMAGE_LAYOUT_FOLDER_H
#define BUILDER_IMAGE_LAYOUT_FOLDER_H

#include "builder/image/digest.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "spec/image-index.h"

#define LAYOUT_REF_NAME "org.opencontainers.image.ref.name"
#define LAYOUT_IMAGE_NAME "io.containerd.image.name" /* in full */

/** Check oci-layout and read index.json. */
int layout_read_index(int folder_fd, struct arena *arena, struct image_index **out,
		      struct error *err);
/** What index.json lists under wanted: "sha256:..." or a tag; NULL = latest, or the only one. */
int layout_find(const struct image_index *index, const char *wanted, const struct descriptor **out,
		struct error *err);
/** An fd of a blob; ERROR_NOT_FOUND. */
int layout_open_blob(int folder_fd, const struct digest *digest, struct error *err);
/** A document into memory, checked. */
int layout_read_document(int folder_fd, const struct digest *digest, struct strbuf *out,
			 struct error *err);
/** Copy all of a blob to another fd; ERROR_INVALID when its bytes are not of the digest. */
int layout_copy_blob(int from, int to, const struct digest *digest, struct error *err);

#endif
