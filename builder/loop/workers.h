/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads for work that needs nothing but its own memory and file descriptors: hashing, copying,
 * packing, downloads. They are made when there is work for them and end with the pool. Nothing that
 * runs here may start a program: that is the main thread's (lib/spawn.h).
 */
#ifndef BUILDER_LOOP_WORKERS_H
#define BUILDER_LOOP_WORKERS_H

#include <stdbool.h>

#include "lib/error.h"

/** One piece of work; the caller's memory until workers_take has given it back. */
struct work {
	void (*run)(void *context);
	void *context;
	struct work *next; /* of workers.c */
	bool waits;	   /* the same */
};

struct workers;

/** A pool of at most max threads; none is started yet. */
int workers_create(unsigned int max, struct workers **out, struct error *err);

/** Waits for the work that was submitted. NULL is fine. */
void workers_free(struct workers *workers);

/** Have it done, in order of submission; in the calling thread if no thread can be made. */
void workers_submit(struct workers *workers, struct work *work);

/**
 * The same for work that waits for what the submitting thread does meanwhile. It never gets the
 * last thread, because what it waits for may need one: false, and nothing is done, when there would
 * be none left.
 */
bool workers_submit_waiting(struct workers *workers, struct work *work);

/** Readable when workers_take would give something. */
int workers_fd(const struct workers *workers);

/** All that is done by now, chained by next, oldest first; NULL = nothing. */
struct work *workers_take(struct workers *workers);

#endif
