/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image documents as a registry might send them: no crash, digests that come through are safe as
 * file names, and unknown members survive both directions.
 */
#include "tests/fuzz/fuzz.h"

#include "lib/cleanup.h"
#include "spec/image-config.h"
#include "spec/image-index.h"
#include "spec/image-manifest.h"

static void check_digests(const struct descriptor_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		FUZZ_ASSERT(!strchr(list->items[i].digest, '/'));
}

/* Decode, write, decode what was written, write: the two texts are equal. */
#define ROUND_TRIP(type, decode, write, ...)                                                       \
	do {                                                                                       \
		cleanup_strbuf struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;            \
		cleanup_arena struct arena arena = ARENA_INIT;                                     \
		struct type *value = NULL;                                                         \
                                                                                                   \
		if (decode("d", text, size, &arena, &value, NULL) < 0)                             \
			break;                                                                     \
		__VA_ARGS__;                                                                       \
		write(value, JSON_COMPACT, &first);                                                \
		FUZZ_ASSERT(!decode("d", strbuf_text(&first), first.size, &arena, &value, NULL));  \
		write(value, JSON_COMPACT, &second);                                               \
		FUZZ_ASSERT(!strcmp(strbuf_text(&first), strbuf_text(&second)));                   \
	} while (0)

static void archive_write(const struct docker_archive *archive, enum json_style style,
			  struct strbuf *out)
{
	(void)style;
	docker_archive_write(archive, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	ROUND_TRIP(image_index, image_index_decode, image_index_write,
		   check_digests(&value->manifests));
	ROUND_TRIP(image_manifest, image_manifest_decode, image_manifest_write,
		   check_digests(&value->layers));
	ROUND_TRIP(image_config, image_config_decode, image_config_write, (void)value);
	ROUND_TRIP(docker_archive, docker_archive_decode, archive_write, (void)value);
	return 0;
}
