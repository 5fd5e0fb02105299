/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs: bytes by their digest. What comes out is checked against its name every time. */
#include "builder/image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/store-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"

static char *blob_name(const struct digest *digest)
{
	return xasprintf("blobs/sha256/%s", digest_hex(digest));
}

int store_blob_put(struct store *store, const void *data, size_t size, struct digest *out_digest,
		   struct error *err)
{
	char scratch[STORE_NAME_SIZE];
	cleanup_free char *name = NULL;
	struct digest digest;
	int ret;

	digest_of(data, size, &digest);
	ret = store_hold_blob(store, &digest, err);
	if (ret == 0) {
		name = blob_name(&digest);
		ret = store_scratch_file(store, data, size, scratch, err);
		if (ret == 0)
			ret = store_publish(store, scratch, name, err);
	}
	if (ret < 0)
		return ret;
	*out_digest = digest;
	return 0;
}

int store_blob_get(struct store *store, const struct digest *digest, size_t max, struct strbuf *out,
		   struct error *err)
{
	cleanup_free char *name = blob_name(digest);
	struct strbuf bytes = STRBUF_INIT;
	struct digest actual;
	int ret = io_read_file(store->fd, name, max, &bytes, err);

	if (ret == -ENOENT) {
		strbuf_done(&bytes);
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "blob %s is not in the store",
				 digest->text);
	}
	if (ret == 0) {
		digest_of(strbuf_text(&bytes), bytes.size, &actual);
		if (!digest_equal(&actual, digest))
			ret = error_invalid(err, "blob %s is damaged: its bytes are %s",
					    digest->text, actual.text);
	}
	if (ret < 0) {
		strbuf_done(&bytes);
		return ret;
	}
	strbuf_done(out);
	*out = bytes;
	return 0;
}

bool store_blob_exists(struct store *store, const struct digest *digest)
{
	cleanup_free char *name = blob_name(digest);

	return faccessat(store->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
