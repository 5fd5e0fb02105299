/* SPDX-License-Identifier: Apache-2.0 */
/* Layers as compressed blobs, for caches that go to other machines. */
#include "builder/image/layer-blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "builder/image/layer-stream.h"
#include "builder/image/unpack.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#define ZSTD_LEVEL 3
#define COPY_SIZE (256 * 1024)

/* -- to a blob -----------------------------------------------------------------------------------
 */

struct blob_writer {
	int fd;
	ZSTD_CCtx *zstd; /* NULL: as it is */
	char *buffer;
	struct hasher bytes, contents;
};

static void writer_done(struct blob_writer *writer)
{
	ZSTD_freeCCtx(writer->zstd);
	free(writer->buffer);
	hasher_done(&writer->bytes);
	hasher_done(&writer->contents);
}

static int writer_begin(struct blob_writer *writer, int fd, bool compress, struct error *err)
{
	*writer = (struct blob_writer){ .fd = fd };
	hasher_start(&writer->bytes);
	hasher_start(&writer->contents);
	if (!compress)
		return 0;
	writer->zstd = ZSTD_createCCtx();
	if (!writer->zstd)
		return error_errno(err, ENOMEM, "start zstd");
	ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
	writer->buffer = xmalloc(ZSTD_CStreamOutSize());
	return 0;
}

static int put_bytes(struct blob_writer *writer, const void *data, size_t size, struct error *err)
{
	int ret = io_write_all(writer->fd, data, size);

	hasher_add(&writer->bytes, data, size);
	return ret < 0 ? error_errno(err, -ret, "write a blob") : 0;
}

static int compress(struct blob_writer *writer, ZSTD_inBuffer *in, ZSTD_EndDirective end,
		    struct error *err)
{
	size_t left;

	do {
		ZSTD_outBuffer out = { writer->buffer, ZSTD_CStreamOutSize(), 0 };
		int ret;

		left = ZSTD_compressStream2(writer->zstd, &out, in, end);
		if (ZSTD_isError(left))
			return error_invalid(err, "compress a blob: %s", ZSTD_getErrorName(left));
		ret = put_bytes(writer, out.dst, out.pos, err);
		if (ret < 0)
			return ret;
	} while (end == ZSTD_e_end ? left != 0 : in->pos < in->size);
	return 0;
}

/* A layer_sink_fn. */
static int add_contents(void *context, const void *data, size_t size, struct error *err)
{
	struct blob_writer *writer = context;
	ZSTD_inBuffer in = { data, size, 0 };

	hasher_add(&writer->contents, data, size);
	return writer->zstd ? compress(writer, &in, ZSTD_e_continue, err)
			    : put_bytes(writer, data, size, err);
}

static int writer_finish(struct blob_writer *writer, struct layer_blob *out, struct error *err)
{
	ZSTD_inBuffer nothing = { NULL, 0, 0 };
	int ret = writer->zstd ? compress(writer, &nothing, ZSTD_e_end, err) : 0;

	out->size = writer->bytes.size;
	hasher_finish(&writer->bytes, &out->digest);
	hasher_finish(&writer->contents, &out->contents);
	return ret;
}

int layer_to_blob(struct store *store, const char *id, bool compressed, int fd,
		  struct layer_blob *out, struct error *err)
{
	cleanup_with(writer_done) struct blob_writer writer = { .fd = -EBADF };
	int ret = writer_begin(&writer, fd, compressed, err);

	if (ret == 0)
		ret = layer_stream(store, id, add_contents, &writer, err);
	return ret < 0 ? ret : writer_finish(&writer, out, err);
}

static int add_file(struct blob_writer *writer, int fd, struct error *err)
{
	cleanup_free char *buffer = xmalloc(COPY_SIZE);
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "read an archive again");
	while ((n = read(fd, buffer, COPY_SIZE)) != 0) {
		int ret;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read an archive again");
		ret = add_contents(writer, buffer, (size_t)n, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int folder_to_blob(struct store *store, int folder_fd, bool compressed, int fd,
		   struct layer_blob *out, struct error *err)
{
	cleanup_with(writer_done) struct blob_writer writer = { .fd = -EBADF };
	cleanup_close int tar_fd = -EBADF;
	char scratch[STORE_NAME_SIZE];
	int ret = store_scratch_open(store, scratch, &tar_fd, err);

	if (ret == 0)
		ret = layer_write_flat(store, folder_fd, NULL, tar_fd, err);
	if (ret == 0)
		ret = writer_begin(&writer, fd, compressed, err);
	if (ret == 0)
		ret = add_file(&writer, tar_fd, err);
	(void)unlinkat(store->fd, scratch, 0); /* it may be large */
	return ret < 0 ? ret : writer_finish(&writer, out, err);
}

/* -- from a blob ---------------------------------------------------------------------------------
 */

int layer_from_blob(struct store *store, int fd, const struct digest *diff_id,
		    struct layer_draft *out, struct error *err)
{
	struct unpack_options options = { .whiteouts = true,
					  .marks = store->marks,
					  .subsecond = true };
	const struct layer_scan scan = { .subsecond = true };
	cleanup_close int folder_fd = -EBADF;
	struct layer_draft draft = { "" };
	char folder[STORE_NAME_SIZE];
	struct stat st;
	int ret = store_scratch(store, folder, &folder_fd, err);

	if (ret == 0 && (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		ret = error_errno(err, errno, "read a blob again");
	if (ret == 0)
		options.plain_max = unpack_plain_max((uint64_t)st.st_size);
	if (ret == 0)
		ret = unpack_archive(fd, folder_fd, &options, NULL, err);
	if (ret == 0)
		ret = layer_from_folder(store, folder, &scan, &draft, err);
	if (ret == 0 && lseek(fd, 0, SEEK_SET) < 0)
		ret = error_errno(err, errno, "read a blob again");
	if (ret == 0)
		ret = layer_take_headers(store, fd, &draft, err);
	if (ret == 0)
		ret = layer_hash(store, &draft, -EBADF, err);
	if (ret < 0)
		return ret;
	/* also when folders were missing in it, or entries stood twice */
	if (!digest_equal(&draft.diff_id, diff_id))
		return error_invalid(err, "its contents are %s, not %s", draft.diff_id.text,
				     diff_id->text);
	*out = draft;
	return 0;
}
