/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks, turns and the loop. The thread's own stack runs the loop; it switches to a fiber, which
 * switches back when it waits or has ended. Address sanitizer wants to hear of every switch.
 */
#include "builder/loop/fiber.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "builder/loop/workers.h"
#include "lib/alloc.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER
#endif

#ifdef ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#define SANITIZER_LEAVE(save, bottom, size) __sanitizer_start_switch_fiber(save, bottom, size)
#define SANITIZER_ARRIVE(save, bottom, size) __sanitizer_finish_switch_fiber(save, bottom, size)
#else
#define SANITIZER_LEAVE(save, bottom, size) ((void)(save))
#define SANITIZER_ARRIVE(save, bottom, size) ((void)(save))
#endif

#define STACK_SIZE ((size_t)1 << 20) /* of address space: pages come when they are used */
#define WORKERS_MAX 32		     /* more than processors: some wait for a disk or a network */

struct fiber {
	struct fibers *fibers;
	struct fiber *next;		    /* in the queue it is in */
	struct fiber *all_next, **all_link; /* of all that live */
	void (*run)(void *context);
	void *context;

	ucontext_t registers;
	char *stack; /* its lowest page cannot be touched */
	void *fake_stack;
	bool ended;

	bool polling;
	struct pollfd *fds;
	nfds_t count;
	int64_t deadline; /* ms; INT64_MAX = none */
	int ready, errnum;

	struct work work; /* while it is offloaded */
};

struct fibers {
	ucontext_t registers; /* of the loop */
	void *fake_stack;
	const void *stack; /* of the thread, for the sanitizer */
	size_t stack_size;

	struct fiber_queue runnable;
	struct fiber *all;
	size_t offloaded;
	struct workers *workers;
	struct pollfd *fds;
	size_t capacity;
};

/* Whose turn it is. As with errno, every thread has its own, and code that only may run in a fiber
 * need not be told. */
static _Thread_local struct fiber *current;

static void queue_add(struct fiber_queue *queue, struct fiber *fiber)
{
	fiber->next = NULL;
	if (queue->first)
		queue->last->next = fiber;
	else
		queue->first = fiber;
	queue->last = fiber;
}

/* -- turns ---------------------------------------------------------------------------------------
 */

/* From a fiber back to the loop, until its next turn. */
static void end_turn(struct fiber *fiber)
{
	struct fibers *fibers = fiber->fibers;

	SANITIZER_LEAVE(fiber->ended ? NULL : &fiber->fake_stack, fibers->stack,
			fibers->stack_size);
	(void)swapcontext(&fiber->registers, &fibers->registers); /* fails on bad pointers only */
	SANITIZER_ARRIVE(fiber->fake_stack, &fibers->stack, &fibers->stack_size);
}

static void take_turn(struct fibers *fibers, struct fiber *fiber)
{
	current = fiber;
	SANITIZER_LEAVE(&fibers->fake_stack, fiber->stack, STACK_SIZE);
	(void)swapcontext(&fibers->registers, &fiber->registers);
	SANITIZER_ARRIVE(fibers->fake_stack, NULL, NULL);
	current = NULL;
}

static void fiber_main(void)
{
	struct fiber *fiber = current;

	SANITIZER_ARRIVE(NULL, &fiber->fibers->stack, &fiber->fibers->stack_size);
	fiber->run(fiber->context);
	fiber->ended = true;
	end_turn(fiber);
}

static void fiber_free(struct fiber *fiber)
{
	*fiber->all_link = fiber->all_next;
	if (fiber->all_next)
		fiber->all_next->all_link = fiber->all_link;
	(void)munmap(fiber->stack, STACK_SIZE);
	free(fiber);
}

/* -- fibers --------------------------------------------------------------------------------------
 */

int fibers_create(struct fibers **out, struct error *err)
{
	struct fibers *fibers = xzalloc(sizeof(*fibers));
	int ret = workers_create(WORKERS_MAX, &fibers->workers, err);

	if (ret < 0) {
		free(fibers);
		return ret;
	}
	*out = fibers;
	return 0;
}

void fibers_free(struct fibers *fibers)
{
	if (!fibers)
		return;
	while (fibers->all)
		fiber_free(fibers->all);
	workers_free(fibers->workers);
	free(fibers->fds);
	free(fibers);
}

int fibers_start(struct fibers *fibers, void (*run)(void *context), void *context,
		 struct error *err)
{
	struct fiber *fiber;
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

	if (stack == MAP_FAILED)
		return error_errno(err, errno, "make a stack");
	if (mprotect(stack, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE) < 0) {
		int errnum = errno;

		(void)munmap(stack, STACK_SIZE);
		return error_errno(err, errnum, "protect the end of a stack");
	}
	fiber = xzalloc(sizeof(*fiber));
	*fiber = (struct fiber){ .fibers = fibers, .run = run, .context = context, .stack = stack };
	(void)getcontext(&fiber->registers); /* cannot fail */
	fiber->registers.uc_stack.ss_sp = stack;
	fiber->registers.uc_stack.ss_size = STACK_SIZE;
	makecontext(&fiber->registers, fiber_main, 0);

