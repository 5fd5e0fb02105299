/* SPDX-License-Identifier: Apache-2.0 */
/* See index-write.h. Called by manifest, and by builds for several platforms. */
#include "builder/image/index-write.h"

#include <string.h>

#include "builder/image/image-index.h"
#include "lib/cleanup.h"

static struct image_platform *platform_of(const struct image_config *config, struct arena *arena)
{
	struct image_platform *platform = arena_alloc(arena, sizeof(*platform));

	platform->architecture = arena_strdup(arena, config->architecture);
	platform->os = arena_strdup(arena, config->os);
	if (config->variant)
		platform->variant = arena_strdup(arena, config->variant);
	if (config->os_version)
		platform->os_version = arena_strdup(arena, config->os_version);
	return platform;
}

void index_add(struct image_index *index, const struct descriptor *entry, struct arena *arena)
{
	struct descriptor_list *list = &index->manifests;
	struct descriptor *items;

	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].digest, entry->digest) != 0)
			continue;
		list->items[i] = *entry;
		return;
	}
	items = arena_alloc(arena, (list->count + 1) * sizeof(*items));
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	items[list->count++] = *entry;
	list->items = items;
}

int index_add_image(struct store *store, struct image_index *index, const struct image *image,
		    const struct image_variant *variant, struct arena *arena, struct error *err)
{
	const struct compression compression = COMPRESSION_DEFAULT;
	const struct image_variant usual = { .compression = &compression };
	cleanup_with(store_ref_done) struct store_ref ref = { .size = 0 };
	struct descriptor entry = { .size = 0 };
	int ret;

	if (!image->config->architecture || !image->config->os)
		return error_invalid(err, "image %.19s does not say what platform it is for",
				     image->id.text);
	ret = image_make_variant(store, image, variant ? variant : &usual, &ref, err);
	if (ret < 0)
		return ret;
	entry.media_type = arena_strdup(arena, ref.media_type);
	entry.digest = arena_strdup(arena, ref.digest.text);
	entry.size = ref.size;
	entry.platform = platform_of(image->config, arena);
	index_add(index, &entry, arena);
	return 0;
}

int index_read(struct store *store, const struct store_ref *ref, struct arena *arena,
	       struct image_index **out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret;

	if (!media_type_is_index(ref->media_type))
		return error_invalid(err, "\"%s\" is an image of one platform, and no index",
				     ref->name.name[0] ? ref->name.name : ref->digest.text);
	ret = store_blob_get(store, &ref->digest, IMAGE_DOCUMENT_MAX, &text, err);
	return ret < 0 ? ret
		       : image_index_decode("index", strbuf_text(&text), text.size, arena, out,
					    err);
}

int index_put(struct store *store, const struct image_index *index, struct store_ref *out,
	      struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct digest digest;
	int ret;

	image_index_write(index, JSON_INDENT_2, &text);
	ret = store_blob_put(store, text.data, text.size, &digest, err);
	if (ret < 0)
		return ret;
	*out = (struct store_ref){ .digest = digest,
				   .media_type = xstrdup(index->media_type ? index->media_type
									   : MEDIA_TYPE_INDEX),
				   .size = text.size };
	return 0;
}
