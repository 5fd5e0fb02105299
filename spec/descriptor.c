/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of descriptors and platforms, and the form of digests. */
#include "spec/descriptor.h"

#include <stdio.h>
#include <string.h>

#include "spec/tables.h"

/* clang-format off */
static const struct json_field platform_fields[] = {
	JSON_STRING(struct image_platform, "architecture", architecture),
	JSON_STRING(struct image_platform, "os", os),
	JSON_STRING(struct image_platform, "os.version", os_version),
	JSON_STRINGS(struct image_platform, "os.features", os_features, .flags = JSON_KEEP_NULL),
	JSON_STRING(struct image_platform, "variant", variant),
};
static const struct json_object platform_object =
	JSON_TABLE_OPEN(struct image_platform, platform_fields);

static const struct json_field descriptor_fields[] = {
	JSON_STRING(struct descriptor, "mediaType", media_type),
	JSON_STRING(struct descriptor, "digest", digest, .flags = JSON_REQUIRED),
	JSON_U64(struct descriptor, "size", size, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct descriptor, "urls", urls, .flags = JSON_KEEP_NULL),
	JSON_MAP(struct descriptor, "annotations", annotations, .flags = JSON_KEEP_NULL),
	JSON_STRING(struct descriptor, "data", data),
	JSON_STRING(struct descriptor, "artifactType", artifact_type),
	JSON_OBJECT(struct descriptor, "platform", platform, &platform_object),
};
const struct json_object descriptor_object = JSON_TABLE_OPEN(struct descriptor, descriptor_fields);
/* clang-format on */

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* algorithm ::= component ([+._-] component)*, component ::= [a-z0-9]+ */
static bool algorithm_is_valid(const char *digest)
{
	for (;;) {
		size_t size = strspn(digest, DIGITS LOWER);

		if (!size)
			return false;
		digest += size;
		if (*digest == ':')
			return true;
		if (!*digest || !strchr("+._-", *digest))
			return false;
		digest++;
	}
}

static bool is_hex(const char *encoded, size_t size)
{
	return strspn(encoded, DIGITS "abcdef") == size && !encoded[size];
}

bool descriptor_digest_is_valid(const char *digest)
{
	const char *encoded;
	size_t size;

	if (!algorithm_is_valid(digest))
		return false;
	encoded = strchr(digest, ':') + 1;
	if (!strncmp(digest, "sha256:", 7))
		return is_hex(encoded, 64);
	if (!strncmp(digest, "sha512:", 7))
		return is_hex(encoded, 128);
	size = strspn(encoded, DIGITS LOWER UPPER "=_-");
	return size && !encoded[size];
}

int descriptor_check(const struct descriptor *descriptor, const char *pointer, struct error *err)
{
	int ret = 0;

	if (!descriptor_digest_is_valid(descriptor->digest))
		ret = error_invalid(err, "\"%s\" is not a digest", descriptor->digest);
	else if (descriptor->size > INT64_MAX)
		ret = error_invalid(err, "size %llu is out of range",
				    (unsigned long long)descriptor->size);
	if (ret < 0) {
		(void)error_prefix(err, ret, "%s", pointer);
		(void)error_pointer(err, ret, "%s", pointer);
	}
	return ret;
}

int descriptor_list_check(const struct descriptor_list *list, const char *pointer,
			  struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		char place[64];
		int ret;

		snprintf(place, sizeof(place), "%s/%zu", pointer, i);
		ret = descriptor_check(&list->items[i], place, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int descriptor_decode(const char *name, const char *text, size_t size, struct arena *arena,
		      struct descriptor **out, struct error *err)
{
	const struct json_source source = { .name = name,
					    .text = text,
					    .size = size,
					    .max_size = IMAGE_DOCUMENT_MAX,
					    .flags = JSON_LAST_WINS };
	struct descriptor *descriptor = arena_alloc(arena, sizeof(*descriptor));
	int ret = json_decode(&source, &descriptor_object, arena, descriptor, err);

	if (ret < 0)
		return ret;
	ret = descriptor_check(descriptor, "/", err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", name);
	*out = descriptor;
	return 0;
}

void descriptor_write(const struct descriptor *descriptor, enum json_style style,
		      struct strbuf *out)
{
	json_encode(&descriptor_object, descriptor, style, out);
}
