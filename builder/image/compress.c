/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks are collected, a few for each processor, compressed side by side and written in order; the
 * digest is made by a thread of its own meanwhile. Where several layers are packed at once, each
 * has its share of the processors. Called by registry/push.c and image-variant.c.
 */
#include "builder/image/compress.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "builder/image/decompress.h"
#include "builder/image/hash-queue.h"
#include "builder/image/layer.h"
#include "builder/loop/thread.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"

#define BLOCK ((size_t)1 << 20)
#define THREADS_MAX 8
#define BLOCKS_PER_THREAD 2
#define MEMO_MAX 256

/* -- kinds ---------------------------------------------------------------------------------------
 */

/* A compressor with its state; NULL when there is no memory. One for each thread. */
static void *gzip_new(int level)
{
	return libdeflate_alloc_compressor(level);
}

static void gzip_free(void *compressor)
{
	libdeflate_free_compressor(compressor);
}

static size_t gzip_bound(size_t size)
{
	return libdeflate_gzip_compress_bound(NULL, size);
}

static size_t gzip_block(void *compressor, const void *in, size_t size, void *out, size_t room)
{
	return libdeflate_gzip_compress(compressor, in, size, out, room);
}

static void *zstd_new(int level)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	if (zstd) {
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	}
	return zstd;
}

static void zstd_free(void *compressor)
{
	ZSTD_freeCCtx(compressor);
}

static size_t zstd_block(void *compressor, const void *in, size_t size, void *out, size_t room)
{
	size_t packed = ZSTD_compress2(compressor, out, room, in, size);

	return ZSTD_isError(packed) ? 0 : packed;
}

static void *none_new(int level)
{
	static char nothing;

	(void)level;
	return &nothing;
}

static void none_free(void *compressor)
{
	(void)compressor;
}

static size_t none_bound(size_t size)
{
	return size;
}

static size_t none_block(void *compressor, const void *in, size_t size, void *out, size_t room)
{
	(void)compressor;
	(void)room;
	memcpy(out, in, size);
	return size;
}

/* Results are 0 when it failed. */
struct kind {
	const char *name, *oci, *docker;
	int usual, highest; /* levels */
	void *(*create)(int level);
	void (*free)(void *compressor);
	size_t (*bound)(size_t size);
	size_t (*block)(void *compressor, const void *in, size_t size, void *out, size_t room);
};

/* clang-format off */
static const struct kind kinds[COMPRESSION_KINDS] = {
	[COMPRESSION_GZIP] = { "gzip", MEDIA_TYPE_LAYER_GZIP, MEDIA_TYPE_DOCKER_LAYER_GZIP,
			       COMPRESSION_GZIP_LEVEL, 9,
			       gzip_new, gzip_free, gzip_bound, gzip_block },
	[COMPRESSION_ZSTD] = { "zstd", MEDIA_TYPE_LAYER_ZSTD, NULL, 3, 22,
			       zstd_new, zstd_free, ZSTD_compressBound, zstd_block },
	[COMPRESSION_NONE] = { "uncompressed", MEDIA_TYPE_LAYER, MEDIA_TYPE_DOCKER_LAYER, 0, 0,
			       none_new, none_free, none_bound, none_block },
};
/* clang-format on */

int compression_parse(const char *name, const char *level, struct compression *out,
		      struct error *err)
{
	enum compression_kind kind = COMPRESSION_GZIP;
	uint32_t number;

	while (name && kind < COMPRESSION_KINDS && strcmp(kinds[kind].name, name) != 0)
		kind++;
	if (kind == COMPRESSION_KINDS)
		return error_set(err, ERROR_USAGE, 0,
				 "compression is gzip, zstd or uncompressed, not \"%s\"", name);
	number = (uint32_t)kinds[kind].usual;
	if (level && (number_parse_u32(level, &number) < 0 || (int)number > kinds[kind].highest))
		return error_set(err, ERROR_USAGE, 0,
				 "compression level of %s is 0 to %d, not \"%s\"", kinds[kind].name,
				 kinds[kind].highest, level);
	*out = (struct compression){ kind, (int)number };
	return 0;
}

const char *compression_media_type(const struct compression *compression, bool docker)
{
	const struct kind *kind = &kinds[compression->kind];

	return docker ? kind->docker : kind->oci;
}

