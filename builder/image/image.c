/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: finding them by name or id, the documents behind a ref, their layers, and writing new
 * ones. Documents are checked against their digests each time they are read.
 */
#include "builder/image/image.h"

#include <errno.h>
#include <string.h>

#include "builder/image/image-index.h"
#include "builder/image/layer.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "spec/image-index.h"

#define ID_PREFIX_MIN 4

void image_done(struct image *image)
{
	store_ref_done(&image->top);
	strbuf_done(&image->config_bytes);
	strbuf_done(&image->manifest_bytes);
	arena_done(&image->arena);
}

/* -- loading ------------------------------------------------------------------------------------
 */

/* A document by its descriptor: the bytes, checked. */
static int read_document(struct store *store, const struct digest *digest, struct strbuf *out,
			 struct error *err)
{
	return store_blob_get(store, digest, IMAGE_DOCUMENT_MAX, out, err);
}

/* An index of the store, decoded into the arena. */
static int read_index(struct store *store, const struct digest *digest, struct arena *arena,
		      struct image_index **out, struct error *err)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	int ret = read_document(store, digest, &bytes, err);

	return ret < 0 ? ret
		       : image_index_decode("index", strbuf_text(&bytes), bytes.size, arena, out,
					    err);
}

static bool is_present(struct store *store, const struct descriptor *descriptor)
{
	struct digest digest;

	return digest_parse(descriptor->digest, &digest, NULL) == 0 &&
	       store_blob_exists(store, &digest);
}

/* Of another platform, which was asked for when it was pulled. */
static const struct descriptor *find_present(struct store *store, const struct image_index *index)
{
	for (size_t i = 0; i < index->manifests.count; i++)
		if (descriptor_is_image(&index->manifests.items[i]) &&
		    is_present(store, &index->manifests.items[i]))
			return &index->manifests.items[i];
	return NULL;
}

/* Which manifest of an index is meant. */
struct choice {
	const char *platform; /* NULL = this machine's */
	bool present;	      /* or, where that is not in the store, the first that is */
};

static int choose_manifest(struct store *store, const struct digest *index_digest,
			   const struct choice *choice, struct digest *out, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	const struct descriptor *chosen = NULL, *other = NULL;
	struct image_index *index = NULL;
	struct error why = ERROR_INIT;
	int ret = read_index(store, index_digest, &arena, &index, err);

	if (ret < 0)
		return ret;
	ret = image_index_choose(index, choice->platform, &chosen, &why);
	if (choice->present && (ret < 0 || !is_present(store, chosen)))
		other = find_present(store, index);
	if (other)
		return digest_parse(other->digest, out, err);
	if (ret < 0 && err)
		*err = why;
	return ret < 0 ? ret : digest_parse(chosen->digest, out, err);
}

static int decode_documents(struct store *store, const struct digest *manifest, struct image *image,
			    struct error *err)
{
	int ret = read_document(store, manifest, &image->manifest_bytes, err);

	if (ret == 0)
		ret = image_manifest_decode("manifest", strbuf_text(&image->manifest_bytes),
					    image->manifest_bytes.size, &image->arena,
					    &image->manifest, err);
	if (ret == 0)
		ret = digest_parse(image->manifest->config->digest, &image->id, err);
	if (ret == 0)
		ret = read_document(store, &image->id, &image->config_bytes, err);
	if (ret == 0)
		ret = image_config_decode("config", strbuf_text(&image->config_bytes),
					  image->config_bytes.size, &image->arena, &image->config,
					  err);
	if (ret < 0)
		return ret;
	if (!image->config->rootfs ||
	    image->config->rootfs->diff_ids.count != image->manifest->layers.count)
		return error_invalid(err, "the config lists %zu layers, the manifest %zu",
				     image->config->rootfs ? image->config->rootfs->diff_ids.count
							   : 0,
				     image->manifest->layers.count);
	return 0;
}

/* How to name it in messages. */
static void ref_text(const struct store_ref *ref, struct strbuf *out)
{
	if (ref->name.name[0])
		reference_familiar(&ref->name, false, out);
	else
		strbuf_adds(out, ref->digest.text);
}

static int load_ref(struct store *store, const struct store_ref *ref, const struct choice *choice,
		    struct image *out, struct error *err)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	struct digest manifest = ref->digest;
	int ret = 0;

	image.top = *ref;
	image.top.media_type = xstrdup(ref->media_type);
	if (media_type_is_index(ref->media_type))
		ret = choose_manifest(store, &ref->digest, choice, &manifest, err);
	if (ret == 0)
		ret = decode_documents(store, &manifest, &image, err);
	if (ret < 0) {
		ref_text(ref, &name);
		return error_prefix(err, ret, "image \"%s\"", strbuf_text(&name));
	}
	*out = image;
	image = (struct image){ .arena = ARENA_INIT };
	return 0;
}

