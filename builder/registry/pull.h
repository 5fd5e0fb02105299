/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from registries into the store, in two parts: the documents, which tell all that a plan
 * needs, and the layers, when something stands on them. Layers come side by side; each is checked,
 * decompressed and unpacked while it comes, and counts when its digests are right.
 */
#ifndef BUILDER_REGISTRY_PULL_H
#define BUILDER_REGISTRY_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/image.h"
#include "builder/image/reference.h"
#include "builder/image/store.h"
#include "builder/registry/registry.h"
#include "lib/error.h"

/** What happens with the layers; each may be NULL. In the caller's thread. */
struct pull_events {
	/* It is in the store now, or was before. */
	void (*layer)(void *context, const char *digest, bool was_there);
	/* Bytes of all that are being fetched; the first call is before the first request. */
	void (*progress)(void *context, uint64_t current, uint64_t total);
	void *context;
};

/**
 * The documents of an image by its name: the top one, and of an index the manifest for platform
 * (NULL = this machine's); with all, of every platform that it has. out: the top descriptor,
 * without a name.
 */
int pull_documents(struct store *store, struct registry *registry, const struct reference *name,
		   const char *platform, bool all, struct store_ref *out, struct error *err);

/** The layers of an image that the store lacks, from where they are known to be. events may be
 *  NULL. An image that lacks none costs a look at each. */
int pull_layers(struct store *store, struct registry *registry, const struct image *image,
		const struct pull_events *events, struct error *err);

/** A blob of the store that is known to be somewhere: 0 it is there now. */
int pull_blob(struct store *store, struct registry *registry, const struct digest *digest,
	      uint64_t size, struct error *err);

/** All blobs of a manifest of the store, as they are. */
int pull_manifest_blobs(struct store *store, struct registry *registry,
			const struct digest *manifest, struct error *err);

#endif