bool compression_matches(const struct compression *compression, const char *media_type)
{
	const struct kind *kind = &kinds[compression->kind];

	return strcmp(media_type, kind->oci) == 0 ||
	       (kind->docker && strcmp(media_type, kind->docker) == 0);
}

/* -- blocks --------------------------------------------------------------------------------------
 */

struct block {
	char *in, *out;
	size_t size, packed; /* packed 0: it failed */
};

struct packer {
	const struct kind *kind;
	int level;
	int fd;
	struct hash_queue *queue;
	struct block blocks[THREADS_MAX * BLOCKS_PER_THREAD];
	size_t filled; /* the last one of these may be partial */
	unsigned int processors, threads;
	const unsigned int *at_once; /* of packed_make */
	size_t bound;
	size_t next; /* block that nobody has taken; atomic */
	uint64_t written;
};

static void packer_done(struct packer *packer)
{
	hash_queue_free(packer->queue);
	for (size_t i = 0; i < ARRAY_SIZE(packer->blocks); i++) {
		free(packer->blocks[i].in);
		free(packer->blocks[i].out);
	}
}

/* Our share of the processors, as long as this many layers are packed. */
static void set_threads(struct packer *packer)
{
	unsigned int layers =
		packer->at_once ? __atomic_load_n(packer->at_once, __ATOMIC_RELAXED) : 1;

	packer->threads = layers > 1 ? packer->processors / layers : packer->processors;
	if (!packer->threads)
		packer->threads = 1;
}

static void packer_init(struct packer *packer, const struct compression *compression, int fd)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	*packer = (struct packer){ .kind = &kinds[compression->kind],
				   .level = compression->level,
				   .fd = fd,
				   .queue = hash_queue_new() };
	packer->processors = processors < 1 ? 1 : (unsigned int)processors;
	if (packer->processors > THREADS_MAX)
		packer->processors = THREADS_MAX;
	packer->bound = packer->kind->bound(BLOCK);
}

/* A thread. */
static void *compress_blocks(void *context)
{
	struct packer *packer = context;
	void *compressor = packer->kind->create(packer->level);
	size_t i;

	while (compressor &&
	       (i = __atomic_fetch_add(&packer->next, 1, __ATOMIC_RELAXED)) < packer->filled) {
		struct block *block = &packer->blocks[i];

		block->packed = packer->kind->block(compressor, block->in, block->size, block->out,
						    packer->bound);
	}
	packer->kind->free(compressor);
	return NULL;
}

/* Ours and as many others as there are blocks for. */
static void compress_all(struct packer *packer)
{
	pthread_t threads[THREADS_MAX];
	unsigned int started = 0;

	packer->next = 0;
	while (started + 1 < packer->threads && started + 1 < packer->filled &&
	       thread_start(&threads[started], compress_blocks, packer) == 0)
		started++;
	compress_blocks(packer);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}

static int flush(struct packer *packer, struct error *err)
{
	compress_all(packer);
	for (size_t i = 0; i < packer->filled; i++) {
		struct block *block = &packer->blocks[i];
		int ret;

		if (!block->packed)
			return error_errno(err, ENOMEM, "compress a layer");
		ret = io_write_all(packer->fd, block->out, block->packed);
		if (ret < 0)
			return error_errno(err, -ret, "write a compressed layer");
		hash_queue_add(packer->queue, block->out, block->packed);
		packer->written += block->packed;
		block->size = block->packed = 0;
	}
	packer->filled = 0;
	set_threads(packer);
	return 0;
}

/* An empty block; the memory is taken when it is first needed. */
static struct block *next_block(struct packer *packer)
{
	struct block *block = &packer->blocks[packer->filled++];

	if (!block->in) {
		block->in = xmalloc(BLOCK);
		block->out = xmalloc(packer->bound);
	}
	return block;
}

static int take(void *context, const void *data, size_t size, struct error *err)
{
	struct packer *packer = context;
	const char *from = data;

	while (size) {
		struct block *block = packer->filled ? &packer->blocks[packer->filled - 1] : NULL;
		size_t room;

		if (!block || block->size == BLOCK) {
			/* a thread alone gains nothing by several, and gives the hashing less at
			 * once */
			size_t most = packer->threads > 1 ? packer->threads * BLOCKS_PER_THREAD : 1;
			int ret = packer->filled >= most ? flush(packer, err) : 0;

			if (ret < 0)
				return ret;
			block = next_block(packer);
		}
		room = BLOCK - block->size < size ? BLOCK - block->size : size;
		memcpy(block->in + block->size, from, room);
		block->size += room;
		from += room;
		size -= room;
	}
	return 0;
}

