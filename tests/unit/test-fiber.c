/* SPDX-License-Identifier: Apache-2.0 */
/* builder/loop: turns, waiting, and work of other threads. */
#include "builder/loop/fiber.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

struct world {
	struct fibers *fibers;
	struct fiber_queue queue;
	struct strbuf said;
	int pipe[2];
	pthread_t main, other;
	int left;
};

struct part {
	struct world *world;
	char name;
};

static void say(struct part *part, const char *what)
{
	strbuf_addf(&part->world->said, "%c%s ", part->name, what);
}

/* -- queues --------------------------------------------------------------------------------------
 */

static void wait_and_say(void *context)
{
	struct part *part = context;

	say(part, "1");
	fiber_wait(&part->world->queue);
	say(part, "2");
}

static void wake_all(void *context)
{
	struct part *part = context;

	say(part, "1");
	fiber_wake(&part->world->queue);
	say(part, "2");
}

static void test_queue(void)
{
	struct world world = { .left = 0 };
	struct part parts[] = { { &world, 'a' }, { &world, 'b' }, { &world, 'c' } };

	CHECK_INT(fibers_create(&world.fibers, NULL), 0);
	for (int i = 0; i < 3; i++)
		CHECK_INT(fibers_start(world.fibers, i == 2 ? wake_all : wait_and_say, &parts[i],
				       NULL),
			  0);
	CHECK_STR(strbuf_text(&world.said), "");
	fibers_run(world.fibers);
	CHECK_STR(strbuf_text(&world.said), "a1 b1 c1 c2 a2 b2 ");
	fibers_free(world.fibers);
	strbuf_done(&world.said);
}

/* -- polling -------------------------------------------------------------------------------------
 */

static void read_one(void *context)
{
	struct part *part = context;
	struct pollfd fds[] = { { .fd = -1, .events = POLLIN },
				{ .fd = part->world->pipe[0], .events = POLLIN } };
	char byte;

	CHECK_INT(fiber_poll(fds, 2, 0), 0); /* nothing there yet, and no turn given away */
	CHECK_INT(fiber_poll(fds, 2, -1), 1);
	CHECK_INT(fds[0].revents, 0);
	CHECK_INT(fds[1].revents, POLLIN);
	CHECK_INT(read(part->world->pipe[0], &byte, 1), 1);
	say(part, byte == 'x' ? "x" : "?");
}

static void sleep_and_write(void *context)
{
	struct part *part = context;

	CHECK_INT(fiber_poll(NULL, 0, 20), 0);
	say(part, "w");
	CHECK_INT(write(part->world->pipe[1], "x", 1), 1);
}

static void test_poll(void)
{
	struct world world = { .left = 0 };
	struct part parts[] = { { &world, 'r' }, { &world, 's' } };

	CHECK_INT(pipe2(world.pipe, O_CLOEXEC), 0);
	CHECK_INT(fibers_create(&world.fibers, NULL), 0);
	CHECK_INT(fibers_start(world.fibers, read_one, &parts[0], NULL), 0);
	CHECK_INT(fibers_start(world.fibers, sleep_and_write, &parts[1], NULL), 0);
	fibers_run(world.fibers);
	CHECK_STR(strbuf_text(&world.said), "sw rx ");
	fibers_free(world.fibers);
	strbuf_done(&world.said);
	(void)close(world.pipe[0]);
	(void)close(world.pipe[1]);
}

/* A bad descriptor is told in revents, as by poll(2). */
static void poll_closed(void *context)
{
	struct part *part = context;
	struct pollfd fd = { .fd = 1000000, .events = POLLIN };

	CHECK_INT(fiber_poll(&fd, 1, -1), 1);
	CHECK_INT(fd.revents, POLLNVAL);
	say(part, "!");
}

/* -- threads -------------------------------------------------------------------------------------
 */

static void in_thread(void *context)
{
	struct part *part = context;

	part->world->other = pthread_self();
	part->world->left++;
}