int image_load_ref_for(struct store *store, const struct store_ref *ref, const char *platform,
		       struct image *out, struct error *err)
{
	return load_ref(store, ref, &(struct choice){ platform, false }, out, err);
}

int image_load_ref(struct store *store, const struct store_ref *ref, struct image *out,
		   struct error *err)
{
	return load_ref(store, ref, &(struct choice){ NULL, true }, out, err);
}

static int not_found(const char *name, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, ENOENT, "image \"%s\" is not in the store", name);
}

/* By name, and by NAME@DIGEST: 1, 0 or negative. */
static int find_by_name(struct store *store, const struct reference *name, struct store_ref *out,
			struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	int ret;

	if (!name->digest.text[0])
		return store_ref_get(store, name, out, err);
	ret = store_ref_list(store, &refs, err);
	for (size_t i = 0; ret == 0 && i < refs.count; i++) {
		const char *other = refs.items[i].name.name;

		/* what was pulled by its digest has no name */
		if ((*other && strcmp(other, name->name) != 0) ||
		    !digest_equal(&refs.items[i].digest, &name->digest))
			continue;
		*out = refs.items[i];
		refs.items[i].media_type = NULL;
		return 1;
	}
	return ret;
}

/* By a prefix of the id, or of the top digest. */
static int load_by_id(struct store *store, const char *name, const char *hex, struct image *out,
		      struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	cleanup_image struct image found = { .arena = ARENA_INIT };
	bool has = false;
	int ret = store_ref_list(store, &refs, err);

	for (size_t i = 0; ret == 0 && i < refs.count; i++) {
		cleanup_image struct image image = { .arena = ARENA_INIT };

		/* a damaged neighbour is no reason not to find this one */
		if (image_load_ref(store, &refs.items[i], &image, NULL) < 0 ||
		    (strncmp(digest_hex(&image.id), hex, strlen(hex)) != 0 &&
		     strncmp(digest_hex(&image.top.digest), hex, strlen(hex)) != 0))
			continue;
		if (has && !digest_equal(&found.id, &image.id))
			return error_invalid(
				err, "\"%s\" could be several images: give more digits", name);
		if (has)
			continue;
		found = image;
		image = (struct image){ .arena = ARENA_INIT };
		has = true;
	}
	if (ret < 0)
		return ret;
	if (!has)
		return not_found(name, err);
	/* found by id: by which of its names is not the question */
	found.top.name = (struct reference){ "", "", { "" } };
	*out = found;
	found = (struct image){ .arena = ARENA_INIT };
	return 0;
}

static int load(struct store *store, const char *name, const struct choice *choice,
		struct image *out, struct error *err)
{
	__attribute__((cleanup(store_ref_done))) struct store_ref ref = { .size = 0 };
	bool prefixed = strncmp(name, "sha256:", 7) == 0;
	const char *hex = prefixed ? name + 7 : name;
	size_t digits = strspn(hex, "0123456789abcdef");
	bool is_id = !hex[digits] && digits >= ID_PREFIX_MIN && digits <= DIGEST_HEX;
	struct reference reference;
	int ret;

	if (!prefixed && !digest_is_hex(name)) {
		ret = reference_parse(name, &reference, err);
		if (ret < 0)
			return ret;
		ret = find_by_name(store, &reference, &ref, err);
		if (ret < 0)
			return ret;
		if (ret == 1)
			return load_ref(store, &ref, choice, out, err);
	}
	return is_id ? load_by_id(store, name, hex, out, err) : not_found(name, err);
}

int image_load(struct store *store, const char *name, struct image *out, struct error *err)
{
	return load(store, name, &(struct choice){ NULL, true }, out, err);
}

int image_load_for(struct store *store, const char *name, const char *platform, struct image *out,
		   struct error *err)
{
	return load(store, name, &(struct choice){ platform, false }, out, err);
}

/* -- layers -------------------------------------------------------------------------------------
 */

