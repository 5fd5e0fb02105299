/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places, waiting and stopping, called by engine.c. There is one queue for all that can change:
 * whoever waits looks again at what he waits for, and there are never more than a few dozen.
 */
#include "builder/build/schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "builder/build/graph.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"

#define LEND_MS 2
#define PLACES_MAX 64 /* who wants more than that says so */

static int make_flag(int *out_fd, struct error *err)
{
	*out_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return *out_fd < 0 ? error_errno(err, errno, "make an eventfd") : 0;
}

static void raise_flag(int fd)
{
	static const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one)); /* fails only when it is up 2^64 times */
}

/* Those that we may use; a limit on our time is not looked at. */
static unsigned int count_processors(void)
{
	cpu_set_t processors;

	if (sched_getaffinity(0, sizeof(processors), &processors) < 0)
		return CPU_SETSIZE; /* there are more of them than fit in */
	return (unsigned int)CPU_COUNT(&processors);
}

int schedule_open(struct schedule *schedule, unsigned int jobs, int signal_fd, struct error *err)
{
	int ret;

	*schedule = (struct schedule)SCHEDULE_INIT;
	schedule->jobs = jobs;
	schedule->processors = count_processors();
	schedule->places = jobs ? jobs : schedule->processors;
	schedule->signal_fd = signal_fd;
	ret = make_flag(&schedule->stop_fd, err);
	if (ret == 0)
		ret = make_flag(&schedule->kill_fd, err);
	if (ret == 0)
		ret = make_flag(&schedule->end_fd, err);
	return ret < 0 ? ret : fibers_create(&schedule->fibers, err);
}

void schedule_close(struct schedule *schedule)
{
	fibers_free(schedule->fibers);
	free(schedule->begun);
	cleanup_close_fd(&schedule->stop_fd);
	cleanup_close_fd(&schedule->kill_fd);
	cleanup_close_fd(&schedule->end_fd);
	*schedule = (struct schedule)SCHEDULE_INIT;
}

/* -- stopping ------------------------------------------------------------------------------------
 */

static int interrupted(struct error *err)
{
	return error_set(err, ERROR_CANCELLED, ECANCELED, "the build was interrupted");
}

int schedule_check(const struct schedule *schedule, struct error *err)
{
	/* the signal itself as well: whoever is to read it may not have had a turn */
	struct pollfd fds[] = { { .fd = schedule->stop_fd, .events = POLLIN },
				{ .fd = schedule->signal_fd, .events = POLLIN } };

	return poll(fds, ARRAY_SIZE(fds), 0) > 0 ? interrupted(err) : 0;
}

static void stop(struct schedule *schedule)
{
	if (schedule->stopped)
		return;
	schedule->stopped = true;
	raise_flag(schedule->stop_fd);
	schedule_changed(schedule);
}

void schedule_fail(struct schedule *schedule, const struct step *step, int ret,
		   const struct error *why)
{
	if (schedule->ret == 0) {
		schedule->ret = ret;
		schedule->err = *why;
		schedule->failed = why->code == ERROR_CANCELLED ? NULL : step;
	}
	stop(schedule);
}

bool schedule_fail_alone(struct schedule *schedule, const struct step *step, int ret,
			 const struct error *why)
{
	if (schedule->stopped)
		return false;
	schedule_fail(schedule, step, ret, why);
	while (schedule->living > 1)
		fiber_wait(&schedule->changed);
	return true;
}

/* A fiber: until all others have ended. */
static void watch_signals(void *context)
{
	struct schedule *schedule = context;
	struct pollfd fds[] = { { .fd = schedule->signal_fd, .events = POLLIN },
				{ .fd = schedule->end_fd, .events = POLLIN } };
	struct signalfd_siginfo signal;

	for (;;) {
		(void)fiber_poll(fds, ARRAY_SIZE(fds), -1);
		if (fds[1].revents)
			return;
		while (read(schedule->signal_fd, &signal, sizeof(signal)) == sizeof(signal)) {
			if (schedule->stopped)
				raise_flag(schedule->kill_fd);
			stop(schedule);
		}
	}
}

/* -- places that are lent ------------------------------------------------------------------------
 */

/* "0.20 0.18 0.12 1/80 11206": the 1 are those who run or could run now, we are one of them, and
 * are about to wait. */
