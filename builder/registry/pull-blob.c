/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs into the store. One that is on its way is ingest/HEX, locked by who fetches it; what is
 * left there by somebody who was killed is gone on with.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "builder/registry/origins.h"
#include "builder/registry/pull-internal.h"
#include "builder/registry/transfer-file.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

static int find_origins(struct store *store, const struct digest *digest, struct strv *out,
			struct error *err)
{
	origins_list(store, digest, out);
	return out->count ? 0
			  : error_set(err, ERROR_NOT_FOUND, ENOENT,
				      "the blob %s is not in the store, and no registry is known "
				      "to have it",
				      digest->text);
}

int incoming_open(struct store *store, const struct digest *digest, struct incoming_blob *out,
		  struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	int ret = find_origins(store, digest, &names, err); /* else nothing would ever come */

	if (ret < 0)
		return ret;
	snprintf(out->name, sizeof(out->name), "ingest/%s", digest_hex(digest));
	ret = transfer_file_open(store, out->name, out->unwanted, &out->fd, err);
	if (ret < 0)
		return ret;
	ret = store_hold_blob(store, digest, err);
	if (ret == 0)
		return 0;
	/* who had it has given it its name; ours is a new, empty file */
	(void)unlinkat(store->fd, out->name, 0);
	incoming_done(out);
	return ret;
}

void incoming_unlock(struct incoming_blob *blob)
{
	if (blob->fd >= 0)
		(void)flock(blob->fd, LOCK_UN); /* it ends with the fd at the latest */
}

int incoming_publish(struct store *store, const struct digest *digest, struct incoming_blob *blob,
		     struct error *err)
{
	cleanup_free char *target = xasprintf("blobs/sha256/%s", digest_hex(digest));
	int ret = store_publish(store, blob->name, target, err);

	/* it was there: ours is not needed */
	if (ret == 0 && unlinkat(store->fd, blob->name, 0) < 0 && errno != ENOENT)
		ret = error_errno(err, errno, "remove \"%s/%s\"", store->path, blob->name);
	incoming_unlock(blob);
	return ret;
}

int origin_get_blob(struct store *store, struct registry *registry,
		    const struct registry_blob *blob, int fd, struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	int ret = find_origins(store, &blob->digest, &names, err);

	for (size_t i = 0; (i == 0 || ret < 0) && i < names.count; i++) {
		struct repository *repository = NULL;
		struct reference name;

		ret = reference_parse(names.items[i], &name, err);
		if (ret == 0)
			ret = repository_open(registry, &name, REPOSITORY_PULL, &repository, err);
		if (ret == 0)
			ret = repository_get_blob(repository, blob, fd, err);
		repository_close(repository);
		if (ret < 0 && err && err->code == ERROR_CANCELLED)
			return ret;
	}
	return ret;
}

int pull_blob(struct store *store, struct registry *registry, const struct digest *digest,
	      uint64_t size, struct error *err)
{
	const struct registry_blob blob = { .digest = *digest, .size = size };
	__attribute__((cleanup(incoming_done))) struct incoming_blob incoming = { .fd = -EBADF };
	int ret = store_hold_blob(store, digest, err);

	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = incoming_open(store, digest, &incoming, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = origin_get_blob(store, registry, &blob, incoming.fd, err);
	return ret < 0 ? ret : incoming_publish(store, digest, &incoming, err);
}

int pull_manifest_blobs(struct store *store, struct registry *registry,
			const struct digest *manifest, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct image_manifest *decoded = NULL;
	int ret = store_blob_get(store, manifest, IMAGE_DOCUMENT_MAX, &text, err);

	if (ret == 0)
		ret = image_manifest_decode("manifest", strbuf_text(&text), text.size, &arena,
					    &decoded, err);
	for (size_t i = 0; ret == 0 && i < decoded->layers.count; i++) {
		struct digest digest;

		ret = digest_parse(decoded->layers.items[i].digest, &digest, err);
		if (ret == 0)
			ret = pull_blob(store, registry, &digest, decoded->layers.items[i].size,
					err);
	}
	return ret;
}