int image_chain(const struct image *image, struct digest *out, struct error *err)
{
	const struct json_strings *diff_ids = &image->config->rootfs->diff_ids;
	struct digest chain = { "" };

	for (size_t i = 0; i < diff_ids->count; i++) {
		struct digest diff_id;
		int ret = digest_parse(diff_ids->items[i], &diff_id, err);

		if (ret < 0)
			return ret;
		layer_chain(&chain, &diff_id, &chain);
	}
	*out = chain;
	return 0;
}

int image_layers(struct store *store, const struct image *image, struct strv *out_ids,
		 struct error *err)
{
	const struct json_strings *diff_ids = &image->config->rootfs->diff_ids;
	struct digest chain = { "" };

	for (size_t i = 0; i < diff_ids->count; i++) {
		struct digest diff_id;
		char id[LAYER_ID_SIZE];
		int ret = digest_parse(diff_ids->items[i], &diff_id, err);

		if (ret < 0)
			return ret;
		layer_chain(&chain, &diff_id, &chain);
		ret = layer_find(store, &diff_id, &chain, id, err);
		if (ret < 0)
			return ret;
		if (ret == 0)
			return error_set(err, ERROR_NOT_FOUND, ENOENT,
					 "layer %s of image %.19s is not in the store",
					 diff_id.text, image->id.text);
		strv_add(out_ids, id);
	}
	return 0;
}

int image_trees(struct store *store, const struct image *image, struct strv *out_trees,
		struct error *err)
{
	cleanup_strv struct strv ids = STRV_INIT;
	int ret = image_layers(store, image, &ids, err);

	for (size_t i = 0; ret == 0 && i < ids.count; i++)
		strv_take(out_trees, layer_tree(ids.items[i]));
	return ret;
}

uint64_t image_size(const struct image *image)
{
	uint64_t size = 0;

	for (size_t i = 0; i < image->manifest->layers.count; i++)
		size += image->manifest->layers.items[i].size;
	return size;
}

/* -- what an image needs ------------------------------------------------------------------------
 */

static void need_blob(struct strv *holds, const char *digest)
{
	if (strncmp(digest, "sha256:", 7) == 0)
		strv_addf(holds, "blobs/sha256/%s", digest + 7);
}

/* Under both ids that a layer may have: more lines than needed do no harm. */
static void need_layers(const struct image *image, struct strv *holds)
{
	const struct json_strings *diff_ids = &image->config->rootfs->diff_ids;
	struct digest chain = { "" };

	for (size_t i = 0; i < diff_ids->count; i++) {
		struct digest diff_id;

		if (digest_parse(diff_ids->items[i], &diff_id, NULL) < 0)
			return;
		layer_chain(&chain, &diff_id, &chain);
		strv_addf(holds, "layers/%s", digest_hex(&diff_id));
		if (!digest_equal(&chain, &diff_id))
			strv_addf(holds, "layers/%s", digest_hex(&chain));
		need_blob(holds, image->manifest->layers.items[i].digest);
	}
}

static void need_image(const struct image *image, struct strv *holds)
{
	struct digest manifest;

	digest_of(strbuf_text(&image->manifest_bytes), image->manifest_bytes.size, &manifest);
	need_blob(holds, image->top.digest.text);
	need_blob(holds, manifest.text);
	need_blob(holds, image->id.text);
	need_layers(image, holds);
}

int image_holds(struct store *store, const struct image *image, struct strbuf *out,
		struct error *err)
{
	cleanup_strv struct strv ids = STRV_INIT;
	cleanup_strv struct strv holds = STRV_INIT;
	int ret = image_layers(store, image, &ids, err); /* they are there, and ours */

	if (ret < 0)
		return ret;
	need_image(image, &holds);
	for (size_t i = 0; i < holds.count; i++)
		strbuf_addf(out, "%s\n", holds.items[i]);
	return 0;
}

/* An image whose documents are gone or damaged needs nothing else that could be known; what is no
 * image (an attestation) needs the blobs that it lists. */
static void need_manifest(struct store *store, const struct digest *manifest, struct strv *holds)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	struct error ignored = ERROR_INIT;

	need_blob(holds, manifest->text);
	image.top.digest = *manifest;
	if (decode_documents(store, manifest, &image, &ignored) == 0) {
		need_image(&image, holds);
		return;
	}
	log_debug("while collecting: %s", ignored.msg);
	if (!image.manifest)
		return;
	need_blob(holds, image.manifest->config->digest);
	for (size_t i = 0; i < image.manifest->layers.count; i++)
		need_blob(holds, image.manifest->layers.items[i].digest);
}

