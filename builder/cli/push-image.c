/* SPDX-License-Identifier: Apache-2.0 */
/* Called by push, and by build for its outputs. */
#include "builder/cli/push-image.h"

#include <string.h>

#include "builder/cli/pull-image.h"
#include "builder/image/image-index.h"
#include "builder/image/image-variant.h"
#include "lib/cleanup.h"

static void tell_layer(void *context, const char *digest, bool was_there)
{
	FILE *out = context;

	if (out)
		fprintf(out, "%.12s: %s\n", digest + strlen("sha256:"),
			was_there ? "Layer already exists" : "Pushed");
}

/* With other layers: the store keeps those for the next time, but no name for it. */
static int push_variant(const struct push_how *how, const struct image *image,
			const struct reference *name, const struct push_events *events,
			struct push_result *out, struct error *err)
{
	const struct image_variant variant = { .compression = how->compression,
					       .all = how->recompress };
	cleanup_with(store_ref_done) struct store_ref ref = { .size = 0 };
	cleanup_image struct image other = { .arena = ARENA_INIT };
	int ret = pull_lazy_layers(how->store, image, err);

	if (ret == 0)
		ret = image_make_variant(how->store, image, &variant, &ref, err);
	if (ret == 0)
		ret = image_load_ref(how->store, &ref, &other, err);
	return ret < 0 ? ret
		       : push_blobs(how->store, how->registry, &other, name, events, out, err);
}

int push_named(const struct push_how *how, const struct image *image, const struct reference *name,
	       struct push_result *out, struct error *err)
{
	const struct push_events events = { .layer = tell_layer, .context = how->out };
	int ret;

	if (how->out)
		fprintf(how->out, "The push refers to repository [%s]\n", name->name);
	if (how->all && media_type_is_index(image->top.media_type))
		ret = push_index(how->store, how->registry, &image->top, name, &events, out, err);
	else if (how->compression)
		ret = push_variant(how, image, name, &events, out, err);
	else if (how->blobs)
		ret = push_blobs(how->store, how->registry, image, name, &events, out, err);
	else
		ret = push_image(how->store, how->registry, image, name, &events, out, err);
	if (ret == 0 && how->out)
		fprintf(how->out, "%s: digest: %s size: %llu\n", name->tag, out->digest.text,
			(unsigned long long)out->size);
	return ret;
}
