/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of an image in its report: what made each, and what it adds. */
#include "builder/cli/report.h"
#include "builder/cli/template.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"

/* Layers of the base come first; entries of the history without a layer are left out. */
static void add_layers(struct template_scope *page, const struct image *image, size_t base)
{
	const struct image_history *entries = image->config->history.items;
	uint64_t whole = image_size(image);
	size_t entry = 0, entry_count = image->config->history.count;

	for (size_t i = 0; i < image->manifest->layers.count; i++) {
		struct template_scope *layer = template_add(page, "layers");
		uint64_t size = image->manifest->layers.items[i].size;

		while (entry < entry_count && entries[entry].empty_layer)
			entry++;
		template_set(layer, "text", entry < entry_count ? entries[entry].created_by : NULL);
		entry += entry < entry_count;
		template_set(layer, i < base ? "base" : "own", "yes");
		report_size(layer, "size", size);
		template_setf(layer, "share", "%.3f",
			      whole ? (double)size * 100 / (double)whole : 0);
		template_setf(layer, "digest", "%s", image->config->rootfs->diff_ids.items[i]);
	}
}

void report_layers(struct template_scope *page, const struct report_build *build)
{
	const struct graph_stage *target = build->graph->target;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	size_t base;

	if (build->failure || !build->result->ref.media_type ||
	    image_load_ref(build->store, &build->result->ref, &image, NULL) < 0)
		return;
	base = target->base ? target->base->manifest->layers.count : 0;
	template_setf(page, "layer_count", "%zu", image.manifest->layers.count);
	add_layers(page, &image, base);
}
