/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of image indexes and of the oci-layout file, and what every reader relies on in them. */
#include "spec/image-index.h"

#include <string.h>

#include "spec/tables.h"

/* clang-format off */
static const struct json_field index_fields[] = {
	JSON_I32(struct image_index, "schemaVersion", schema_version, .flags = JSON_REQUIRED),
	JSON_STRING(struct image_index, "mediaType", media_type),
	JSON_STRING(struct image_index, "artifactType", artifact_type),
	JSON_OBJECTS(struct image_index, "manifests", manifests, &descriptor_object,
		     .flags = JSON_REQUIRED),
	JSON_OBJECT(struct image_index, "subject", subject, &descriptor_object),
	JSON_MAP(struct image_index, "annotations", annotations, .flags = JSON_KEEP_NULL),
};
const struct json_object image_index_object = JSON_TABLE_OPEN(struct image_index, index_fields);

static const struct json_field layout_fields[] = {
	JSON_STRING(struct image_layout, "imageLayoutVersion", image_layout_version,
		    .flags = JSON_REQUIRED),
};
const struct json_object image_layout_object = JSON_TABLE_OPEN(struct image_layout, layout_fields);
/* clang-format on */

static int index_check(const struct image_index *index, struct error *err)
{
	int ret;

	if (index->schema_version != 2) {
		ret = error_invalid(err, "schemaVersion %d is not 2", index->schema_version);
		return error_pointer(err, ret, "/schemaVersion");
	}
	ret = descriptor_list_check(&index->manifests, "/manifests", err);
	if (ret == 0 && index->subject)
		ret = descriptor_check(index->subject, "/subject", err);
	return ret;
}

int image_index_decode(const char *name, const char *text, size_t size, struct arena *arena,
		       struct image_index **out, struct error *err)
{
	const struct json_source source = { .name = name,
					    .text = text,
					    .size = size,
					    .max_size = IMAGE_DOCUMENT_MAX,
					    .flags = JSON_LAST_WINS };
	struct image_index *index = arena_alloc(arena, sizeof(*index));
	int ret = json_decode(&source, &image_index_object, arena, index, err);

	if (ret < 0)
		return ret;
	ret = index_check(index, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", name);
	*out = index;
	return 0;
}

void image_index_write(const struct image_index *index, enum json_style style, struct strbuf *out)
{
	json_encode(&image_index_object, index, style, out);
}

int image_layout_decode(const char *name, const char *text, size_t size, struct arena *arena,
			struct image_layout **out, struct error *err)
{
	const struct json_source source = {
		.name = name, .text = text, .size = size, .flags = JSON_LAST_WINS
	};
	struct image_layout *layout = arena_alloc(arena, sizeof(*layout));
	int ret = json_decode(&source, &image_layout_object, arena, layout, err);

	if (ret < 0)
		return ret;
	if (strncmp(layout->image_layout_version, "1.", 2) != 0) {
		ret = error_invalid(err, "%s: layout version \"%s\" is not 1.x", name,
				    layout->image_layout_version);
		return error_pointer(err, ret, "/imageLayoutVersion");
	}
	*out = layout;
	return 0;
}

void image_layout_write(const struct image_layout *layout, struct strbuf *out)
{
	json_encode(&image_layout_object, layout, JSON_COMPACT, out);
}
