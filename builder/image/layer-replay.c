/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's tar stream, made again from headers.zst and tree/: for whoever wants the stream, and
 * for the digest of a layer whose headers were recorded first. The headers' bytes are taken as they
 * were recorded, so a later tar writer can't change old layers.
 */
#include "builder/image/layer-stream.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "builder/image/hash-queue.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/syscalls.h"

#define HEADER_MAX (4 * 1024 * 1024) /* xattr values are at most 64 KiB each, paths 4 KiB */

#define RECORD_SIZE 16

static uint64_t get_number(const unsigned char *in, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i-- > 0;)
		value = value << 8 | in[i];
	return value;
}

struct replay {
	int fd; /* headers.zst */
	int tree_fd;
	ZSTD_DCtx *zstd;
	char *compressed;
	ZSTD_inBuffer in;
	bool ended;	 /* the file */
	bool frame_done; /* the zstd frame, all of it given out */
	struct hash_queue *queue;
	struct strbuf record;
	struct layer_growth *growth; /* of the file; NULL: it is complete */
	uint64_t seen;		     /* pieces of it */
	int stop_fd;
	layer_sink_fn sink; /* NULL: only the digest is wanted */
	void *context;
};

static void replay_done(struct replay *replay)
{
	cleanup_close_fd(&replay->fd);
	cleanup_close_fd(&replay->tree_fd);
	ZSTD_freeDCtx(replay->zstd);
	free(replay->compressed);
	strbuf_done(&replay->record);
	hash_queue_free(replay->queue);
}

static int damaged(const char *what, struct error *err)
{
	return error_invalid(err, "\"" LAYER_HEADERS "\" is damaged (%s)", what);
}

static int check_stop(const struct replay *replay, struct error *err)
{
	struct pollfd stop = { .fd = replay->stop_fd, .events = POLLIN };

	if (replay->growth && layer_growth_is_broken(replay->growth))
		return error_set(err, ERROR_CANCELLED, ECANCELED,
				 "the layer is not wanted any more");
	if (replay->stop_fd >= 0 && poll(&stop, 1, 0) > 0)
		return error_set(err, ERROR_CANCELLED, ECANCELED, "interrupted");
	return 0;
}

/* More of the file, or its end. */
static int read_file(struct replay *replay, struct error *err)
{
	ssize_t n;

	do
		n = read(replay->fd, replay->compressed, ZSTD_DStreamInSize());
	while (n == 0 && replay->growth && layer_growth_wait(replay->growth, &replay->seen));
	if (n < 0)
		return error_errno(err, errno, "read \"" LAYER_HEADERS "\"");
	replay->in = (ZSTD_inBuffer){ replay->compressed, (size_t)n, 0 };
	replay->ended = n == 0;
	return check_stop(replay, err);
}

/* Exactly size bytes of the decompressed stream: 1, or 0 at a clean end. */
static int read_records(struct replay *replay, void *data, size_t size, struct error *err)
{
	ZSTD_outBuffer out = { data, size, 0 };

	while (out.pos < out.size) {
		bool empty = replay->in.pos == replay->in.size && !replay->ended;
		int failed = empty ? read_file(replay, err) : 0;
		size_t before = out.pos, ret;

		if (failed < 0)
			return failed;
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
	hash_queue_add(replay->queue, data, size);
	return replay->sink ? replay->sink(replay->context, data, size, err) : 0;
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
		size_t room;
		char *space = hash_queue_space(replay->queue, &room);
		ssize_t n = read(fd, space, size < room ? (size_t)size : room);
		int ret;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read \"%s\" of the layer", path);
		ret = check_stop(replay, err);
		if (ret == 0 && n == 0)
			ret = error_invalid(err, "\"%s\" of the layer is shorter than recorded",
					    path);
		if (ret == 0 && replay->sink)
			ret = replay->sink(replay->context, space, (size_t)n, err);
		if (ret < 0)
			return ret;
		hash_queue_added(replay->queue, (size_t)n);
		size -= (uint64_t)n;
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
	replay->queue = hash_queue_new();
	return 0;
}

/* All of it, with the trailer. name: of the layer's folder in the store. */
static int replay_all(struct store *store, const char *name, struct replay *replay,
		      struct error *err)
{
	cleanup_close int layer_fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (layer_fd < 0)
		return error_errno(err, errno, "open \"%s\"", name);
	ret = replay_open(replay, layer_fd, err);
	if (ret == 0)
		do
			ret = replay_record(replay, err);
		while (ret > 0);
	return ret < 0 ? ret : emit_zeros(replay, TAR_TRAILER, err);
}

#define REPLAY_INIT                                                                                \
	{                                                                                          \
		.fd = -EBADF, .tree_fd = -EBADF, .stop_fd = -EBADF                                 \
	}

int layer_hash_growing(struct store *store, struct layer_draft *draft, struct layer_growth *growth,
		       int stop_fd, struct error *err)
{
	cleanup_with(replay_done) struct replay replay = REPLAY_INIT;
	int ret = 0;

	if (draft->diff_id.text[0])
		return 0;
	replay.growth = growth;
	replay.stop_fd = stop_fd;
	if (growth) /* until there is a file */
		(void)layer_growth_wait(growth, &replay.seen);
	ret = check_stop(&replay, err);
	if (ret == 0)
		ret = replay_all(store, draft->name, &replay, err);
	if (ret < 0)
		return error_prefix(err, ret, "layer");
	draft->size = hash_queue_size(replay.queue);
	hash_queue_finish(replay.queue, &draft->diff_id);
	return 0;
}

int layer_hash(struct store *store, struct layer_draft *draft, int stop_fd, struct error *err)
{
	return layer_hash_growing(store, draft, NULL, stop_fd, err);
}

int layer_stream(struct store *store, const char *id, layer_sink_fn sink, void *context,
		 struct error *err)
{
	cleanup_with(replay_done) struct replay replay = REPLAY_INIT;
	cleanup_free char *name = xasprintf("layers/%s", id);
	struct layer_info info;
	struct digest digest;
	int ret = layer_load(store, id, &info, err);

	if (ret < 0)
		return ret;
	replay.sink = sink;
	replay.context = context;
	ret = replay_all(store, name, &replay, err);
	if (ret < 0)
		return error_prefix(err, ret, "layer %.12s", id);
	hash_queue_finish(replay.queue, &digest);
	if (!digest_equal(&digest, &info.diff_id))
		return error_invalid(err,
				     "layer %.12s: its files have changed: the stream is %s, "
				     "recorded was %s",
				     id, digest.text, info.diff_id.text);
	return 0;
}
