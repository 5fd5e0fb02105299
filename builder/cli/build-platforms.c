/* SPDX-License-Identifier: Apache-2.0 */
/* See build-platforms.h. Called by cmd-build.c, once for each platform. */
#include "builder/cli/build-platforms.h"

#include "builder/cli/pull-image.h"
#include "lib/cleanup.h"

void build_platforms_done(struct build_platforms *platforms)
{
	arena_done(&platforms->arena);
}

static const struct output_option *find_output(const struct build_options *options)
{
	size_t i = 0;

	while (options->outputs[i].type != OUTPUT_IMAGE) /* there is one (output-options.h) */
		i++;
	return &options->outputs[i];
}

int build_platforms_add(struct build_platforms *platforms, struct engine *engine,
			const struct build_options *options, struct error *err)
{
	const struct output_option *output = find_output(options);
	const struct image_variant variant = { .compression = &output->compression,
					       .all = output->all,
					       .format = output->format,
					       .annotations = &output->annotations };
	cleanup_with(store_ref_done) struct store_ref ref = { .size = 0 };
	cleanup_image struct image image = { .arena = ARENA_INIT };
	struct digest id;
	int ret = engine_create_image(engine, &ref, &id, err);

	if (ret == 0)
		ret = image_load_ref(engine->store, &ref, &image, err);
	if (ret == 0)
		ret = pull_lazy_layers(engine->store, &image, err);
	if (ret < 0)
		return ret;
	platforms->index.schema_version = 2;
	platforms->index.media_type =
		variant.format == IMAGE_FORMAT_DOCKER ? MEDIA_TYPE_DOCKER_LIST : MEDIA_TYPE_INDEX;
	return index_add_image(engine->store, &platforms->index, &image, &variant,
			       &platforms->arena, err);
}

int build_platforms_put(struct build_platforms *platforms, struct store *store,
			struct store_ref *out_ref, struct digest *out_id, struct error *err)
{
	int ret = index_put(store, &platforms->index, out_ref, err);

	if (ret == 0)
		*out_id = out_ref->digest;
	return ret;
}
