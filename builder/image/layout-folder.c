/* SPDX-License-Identifier: Apache-2.0 */
/* Reading OCI layouts; used for images (layout.c) and for caches (blob-layout.c). */
#include "builder/image/layout-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"

#define COPY_SIZE (256 * 1024)

static int changed(const struct digest *digest, struct error *err)
{
	return error_invalid(err, "the blob %s of the layout has other bytes", digest->text);
}

int layout_open_blob(int folder_fd, const struct digest *digest, struct error *err)
{
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(digest));
	int fd = inroot_open(folder_fd, path, O_RDONLY | O_NONBLOCK, 0, NULL);

	if (fd == -ENOENT)
		return error_set(err, ERROR_NOT_FOUND, 0, "the blob %s is not in the layout",
				 digest->text);
	return fd < 0 ? error_errno(err, -fd, "open \"%s\" of the layout", path) : fd;
}

int layout_read_document(int folder_fd, const struct digest *digest, struct strbuf *out,
			 struct error *err)
{
	cleanup_close int fd = layout_open_blob(folder_fd, digest, err);
	struct digest found;
	int ret;

	if (fd < 0)
		return fd;
	ret = io_read_rest(fd, IMAGE_DOCUMENT_MAX, out);
	if (ret < 0)
		return error_errno(err, -ret, "read the blob %s", digest->text);
	digest_of(strbuf_text(out), out->size, &found);
	return digest_equal(&found, digest) ? 0 : changed(digest, err);
}

int layout_copy_blob(int from, int to, const struct digest *digest, struct error *err)
{
	cleanup_hasher struct hasher hasher = HASHER_INIT;
	cleanup_free char *buffer = xmalloc(COPY_SIZE);
	struct digest found;
	ssize_t n;

	hasher_start(&hasher);
	while ((n = read(from, buffer, COPY_SIZE)) != 0) {
		int ret;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read a blob of the layout");
		hasher_add(&hasher, buffer, (size_t)n);
		ret = io_write_all(to, buffer, (size_t)n);
		if (ret < 0)
			return error_errno(err, -ret, "write a blob");
	}
	hasher_finish(&hasher, &found);
	return digest_equal(&found, digest) ? 0 : changed(digest, err);
}

static int read_file(int folder_fd, const char *name, struct strbuf *out, struct error *err)
{
	int ret = inroot_read_file(folder_fd, name, IMAGE_DOCUMENT_MAX, out, err);

	if (ret == -ENOENT || ret == -ENOTDIR)
		return error_invalid(err, "it has no %s: it is no OCI layout", name);
	return ret;
}

int layout_read_index(int folder_fd, struct arena *arena, struct image_index **out,
		      struct error *err)
{
	cleanup_strbuf struct strbuf version = STRBUF_INIT, text = STRBUF_INIT;
	struct image_layout *decoded = NULL;
	int ret = read_file(folder_fd, "oci-layout", &version, err);

	if (ret == 0)
		ret = image_layout_decode("oci-layout", strbuf_text(&version), version.size, arena,
					  &decoded, err);
	if (ret == 0)
		ret = read_file(folder_fd, "index.json", &text, err);
	return ret < 0 ? ret
		       : image_index_decode("index.json", strbuf_text(&text), text.size, arena, out,
					    err);
}

int layout_find(const struct image_index *index, const char *wanted, const struct descriptor **out,
		struct error *err)
{
	const char *name = wanted ? wanted : "latest";
	cleanup_strbuf struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < index->manifests.count; i++) {
		const struct descriptor *top = &index->manifests.items[i];
		const char *tag = json_map_get(&top->annotations, LAYOUT_REF_NAME);

		*out = top;
		if (strcmp(top->digest, name) == 0 || (tag && strcmp(tag, name) == 0))
			return 0;
		strbuf_addf(&names, "%s %s", names.size ? "," : "", tag ? tag : top->digest);
	}
	if (!wanted && index->manifests.count == 1)
		return 0;
	return error_set(err, ERROR_NOT_FOUND, 0, "it has no \"%s\" (only%s)", name,
			 names.size ? strbuf_text(&names) : " nothing");
}