/* -- layers --------------------------------------------------------------------------------------
 */

/* What is to be packed: a layer, or a blob. */
struct material {
	const char *layer;
	const struct digest *blob;
	const unsigned int *at_once;
};

static int take_blob(struct store *store, const struct digest *blob, struct packer *packer,
		     struct error *err)
{
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(blob));
	cleanup_close int fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct decompress *stream;
	const char *why = NULL;
	const void *data;
	ssize_t size;
	int ret = 0;

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\" of the store", path);
	stream = decompress_open(fd);
	while (ret == 0 && (size = decompress_read(stream, &data, &why)) != 0)
		ret = size < 0 ? error_invalid(err, "blob %s: %s", blob->text, why)
			       : take(packer, data, (size_t)size, err);
	decompress_free(stream);
	return ret;
}

static int pack(struct store *store, const struct material *material,
		const struct compression *compression, int fd, struct packed_layer *out,
		struct error *err)
{
	cleanup_with(packer_done) struct packer packer;
	int ret;

	packer_init(&packer, compression, fd);
	packer.at_once = material->at_once;
	set_threads(&packer);
	ret = material->layer ? layer_stream(store, material->layer, take, &packer, err)
			      : take_blob(store, material->blob, &packer, err);
	if (ret == 0)
		ret = flush(&packer, err);
	if (ret < 0)
		return ret;
	hash_queue_finish(packer.queue, &out->digest);
	out->size = packer.written;
	return 0;
}

static int pack_into_blobs(struct store *store, const struct material *material,
			   const struct compression *compression, struct packed_layer *out,
			   struct error *err)
{
	cleanup_free char *target = NULL;
	cleanup_close int fd = -EBADF;
	char name[STORE_NAME_SIZE];
	int ret = store_scratch_open(store, name, &fd, err);

	if (ret == 0)
		ret = pack(store, material, compression, fd, out, err);
	if (ret < 0)
		return ret;
	target = xasprintf("blobs/sha256/%s", digest_hex(&out->digest));
	return store_publish(store, name, target, err);
}

/* "gzip4": what another release with other bytes must not be taken for. */
static char *memo_path(const char *layer, const struct compression *compression)
{
	return xasprintf("packed/%s-%s%d", layer, kinds[compression->kind].name,
			 compression->level);
}

bool packed_recall(struct store *store, const char *layer, const struct compression *compression,
		   struct packed_layer *out)
{
	cleanup_free char *path = memo_path(layer, compression);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strv struct strv words = STRV_INIT;

	if (io_read_file(store->fd, path, MEMO_MAX, &text, NULL) < 0)
		return false;
	strv_split(&words, strbuf_text(&text), ' ');
	return words.count == 2 && digest_parse(words.items[0], &out->digest, NULL) == 0 &&
	       number_parse_u64(words.items[1], &out->size) == 0;
}

/* name: by which packed_recall knows it. */
static int make_and_remember(struct store *store, const struct material *material, const char *name,
			     const struct compression *compression, struct packed_layer *out,
			     struct error *err)
{
	cleanup_free char *path = memo_path(name, compression), *text = NULL;
	int ret = pack_into_blobs(store, material, compression, out, err);

	if (ret < 0)
		return ret;
	text = xasprintf("%s %llu", out->digest.text, (unsigned long long)out->size);
	(void)store_replace(store, path, text, strlen(text), NULL); /* else once more */
	return 0;
}

int packed_make(struct store *store, const char *layer, const struct compression *compression,
		const unsigned int *at_once, struct packed_layer *out, struct error *err)
{
	const struct material material = { .layer = layer, .at_once = at_once };

	return make_and_remember(store, &material, layer, compression, out, err);
}

int packed_again(struct store *store, const struct digest *blob,
		 const struct compression *compression, const unsigned int *at_once,
		 struct packed_layer *out, struct error *err)
{
	const struct material material = { .blob = blob, .at_once = at_once };

	return make_and_remember(store, &material, digest_hex(blob), compression, out, err);
}
