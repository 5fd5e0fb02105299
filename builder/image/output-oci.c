/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCI layout as a tar stream: oci-layout, the blobs (documents as they are in the store, pulled
 * layers byte for byte, built ones as the uncompressed tar that their digest is of), index.json,
 * and docker's manifest.json. Sizes are known from the descriptors, so nothing is made twice.
 */
#include "builder/image/output-oci.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/image/image-index.h"
#include "builder/image/index-blobs.h"
#include "builder/image/layer.h"
#include "builder/image/layout-folder.h"
#include "builder/image/tar-write.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "spec/image-index.h"

#define BLOBS "blobs/sha256"

struct archive {
	struct store *store;
	int fd;
	struct strv written; /* digests of blobs */
	struct arena arena;
	uint64_t missing; /* bytes of contents that the last entry still lacks */
};

static int put(struct archive *archive, const void *data, size_t size, struct error *err)
{
	int ret = io_write_all(archive->fd, data, size);

	return ret < 0 ? error_errno(err, -ret, "write the archive") : 0;
}

static int put_zeros(struct archive *archive, size_t size, struct error *err)
{
	static const char zeros[TAR_TRAILER];

	return put(archive, zeros, size, err);
}

static int begin_file(struct archive *archive, const char *path, mode_t mode, uint64_t size,
		      struct error *err)
{
	cleanup_strbuf struct strbuf header = STRBUF_INIT;
	const struct tar_entry entry = { .path = path, .mode = mode, .size = size };
	int ret = tar_header(&entry, &header, err);

	archive->missing = size;
	return ret < 0 ? ret : put(archive, header.data, header.size, err);
}

/* Contents of the file that was begun; more than its size is never written. */
static int put_contents(void *context, const void *data, size_t size, struct error *err)
{
	struct archive *archive = context;

	if (size > archive->missing)
		return error_invalid(err, "there is more of it than its descriptor says");
	archive->missing -= size;
	return put(archive, data, size, err);
}

static int end_file(struct archive *archive, uint64_t size, struct error *err)
{
	if (archive->missing)
		return error_invalid(err, "it ends %llu bytes before its descriptor says",
				     (unsigned long long)archive->missing);
	return put_zeros(archive, tar_padding(size), err);
}

static int put_file(struct archive *archive, const char *path, const struct strbuf *bytes,
		    struct error *err)
{
	int ret = begin_file(archive, path, S_IFREG | 0644, bytes->size, err);

	if (ret == 0)
		ret = put_contents(archive, strbuf_text(bytes), bytes->size, err);
	return ret < 0 ? ret : end_file(archive, bytes->size, err);
}

/* -- blobs --------------------------------------------------------------------------------------
 */

static bool is_new(struct archive *archive, const char *digest)
{
	if (strv_contains(&archive->written, digest))
		return false;
	strv_add(&archive->written, digest);
	return true;
}

static int put_document(struct archive *archive, const struct digest *digest,
			const struct strbuf *bytes, struct error *err)
{
	cleanup_free char *path = xasprintf(BLOBS "/%s", digest_hex(digest));

	return is_new(archive, digest->text) ? put_file(archive, path, bytes, err) : 0;
}

/* A blob as it is in the store. Checked, because an archive is for elsewhere. */
static int put_blob_contents(struct archive *archive, const char *path, const struct digest *digest,
			     struct error *err)
{
	cleanup_close int fd = openat(archive->store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_hasher struct hasher hasher = HASHER_INIT;
	cleanup_free char *buffer = xmalloc(256 * 1024);
	struct digest found;
	ssize_t n;

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\" of the store", path);
	hasher_start(&hasher);
	while ((n = read(fd, buffer, 256 * 1024)) > 0) {
		int ret = put_contents(archive, buffer, (size_t)n, err);

		if (ret < 0)
			return ret;
		hasher_add(&hasher, buffer, (size_t)n);
	}
	if (n < 0)
		return error_errno(err, errno, "read \"%s\" of the store", path);
	hasher_finish(&hasher, &found);
	return digest_equal(&found, digest)
		       ? 0
		       : error_invalid(err, "the blob %s was changed in the store", digest->text);
}

static int put_layer(struct archive *archive, const struct descriptor *layer, const char *id,
		     struct error *err)
{
	cleanup_free char *path = NULL;
	struct digest digest;
	int ret = digest_parse(layer->digest, &digest, err);

	if (ret < 0 || !is_new(archive, layer->digest))
		return ret;
	path = xasprintf(BLOBS "/%s", digest_hex(&digest));
	ret = begin_file(archive, path, S_IFREG | 0644, layer->size, err);
	if (ret == 0 && store_blob_exists(archive->store, &digest))
		ret = put_blob_contents(archive, path, &digest, err);
	else if (ret == 0)
		ret = layer_stream(archive->store, id, put_contents, archive, err);
	if (ret == 0)
		ret = end_file(archive, layer->size, err);
	return ret < 0 ? error_prefix(err, ret, "layer %.19s", layer->digest) : 0;
}

static int put_image(struct archive *archive, const struct image *image,
		     struct digest *out_manifest, struct error *err)
{
	const struct descriptor_list *layers = &image->manifest->layers;
	cleanup_strv struct strv ids = STRV_INIT;
	int ret = image_layers(archive->store, image, &ids, err);

	for (size_t i = 0; ret == 0 && i < layers->count; i++)
		ret = put_layer(archive, &layers->items[i], ids.items[i], err);
	if (ret == 0)
		ret = put_document(archive, &image->id, &image->config_bytes, err);
	if (ret < 0)
		return ret;
	digest_of(strbuf_text(&image->manifest_bytes), image->manifest_bytes.size, out_manifest);
	return put_document(archive, out_manifest, &image->manifest_bytes, err);
}

