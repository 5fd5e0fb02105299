/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and platforms of the image specification. `unknown` holds the members that we have
 * no field for, in order, raw: they are written back behind ours. Callers keep the bytes of
 * documents that they store or push; these structs are for reading and for writing new ones.
 */
#ifndef SPEC_DESCRIPTOR_H
#define SPEC_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "spec/json-types.h"

#define MEDIA_TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_TYPE_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_TYPE_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define MEDIA_TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_TYPE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_TYPE_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define MEDIA_TYPE_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

struct image_platform {
	const char *architecture;
	const char *os;
	const char *os_version;
	struct json_strings os_features;
	const char *variant;
	struct json_map unknown;
};

struct descriptor {
	const char *media_type;
	const char *digest;
	uint64_t size;
	struct json_strings urls;
	struct json_map annotations;
	const char *data; /* base64, as it was */
	const char *artifact_type;
	struct image_platform *platform;
	struct json_map unknown;
};

struct descriptor_list {
	struct descriptor *items;
	size_t count;
};

/** "sha256:" and 64 hex digits, or another algorithm in the specification's grammar. */
bool descriptor_digest_is_valid(const char *digest);

int descriptor_decode(const char *name, const char *text, size_t size, struct arena *arena,
		      struct descriptor **out, struct error *err);
void descriptor_write(const struct descriptor *descriptor, enum json_style style,
		      struct strbuf *out);

/** The most that an index, manifest or config may have (registries cap manifests at 4 MiB). */
#define IMAGE_DOCUMENT_MAX ((size_t)16 << 20)

#endif
