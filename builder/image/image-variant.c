/* SPDX-License-Identifier: Apache-2.0 */
/* See image-variant.h. Called by the outputs of build, by push, save and copy. */
#include "builder/image/image-variant.h"

#include <errno.h>
#include <string.h>

#include "builder/image/layer.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

struct maker {
	struct store *store;
	const struct image *image;
	const struct image_variant *variant;
	struct arena arena;
	bool docker; /* the manifest will be docker's */
	bool changed;
};

bool manifest_is_docker(const struct image_manifest *manifest)
{
	return manifest->media_type &&
	       strcmp(manifest->media_type, MEDIA_TYPE_DOCKER_MANIFEST) == 0;
}

/* The names of docker for what the descriptor's name of OCI says, and back. */
static const struct {
	const char *oci, *docker;
} media_types[] = {
	{ MEDIA_TYPE_CONFIG, MEDIA_TYPE_DOCKER_CONFIG },
	{ MEDIA_TYPE_LAYER, MEDIA_TYPE_DOCKER_LAYER },
	{ MEDIA_TYPE_LAYER_GZIP, MEDIA_TYPE_DOCKER_LAYER_GZIP },
};

static int refuse_zstd(struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED, 0,
			 "docker's manifests have no layers of zstd: take the format oci, or "
			 "another compression for all layers (force-compression)");
}

static int translate(struct maker *maker, struct descriptor *descriptor, struct error *err)
{
	const char *old = descriptor->media_type;

	if (maker->variant->format == IMAGE_FORMAT_SAME)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(media_types); i++) {
		const char *from = maker->docker ? media_types[i].oci : media_types[i].docker;

		if (strcmp(old, from) != 0)
			continue;
		descriptor->media_type = maker->docker ? media_types[i].docker : media_types[i].oci;
		maker->changed = true;
	}
	if (maker->docker && strcmp(descriptor->media_type, MEDIA_TYPE_LAYER_ZSTD) == 0)
		return refuse_zstd(err);
	return 0;
}

/* -- layers --------------------------------------------------------------------------------------
 */

/* id: NULL = its stream is the blob's alone. */
static int pack(struct maker *maker, const struct digest *blob, const char *id,
		struct packed_layer *out, struct error *err)
{
	const struct compression *compression = maker->variant->compression;

	if (packed_recall(maker->store, id ? id : digest_hex(blob), compression, out) &&
	    store_hold_blob(maker->store, &out->digest, err) == 1)
		return 0;
	return id ? packed_make(maker->store, id, compression, NULL, out, err)
		  : packed_again(maker->store, blob, compression, NULL, out, err);
}

static bool is_plain(const char *media_type)
{
	const struct compression none = { COMPRESSION_NONE, 0 };

	return compression_matches(&none, media_type);
}

static int make_layer(struct maker *maker, struct descriptor *layer, const char *id,
		      struct error *err)
{
	const struct compression *compression = maker->variant->compression;
	struct packed_layer packed;
	struct digest digest;
	bool plain = is_plain(layer->media_type);
	bool ours = plain && layer_has_stream(maker->store, id);
	int ret = digest_parse(layer->digest, &digest, err);

	if (ret < 0 || !compression)
		return ret < 0 ? ret : translate(maker, layer, err);
	/* what another has compressed stays as it is, byte for byte */
	if (!ours && ((!plain && !maker->variant->all) ||
		      compression_matches(compression, layer->media_type)))
		return translate(maker, layer, err);
	ret = pack(maker, &digest, ours ? id : NULL, &packed, err);
	if (ret < 0)
		return error_prefix(err, ret, "layer %.19s", layer->digest);
	layer->media_type = compression_media_type(compression, maker->docker);
	if (!layer->media_type)
		return refuse_zstd(err);
	layer->digest = arena_strdup(&maker->arena, packed.digest.text);
	layer->size = packed.size;
	maker->changed = true;
	return 0;
}

static int make_layers(struct maker *maker, struct descriptor_list *layers, struct error *err)
{
	struct descriptor *items = arena_alloc(&maker->arena, (layers->count + 1) * sizeof(*items));
	cleanup_strv struct strv ids = STRV_INIT;
	int ret = image_layers(maker->store, maker->image, &ids, err);

	for (size_t i = 0; ret == 0 && i < layers->count; i++) {
		items[i] = layers->items[i];
		ret = make_layer(maker, &items[i], ids.items[i], err);
	}
	layers->items = items;
	return ret;
}

/* -- the manifest --------------------------------------------------------------------------------
 */

static void set_media_type(struct maker *maker, struct image_manifest *manifest)
{
	const char *wanted = maker->docker ? MEDIA_TYPE_DOCKER_MANIFEST : MEDIA_TYPE_MANIFEST;

	if (maker->variant->format == IMAGE_FORMAT_SAME)
		return;
	maker->changed |= !manifest->media_type || strcmp(manifest->media_type, wanted) != 0;
	manifest->media_type = wanted;
}

/* Those that it has, and ours, in a list of their own. */
static void annotate(struct maker *maker, struct json_map *annotations)
{
	const struct strv *texts = maker->variant->annotations;
	const struct json_map old = *annotations;

	if (!texts || !texts->count)
		return;
	*annotations = (struct json_map){ .count = 0 };
	for (size_t i = 0; i < old.count; i++)
		json_map_set(annotations, &maker->arena, old.items[i].key, old.items[i].value);
	for (size_t i = 0; i < texts->count; i++) {
		size_t size = strcspn(texts->items[i], "=");
		const char *key = arena_strndup(&maker->arena, texts->items[i], size);

		json_map_set(annotations, &maker->arena, key,
			     texts->items[i] + size + (texts->items[i][size] == '='));
	}
	maker->changed = true;
}

static int write_manifest(struct maker *maker, const struct image_manifest *manifest,
			  struct store_ref *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct digest digest;
	int ret;

	if (maker->changed)
		image_manifest_write(manifest, JSON_INDENT_2, &text);
	else
		strbuf_add(&text, maker->image->manifest_bytes.data,
			   maker->image->manifest_bytes.size);
	ret = store_blob_put(maker->store, text.data, text.size, &digest, err);
	if (ret < 0)
		return ret;
	*out = (struct store_ref){ .digest = digest,
				   .media_type =
					   xstrdup(manifest->media_type ? manifest->media_type
									: MEDIA_TYPE_MANIFEST),
				   .size = text.size };
	return 0;
}

static void maker_done(struct maker *maker)
{
	arena_done(&maker->arena);
}

int image_make_variant(struct store *store, const struct image *image,
		       const struct image_variant *variant, struct store_ref *out,
		       struct error *err)
{
	cleanup_with(maker_done) struct maker maker = {
		.store = store, .image = image, .variant = variant, .arena = ARENA_INIT
	};
	struct image_manifest manifest = *image->manifest;
	struct descriptor config = *manifest.config;
	int ret;

	maker.docker = variant->format == IMAGE_FORMAT_SAME
			       ? manifest_is_docker(&manifest)
			       : variant->format == IMAGE_FORMAT_DOCKER;
	ret = make_layers(&maker, &manifest.layers, err);
	if (ret == 0)
		ret = translate(&maker, &config, err);
	if (ret < 0)
		return ret;
	manifest.config = &config;
	set_media_type(&maker, &manifest);
	annotate(&maker, &manifest.annotations);
	return write_manifest(&maker, &manifest, out, err);
}
