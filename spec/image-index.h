/* SPDX-License-Identifier: Apache-2.0 */
/* Image index (also docker's manifest list), and the oci-layout file beside one. */
#ifndef SPEC_IMAGE_INDEX_H
#define SPEC_IMAGE_INDEX_H

#include "spec/descriptor.h"

struct image_index {
	int32_t schema_version; /* 2 */
	const char *media_type;
	const char *artifact_type;
	struct descriptor_list manifests;
	struct descriptor *subject;
	struct json_map annotations;
	struct json_map unknown;
};

/** Checks what every reader relies on: schemaVersion 2, a manifest list, digests in form. */
int image_index_decode(const char *name, const char *text, size_t size, struct arena *arena,
		       struct image_index **out, struct error *err);
void image_index_write(const struct image_index *index, enum json_style style, struct strbuf *out);

struct image_layout {
	const char *image_layout_version; /* "1.0.0" */
	struct json_map unknown;
};

int image_layout_decode(const char *name, const char *text, size_t size, struct arena *arena,
			struct image_layout **out, struct error *err);
void image_layout_write(const struct image_layout *layout, struct strbuf *out);

#endif
