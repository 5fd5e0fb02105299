/* SPDX-License-Identifier: Apache-2.0 */
/* Image manifest (OCI and docker schema 2), and the manifest.json of docker's archives. */
#ifndef SPEC_IMAGE_MANIFEST_H
#define SPEC_IMAGE_MANIFEST_H

#include "spec/descriptor.h"

struct image_manifest {
	int32_t schema_version; /* 2 */
	const char *media_type;
	const char *artifact_type;
	struct descriptor *config;
	struct descriptor_list layers;
	struct descriptor *subject;
	struct json_map annotations;
	struct json_map unknown;
};

/** Checks what every reader relies on: schemaVersion 2, config and layers, digests in form. */
int image_manifest_decode(const char *name, const char *text, size_t size, struct arena *arena,
			  struct image_manifest **out, struct error *err);
void image_manifest_write(const struct image_manifest *manifest, enum json_style style,
			  struct strbuf *out);

/** One image of a `docker save` archive; the file is a list of them. */
struct docker_archive_image {
	const char *config; /* paths inside the archive */
	struct json_strings repo_tags;
	struct json_strings layers;
	struct json_map unknown;
};

struct docker_archive {
	struct docker_archive_image *items;
	size_t count;
};

int docker_archive_decode(const char *name, const char *text, size_t size, struct arena *arena,
			  struct docker_archive **out, struct error *err);
void docker_archive_write(const struct docker_archive *archive, struct strbuf *out);

#endif