static int put_index_blob(struct archive *archive, const char *name, struct error *err)
{
	cleanup_free char *path = NULL;
	cleanup_close int fd = -EBADF;
	struct digest digest;
	uint64_t size = 0;
	int ret = digest_parse(name, &digest, err);

	if (ret < 0 || !is_new(archive, name))
		return ret;
	fd = index_blob_open(archive->store, name, &size, err);
	if (fd < 0)
		return fd;
	path = xasprintf(BLOBS "/%s", digest_hex(&digest));
	ret = begin_file(archive, path, S_IFREG | 0644, size, err);
	if (ret == 0)
		ret = put_blob_contents(archive, path, &digest, err);
	return ret < 0 ? ret : end_file(archive, size, err);
}

/* All platforms, and what is said of them. */
static int put_index(struct archive *archive, const struct store_ref *index, struct digest *out_top,
		     struct error *err)
{
	cleanup_strv struct strv blobs = STRV_INIT;
	int ret = index_blobs(archive->store, index, &blobs, err);

	for (size_t i = 0; ret == 0 && i < blobs.count; i++)
		ret = put_index_blob(archive, blobs.items[i], err);
	*out_top = index->digest;
	return ret;
}

/* -- what lists the images ----------------------------------------------------------------------
 */

static void annotate(struct archive *archive, const struct reference *name,
		     struct descriptor *descriptor)
{
	cleanup_strbuf struct strbuf full = STRBUF_INIT;

	if (!name->name[0])
		return; /* asked for by its id */
	reference_full(name, &full);
	json_map_set(&descriptor->annotations, &archive->arena, LAYOUT_IMAGE_NAME, full.data);
	if (name->tag[0])
		json_map_set(&descriptor->annotations, &archive->arena, LAYOUT_REF_NAME, name->tag);
}

/* docker's own list: which config, which layers, under which names. */
static void list_for_docker(struct archive *archive, const struct image *image,
			    struct docker_archive_image *out)
{
	const struct reference *name = &image->top.name;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, BLOBS "/%s", digest_hex(&image->id));
	out->config = arena_strdup(&archive->arena, text.data);
	for (size_t i = 0; i < image->manifest->layers.count; i++) {
		strbuf_truncate(&text, 0);
		strbuf_addf(&text, BLOBS "/%s",
			    image->manifest->layers.items[i].digest + strlen("sha256:"));
		json_strings_add(&out->layers, &archive->arena, text.data);
	}
	if (!name->name[0] || !name->tag[0])
		return;
	strbuf_truncate(&text, 0);
	reference_familiar(name, true, &text);
	json_strings_add(&out->repo_tags, &archive->arena, text.data);
}

static int put_lists(struct archive *archive, const struct image_index *index,
		     const struct docker_archive *docker, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret;

	image_index_write(index, JSON_COMPACT, &text);
	ret = put_file(archive, "index.json", &text, err);
	strbuf_truncate(&text, 0);
	docker_archive_write(docker, &text);
	if (ret == 0)
		ret = put_file(archive, "manifest.json", &text, err);
	return ret < 0 ? ret : put_zeros(archive, TAR_TRAILER, err);
}

/* Folders have entries of their own: some readers make none for their files. */
static int put_beginning(struct archive *archive, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct image_layout layout = { .image_layout_version = "1.0.0" };
	int ret;

	image_layout_write(&layout, &text);
	ret = put_file(archive, "oci-layout", &text, err);
	if (ret == 0)
		ret = begin_file(archive, "blobs", S_IFDIR | 0755, 0, err);
	return ret < 0 ? ret : begin_file(archive, BLOBS, S_IFDIR | 0755, 0, err);
}

static void archive_done(struct archive *archive)
{
	strv_done(&archive->written);
	arena_done(&archive->arena);
}

int output_oci(struct store *store, const struct image *images, size_t count, bool whole, int fd,
	       struct error *err)
{
	__attribute__((cleanup(archive_done))) struct archive archive = {
		.store = store, .fd = fd, .written = STRV_INIT, .arena = ARENA_INIT
	};
	struct image_index index = { .schema_version = 2, .media_type = MEDIA_TYPE_INDEX };
	struct docker_archive docker = { .count = count };
	int ret = put_beginning(&archive, err);

	index.manifests.items = arena_alloc(&archive.arena, count * sizeof(*index.manifests.items));
	index.manifests.count = count;
	docker.items = arena_alloc(&archive.arena, count * sizeof(*docker.items));
	for (size_t i = 0; ret == 0 && i < count; i++) {
		struct descriptor *descriptor = &index.manifests.items[i];
		const struct image *image = &images[i];
		bool is_index = whole && media_type_is_index(image->top.media_type);
		const char *type = is_index ? image->top.media_type : image->manifest->media_type;
		struct digest top;

		ret = is_index ? put_index(&archive, &image->top, &top, err)
			       : put_image(&archive, image, &top, err);
		descriptor->media_type = type ? type : MEDIA_TYPE_MANIFEST;
		descriptor->digest = arena_strdup(&archive.arena, top.text);
		descriptor->size = is_index ? image->top.size : image->manifest_bytes.size;
		annotate(&archive, &images[i].top.name, descriptor);
		list_for_docker(&archive, &images[i], &docker.items[i]);
	}
	return ret < 0 ? ret : put_lists(&archive, &index, &docker, err);
}
