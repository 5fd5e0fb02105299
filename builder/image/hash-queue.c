/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of blocks between each producer and the threads that hash for all of them, as many as
 * there are processors. Whole blocks change hands, so the lock is taken once per block; memory is
 * bounded by the rings. A thread takes a block of each queue that has one: of many streams it
 * hashes eight at once. That costs about as much as hashing two of them, so when there are many it
 * is not begun before all of them have a block, or one of the rings is full.
 */
#include "builder/image/hash-queue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "builder/image/sha256-stream.h"
#include "builder/loop/thread.h"
#include "lib/alloc.h"
#include "lib/proc.h"

#define BLOCK_SIZE ((size_t)256 * 1024)
#define BLOCK_COUNT 5 /* one more than the MiB that compress.c gives at once */

struct hash_queue {
	struct sha256_stream stream; /* a worker's, while busy */
	uint64_t size;
	char *blocks[BLOCK_COUNT]; /* allocated when first needed */
	size_t fill;		   /* bytes in the block that is being filled */
	pthread_cond_t changed;	   /* for the producer */
	/* under the mutex; counts of blocks, modulo BLOCK_COUNT they are places in the ring */
	uint64_t filled, hashed;
	bool busy;   /* a worker hashes a block of it */
	bool queued; /* it is in the list of those that have one */
	bool begun;  /* it has had one: it counts as a stream */
	struct hash_queue *next;
	uint64_t worked_ns; /* of processors */
};

/* Who hashes for all queues of the program; they stay, and wait. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t work;
	struct hash_queue *first, *last; /* have a block and no worker */
	size_t ready;			 /* how many these are */
	unsigned int workers, idle, streams;
	unsigned int waiting; /* producers */
	unsigned int processors;
} pool = { .mutex = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };

struct hash_queue *hash_queue_new(void)
{
	struct hash_queue *queue = xzalloc(sizeof(*queue));

	sha256_stream_start(&queue->stream);
	pthread_cond_init(&queue->changed, NULL);
	return queue;
}

/* -- workers; all under the mutex, but hash_batch
 * --------------------------------------------------
 */

static void offer(struct hash_queue *queue)
{
	if (queue->busy || queue->queued || queue->hashed == queue->filled)
		return;
	queue->queued = true;
	queue->next = NULL;
	if (pool.first)
		pool.last->next = queue;
	else
		pool.first = queue;
	pool.last = queue;
	pool.ready++;
}

static size_t take_batch(struct hash_queue *batch[])
{
	size_t count = 0;

	while (pool.first && count < SHA256_LANES) {
		struct hash_queue *queue = pool.first;

		pool.first = queue->next;
		pool.ready--;
		queue->queued = false;
		queue->busy = true;
		batch[count++] = queue;
	}
	return count;
}

static void hash_batch(struct hash_queue *const batch[], size_t count)
{
	struct sha256_stream *streams[SHA256_LANES];
	const void *data[SHA256_LANES];

	for (size_t i = 0; i < count; i++) {
		streams[i] = &batch[i]->stream;
		data[i] = batch[i]->blocks[batch[i]->hashed % BLOCK_COUNT];
	}
	sha256_streams_add(streams, data, count, BLOCK_SIZE);
}

static uint64_t thread_ns(void)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* cannot fail */
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One block of each queue that has one; what that takes is shared by them. */
static void work_once(void)
{
	struct hash_queue *batch[SHA256_LANES];
	size_t count = take_batch(batch);
	uint64_t began = thread_ns(), each;

	pthread_mutex_unlock(&pool.mutex);
	hash_batch(batch, count);
	pthread_mutex_lock(&pool.mutex);
	each = (thread_ns() - began) / count;
	for (size_t i = 0; i < count; i++) {
		batch[i]->worked_ns += each;
		batch[i]->hashed++;
		batch[i]->busy = false;
		offer(batch[i]);
		pthread_cond_signal(&batch[i]->changed);
	}
}

