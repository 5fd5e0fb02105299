/* SPDX-License-Identifier: Apache-2.0 */
/* builder/image/hash-queue.c: the same digest whatever the pieces, with and without the thread. */
#include "builder/image/hash-queue.h"

#include <string.h>

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

CHECK_MAIN({ "sizes around the block", test_sizes }, { "reading into the blocks", test_space },
	   { "giving up", test_given_up })
