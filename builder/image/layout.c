/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading OCI layouts, for --build-context NAME=oci-layout://PATH. Documents and layer blobs go
 * into the store byte for byte, because an image made from this one lists them as they are; a layer
 * that the store does not have is unpacked, too. A layer that we would write with the same bytes is
 * kept as one of ours.
 */
#include "builder/image/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/image-index.h"
#include "builder/image/layer.h"
#include "builder/image/layout-folder.h"
#include "builder/image/unpack.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "spec/image-index.h"

struct layout {
	struct store *store;
	int fd;
	struct arena arena;
};

static void layout_done(struct layout *layout)
{
	arena_done(&layout->arena);
}

/* -- blobs ---------------------------------------------------------------------------------------
 */

/* A document: into the store and into memory. */
static int take_document(const struct layout *layout, const char *text, struct digest *out_digest,
			 struct strbuf *out, struct error *err)
{
	struct digest stored;
	int ret = digest_parse(text, out_digest, err);

	if (ret == 0)
		ret = layout_read_document(layout->fd, out_digest, out, err);
	return ret < 0 ? ret
		       : store_blob_put(layout->store, strbuf_text(out), out->size, &stored, err);
}

/* A layer's blob, which may be large: into the store. */
static int take_blob(const struct layout *layout, const struct digest *digest, struct error *err)
{
	cleanup_close int from = -EBADF, folder_fd = -EBADF, to = -EBADF;
	cleanup_free char *target = xasprintf("blobs/sha256/%s", digest_hex(digest));
	cleanup_free char *name = NULL;
	char folder[STORE_NAME_SIZE];
	int ret = store_hold_blob(layout->store, digest, err);

	if (ret != 0)
		return ret < 0 ? ret : 0; /* it is there */
	from = layout_open_blob(layout->fd, digest, err);
	if (from < 0)
		return from;
	ret = store_scratch(layout->store, folder, &folder_fd, err);
	if (ret < 0)
		return ret;
	to = openat(folder_fd, "blob", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (to < 0)
		return error_errno(err, errno, "create a blob");
	ret = layout_copy_blob(from, to, digest, err);
	name = xasprintf("%s/blob", folder);
	return ret < 0 ? ret : store_publish(layout->store, name, target, err);
}

/* -- layers --------------------------------------------------------------------------------------
 */

/* One layer on its way. */
struct incoming {
	struct digest blob, diff_id, chain;
	uint64_t plain_max;
	struct strv lowers; /* trees of the layers below */
};

static int check_tar(int fd, const struct incoming *layer, struct layer_info *out,
		     struct error *err)
{
	int ret = unpack_digest(fd, layer->plain_max, &out->diff_id, &out->size, err);

	if (ret < 0)
		return ret;
	if (!digest_equal(&out->diff_id, &layer->diff_id))
		return error_invalid(err, "its contents are %s, the configuration says %s",
				     out->diff_id.text, layer->diff_id.text);
	return lseek(fd, 0, SEEK_SET) < 0 ? error_errno(err, errno, "read the blob again") : 0;
}

static int unpack_layer(struct layout *layout, const struct incoming *layer, struct error *err)
{
	struct store *store = layout->store;
	const struct unpack_options options = { .whiteouts = true,
						.marks = store->marks,
						.store = store,
						.lowers = &layer->lowers,
						.plain_max = layer->plain_max };
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(&layer->blob));
	cleanup_close int fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int folder_fd = -EBADF;
	struct unpack_result result = { 0 };
	struct layer_draft draft = { "" };
	struct layer_info tar, info;
	char folder[STORE_NAME_SIZE];
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\" of the store", path);
	ret = check_tar(fd, layer, &tar, err);
	if (ret == 0)
		ret = store_scratch(store, folder, &folder_fd, err);
	if (ret == 0)
		ret = unpack_archive(fd, folder_fd, &options, &result, err);
	if (ret == 0)
		ret = layer_from_folder(store, folder, NULL, &draft, err);
	if (ret == 0)
		ret = layer_hash(store, &draft, -EBADF, err);
	if (ret < 0)
		return ret;
	if (!result.parents && digest_equal(&draft.diff_id, &layer->diff_id))
		return layer_publish(store, &draft, &info, err);
	return layer_publish_unpacked(store, &draft, &tar, result.parents ? &layer->chain : NULL,
				      err);
}

/* What its unpacking may come to depends on it (plain_max). */
static int check_size(const struct layout *layout, const struct digest *blob, uint64_t size,
		      struct error *err)
{
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(blob));
	struct stat st;

	if (fstatat(layout->store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"%s\" of the store", path);
	if ((uint64_t)st.st_size == size)
		return 0;
	return error_invalid(err, "it has %llu bytes, the manifest says %llu",
			     (unsigned long long)st.st_size, (unsigned long long)size);
}

