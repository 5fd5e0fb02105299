/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recording a layer's tar stream while the layer is made. headers.zst is a zstd stream of records,
 * each header size (4 bytes), path size (4), contents size (8), all little endian; path; header.
 * The path beside the header saves a tar parser when the stream is made again (layer-replay.c).
 */
#include "builder/image/layer-stream.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#define SINK_BUFFER (256 * 1024)
#define FLUSH_SIZE (128 * 1024)
#define ZSTD_LEVEL 1 /* headers shrink about 15 times at any level */

static int start(struct layer_recorder *recorder, struct error *err)
{
	recorder->zstd = ZSTD_createCCtx();
	if (!recorder->zstd)
		return error_errno(err, ENOMEM, "start zstd");
	ZSTD_CCtx_setParameter(recorder->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(recorder->zstd, ZSTD_c_checksumFlag, 1);
	return 0;
}

int recorder_open(struct layer_recorder *recorder, int draft_fd, bool digest, struct error *err)
{
	*recorder = (struct layer_recorder)RECORDER_INIT;
	recorder->fd = openat(draft_fd, LAYER_HEADERS,
			      O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (recorder->fd < 0)
		return error_errno(err, errno, "create a layer's \"" LAYER_HEADERS "\"");
	if (digest)
		recorder->queue = hash_queue_new();
	return start(recorder, err);
}

void recorder_open_sink(struct layer_recorder *recorder, int fd)
{
	*recorder = (struct layer_recorder)RECORDER_INIT;
	recorder->sink_fd = fd;
	recorder->buffer = xmalloc(SINK_BUFFER);
}

static void add_number(struct strbuf *out, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		strbuf_addc(out, (char)(value >> (8 * i)));
}

static int flush_records(struct layer_recorder *recorder, ZSTD_EndDirective end, struct error *err)
{
	ZSTD_inBuffer in = { strbuf_text(&recorder->pending), recorder->pending.size, 0 };
	char bytes[16 * 1024];
	size_t left;

	do {
		ZSTD_outBuffer out = { bytes, sizeof(bytes), 0 };
		int ret;

		left = ZSTD_compressStream2(recorder->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return error_set(err, ERROR_INTERNAL, 0, "compress a layer's headers: %s",
					 ZSTD_getErrorName(left));
		ret = io_write_all(recorder->fd, bytes, out.pos);
		if (ret < 0)
			return error_errno(err, -ret, "write a layer's \"" LAYER_HEADERS "\"");
	} while (in.pos < in.size || (end == ZSTD_e_end && left > 0));
	strbuf_truncate(&recorder->pending, 0);
	if (recorder->growth)
		layer_growth_add(recorder->growth);
	return 0;
}

static int add_bytes(struct layer_recorder *recorder, const void *data, size_t size,
		     struct error *err)
{
	int ret = 0;

	if (recorder->queue)
		hash_queue_add(recorder->queue, data, size);
	if (recorder->sink_fd >= 0)
		ret = io_write_all(recorder->sink_fd, data, size);
	return ret < 0 ? error_errno(err, -ret, "write the archive") : 0;
}

static int add_zeros(struct layer_recorder *recorder, size_t size, struct error *err)
{
	static const char zeros[TAR_TRAILER];

	return add_bytes(recorder, zeros, size, err);
}

int recorder_header(struct layer_recorder *recorder, const struct strbuf *header, const char *path,
		    uint64_t contents, struct error *err)
{
	recorder->entries++;
	recorder->size += header->size + contents + tar_padding(contents);
	add_number(&recorder->pending, header->size, 4);
	add_number(&recorder->pending, strlen(path), 4);
	add_number(&recorder->pending, contents, 8);
	strbuf_adds(&recorder->pending, path);
	strbuf_add(&recorder->pending, header->data, header->size);
	return recorder->pending.size > FLUSH_SIZE ? flush_records(recorder, ZSTD_e_continue, err)
						   : 0;
}

int recorder_entry(struct layer_recorder *recorder, const struct tar_entry *entry,
		   struct error *err)
{
	bool has_contents = S_ISREG(entry->mode) && !entry->target;
	int ret;

	strbuf_truncate(&recorder->header, 0);
	ret = tar_header(entry, &recorder->header, err);
	if (ret < 0)
		return ret;
	recorder->missing = has_contents ? entry->size : 0;
	recorder->padding = tar_padding(recorder->missing);
	if (recorder->fd >= 0)
		ret = recorder_header(recorder, &recorder->header, entry->path, recorder->missing,
				      err);
	else
		recorder->entries++;
	return ret < 0 ? ret
		       : add_bytes(recorder, recorder->header.data, recorder->header.size, err);
}

/* -- contents -----------------------------------------------------------------------------------
 */

char *recorder_space(struct layer_recorder *recorder, size_t *out_size)
{
	char *space = recorder->buffer;

	*out_size = SINK_BUFFER;
	if (recorder->queue)
		space = hash_queue_space(recorder->queue, out_size);
	if (*out_size > recorder->missing)
		*out_size = (size_t)recorder->missing;
	return space;
}

int recorder_added(struct layer_recorder *recorder, const void *data, size_t size,
		   struct error *err)
{
	int ret = 0;

	if (recorder->queue)
		hash_queue_added(recorder->queue, size);
	else
		ret = add_bytes(recorder, data, size, err);
	recorder->missing -= size;
	if (ret == 0 && recorder->missing == 0)
		ret = add_zeros(recorder, recorder->padding, err);
	return ret;
}

int recorder_contents(struct layer_recorder *recorder, int fd, const char *path, struct error *err)
{
	if (!recorder->queue && recorder->sink_fd < 0)
		return 0;
	while (recorder->missing > 0) {
		size_t size;
		char *space = recorder_space(recorder, &size);
		ssize_t n = read(fd, space, size);
		int ret;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read \"%s\"", path);
		if (n == 0)
			return error_invalid(err, "\"%s\" became shorter while it was read", path);
		ret = recorder_added(recorder, space, (size_t)n, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* -- the end ------------------------------------------------------------------------------------
 */

int recorder_finish(struct layer_recorder *recorder, struct layer_draft *out, struct error *err)
{
	int ret = add_zeros(recorder, TAR_TRAILER, err);

	if (ret == 0 && recorder->fd >= 0)
		ret = flush_records(recorder, ZSTD_e_end, err);
	if (ret < 0)
		return ret;
	out->diff_id.text[0] = '\0';
	out->entries = recorder->entries;
	out->size = recorder->size + TAR_TRAILER;
	if (!recorder->queue)
		return 0;
	hash_queue_finish(recorder->queue, &out->diff_id);
	return 0;
}

void recorder_done(struct layer_recorder *recorder)
{
	cleanup_close_fd(&recorder->fd);
	ZSTD_freeCCtx(recorder->zstd);
	hash_queue_free(recorder->queue);
	strbuf_done(&recorder->pending);
	strbuf_done(&recorder->header);
	free(recorder->buffer);
}
