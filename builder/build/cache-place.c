/* SPDX-License-Identifier: Apache-2.0 */
/* From an option to the place of its blobs. */
#include "builder/build/cache-place.h"

int cache_place_open(const struct cache_option *option, bool to, int cancel_fd,
		     struct blob_place **out, struct error *err)
{
	if (option->type == CACHE_REGISTRY)
		return cache_registry_open(option->ref, to, cancel_fd, out, err);
	if (to)
		return blob_layout_create(option->path, option->tag, out, err);
	return blob_layout_open(option->path, option->tag, option->digest, out, err);
}