/* A layer that is here already is not unpacked; its blob is to be its blob all the same. */
static int check_blob(struct layout *layout, const struct incoming *layer, struct error *err)
{
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(&layer->blob));
	cleanup_close int fd = -EBADF;
	struct layer_info tar;

	if (digest_equal(&layer->blob, &layer->diff_id))
		return 0;
	fd = openat(layout->store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open \"%s\" of the store", path)
		      : check_tar(fd, layer, &tar, err);
}

static int take_layer(struct layout *layout, const struct descriptor *blob, const char *diff_id,
		      struct incoming *layer, struct error *err)
{
	char id[LAYER_ID_SIZE];
	int ret = digest_parse(blob->digest, &layer->blob, err);

	if (ret == 0)
		ret = digest_parse(diff_id, &layer->diff_id, err);
	if (ret < 0)
		return ret;
	layer_chain(&layer->chain, &layer->diff_id, &layer->chain);
	ret = take_blob(layout, &layer->blob, err);
	if (ret == 0)
		ret = check_size(layout, &layer->blob, blob->size, err);
	if (ret == 0)
		ret = layer_find(layout->store, &layer->diff_id, &layer->chain, id, err);
	if (ret < 0)
		return ret;
	ret = ret ? check_blob(layout, layer, err) : unpack_layer(layout, layer, err);
	if (ret == 0)
		ret = layer_find(layout->store, &layer->diff_id, &layer->chain, id, err);
	if (ret < 0)
		return ret;
	strv_take(&layer->lowers, layer_tree(id));
	return 0;
}

static int take_layers(struct layout *layout, const struct image_manifest *manifest,
		       const struct image_config *config, struct error *err)
{
	struct incoming layer = { .lowers = STRV_INIT };
	int ret = 0;

	if (!config->rootfs || config->rootfs->diff_ids.count != manifest->layers.count)
		return error_invalid(err, "manifest and configuration list different layers");
	for (size_t i = 0; i < manifest->layers.count && ret == 0; i++) {
		const struct descriptor *blob = &manifest->layers.items[i];

		layer.plain_max = unpack_plain_max(blob->size);
		ret = take_layer(layout, blob, config->rootfs->diff_ids.items[i], &layer, err);
		ret = error_prefix(err, ret, "layer %.19s", blob->digest);
	}
	strv_done(&layer.lowers);
	return ret;
}

/* -- images --------------------------------------------------------------------------------------
 */

static int take_image(struct layout *layout, const char *digest, struct error *err)
{
	cleanup_strbuf struct strbuf manifest_text = STRBUF_INIT, config_text = STRBUF_INIT;
	struct image_manifest *manifest = NULL;
	struct image_config *config = NULL;
	struct digest ignored;
	int ret = take_document(layout, digest, &ignored, &manifest_text, err);

	if (ret == 0)
		ret = image_manifest_decode("manifest", strbuf_text(&manifest_text),
					    manifest_text.size, &layout->arena, &manifest, err);
	if (ret == 0)
		ret = take_document(layout, manifest->config->digest, &ignored, &config_text, err);
	if (ret == 0)
		ret = image_config_decode("config", strbuf_text(&config_text), config_text.size,
					  &layout->arena, &config, err);
	return ret < 0 ? ret : take_layers(layout, manifest, config, err);
}

/* Of an index only what is needed for the platform. */
static int take_top(struct layout *layout, const struct descriptor *top, const char *platform,
		    struct store_ref *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct descriptor *chosen = top;
	struct image_index *index = NULL;
	int ret = take_document(layout, top->digest, &out->digest, &text, err);

	out->size = text.size;
	if (ret == 0 && media_type_is_index(top->media_type)) {
		ret = image_index_decode("index", strbuf_text(&text), text.size, &layout->arena,
					 &index, err);
		if (ret == 0)
			ret = image_index_choose(index, platform, &chosen, err);
	}
	return ret < 0 ? ret : take_image(layout, chosen->digest, err);
}

int layout_load(struct store *store, int folder_fd, const char *wanted, const char *platform,
		struct image *out, struct error *err)
{
	__attribute__((cleanup(layout_done))) struct layout layout = { store, folder_fd,
								       ARENA_INIT };
	__attribute__((cleanup(store_ref_done))) struct store_ref ref = { .size = 0 };
	struct image_index *index = NULL;
	const struct descriptor *top = NULL;
	int ret = layout_read_index(folder_fd, &layout.arena, &index, err);

	if (ret == 0)
		ret = layout_find(index, wanted, &top, err);
	if (ret == 0)
		ret = take_top(&layout, top, platform, &ref, err);
	if (ret < 0)
		return ret;
	ref.media_type = xstrdup(top->media_type);
	return image_load_ref_for(store, &ref, platform, out, err);
}
