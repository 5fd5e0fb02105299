/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of image manifests and of docker's archive list, and what every reader relies on in them.
 */
#include "spec/image-manifest.h"

#include "spec/tables.h"

/* clang-format off */
static const struct json_field manifest_fields[] = {
	JSON_I32(struct image_manifest, "schemaVersion", schema_version, .flags = JSON_REQUIRED),
	JSON_STRING(struct image_manifest, "mediaType", media_type),
	JSON_STRING(struct image_manifest, "artifactType", artifact_type),
	JSON_OBJECT(struct image_manifest, "config", config, &descriptor_object,
		    .flags = JSON_REQUIRED),
	JSON_OBJECTS(struct image_manifest, "layers", layers, &descriptor_object,
		     .flags = JSON_REQUIRED),
	JSON_OBJECT(struct image_manifest, "subject", subject, &descriptor_object),
	JSON_MAP(struct image_manifest, "annotations", annotations, .flags = JSON_KEEP_NULL),
};
const struct json_object image_manifest_object =
	JSON_TABLE_OPEN(struct image_manifest, manifest_fields);

static const struct json_field archive_image_fields[] = {
	JSON_STRING(struct docker_archive_image, "Config", config, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct docker_archive_image, "RepoTags", repo_tags, .flags = JSON_KEEP_NULL),
	JSON_STRINGS(struct docker_archive_image, "Layers", layers, .flags = JSON_KEEP_NULL),
};
const struct json_object docker_archive_image_object =
	JSON_TABLE_OPEN(struct docker_archive_image, archive_image_fields);
/* clang-format on */

static int manifest_check(const struct image_manifest *manifest, struct error *err)
{
	int ret;

	if (manifest->schema_version != 2) {
		ret = error_invalid(err, "schemaVersion %d is not 2", manifest->schema_version);
		return error_pointer(err, ret, "/schemaVersion");
	}
	ret = descriptor_check(manifest->config, "/config", err);
	if (ret == 0)
		ret = descriptor_list_check(&manifest->layers, "/layers", err);
	if (ret == 0 && manifest->subject)
		ret = descriptor_check(manifest->subject, "/subject", err);
	return ret;
}

int image_manifest_decode(const char *name, const char *text, size_t size, struct arena *arena,
			  struct image_manifest **out, struct error *err)
{
	const struct json_source source = { .name = name,
					    .text = text,
					    .size = size,
					    .max_size = IMAGE_DOCUMENT_MAX,
					    .flags = JSON_LAST_WINS };
	struct image_manifest *manifest = arena_alloc(arena, sizeof(*manifest));
	int ret = json_decode(&source, &image_manifest_object, arena, manifest, err);

	if (ret < 0)
		return ret;
	ret = manifest_check(manifest, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", name);
	*out = manifest;
	return 0;
}

void image_manifest_write(const struct image_manifest *manifest, enum json_style style,
			  struct strbuf *out)
{
	json_encode(&image_manifest_object, manifest, style, out);
}

int docker_archive_decode(const char *name, const char *text, size_t size, struct arena *arena,
			  struct docker_archive **out, struct error *err)
{
	const struct json_source source = { .name = name,
					    .text = text,
					    .size = size,
					    .max_size = IMAGE_DOCUMENT_MAX,
					    .flags = JSON_LAST_WINS };
	struct docker_archive *archive = arena_alloc(arena, sizeof(*archive));
	int ret = json_decode_list(&source, &docker_archive_image_object, arena, archive, err);

	if (ret == 0)
		*out = archive;
	return ret;
}

void docker_archive_write(const struct docker_archive *archive, struct strbuf *out)
{
	json_encode_list(&docker_archive_image_object, archive, JSON_COMPACT, out);
}
