/* SPDX-License-Identifier: Apache-2.0 */
/* See index-blobs.h. Called by what writes archives and layouts. */
#include "builder/image/index-blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "builder/image/index-write.h"
#include "lib/cleanup.h"
#include "spec/image-manifest.h"

static void add(struct strv *out, const char *digest)
{
	if (!strv_contains(out, digest))
		strv_add(out, digest);
}

static int add_manifest(struct store *store, const char *name, struct strv *out, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct image_manifest *manifest = NULL;
	struct digest digest;
	int ret = digest_parse(name, &digest, err);

	if (ret == 0)
		ret = store_blob_get(store, &digest, IMAGE_DOCUMENT_MAX, &text, err);
	if (ret == 0)
		ret = image_manifest_decode("manifest", strbuf_text(&text), text.size, &arena,
					    &manifest, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < manifest->layers.count; i++)
		add(out, manifest->layers.items[i].digest);
	add(out, manifest->config->digest);
	add(out, name);
	return 0;
}

int index_blobs(struct store *store, const struct store_ref *ref, struct strv *out,
		struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct image_index *index = NULL;
	int ret = index_read(store, ref, &arena, &index, err);

	for (size_t i = 0; ret == 0 && i < index->manifests.count; i++)
		ret = add_manifest(store, index->manifests.items[i].digest, out, err);
	if (ret == 0)
		add(out, ref->digest.text);
	return ret;
}

int index_blob_open(struct store *store, const char *name, uint64_t *out_size, struct error *err)
{
	cleanup_free char *path = NULL;
	cleanup_close int fd = -EBADF;
	struct digest digest;
	struct stat st;
	int ret = digest_parse(name, &digest, err);

	if (ret < 0)
		return ret;
	path = xasprintf("blobs/sha256/%s", digest_hex(&digest));
	fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "open the blob %s of the store", digest.text);
	*out_size = (uint64_t)st.st_size;
	return TAKE_FD(fd);
}
