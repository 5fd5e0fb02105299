/* SPDX-License-Identifier: Apache-2.0 */
/* builder/image/hash-queue.c: the same digest whatever the pieces, with and without the thread. */
#include "builder/image/hash-queue.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "tests/unit/check.h"

#define BLOCK ((size_t)256 * 1024)

static char *some_bytes(size_t size)
{
	char *data = xmalloc(size + 1);
	uint32_t x = 1;

	for (size_t i = 0; i < size; i++)
		data[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
	return data;
}

static void check_added(const char *data, size_t size, size_t piece)
{
	struct hash_queue *queue = hash_queue_new();
	struct digest wanted, digest;

	for (size_t at = 0; at < size; at += piece)
		hash_queue_add(queue, data + at, size - at < piece ? size - at : piece);
	CHECK_INT(hash_queue_size(queue), size);
	hash_queue_finish(queue, &digest);
	digest_of(data, size, &wanted);
	CHECK_STR(digest.text, wanted.text);
	hash_queue_free(queue);
}

static void test_sizes(void)
{
	static const size_t sizes[] = {
		0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK - 1, 4 * BLOCK + 1, 33 * BLOCK + 77
	};
	cleanup_free char *data = some_bytes(33 * BLOCK + 77);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_added(data, sizes[i], 1000003);
		check_added(data, sizes[i], 4093);
	}
}

/* What was put into the space and not counted is nobody's. */
static void test_space(void)
{
	cleanup_free char *data = some_bytes(10 * BLOCK);
	struct hash_queue *queue = hash_queue_new();
	struct digest wanted, digest;
	size_t done = 0;

	while (done < 10 * BLOCK) {
		size_t room, size;
		char *space = hash_queue_space(queue, &room);

		CHECK(room > 0);
		memset(space, 'x', room);
		space = hash_queue_space(queue, &room);
		size = room > 70001 ? 70001 : room;
		if (size > 10 * BLOCK - done)
			size = 10 * BLOCK - done;
		memcpy(space, data + done, size);
		hash_queue_added(queue, size);
		done += size;
	}
	hash_queue_finish(queue, &digest);
	digest_of(data, 10 * BLOCK, &wanted);
	CHECK_STR(digest.text, wanted.text);
	hash_queue_free(queue);
}

/* A layer that fails in the middle gives its queue up with blocks in it. */
static void test_given_up(void)
{
	cleanup_free char *data = some_bytes(20 * BLOCK);
	struct hash_queue *queue = hash_queue_new();

	hash_queue_add(queue, data, 20 * BLOCK - 5);
	hash_queue_free(queue);
	CHECK(true);
}

/* Many at once share threads and, where there are any, the lanes of vectors; of all lengths, some
 * of which end early. */
static void test_side_by_side(void)
{
	enum { QUEUES = 11, STEP = 90001 };
	cleanup_free char *data = some_bytes(40 * BLOCK);
	struct hash_queue *queues[QUEUES];
	struct digest wanted, digest;

	for (size_t i = 0; i < QUEUES; i++)
		queues[i] = hash_queue_new();
	for (size_t at = 0; at < 30 * BLOCK; at += STEP)
		for (size_t i = 0; i < QUEUES; i++)
			if (at < (i + 1) * 3 * BLOCK)
				hash_queue_add(queues[i], data + i * BLOCK / 2 + at, STEP);
	for (size_t i = 0; i < QUEUES; i++) {
		digest_of(data + i * BLOCK / 2, hash_queue_size(queues[i]), &wanted);
		hash_queue_finish(queues[i], &digest);
		CHECK_STR(digest.text, wanted.text);
		hash_queue_free(queues[i]);
	}
}

/* From here on this thread can start no other. */
static bool forbid_threads(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { .len = 5, .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

struct producer {
	pthread_t thread;
	const char *data;
	bool forbidden;
	struct digest digest;
};

static void *produce(void *context)
{
	struct producer *producer = context;

	producer->forbidden = forbid_threads();
	for (int i = 0; producer->forbidden && i < 3; i++) {
		struct hash_queue *queue = hash_queue_new();

		hash_queue_add(queue, producer->data, 11 * BLOCK);
		hash_queue_finish(queue, &producer->digest);
		hash_queue_free(queue);
	}
	return NULL;
}

/* Who wants a digest makes it then. The first of the tests: threads that were started stay. */
static void test_no_threads(void)
{
	enum { PRODUCERS = 3 };
	cleanup_free char *data = some_bytes(12 * BLOCK);
	struct producer producers[PRODUCERS];

	for (size_t i = 0; i < PRODUCERS; i++) {
		producers[i].data = data + i;
		CHECK_INT(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
	}
	for (size_t i = 0; i < PRODUCERS; i++) {
		struct digest wanted;

		pthread_join(producers[i].thread, NULL);
		CHECK(producers[i].forbidden);
		digest_of(data + i, 11 * BLOCK, &wanted);
		CHECK_STR(producers[i].digest.text, wanted.text);
	}
}

CHECK_MAIN({ "no threads", test_no_threads }, { "sizes around the block", test_sizes },
	   { "reading into the blocks", test_space }, { "giving up", test_given_up },
	   { "many side by side", test_side_by_side })
