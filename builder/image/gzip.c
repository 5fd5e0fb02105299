/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks are collected, a few for each processor, compressed side by side and written in order; the
 * digest is made by a thread of its own meanwhile. Called by registry/push.c.
 */
#include "builder/image/gzip.h"

#include <errno.h>
#include <libdeflate.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/image/hash-queue.h"
#include "builder/image/layer.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#define BLOCK ((size_t)1 << 20)
#define LEVEL 6
#define THREADS_MAX 8
#define BLOCKS_PER_THREAD 2

struct block {
	char *in, *out;
	size_t size, packed; /* packed 0: it failed */
};

struct packer {
	int fd;
	struct hash_queue *queue;
	struct block blocks[THREADS_MAX * BLOCKS_PER_THREAD];
	size_t count, filled; /* the last one of these may be partial */
	unsigned int threads;
	size_t bound;
	size_t next; /* block that nobody has taken; atomic */
	uint64_t written;
};

static void packer_done(struct packer *packer)
{
	hash_queue_free(packer->queue);
	for (size_t i = 0; i < packer->count; i++) {
		free(packer->blocks[i].in);
		free(packer->blocks[i].out);
	}
}

static void packer_init(struct packer *packer, int fd)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);

	*packer = (struct packer){ .fd = fd, .queue = hash_queue_new() };
	packer->threads = processors < 1 ? 1 : (unsigned int)processors;
	if (packer->threads > THREADS_MAX)
		packer->threads = THREADS_MAX;
	packer->count = packer->threads * BLOCKS_PER_THREAD;
	packer->bound = libdeflate_gzip_compress_bound(compressor, BLOCK);
	libdeflate_free_compressor(compressor);
	for (size_t i = 0; i < packer->count; i++) {
		packer->blocks[i].in = xmalloc(BLOCK);
		packer->blocks[i].out = xmalloc(packer->bound);
	}
}

/* A thread. */
static void *compress_blocks(void *context)
{
	struct packer *packer = context;
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);
	size_t i;

	while (compressor &&
	       (i = __atomic_fetch_add(&packer->next, 1, __ATOMIC_RELAXED)) < packer->filled) {
		struct block *block = &packer->blocks[i];

		block->packed = libdeflate_gzip_compress(compressor, block->in, block->size,
							 block->out, packer->bound);
	}
	libdeflate_free_compressor(compressor);
	return NULL;
}

/* Ours and as many others as there are blocks for. */
static void compress_all(struct packer *packer)
{
	pthread_t threads[THREADS_MAX];
	unsigned int started = 0;
	sigset_t all, old;

	packer->next = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (started + 1 < packer->threads && started + 1 < packer->filled &&
	       pthread_create(&threads[started], NULL, compress_blocks, packer) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
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
	return 0;
}

static int take(void *context, const void *data, size_t size, struct error *err)
{
	struct packer *packer = context;
	const char *from = data;

	while (size) {
		struct block *block = packer->filled ? &packer->blocks[packer->filled - 1] : NULL;
		size_t room;

		if (!block || block->size == BLOCK) {
			int ret = packer->filled == packer->count ? flush(packer, err) : 0;

			if (ret < 0)
				return ret;
			block = &packer->blocks[packer->filled++];
		}
		room = BLOCK - block->size < size ? BLOCK - block->size : size;
		memcpy(block->in + block->size, from, room);
		block->size += room;
		from += room;
		size -= room;
	}
	return 0;
}

int gzip_layer(struct store *store, const char *layer, int fd, struct digest *out_digest,
	       uint64_t *out_size, struct error *err)
{
	__attribute__((cleanup(packer_done))) struct packer packer;
	int ret;

	packer_init(&packer, fd);
	ret = layer_stream(store, layer, take, &packer, err);
	if (ret == 0)
		ret = flush(&packer, err);
	if (ret < 0)
		return ret;
	hash_queue_finish(packer.queue, out_digest);
	*out_size = packer.written;
	return 0;
}
