/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of blocks between one producer and one hashing thread. Whole blocks change hands, so the
 * lock is taken once per block; memory is bounded by the ring.
 */
#include "builder/image/hash-queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"

#define BLOCK_SIZE ((size_t)256 * 1024)
#define BLOCK_COUNT 4

struct hash_queue {
	struct hasher hasher; /* the thread's, when there is one */
	uint64_t size;
	char *blocks[BLOCK_COUNT]; /* allocated when first needed */
	size_t fill;		   /* bytes in the block that is being filled */
	bool no_thread;		   /* none could be started: hash here */
	bool started;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* under the mutex; counts of blocks, modulo BLOCK_COUNT they are places in the ring */
	uint64_t filled, hashed;
	bool ended;
};

struct hash_queue *hash_queue_new(void)
{
	struct hash_queue *queue = xzalloc(sizeof(*queue));

	hasher_start(&queue->hasher);
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->changed, NULL);
	return queue;
}

static void *hash_blocks(void *context)
{
	struct hash_queue *queue = context;

	pthread_mutex_lock(&queue->mutex);
	for (;;) {
		const char *block;

		while (queue->hashed == queue->filled && !queue->ended)
			pthread_cond_wait(&queue->changed, &queue->mutex);
		if (queue->hashed == queue->filled)
			break;
		block = queue->blocks[queue->hashed % BLOCK_COUNT];
		pthread_mutex_unlock(&queue->mutex);
		hasher_add(&queue->hasher, block, BLOCK_SIZE);
		pthread_mutex_lock(&queue->mutex);
		queue->hashed++;
		pthread_cond_signal(&queue->changed);
	}
	pthread_mutex_unlock(&queue->mutex);
	return NULL;
}

/* Signals are for the main thread. */
static bool start_thread(struct hash_queue *queue)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	queue->started = pthread_create(&queue->thread, NULL, hash_blocks, queue) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	queue->no_thread = !queue->started;
	return queue->started;
}

static void end_thread(struct hash_queue *queue)
{
	if (!queue->started)
		return;
	pthread_mutex_lock(&queue->mutex);
	queue->ended = true;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
	pthread_join(queue->thread, NULL);
	queue->started = false;
}

/* The block is full: give it away, and wait for one that is free. */
static void next_block(struct hash_queue *queue)
{
	queue->fill = 0;
	if (queue->no_thread || (!queue->started && !start_thread(queue))) {
		hasher_add(&queue->hasher, queue->blocks[0], BLOCK_SIZE);
		return;
	}
	pthread_mutex_lock(&queue->mutex);
	queue->filled++;
	pthread_cond_signal(&queue->changed);
	while (queue->filled - queue->hashed == BLOCK_COUNT)
		pthread_cond_wait(&queue->changed, &queue->mutex);
	pthread_mutex_unlock(&queue->mutex);
}

/* The producer's own: "filled" changes in its thread only. */
static char **current_block(struct hash_queue *queue)
{
	return &queue->blocks[queue->filled % BLOCK_COUNT];
}

char *hash_queue_space(struct hash_queue *queue, size_t *out_size)
{
	char **block = current_block(queue);

	if (!*block)
		*block = xmalloc(BLOCK_SIZE);
	*out_size = BLOCK_SIZE - queue->fill;
	return *block + queue->fill;
}

void hash_queue_added(struct hash_queue *queue, size_t size)
{
	queue->fill += size;
	queue->size += size;
	if (queue->fill == BLOCK_SIZE)
		next_block(queue);
}

void hash_queue_add(struct hash_queue *queue, const void *data, size_t size)
{
	const char *from = data;

	while (size) {
		size_t room;
		char *to = hash_queue_space(queue, &room);

		if (room > size)
			room = size;
		memcpy(to, from, room);
		hash_queue_added(queue, room);
		from += room;
		size -= room;
	}
}

uint64_t hash_queue_size(const struct hash_queue *queue)
{
	return queue->size;
}

void hash_queue_finish(struct hash_queue *queue, struct digest *out)
{
	end_thread(queue);
	if (queue->fill)
		hasher_add(&queue->hasher, *current_block(queue), queue->fill);
	queue->fill = 0;
	hasher_finish(&queue->hasher, out);
}

void hash_queue_free(struct hash_queue *queue)
{
	if (!queue)
		return;
	end_thread(queue);
	hasher_done(&queue->hasher);
	for (size_t i = 0; i < BLOCK_COUNT; i++)
		free(queue->blocks[i]);
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->mutex);
	free(queue);
}
