/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the branches of a running build share. Each stage is a branch, a fiber of its own; it works
 * on its steps one after the other, and waits for stages that it takes files from, for one of the
 * places (--jobs), and for a step that is the same as its own and under way in another branch. The
 * first failure, or a signal, stops all of them.
 *
 * All of it is the main thread's, but for stop_fd, which any thread may poll.
 */
#ifndef BUILDER_BUILD_SCHEDULE_H
#define BUILDER_BUILD_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/loop/fiber.h"
#include "lib/error.h"

struct graph_stage;
struct step;

struct schedule {
	unsigned int jobs;   /* steps at once */
	int signal_fd;	     /* borrowed: the first signal stops the build, the next one kills */
	int stop_fd;	     /* readable: stop */
	int kill_fd;	     /* readable: do not even wait for what is being stopped */
	unsigned int events; /* ids given */
	const struct step *failed; /* the guilty one; NULL = none, or no step is */

	/* of schedule.c */
	struct fibers *fibers;
	struct fiber_queue changed; /* a step or a stage has ended, a place is free, or all stops */
	struct fiber_queue crowded; /* where the one is that lends places */
	unsigned int processors;
	unsigned int places;  /* jobs, or when that is 0 what the processors can do */
	unsigned int busy;    /* those taken */
	unsigned int waiting; /* steps that wait for one */
	unsigned int living;  /* fibers without the one that watches for signals */
	int end_fd;	      /* readable: nobody is left */
	bool stopped;
	struct step **begun; /* by their identity; also those that have ended */
	size_t begun_count, begun_capacity;
	int ret; /* how it ends */
	struct error err;
};

#define SCHEDULE_INIT                                                                              \
	{                                                                                          \
		.signal_fd = -EBADF, .stop_fd = -EBADF, .kill_fd = -EBADF, .end_fd = -EBADF        \
	}

/**
 * jobs: places; 0 = one for each processor, and another one whenever a step waits while a processor
 * is idle, because steps that sleep, download or write to a disk need none. signal_fd: a signalfd,
 * or -EBADF.
 */
int schedule_open(struct schedule *schedule, unsigned int jobs, int signal_fd, struct error *err);
void schedule_close(struct schedule *schedule);

/** Have this done beside everything else; also from within. Failing is told by schedule_fail. */
int schedule_start(struct schedule *schedule, void (*run)(void *context), void *context,
		   struct error *err);
/** Until all that was started has ended; the first failure. */
int schedule_run(struct schedule *schedule, struct error *err);

/** This failed; the first one counts, the others were only stopped by it. step may be NULL. */
void schedule_fail(struct schedule *schedule, const struct step *step, int ret,
		   const struct error *why);

/** The same, and wait until everything else has ended. False: something else has failed before. */
bool schedule_fail_alone(struct schedule *schedule, const struct step *step, int ret,
			 const struct error *why);

/** -ECANCELED (ERROR_CANCELLED) when the build is to stop. Any thread's. */
int schedule_check(const struct schedule *schedule, struct error *err);

/** Something that others may wait for has changed. */
void schedule_changed(struct schedule *schedule);
/** Wait for such a change; look yourself at what. Negative when the build is to stop. */
int schedule_wait(struct schedule *schedule, struct error *err);

/** Take one of the places, and give it back. */
int schedule_enter(struct schedule *schedule, struct error *err);
void schedule_leave(struct schedule *schedule);

/**
 * A step that this build has made, or is making, under the same identity (step->identity): it is
 * waited for without a place. NULL: there is none, and ours is the one that others will find.
 */
int schedule_twin(struct schedule *schedule, struct step *step, const struct step **out_twin,
		  struct error *err);

#endif