static void offload(void *context)
{
	struct part *part = context;

	fiber_offload(in_thread, part);
	CHECK(!pthread_equal(part->world->other, part->world->main));
	CHECK(pthread_equal(pthread_self(), part->world->main));
	say(part, "o");
}

/* Each of them has to wait until all have begun: none of them may have to wait for a thread. */
static pthread_barrier_t barrier;

static void meet(void *context)
{
	(void)context;
	(void)pthread_barrier_wait(&barrier);
}

static void offload_meeting(void *context)
{
	struct part *part = context;

	fiber_offload(meet, part);
	part->world->left--;
}

static void test_threads(void)
{
	struct world world = { .main = pthread_self() };
	struct part part = { &world, 't' };

	CHECK_INT(fibers_create(&world.fibers, NULL), 0);
	CHECK_INT(fibers_start(world.fibers, offload, &part, NULL), 0);
	CHECK_INT(fibers_start(world.fibers, poll_closed, &part, NULL), 0);
	fibers_run(world.fibers);
	CHECK_INT(world.left, 1);
	CHECK_INT((int)world.said.size, 6);

	pthread_barrier_init(&barrier, NULL, 8);
	world.left = 8;
	for (int i = 0; i < 8; i++)
		CHECK_INT(fibers_start(world.fibers, offload_meeting, &part, NULL), 0);
	fibers_run(world.fibers);
	CHECK_INT(world.left, 0);
	fibers_free(world.fibers);
	strbuf_done(&world.said);

	/* outside of a fiber it is a call */
	fiber_offload(in_thread, &part);
	CHECK(pthread_equal(world.other, world.main));
}

/* In a thread, until somebody has had another thread do something. */
static void wait_for_done(void *context)
{
	struct world *world = context;

	while (!__atomic_load_n(&world->other, __ATOMIC_ACQUIRE))
		(void)poll(NULL, 0, 1);
}

static void wait_in_thread(void *context)
{
	struct world *world = context;

	if (fiber_offload_waiting(wait_for_done, world))
		world->left--;
}

static void note_thread(void *context)
{
	struct world *world = context;

	__atomic_store_n(&world->other, pthread_self(), __ATOMIC_RELEASE);
}

static void end_waiting(void *context)
{
	fiber_offload(note_thread, context);
}

/* However many want to wait in threads, one is left for what they wait for. */
static void test_waiting_threads(void)
{
	struct world world = { .left = 1000 };

	CHECK_INT(fibers_create(&world.fibers, NULL), 0);
	for (int i = 0; i < 100; i++)
		CHECK_INT(fibers_start(world.fibers, wait_in_thread, &world, NULL), 0);
	CHECK_INT(fibers_start(world.fibers, end_waiting, &world, NULL), 0);
	fibers_run(world.fibers);
	CHECK(world.left < 1000 && world.left > 900);
	fibers_free(world.fibers);
	CHECK(!fiber_offload_waiting(note_thread, &world));
}

/* -- many ----------------------------------------------------------------------------------------
 */

static void start_more(void *context)
{
	struct part *part = context;
	char stack[100000];

	memset(stack, part->name, sizeof(stack));
	if (part->world->left-- > 0)
		CHECK_INT(fibers_start(part->world->fibers, start_more, part, NULL), 0);
	(void)fiber_poll(NULL, 0, 1);
	CHECK_INT(stack[50000], part->name);
}

static void test_many(void)
{
	struct world world = { .left = 2000 };
	struct part part = { &world, 'm' };

	CHECK_INT(fibers_create(&world.fibers, NULL), 0);
	CHECK_INT(fibers_start(world.fibers, start_more, &part, NULL), 0);
	fibers_run(world.fibers);
	CHECK_INT(world.left, -1);
	fibers_free(world.fibers);
}

CHECK_MAIN({ "fibers wait for each other", test_queue }, { "fibers poll", test_poll },
	   { "fibers have threads work for them", test_threads },
	   { "work that waits leaves a thread to what it waits for", test_waiting_threads },
	   { "thousands of fibers come and go", test_many })
