/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from the store to registries. A layer that came from a registry goes there as it came; one
 * that was made here is compressed when it goes, and the store remembers as what. Nothing is sent
 * that the registry has.
 */
#ifndef BUILDER_REGISTRY_PUSH_H
#define BUILDER_REGISTRY_PUSH_H

#include <stdbool.h>

#include "builder/image/image.h"
#include "builder/registry/registry.h"
#include "lib/error.h"

/** In the caller's thread; each may be NULL. */
struct push_events {
	void (*layer)(void *context, const char *digest, bool was_there);
	void *context;
};

/** What the registry has then. */
struct push_result {
	struct digest digest;
	uint64_t size;
};

/** Push an image of one platform under a name (its tag; without one by its digest). */
int push_image(struct store *store, struct registry *registry, const struct image *image,
	       const struct reference *name, const struct push_events *events,
	       struct push_result *out, struct error *err);

/** The same of an image whose layers are blobs of the store (image-variant.h): as what they are. */
int push_blobs(struct store *store, struct registry *registry, const struct image *image,
	       const struct reference *name, const struct push_events *events,
	       struct push_result *out, struct error *err);

/** Push an index and all that it lists, as they are. */
int push_index(struct store *store, struct registry *registry, const struct store_ref *index,
	       const struct reference *name, const struct push_events *events,
	       struct push_result *out, struct error *err);

#endif
