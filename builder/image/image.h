/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: the documents (manifest and config, kept and written as raw bytes) on top of layers.
 * IMAGE ID = digest of the config; DIGEST = digest of the top document.
 */
#ifndef BUILDER_IMAGE_IMAGE_H
#define BUILDER_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/digest.h"
#include "builder/image/reference.h"
#include "builder/image/store.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "spec/image-config.h"
#include "spec/image-manifest.h"

struct image {
	struct arena arena;   /* owns what config and manifest point to */
	struct store_ref top; /* the name it was found by ("" = by id) and the top descriptor */
	struct digest id;     /* of the config */
	struct strbuf config_bytes;
	struct strbuf manifest_bytes;
	struct image_config *config;
	struct image_manifest *manifest;
};

void image_done(struct image *image);
#define cleanup_image __attribute__((cleanup(image_done)))

/**
 * Load by name ("debian", "debian:12", "x@sha256:...") or by image id ("sha256:HEX", or a prefix of
 * the hex of at least 4 digits, unambiguous). A name wins over an id. Absent: ERROR_NOT_FOUND.
 * Of an index it is the manifest of this machine's platform or, where only another was pulled, that
 * one.
 */
int image_load(struct store *store, const char *name, struct image *out, struct error *err);
/** The same of a platform in its normal form ("linux/arm64"), and no other; NULL = this machine's.
 *  It chooses among the manifests of an index; an image that is none is what it is. */
int image_load_for(struct store *store, const char *name, const char *platform, struct image *out,
		   struct error *err);
/** Load what a ref points to: of one platform; as image_load() does. */
int image_load_ref_for(struct store *store, const struct store_ref *ref, const char *platform,
		       struct image *out, struct error *err);
int image_load_ref(struct store *store, const struct store_ref *ref, struct image *out,
		   struct error *err);

/** The ids of its layers, bottom to top, each held; a missing one is an error that names it. */
int image_layers(struct store *store, const struct image *image, struct strv *out_ids,
		 struct error *err);
/** The same as trees for snapshot.h. */
int image_trees(struct store *store, const struct image *image, struct strv *out_trees,
		struct error *err);
/** chainID of all its layers ("" for none): the engine's key(base); needs no layer. */
int image_chain(const struct image *image, struct digest *out, struct error *err);

/** Lines for a containers/ID/holds file: top document, manifest, config, layers. */
int image_holds(struct store *store, const struct image *image, struct strbuf *out,
		struct error *err);

/** What to make an image of. */
struct image_new {
	const struct image *base; /* NULL = scratch: its layer descriptors are taken as they are */
	/* The base's config (decoded, so with its unknown members) after the build's changes, or a
	 * new one; everything but rootfs, which is set here from base and layers. */
	struct image_config *config;
	struct arena *arena;	   /* that config lives in */
	const struct strv *layers; /* ids of the layers on top of the base, bottom to top */
};

/**
 * Write config and manifest. The history must have one entry that is not empty_layer per layer.
 * out_ref gets the top descriptor (for store_ref_set), out_id the image id. Nothing is visible
 * until a ref is set.
 */
int image_create(struct store *store, const struct image_new *image, struct store_ref *out_ref,
		 struct digest *out_id, struct error *err);

/** For store_collect: what the image behind a ref needs. */
int image_reach(struct store *store, const struct store_ref *ref, struct strv *holds,
		struct error *err);

/** Bytes of all its layers' tar streams (what `images` shows as SIZE). */
uint64_t image_size(const struct image *image);

#endif
