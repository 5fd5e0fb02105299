/* SPDX-License-Identifier: Apache-2.0 */
/* See build-platforms.h. Called by cmd-build.c, once for each platform, and by its outputs. */
#include "builder/cli/build-platforms.h"

#include <string.h>

#include "builder/cli/pull-image.h"
#include "builder/image/index-write.h"
#include "lib/cleanup.h"

void build_platforms_done(struct build_platforms *platforms)
{
	for (size_t i = 0; i < platforms->count; i++) {
		store_ref_done(&platforms->items[i].ref);
		attestations_done(&platforms->items[i].attestations);
	}
	free(platforms->items);
	arena_done(&platforms->arena);
	*platforms = (struct build_platforms){ .count = 0 };
}

int build_platforms_add(struct build_platforms *platforms, struct engine *engine,
			const struct build_options *options, struct built_platform **out,
			struct error *err)
{
	struct built_platform built = { .platform = options->platform };
	int ret = engine_create_image(engine, &built.ref, &built.id, err);

	if (ret < 0)
		return ret;
	platforms->items =
		xreallocarray(platforms->items, platforms->count + 1, sizeof(*platforms->items));
	platforms->items[platforms->count] = built;
	*out = &platforms->items[platforms->count++];
	return 0;
}

static void set_annotations(struct json_map *map, const struct strv *texts, struct arena *arena)
{
	for (size_t i = 0; i < texts->count; i++) {
		size_t size = strcspn(texts->items[i], "=");

		json_map_set(map, arena, arena_strndup(arena, texts->items[i], size),
			     texts->items[i] + size + (texts->items[i][size] == '='));
	}
}

/* In the words of the output; the last entry of the index is its then. */
static int add_image(struct store *store, const struct built_platform *built,
		     const struct output_option *output, struct image_index *index,
		     struct arena *arena, struct error *err)
{
	const struct image_variant variant = { .compression = &output->compression,
					       .all = output->all,
					       .format = output->format,
					       .annotations = &output->annotations };
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret = image_load_ref(store, &built->ref, &image, err);

	if (ret == 0)
		ret = pull_lazy_layers(store, &image, err);
	if (ret == 0)
		ret = index_add_image(store, index, &image, &variant, arena, err);
	return ret;
}

int build_platforms_index(struct build_platforms *platforms, struct store *store,
			  const struct output_option *output, const struct strv *names,
			  struct store_ref *out_ref, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct image_index index = { .schema_version = 2,
				     .media_type = output->format == IMAGE_FORMAT_DOCKER
							   ? MEDIA_TYPE_DOCKER_LIST
							   : MEDIA_TYPE_INDEX };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < platforms->count; i++)
		ret = add_image(store, &platforms->items[i], output, &index, &arena, err);
	for (size_t i = 0; ret == 0 && i < index.manifests.count; i++)
		set_annotations(&index.manifests.items[i].annotations,
				&output->descriptor_annotations, &arena);
	/* behind all images: who looks for a platform finds it first */
	for (size_t i = 0; ret == 0 && i < platforms->count; i++)
		ret = attestations_add(&platforms->items[i].attestations, store, &index, i, names,
				       platforms->items[i].platform, &arena, err);
	set_annotations(&index.annotations, &output->index_annotations, &arena);
	return ret < 0 ? ret : index_put(store, &index, out_ref, err);
}