/* So many streams that they are hashed in lanes: more than have a processor each, on a large
 * machine half of the lanes. */
static bool are_many(void)
{
	unsigned int few = pool.processors < SHA256_LANES / 2 ? pool.processors : SHA256_LANES / 2;

	return pool.streams > few && pool.streams >= SHA256_LANES_LEAST && sha256_streams_share();
}

static bool is_worth_it(void)
{
	size_t enough = pool.streams < SHA256_LANES ? pool.streams : SHA256_LANES;

	return pool.first && (!are_many() || pool.waiting || pool.ready >= enough);
}

static void *work(void *context)
{
	(void)context;
	pthread_mutex_lock(&pool.mutex);
	for (;;) {
		while (!is_worth_it()) {
			pool.idle++;
			pthread_cond_wait(&pool.work, &pool.mutex);
			pool.idle--;
		}
		work_once();
	}
	return NULL;
}

static void start_worker(void)
{
	if (thread_start_detached(work, NULL) == 0)
		pool.workers++;
}

/*
 * How many are to work at once. Of few streams each has a processor of its own; many are for as few
 * threads as can hash them in lanes, because a thread that has less to do waits until it has more.
 */
static unsigned int workers_wanted(void)
{
	unsigned int wanted = pool.streams / SHA256_LANES;

	if (!are_many())
		return pool.processors;
	return !wanted ? 1 : wanted < pool.processors ? wanted : pool.processors;
}

/* There is work: somebody has to do it. */
static void call_worker(void)
{
	if (pool.workers - pool.idle >= workers_wanted())
		return; /* who works takes it next */
	if (pool.idle)
		pthread_cond_signal(&pool.work);
	else
		start_worker();
}

/* Until no more than this many blocks are to be hashed. We hash when no thread can be started. */
static void wait_for_blocks(struct hash_queue *queue, uint64_t most)
{
	pool.waiting++;
	while (queue->filled - queue->hashed > most) {
		if (pool.first)
			call_worker();
		if (pool.first && !pool.workers)
			work_once();
		else
			pthread_cond_wait(&queue->changed, &pool.mutex);
	}
	pool.waiting--;
}

/* Its last block was given away. */
static void end_stream(struct hash_queue *queue)
{
	pthread_mutex_lock(&pool.mutex);
	wait_for_blocks(queue, 0);
	pool.streams -= queue->begun;
	queue->begun = false;
	pthread_mutex_unlock(&pool.mutex);
}

/* -- the producer
 * ----------------------------------------------------------------------------------
 */

/* The block is full: give it away, and wait for one that is free. */
static void next_block(struct hash_queue *queue)
{
	queue->fill = 0;
	pthread_mutex_lock(&pool.mutex);
	queue->filled++;
	pool.streams += !queue->begun;
	queue->begun = true;
	if (!pool.processors)
		pool.processors = (unsigned int)get_nprocs();
	offer(queue);
	if (is_worth_it())
		call_worker();
	wait_for_blocks(queue, BLOCK_COUNT - 1);
	pthread_mutex_unlock(&pool.mutex);
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
	end_stream(queue);
	sha256_stream_finish(&queue->stream, queue->fill ? *current_block(queue) : "", queue->fill,
			     out);
	queue->fill = 0;
}

void hash_queue_usage(const struct hash_queue *queue, struct rusage *sum)
{
	const struct rusage usage = {
		.ru_utime = { .tv_sec = (time_t)(queue->worked_ns / 1000000000),
			      .tv_usec = (suseconds_t)(queue->worked_ns % 1000000000 / 1000) },
	};

	proc_usage_add(sum, &usage);
}

void hash_queue_free(struct hash_queue *queue)
{
	if (!queue)
		return;
	end_stream(queue);
	for (size_t i = 0; i < BLOCK_COUNT; i++)
		free(queue->blocks[i]);
	pthread_cond_destroy(&queue->changed);
	free(queue);
}
