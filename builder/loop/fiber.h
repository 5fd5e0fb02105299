/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fibers: several functions that take turns in one thread, each on a stack of its own. A fiber runs
 * until it has to wait, for file descriptors, for work of another thread, for another fiber, and
 * then the next one runs. So code that waits in the middle stays straight: its variables and its
 * cleanup attributes work as everywhere, and between two waits nobody else changes anything.
 *
 * All waiting is one poll(2) over what all fibers wait for. It is a set that changes with every
 * wait and has a few dozen members: epoll would cost two calls more for each of them.
 *
 * What may run inside of a fiber as well as without any calls fiber_poll and fiber_offload: outside
 * they are poll(2) and an ordinary call.
 */
#ifndef BUILDER_LOOP_FIBER_H
#define BUILDER_LOOP_FIBER_H

#include <poll.h>
#include <stdbool.h>

#include "lib/error.h"

struct fiber;
struct fibers;

/** Fibers of the calling thread; there are none yet. */
int fibers_create(struct fibers **out, struct error *err);
/** All fibers have ended, or none has begun to run. NULL is fine. */
void fibers_free(struct fibers *fibers);

/** A new fiber, which has its first turn when all that can run now have had theirs. Also from a
 *  fiber. */
int fibers_start(struct fibers *fibers, void (*run)(void *context), void *context,
		 struct error *err);

/** Those of the running fiber; NULL outside of one. */
struct fibers *fibers_current(void);

/** Let them run until the last one has ended. */
void fibers_run(struct fibers *fibers);

/** Fibers that wait for others to change something. Zeroed = empty. */
struct fiber_queue {
	struct fiber *first, *last;
};

/** Wait until somebody wakes the queue: look again then, others may have been first. */
void fiber_wait(struct fiber_queue *queue);
/** Let all of a queue run on, in the order in which they came; after the caller's turn. */
void fiber_wake(struct fiber_queue *queue);

/** poll(2); in a fiber the others run meanwhile. EINTR comes only outside. */
int fiber_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

/** Call run(context) in another thread and wait for it; the same rules as for
 * builder/loop/workers.h. Outside of a fiber it is an ordinary call. */
void fiber_offload(void (*run)(void *context), void *context);

/** The same for what waits for other fibers (workers_submit_waiting): false when there are not
 *  threads enough for that, or no other fibers; nothing was called then. */
bool fiber_offload_waiting(void (*run)(void *context), void *context);

#endif
