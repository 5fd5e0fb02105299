/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archive names files: a configuration and layers, mostly plain tars without digests in their
 * names. They become blobs; manifests and index.json are written for them. Called by
 * archive-load.c.
 */
#include "builder/image/docker-archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/digest.h"
#include "builder/image/layout-folder.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "spec/image-index.h"
#include "spec/image-manifest.h"

#define BLOBS "blobs/sha256"
#define BUFFER ((size_t)256 * 1024)

struct converter {
	int from, to;
	struct arena arena;
	struct image_index index;
};

static void converter_done(struct converter *converter)
{
	arena_done(&converter->arena);
}

/* What a layer starts with tells what it is. */
static const char *layer_type(const unsigned char *start, size_t size)
{
	static const unsigned char zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (size >= 2 && start[0] == 0x1f && start[1] == 0x8b)
		return MEDIA_TYPE_LAYER_GZIP;
	return size >= sizeof(zstd) && memcmp(start, zstd, sizeof(zstd)) == 0
		       ? MEDIA_TYPE_LAYER_ZSTD
		       : MEDIA_TYPE_LAYER;
}

static void describe(struct converter *converter, const struct digest *digest, uint64_t size,
		     const char *media_type, struct descriptor *out)
{
	*out = (struct descriptor){ .media_type = media_type,
				    .digest = arena_strdup(&converter->arena, digest->text),
				    .size = size };
}

/* Copy fd to the open file "part" of the layout, which then gets its digest's name. */
static int copy_layer(struct converter *converter, int fd, int part_fd, struct descriptor *out,
		      struct error *err)
{
	cleanup_hasher struct hasher hasher = HASHER_INIT;
	cleanup_free unsigned char *buffer = xmalloc(BUFFER);
	const char *media_type = NULL;
	struct digest digest;
	uint64_t size = 0;
	ssize_t n;

	hasher_start(&hasher);
	while ((n = read(fd, buffer, BUFFER)) > 0) {
		int ret = io_write_all(part_fd, buffer, (size_t)n);

		if (ret < 0)
			return error_errno(err, -ret, "write a layer");
		if (!media_type)
			media_type = layer_type(buffer, (size_t)n);
		hasher_add(&hasher, buffer, (size_t)n);
		size += (uint64_t)n;
	}
	if (n < 0)
		return error_errno(err, errno, "read a layer of the archive");
	hasher_finish(&hasher, &digest);
	describe(converter, &digest, size, media_type ? media_type : MEDIA_TYPE_LAYER, out);
	return 0;
}

static int take_layer(struct converter *converter, const char *path, struct descriptor *out,
		      struct error *err)
{
	cleanup_close int fd = inroot_open(converter->from, path, O_RDONLY | O_NONBLOCK, 0, err);
	cleanup_close int part_fd = -EBADF;
	cleanup_free char *name = NULL;
	struct stat st;
	int ret;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_invalid(err, "\"%s\" of the archive is no file", path);
	part_fd = openat(converter->to, "part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (part_fd < 0)
		return error_errno(err, errno, "create a file for a layer");
	ret = copy_layer(converter, fd, part_fd, out, err);
	if (ret < 0)
		return ret;
	name = xasprintf(BLOBS "/%s", out->digest + strlen("sha256:"));
	if (renameat(converter->to, "part", converter->to, name) < 0)
		return error_errno(err, errno, "name the blob \"%s\"", out->digest);
	return 0;
}

static int put_document(struct converter *converter, const struct strbuf *text,
			const char *media_type, struct descriptor *out, struct error *err)
{
	cleanup_free char *name = NULL;
	struct digest digest;

	digest_of(strbuf_text(text), text->size, &digest);
	describe(converter, &digest, text->size, media_type, out);
	name = xasprintf(BLOBS "/%s", digest_hex(&digest));
	return io_replace_file(converter->to, name, strbuf_text(text), text->size, 0644, IO_NO_SYNC,
			       err);
}

/* One more entry of the index; name: NULL = it has none. */
static void list(struct converter *converter, const struct descriptor *manifest, const char *name)
{
	struct descriptor_list *list = &converter->index.manifests;
	struct descriptor *items;

	items = arena_alloc(&converter->arena, (list->count + 1) * sizeof(*items));
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	items[list->count] = *manifest;
	if (name)
		json_map_set(&items[list->count].annotations, &converter->arena, LAYOUT_IMAGE_NAME,
			     name);
	list->items = items;
	list->count++;
}

static int take_image(struct converter *converter, const struct docker_archive_image *image,
		      struct error *err)
{
	cleanup_strbuf struct strbuf config = STRBUF_INIT, text = STRBUF_INIT;
	struct descriptor described, top;
	struct image_manifest manifest = { .schema_version = 2,
					   .media_type = MEDIA_TYPE_MANIFEST,
					   .config = &described };
	struct descriptor *layers =
		arena_alloc(&converter->arena, (image->layers.count + 1) * sizeof(*layers));
	int ret =
		inroot_read_file(converter->from, image->config, IMAGE_DOCUMENT_MAX, &config, err);