/* Of all its platforms: those that were never fetched need nothing. */
static void need_index(struct store *store, const struct digest *digest, struct strv *holds)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct image_index *index = NULL;
	struct error ignored = ERROR_INIT;

	if (read_index(store, digest, &arena, &index, &ignored) < 0) {
		log_debug("while collecting: %s", ignored.msg);
		return;
	}
	for (size_t i = 0; i < index->manifests.count; i++) {
		struct digest manifest;

		if (digest_parse(index->manifests.items[i].digest, &manifest, NULL) == 0)
			need_manifest(store, &manifest, holds);
	}
}

int image_reach(struct store *store, const struct store_ref *ref, struct strv *holds,
		struct error *err)
{
	(void)err;
	need_blob(holds, ref->digest.text);
	if (media_type_is_index(ref->media_type))
		need_index(store, &ref->digest, holds);
	else
		need_manifest(store, &ref->digest, holds);
	return 0;
}

/* -- writing ------------------------------------------------------------------------------------
 */

static int check_history(const struct image_config *config, size_t layers, struct error *err)
{
	size_t count = 0;

	for (size_t i = 0; i < config->history.count; i++)
		count += !config->history.items[i].empty_layer;
	if (config->history.count && count != layers)
		return error_set(err, ERROR_INTERNAL, 0,
				 "the history has %zu entries with a layer, the image %zu layers",
				 count, layers);
	return 0;
}

/* Layer descriptors of docker's schema are the same bytes under OCI's names. */
static const char *oci_media_type(const char *media_type)
{
	return strcmp(media_type, MEDIA_TYPE_DOCKER_LAYER_GZIP) == 0 ? MEDIA_TYPE_LAYER_GZIP
								     : media_type;
}

static int describe_layers(struct store *store, const struct image_new *new,
			   struct image_manifest *manifest, struct json_strings *diff_ids,
			   struct error *err)
{
	size_t base = new->base ? new->base->manifest->layers.count : 0;
	size_t count = base + (new->layers ? new->layers->count : 0);
	struct descriptor *items = arena_alloc(new->arena, (count + 1) * sizeof(*items));

	diff_ids->items = arena_alloc(new->arena, sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		struct layer_info info;
		int ret;

		if (i < base) {
			items[i] = new->base->manifest->layers.items[i];
			items[i].media_type = oci_media_type(items[i].media_type);
			json_strings_add(diff_ids, new->arena,
					 new->base->config->rootfs->diff_ids.items[i]);
			continue;
		}
		ret = layer_load(store, new->layers->items[i - base], &info, err);
		if (ret < 0)
			return ret;
		items[i].media_type = MEDIA_TYPE_LAYER;
		items[i].digest = arena_strdup(new->arena, info.diff_id.text);
		items[i].size = info.size;
		json_strings_add(diff_ids, new->arena, info.diff_id.text);
	}
	manifest->layers.items = items;
	manifest->layers.count = count;
	return check_history(new->config, count, err);
}

int image_create(struct store *store, const struct image_new *new, struct store_ref *out_ref,
		 struct digest *out_id, struct error *err)
{
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	cleanup_strbuf struct strbuf document = STRBUF_INIT;
	struct image_manifest manifest = { .schema_version = 2, .media_type = MEDIA_TYPE_MANIFEST };
	struct descriptor descriptor = { .media_type = MEDIA_TYPE_CONFIG };
	struct json_strings diff_ids = { NULL, 0, false };
	struct digest id, top;
	int ret = describe_layers(store, new, &manifest, &diff_ids, err);

	if (ret < 0)
		return ret;
	if (!new->config->rootfs)
		new->config->rootfs = arena_alloc(new->arena, sizeof(*new->config->rootfs));
	new->config->rootfs->type = "layers";
	new->config->rootfs->diff_ids = diff_ids;
	ret = image_config_check(new->config, err);
	if (ret < 0) /* nobody would read it */
		return error_prefix(err, ret, "the image's configuration");
	image_config_write(new->config, JSON_COMPACT, &config);
	ret = store_blob_put(store, config.data, config.size, &id, err);
	if (ret < 0)
		return ret;
	descriptor.digest = id.text;
	descriptor.size = config.size;
	manifest.config = &descriptor;
	image_manifest_write(&manifest, JSON_INDENT_2, &document);
	ret = store_blob_put(store, document.data, document.size, &top, err);
	if (ret < 0)
		return ret;
	*out_ref = (struct store_ref){ .digest = top,
				       .media_type = xstrdup(MEDIA_TYPE_MANIFEST),
				       .size = document.size };
	*out_id = id;
	return 0;
}
