/* SPDX-License-Identifier: Apache-2.0 */
/* Called by ps --size and inspect --size: it reads all of a tree, so nobody asks unasked. */
#include "builder/container/size.h"

#include "builder/build/usage.h"
#include "builder/image/image.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

void container_size_get(struct store *store, const struct container_record *record,
			struct container_size *out)
{
	struct store_ref ref = { .media_type = (char *)record->top_type, .size = record->top_size };
	cleanup_free char *layer = xasprintf("containers/%s/layer/upper", record->id);
	cleanup_image struct image image = { .arena = ARENA_INIT };

	out->own = out->all = usage_folder_size(store->fd, layer);
	/* its name may be another image's by now, but its documents are held */
	if (digest_parse(record->top_digest, &ref.digest, NULL) == 0 &&
	    image_load_ref_for(store, &ref, record->platform, &image, NULL) == 0)
		out->all += image_size(&image);
}
