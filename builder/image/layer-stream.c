/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both directions of a layer's tar stream: recording it while the layer is made, and making it
 *again from headers.zst and tree/. headers.zst is a zstd stream of records, each header size (4
 *bytes), path size (4), contents size (8), all little endian; path; header The header bytes are
 *kept as they were hashed, so a later tar writer can't change old layers; the path beside them
 *saves a tar parser here.
 */
#include "builder/image/layer-stream.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/syscalls.h"

#define RECORD_SIZE 16
#define HEADER_MAX (4 * 1024 * 1024) /* xattr values are at most 64 KiB each, paths 4 KiB */
#define FLUSH_SIZE (128 * 1024)
#define ZSTD_LEVEL 1 /* headers shrink about 15 times at any level */

static void put_number(unsigned char *out, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_number(const unsigned char *in, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i-- > 0;)
		value = value << 8 | in[i];
	return value;
}

/* -- recording ----------------------------------------------------------------------------------
 */

static int start(struct layer_recorder *recorder, struct error *err)
{
	recorder->zstd = ZSTD_createCCtx();
	if (!recorder->zstd)
		return error_errno(err, ENOMEM, "start zstd");
	ZSTD_CCtx_setParameter(recorder->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(recorder->zstd, ZSTD_c_checksumFlag, 1);
	hasher_start(&recorder->hasher);
	recorder->buffer = xmalloc(LAYER_BUFFER);
	return 0;
}

int recorder_open(struct layer_recorder *recorder, int draft_fd, struct error *err)
{
	*recorder = (struct layer_recorder)RECORDER_INIT;
	recorder->fd = openat(draft_fd, LAYER_HEADERS,
			      O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (recorder->fd < 0)
		return error_errno(err, errno, "create a layer's \"" LAYER_HEADERS "\"");
	return start(recorder, err);
}

int recorder_open_sink(struct layer_recorder *recorder, int fd, struct error *err)
{
	*recorder = (struct layer_recorder)RECORDER_INIT;
	recorder->sink_fd = fd;
	return start(recorder, err);
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
		ret = recorder->fd < 0 ? 0 : io_write_all(recorder->fd, bytes, out.pos);
		if (ret < 0)
			return error_errno(err, -ret, "write a layer's \"" LAYER_HEADERS "\"");
	} while (in.pos < in.size || (end == ZSTD_e_end && left > 0));
	strbuf_truncate(&recorder->pending, 0);
	return 0;
}

static void add_bytes(struct layer_recorder *recorder, const void *data, size_t size)
{
	/* remembered here, told with the next entry */
	if (recorder->sink_fd >= 0 && !recorder->sink_errnum)
		recorder->sink_errnum = -io_write_all(recorder->sink_fd, data, size);
	hasher_add(&recorder->hasher, data, size);
	recorder->size += size;
}

static int check_sink(const struct layer_recorder *recorder, struct error *err)
{
	return recorder->sink_errnum ? error_errno(err, recorder->sink_errnum, "write the archive")
				     : 0;
}

static void add_zeros(struct layer_recorder *recorder, size_t size)
{
	static const char zeros[TAR_TRAILER];

	add_bytes(recorder, zeros, size);
}

int recorder_entry(struct layer_recorder *recorder, const struct tar_entry *entry,
		   struct error *err)
{
	bool has_contents = S_ISREG(entry->mode) && !entry->target;
	unsigned char record[RECORD_SIZE];
	int ret;

	strbuf_truncate(&recorder->header, 0);
	ret = tar_header(entry, &recorder->header, err);
	if (ret < 0)
		return ret;
	recorder->missing = has_contents ? entry->size : 0;
	recorder->padding = tar_padding(recorder->missing);
	put_number(record, recorder->header.size, 4);
	put_number(record + 4, strlen(entry->path), 4);
	put_number(record + 8, recorder->missing, 8);
	strbuf_add(&recorder->pending, record, sizeof(record));
	strbuf_adds(&recorder->pending, entry->path);
	strbuf_add(&recorder->pending, recorder->header.data, recorder->header.size);
	add_bytes(recorder, recorder->header.data, recorder->header.size);
	recorder->entries++;
	if (recorder->pending.size > FLUSH_SIZE)
		ret = flush_records(recorder, ZSTD_e_continue, err);
	return ret < 0 ? ret : check_sink(recorder, err);
}

void recorder_data(struct layer_recorder *recorder, const void *data, size_t size)
{
	add_bytes(recorder, data, size);
	recorder->missing -= size;
	if (recorder->missing == 0)
		add_zeros(recorder, recorder->padding);
}

int recorder_finish(struct layer_recorder *recorder, struct layer_draft *out, struct error *err)
{
	int ret;

	add_zeros(recorder, TAR_TRAILER);
	ret = flush_records(recorder, ZSTD_e_end, err);
	if (ret == 0)
		ret = check_sink(recorder, err);
	if (ret < 0)
		return ret;
	hasher_finish(&recorder->hasher, &out->diff_id);
	out->size = recorder->size;
	out->entries = recorder->entries;
	return 0;
}

void recorder_done(struct layer_recorder *recorder)
{
	cleanup_close_fd(&recorder->fd);
	ZSTD_freeCCtx(recorder->zstd);
	strbuf_done(&recorder->pending);
	strbuf_done(&recorder->header);
	hasher_done(&recorder->hasher);
	free(recorder->buffer);
}

/* -- making the stream again --------------------------------------------------------------------
 */

struct replay {
	int fd; /* headers.zst */
	int tree_fd;
	ZSTD_DCtx *zstd;
	char *compressed;
	ZSTD_inBuffer in;
	bool ended;	 /* the file */
	bool frame_done; /* the zstd frame, all of it given out */
	struct hasher hasher;
	char *buffer;
	struct strbuf record;
	layer_sink_fn sink;
	void *context;
};

static void replay_done(struct replay *replay)
{
	cleanup_close_fd(&replay->fd);
	cleanup_close_fd(&replay->tree_fd);
	ZSTD_freeDCtx(replay->zstd);
	free(replay->compressed);
	free(replay->buffer);
	strbuf_done(&replay->record);
	hasher_done(&replay->hasher);
}

static int damaged(const char *what, struct error *err)
{
	return error_invalid(err, "\"" LAYER_HEADERS "\" is damaged (%s)", what);
}

/* Exactly size bytes of the decompressed stream: 1, or 0 at a clean end. */
static int read_records(struct replay *replay, void *data, size_t size, struct error *err)
{
	ZSTD_outBuffer out = { data, size, 0 };

	while (out.pos < out.size) {
		size_t before = out.pos, ret;

		if (replay->in.pos == replay->in.size && !replay->ended) {
			ssize_t n = read(replay->fd, replay->compressed, ZSTD_DStreamInSize());

			if (n < 0)
				return error_errno(err, errno, "read \"" LAYER_HEADERS "\"");
			replay->in = (ZSTD_inBuffer){ replay->compressed, (size_t)n, 0 };
			replay->ended = n == 0;
		}
		if (replay->ended && replay->frame_done)
			return before == 0 ? 0 : damaged("it ends too early", err);
		ret = ZSTD_decompressStream(replay->zstd, &out, &replay->in);
		if (ZSTD_isError(ret))
			return damaged(ZSTD_getErrorName(ret), err);
		replay->frame_done = ret == 0;
		if (out.pos == before && replay->ended && !replay->frame_done)
			return damaged("it ends too early", err);
	}
	return 1;
}

static int emit(struct replay *replay, const void *data, size_t size, struct error *err)
{
	hasher_add(&replay->hasher, data, size);
	return replay->sink(replay->context, data, size, err);
}

static int emit_zeros(struct replay *replay, size_t size, struct error *err)
{
	static const char zeros[TAR_TRAILER];

	return size ? emit(replay, zeros, size, err) : 0;
}

static int emit_contents(struct replay *replay, const char *path, uint64_t size, struct error *err)
{
	struct open_how how = { .flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	cleanup_close int fd = sys_openat2(replay->tree_fd, path, &how);
	size_t padding = tar_padding(size);

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\" of the layer", path);
	while (size > 0) {
		size_t piece = size < LAYER_BUFFER ? (size_t)size : LAYER_BUFFER;
		ssize_t n = read(fd, replay->buffer, piece);
		int ret;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read \"%s\" of the layer", path);
		if (n == 0)
			return error_invalid(err, "\"%s\" of the layer is shorter than recorded",
					     path);
		ret = emit(replay, replay->buffer, (size_t)n, err);
		if (ret < 0)
			return ret;
		size -= (size_t)n;
	}
	return emit_zeros(replay, padding, err);
}

