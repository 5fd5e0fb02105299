/* SPDX-License-Identifier: Apache-2.0 */
/* Threads beside the main one, to which alone signals are delivered. */
#ifndef BUILDER_LOOP_THREAD_H
#define BUILDER_LOOP_THREAD_H

#include <pthread.h>

/**
 * Start a thread with all signals blocked; who is to end or to be interrupted is the main thread's
 * matter. It is joined by pthread_join(3). 0 or a negative errno (-EAGAIN: no more threads).
 */
int thread_start(pthread_t *out, void *(*run)(void *context), void *context);
/** The same of one that nobody joins. */
int thread_start_detached(void *(*run)(void *context), void *context);

#endif
