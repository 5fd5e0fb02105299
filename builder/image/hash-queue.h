/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest of a long stream, made by other threads: the caller puts bytes into blocks (reads
 * files straight into them) while a thread hashes the blocks before. Hashing is the slowest part of
 * making a layer on most machines, and this way nothing waits for it. The threads are shared by all
 * queues of the program; a short stream (less than a block) starts none.
 */
#ifndef BUILDER_IMAGE_HASH_QUEUE_H
#define BUILDER_IMAGE_HASH_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "builder/image/digest.h"

struct hash_queue;

struct hash_queue *hash_queue_new(void);
void hash_queue_free(struct hash_queue *queue);

/** Where the next bytes go: at least one, out_size tells how many fit. Waits while all blocks are
 *  full. The bytes count when hash_queue_added says so; until then they may be put there again. */
char *hash_queue_space(struct hash_queue *queue, size_t *out_size);
void hash_queue_added(struct hash_queue *queue, size_t size);
/** The same for bytes that lie somewhere else. */
void hash_queue_add(struct hash_queue *queue, const void *data, size_t size);
/** Bytes so far. */
uint64_t hash_queue_size(const struct hash_queue *queue);

/** Wait for the thread; the queue is at its end. */
void hash_queue_finish(struct hash_queue *queue, struct digest *out);
/** Add what the threads have used for it; after hash_queue_finish. */
struct rusage;
void hash_queue_usage(const struct hash_queue *queue, struct rusage *sum);

#endif
