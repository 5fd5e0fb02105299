/* SPDX-License-Identifier: Apache-2.0 */
/* What a step stands on: the trees of images, whose layers are pulled when the first step needs
 * them, and of steps. Of engine.c. */
#include <string.h>

#include "builder/build/cache-import.h"
#include "builder/build/engine.h"
#include "builder/build/place.h"
#include "builder/container/user.h"
#include "builder/registry/source.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

/* Layers on their way, for the progress: it is told of when something comes. */
struct layers_progress {
	struct engine *engine;
	const struct image *image;
	unsigned int id;
	bool left; /* our place: who waits for a registry needs none */
};

static void tell_layers(void *context, uint64_t current, uint64_t total)
{
	struct layers_progress *progress = context;
	struct engine *engine = progress->engine;
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	struct build_event event = { .kind = EVENT_TRANSFER, .current = current, .total = total };

	if (!progress->id) {
		progress->left = engine_leave(engine);
		strbuf_adds(&name, "pulling ");
		if (progress->image->top.name.name[0])
			reference_familiar(&progress->image->top.name, true, &name);
		else
			strbuf_adds(&name, progress->image->top.digest.text);
		progress->id = engine_begin(engine, strbuf_text(&name));
	}
	event.id = progress->id;
	engine->options->event(engine->options->event_context, &event);
}

/* The image's layers are in the store afterwards: they are pulled when the first step needs them.
 */
static int have_layers(struct engine *engine, const struct image *image, struct error *err)
{
	struct image_source *source = engine->graph->options->images;
	struct layers_progress progress = { engine, image, 0, false };
	const struct pull_events events = { .progress = tell_layers, .context = &progress };
	char text[2048];
	int ret, entered = 0;

	if (!source)
		return 0;
	ret = image_source_layers(source, image, &events, err);
	if (!progress.id)
		return ret;
	if (ret == 0)
		engine_event(engine, EVENT_DONE, progress.id, NULL, 0);
	else if (err->code == ERROR_CANCELLED)
		engine_event(engine, EVENT_CANCELED, progress.id, NULL, 0);
	else
		engine_event(engine, EVENT_FAILED, progress.id, error_text(err, text, sizeof(text)),
			     strlen(text));
	if (progress.left)
		entered = engine_enter(engine, ret < 0 ? NULL : err);
	return ret < 0 ? ret : entered;
}

int engine_image_trees(struct engine *engine, struct image *image, struct strv *out,
		       struct error *err)
{
	int ret = have_layers(engine, image, err);

	return ret < 0 ? ret : image_trees(engine->store, image, out, err);
}

int engine_trees(struct engine *engine, struct graph_stage *stage, struct strv *out,
		 struct error *err)
{
	int ret = cache_need_layers(engine, &stage->layers, err);

	if (ret == 0 && stage->base)
		ret = engine_image_trees(engine, stage->base, out, err);
	if (ret == 0)
		strv_add_all(out, strv_items(&stage->trees));
	return ret;
}

int engine_resolve_user(struct engine *engine, const struct strv *trees, const char *name,
			struct user *out, struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret = place_mount(engine->store, trees, NULL, &fd, err);

	return ret < 0 ? ret : user_resolve(fd, name, out, err);
}
