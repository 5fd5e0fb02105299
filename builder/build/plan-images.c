/* SPDX-License-Identifier: Apache-2.0 */
/* The images of FROM and --from: documents alone, each once; of plan.c. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "builder/build/graph.h"
#include "builder/image/layout.h"
#include "builder/registry/source.h"
#include "lib/cleanup.h"

static int read_layout(struct graph *graph, const struct named_context *named, const char *platform,
		       struct image *out, struct error *err)
{
	const struct location *location = &named->location;
	cleanup_close int fd = open(location->text, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "context \"%s\": open \"%s\"", named->name,
				   location->text);
	ret = layout_load(graph->store, fd, location->ref, platform, out, err);
	return error_prefix(err, ret, "context \"%s\": layout \"%s\"", named->name, location->text);
}

/* An image of the store, or what the command line has under its name. */
static int read_image(struct graph *graph, const struct named_context *named, const char *name,
		      const char *platform, struct image *out, struct error *err)
{
	if (named && named->location.kind == LOCATION_LAYOUT)
		return read_layout(graph, named, platform, out, err);
	if (named)
		name = named->location.text;
	if (graph->options->images)
		return image_source_load(graph->options->images, name, platform, out, err);
	return image_load_for(graph->store, name, platform, out, err);
}

/* The store may have it under other names: 1 found. */
static int find_digest(struct store *store, const char *digest, const char *platform,
		       struct image *out, struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	int ret = store_ref_list(store, &refs, err);

	for (size_t i = 0; ret == 0 && i < refs.count; i++)
		if (strcmp(refs.items[i].digest.text, digest) == 0 &&
		    image_load_ref_for(store, &refs.items[i], platform, out, NULL) == 0)
			return 1;
	return ret;
}

/* By the digest that its name is pinned to; a name that has one must say the same. */
static int read_pinned(struct graph *graph, const struct named_context *named, const char *name,
		       const char *platform, struct image *out, struct error *err)
{
	const char *said = named ? named->location.text : name, *digest = NULL;
	cleanup_free char *full = NULL;
	int ret = pins_find_image(graph->options->pins, name, platform, &digest, err);

	if (ret < 0)
		return ret;
	if (!digest)
		return read_image(graph, named, name, platform, out, err);
	if (named && named->location.kind == LOCATION_LAYOUT) {
		ret = read_layout(graph, named, platform, out, err);
	} else if (strncmp(said, "sha256:", 7) == 0 || strchr(said, '@')) {
		ret = read_image(graph, named, name, platform, out, err);
	} else {
		full = xasprintf("%s@%s", said, digest);
		ret = find_digest(graph->store, digest, platform, out, err);
		if (ret == 0)
			ret = read_image(graph, NULL, full, platform, out, err);
		ret = ret < 0 ? ret : 0;
	}
	if (ret == 0 && strcmp(out->top.digest.text, digest) != 0) {
		image_done(out);
		return error_invalid(err, "\"%s\" is %s, and not %s as \"%s\" says", name,
				     out->top.digest.text, digest, graph->options->pins->path);
	}
	return ret;
}

void plan_read_image(struct graph *graph, struct graph_image *image)
{
	const struct named_context *named =
		named_contexts_find(graph->options->contexts, image->name);

	image->err = (struct error)ERROR_INIT;
	image->ret = (graph->options->pins ? read_pinned : read_image)(
		graph, named, image->name, image->platform, &image->image, &image->err);
}

static struct graph_image **find(struct graph_image **list, const char *name, const char *platform)
{
	while (*list &&
	       (strcmp((*list)->name, name) != 0 || strcmp((*list)->platform, platform) != 0))
		list = &(*list)->next;
	return list;
}

/* One that was looked for ahead, or a new one. */
static struct graph_image *take(struct graph *graph, const char *name, const char *platform)
{
	struct graph_image **ahead = find(&graph->ahead, name, platform), *image = *ahead;

	if (image) {
		*ahead = image->next;
		return image;
	}
	image = arena_alloc(&graph->arena, sizeof(*image));
	image->name = arena_strdup(&graph->arena, name);
	image->platform = platform;
	plan_read_image(graph, image);
	return image;
}

int plan_load_image(struct graph *graph, const char *name, const char *platform, struct image **out,
		    struct error *err)
{
	struct graph_image *image = *find(&graph->images, name, platform);

	if (image) {
		*out = &image->image;
		return 0;
	}
	image = take(graph, name, platform);
	if (image->ret < 0) {
		if (err)
			*err = image->err;
		return image->ret;
	}
	image->next = graph->images;
	graph->images = image;
	*out = &image->image;
	return 0;
}