	if (ret == 0)
		ret = put_document(converter, &config, MEDIA_TYPE_CONFIG, &described, err);
	for (size_t i = 0; ret == 0 && i < image->layers.count; i++)
		ret = take_layer(converter, image->layers.items[i], &layers[i], err);
	if (ret < 0)
		return ret;
	manifest.layers.items = layers;
	manifest.layers.count = image->layers.count;
	image_manifest_write(&manifest, JSON_INDENT_2, &text);
	ret = put_document(converter, &text, MEDIA_TYPE_MANIFEST, &top, err);
	for (size_t i = 0; ret == 0 && i < image->repo_tags.count; i++)
		list(converter, &top, image->repo_tags.items[i]);
	if (ret == 0 && image->repo_tags.count == 0)
		list(converter, &top, NULL);
	return ret;
}

static int write_lists(struct converter *converter, struct error *err)
{
	const struct image_layout layout = { .image_layout_version = "1.0.0" };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret;

	image_layout_write(&layout, &text);
	ret = io_replace_file(converter->to, "oci-layout", text.data, text.size, 0644, IO_NO_SYNC,
			      err);
	strbuf_truncate(&text, 0);
	image_index_write(&converter->index, JSON_COMPACT, &text);
	return ret < 0 ? ret
		       : io_replace_file(converter->to, "index.json", text.data, text.size, 0644,
					 IO_NO_SYNC, err);
}

int docker_archive_convert(int folder_fd, int layout_fd, struct error *err)
{
	cleanup_with(converter_done) struct converter converter = {
		.from = folder_fd,
		.to = layout_fd,
		.arena = ARENA_INIT,
		.index = { .schema_version = 2, .media_type = MEDIA_TYPE_INDEX },
	};
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct docker_archive *archive = NULL;
	int ret = inroot_read_file(folder_fd, "manifest.json", IMAGE_DOCUMENT_MAX, &text, err);

	if (ret == 0)
		ret = docker_archive_decode("manifest.json", strbuf_text(&text), text.size,
					    &converter.arena, &archive, err);
	if (ret < 0)
		return ret;
	converter.index.manifests.items = arena_alloc(&converter.arena, sizeof(struct descriptor));
	if (mkdirat(layout_fd, "blobs", 0755) < 0 || mkdirat(layout_fd, BLOBS, 0755) < 0)
		return error_errno(err, errno, "make folders for an archive");
	for (size_t i = 0; ret == 0 && i < archive->count; i++) {
		ret = take_image(&converter, &archive->items[i], err);
		ret = error_prefix(err, ret, "image %zu of manifest.json", i + 1);
	}
	return ret < 0 ? ret : write_lists(&converter, err);
}