static int replay_record(struct replay *replay, struct error *err)
{
	unsigned char numbers[RECORD_SIZE];
	cleanup_free char *path = NULL;
	uint64_t header_size, path_size, contents;
	int ret = read_records(replay, numbers, sizeof(numbers), err);

	if (ret <= 0)
		return ret;
	header_size = get_number(numbers, 4);
	path_size = get_number(numbers + 4, 4);
	contents = get_number(numbers + 8, 8);
	if (header_size > HEADER_MAX || path_size == 0 || path_size >= PATH_MAX)
		return damaged("impossible sizes", err);
	strbuf_truncate(&replay->record, 0);
	strbuf_reserve(&replay->record, header_size + path_size);
	ret = read_records(replay, replay->record.data, header_size + path_size, err);
	if (ret <= 0)
		return ret < 0 ? ret : damaged("it ends too early", err);
	path = xstrndup(replay->record.data, path_size);
	ret = emit(replay, replay->record.data + path_size, header_size, err);
	if (ret == 0 && contents > 0)
		ret = emit_contents(replay, path, contents, err);
	return ret < 0 ? ret : 1;
}

static int replay_open(struct replay *replay, int layer_fd, struct error *err)
{
	replay->fd = openat(layer_fd, LAYER_HEADERS, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	replay->tree_fd =
		openat(layer_fd, LAYER_TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (replay->fd < 0 || replay->tree_fd < 0)
		return error_errno(err, errno, "open headers and tree");
	replay->zstd = ZSTD_createDCtx();
	if (!replay->zstd)
		return error_errno(err, ENOMEM, "start zstd");
	replay->compressed = xmalloc(ZSTD_DStreamInSize());
	replay->buffer = xmalloc(LAYER_BUFFER);
	hasher_start(&replay->hasher);
	return 0;
}

int layer_stream(struct store *store, const char *id, layer_sink_fn sink, void *context,
		 struct error *err)
{
	__attribute__((cleanup(replay_done))) struct replay replay = {
		.fd = -EBADF, .tree_fd = -EBADF, .sink = sink, .context = context
	};
	cleanup_close int layer_fd = -EBADF;
	struct layer_info info;
	struct digest digest;
	cleanup_free char *name = xasprintf("layers/%s", id);
	int ret = layer_load(store, id, &info, err);

	if (ret < 0)
		return ret;
	layer_fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layer_fd < 0)
		return error_errno(err, errno, "open layer %.12s", id);
	ret = replay_open(&replay, layer_fd, err);
	if (ret == 0)
		do
			ret = replay_record(&replay, err);
		while (ret > 0);
	if (ret == 0)
		ret = emit_zeros(&replay, TAR_TRAILER, err);
	if (ret < 0)
		return error_prefix(err, ret, "layer %.12s", id);
	hasher_finish(&replay.hasher, &digest);
	if (!digest_equal(&digest, &info.diff_id))
		return error_invalid(err,
				     "layer %.12s: its files have changed: the stream is %s, "
				     "recorded was %s",
				     id, digest.text, info.diff_id.text);
	return 0;
}