static unsigned int idle_processors(const struct schedule *schedule)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned int running;

	if (io_read_file(AT_FDCWD, "/proc/loadavg", 128, &text, NULL) < 0 ||
	    sscanf(strbuf_text(&text), "%*s %*s %*s %u/", &running) != 1 ||
	    running > schedule->processors)
		return 0;
	return schedule->processors - running + 1;
}

/* A fiber: while steps wait for a place, look whether the processors have room for more. A place
 * that was lent goes when a step leaves one. */
static void lend_places(void *context)
{
	struct schedule *schedule = context;
	struct pollfd end = { .fd = schedule->end_fd, .events = POLLIN };
	unsigned int idle;

	while (schedule->living) {
		if (!schedule->waiting) {
			fiber_wait(&schedule->crowded);
			continue;
		}
		(void)fiber_poll(&end, 1, LEND_MS);
		if (!schedule->waiting || schedule->places >= PLACES_MAX)
			continue;
		idle = idle_processors(schedule);
		schedule->places += idle < schedule->waiting ? idle : schedule->waiting;
		if (idle)
			schedule_changed(schedule);
	}
}

/* -- running -------------------------------------------------------------------------------------
 */

struct started {
	struct schedule *schedule;
	void (*run)(void *context);
	void *context;
};

static void run_started(void *context)
{
	struct started started = *(struct started *)context;

	free(context);
	started.run(started.context);
	schedule_changed(started.schedule);
	if (--started.schedule->living == 0) {
		raise_flag(started.schedule->end_fd);
		fiber_wake(&started.schedule->crowded);
	}
}

int schedule_start(struct schedule *schedule, void (*run)(void *context), void *context,
		   struct error *err)
{
	struct started *started = xmalloc(sizeof(*started));
	int ret;

	*started = (struct started){ schedule, run, context };
	ret = fibers_start(schedule->fibers, run_started, started, err);
	if (ret < 0)
		free(started);
	else
		schedule->living++;
	return ret;
}

int schedule_run(struct schedule *schedule, struct error *err)
{
	int ret = 0;

	if (!schedule->living)
		return 0;
	if (schedule->signal_fd >= 0)
		ret = fibers_start(schedule->fibers, watch_signals, schedule, err);
	if (ret == 0 && !schedule->jobs)
		ret = fibers_start(schedule->fibers, lend_places, schedule, err);
	if (ret < 0)
		schedule_fail(schedule, NULL, ret, err);
	fibers_run(schedule->fibers);
	if (schedule->ret < 0)
		*err = schedule->err;
	return schedule->ret;
}

/* -- waiting for each other ----------------------------------------------------------------------
 */

void schedule_changed(struct schedule *schedule)
{
	fiber_wake(&schedule->changed);
}

int schedule_wait(struct schedule *schedule, struct error *err)
{
	if (!schedule->stopped)
		fiber_wait(&schedule->changed);
	return schedule->stopped ? interrupted(err) : 0;
}

int schedule_enter(struct schedule *schedule, struct error *err)
{
	int ret = schedule->stopped ? interrupted(err) : 0;

	schedule->waiting++;
	while (ret == 0 && schedule->busy >= schedule->places) {
		fiber_wake(&schedule->crowded);
		ret = schedule_wait(schedule, err);
	}
	schedule->waiting--;
	/* also who is to stop has a place: he will leave it */
	schedule->busy++;
	return ret;
}

void schedule_leave(struct schedule *schedule)
{
	schedule->busy--;
	if (!schedule->jobs && schedule->places > schedule->processors)
		schedule->places--;
	schedule_changed(schedule);
}

int schedule_twin(struct schedule *schedule, struct step *step, const struct step **out_twin,
		  struct error *err)
{
	const struct step *twin = NULL;
	int ret = 0, entered;

	for (size_t i = 0; i < schedule->begun_count && !twin; i++)
		if (strcmp(schedule->begun[i]->identity.hex, step->identity.hex) == 0)
			twin = schedule->begun[i];
	*out_twin = twin;
	if (!twin) {
		ARRAY_GROW(schedule->begun, schedule->begun_count, schedule->begun_capacity);
		schedule->begun[schedule->begun_count++] = step;
		return 0;
	}
	if (twin->finished)
		return 0;
	schedule_leave(schedule);
	while (ret == 0 && !twin->finished)
		ret = schedule_wait(schedule, err);
	entered = schedule_enter(schedule, ret < 0 ? NULL : err);
	return ret < 0 ? ret : entered;
}
