/* SPDX-License-Identifier: Apache-2.0 */
/* Reading layers again. Called where an image is compared, listed, or gets other times. */
#include "builder/image/layer-entries.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/layer-blob.h"
#include "builder/image/layer.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

/* Its tar, in a scratch file without a name. */
static int open_stream(struct store *store, const char *id, struct error *err)
{
	char name[STORE_NAME_SIZE];
	cleanup_close int fd = -EBADF;
	struct layer_blob tar;
	int ret = store_scratch_open(store, name, &fd, err);

	if (ret < 0)
		return ret;
	(void)unlinkat(store->fd, name, 0); /* if not now, with the session */
	ret = layer_to_blob(store, id, false, fd, &tar, err);
	if (ret == 0 && lseek(fd, 0, SEEK_SET) < 0)
		ret = error_errno(err, errno, "read a layer again");
	return ret < 0 ? ret : TAKE_FD(fd);
}

static int open_blob(struct store *store, const struct digest *blob, uint64_t *out_max,
		     struct error *err)
{
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(blob));
	cleanup_close int fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "open the layer \"%s\"", blob->text);
	*out_max = unpack_plain_max((uint64_t)st.st_size);
	return TAKE_FD(fd);
}

int layer_each_entry(struct store *store, const char *id, const struct digest *blob,
		     unpack_entry_fn call, void *context, struct error *err)
{
	struct unpack_options options = { .subsecond = true };
	bool ours = !blob || layer_has_stream(store, id);
	cleanup_close int fd = ours ? open_stream(store, id, err)
				    : open_blob(store, blob, &options.plain_max, err);

	return fd < 0 ? fd : unpack_each(fd, &options, call, context, err);
}