	fiber->all_link = &fibers->all;
	fiber->all_next = fibers->all;
	if (fiber->all_next)
		fiber->all_next->all_link = &fiber->all_next;
	fibers->all = fiber;
	queue_add(&fibers->runnable, fiber);
	return 0;
}

struct fibers *fibers_current(void)
{
	return current ? current->fibers : NULL;
}

/* -- the loop ------------------------------------------------------------------------------------
 */

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void run_all(struct fibers *fibers)
{
	while (fibers->runnable.first) {
		struct fiber *fiber = fibers->runnable.first;

		fibers->runnable.first = fiber->next;
		take_turn(fibers, fiber);
		if (fiber->ended)
			fiber_free(fiber);
	}
}

/* What all of them poll, after the workers' fd; returns how many that are. */
static size_t collect_fds(struct fibers *fibers, int64_t *out_deadline)
{
	size_t needed = 1, count = 1;

	*out_deadline = INT64_MAX;
	for (const struct fiber *fiber = fibers->all; fiber; fiber = fiber->all_next)
		needed += fiber->count;
	if (needed > fibers->capacity) {
		fibers->capacity = 2 * needed;
		fibers->fds = xreallocarray(fibers->fds, fibers->capacity, sizeof(*fibers->fds));
	}
	fibers->fds[0] = (struct pollfd){ .fd = workers_fd(fibers->workers), .events = POLLIN };
	for (const struct fiber *fiber = fibers->all; fiber; fiber = fiber->all_next) {
		for (nfds_t i = 0; i < fiber->count; i++)
			fibers->fds[count++] = fiber->fds[i];
		if (fiber->polling && fiber->deadline < *out_deadline)
			*out_deadline = fiber->deadline;
	}
	return count;
}

/* Give what poll said to those who wait for it. */
static void hand_out(struct fibers *fibers, int errnum)
{
	int64_t now = now_ms();
	size_t at = 1;

	for (struct fiber *fiber = fibers->all; fiber; fiber = fiber->all_next) {
		nfds_t count = fiber->count;

		if (!fiber->polling)
			continue;
		fiber->ready = 0;
		fiber->errnum = errnum;
		for (nfds_t i = 0; i < count; i++) {
			fiber->fds[i].revents = errnum ? 0 : fibers->fds[at + i].revents;
			fiber->ready += fiber->fds[i].revents != 0;
		}
		at += count;
		if (!fiber->ready && !errnum && now < fiber->deadline)
			continue;
		fiber->polling = false;
		fiber->count = 0;
		queue_add(&fibers->runnable, fiber);
	}
}

static void take_finished(struct fibers *fibers)
{
	struct work *work = workers_take(fibers->workers);

	while (work) {
		struct fiber *fiber = (struct fiber *)((char *)work - offsetof(struct fiber, work));

		work = work->next;
		fibers->offloaded--;
		queue_add(&fibers->runnable, fiber);
	}
}

static int timeout_of(int64_t deadline)
{
	int64_t left;

	if (deadline == INT64_MAX)
		return -1;
	left = deadline - now_ms();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

void fibers_run(struct fibers *fibers)
{
	for (run_all(fibers); fibers->all; run_all(fibers)) {
		int64_t deadline;
		size_t count = collect_fds(fibers, &deadline);
		int ret;

		/* somebody waits for what can happen, or we would sleep for ever */
		assert(count > 1 || deadline != INT64_MAX || fibers->offloaded);
		ret = poll(fibers->fds, count, timeout_of(deadline));
		if (ret < 0 && errno == EINTR)
			continue;
		hand_out(fibers, ret < 0 ? errno : 0);
		if (ret > 0 && fibers->fds[0].revents)
			take_finished(fibers);
	}
}

/* -- waiting -------------------------------------------------------------------------------------
 */

void fiber_wait(struct fiber_queue *queue)
{
	assert(current);
	queue_add(queue, current);
	end_turn(current);
}

void fiber_wake(struct fiber_queue *queue)
{
	struct fiber *fiber = queue->first;

	*queue = (struct fiber_queue){ NULL, NULL };
	while (fiber) {
		struct fiber *next = fiber->next;

		queue_add(&fiber->fibers->runnable, fiber);
		fiber = next;
	}
}

int fiber_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct fiber *fiber = current;

	/* an answer that is there already costs no turn */
	if (!fiber || timeout_ms == 0)
		return poll(fds, count, timeout_ms);
	fiber->polling = true;
	fiber->fds = fds;
	fiber->count = count;
	fiber->deadline = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
	end_turn(fiber);
	errno = fiber->errnum;
	return fiber->errnum ? -1 : fiber->ready;
}

bool fiber_offload_waiting(void (*run)(void *context), void *context)
{
	struct fiber *fiber = current;

	if (!fiber)
		return false;
	fiber->work = (struct work){ .run = run, .context = context };
	if (!workers_submit_waiting(fiber->fibers->workers, &fiber->work))
		return false;
	fiber->fibers->offloaded++;
	end_turn(fiber);
	return true;
}

void fiber_offload(void (*run)(void *context), void *context)
{
	struct fiber *fiber = current;

	if (!fiber) {
		run(context);
		return;
	}
	fiber->work = (struct work){ .run = run, .context = context };
	fiber->fibers->offloaded++;
	workers_submit(fiber->fibers->workers, &fiber->work);
	end_turn(fiber);
}
