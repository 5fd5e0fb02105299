/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for another builder's step, without polling: records and locks appear and go in the
 * folder steps/, which inotify tells of, and a builder that dies shows in its pidfd. Both are
 * opened before the last look at the lock, so that nothing can happen unseen in between.
 */
#include "builder/build/step-wait.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "builder/loop/fiber.h"
#include "lib/cleanup.h"

/* A lock whose owner's pid is not ours to watch (another pid namespace), or not yet written. */
#define UNKNOWN_OWNER_MS 1000

int step_try_lock(struct engine *engine, const struct step *step, struct step_lock *lock,
		  struct error *err)
{
	pid_t owner = 0;

	return store_step_trylock(engine->store, step->lock.hex, lock, &owner, err);
}

/* An fd that is readable when something was renamed into steps/ or removed there. */
static int watch_steps(struct engine *engine, struct error *err)
{
	cleanup_close int steps_fd = store_steps_open(engine->store, err);
	cleanup_close int notify_fd = -EBADF;
	char path[64];

	if (steps_fd < 0)
		return steps_fd;
	notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (notify_fd < 0)
		return error_errno(err, errno, "wait for another builder");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", steps_fd);
	if (inotify_add_watch(notify_fd, path, IN_MOVED_TO | IN_DELETE) < 0)
		return error_errno(err, errno, "watch the folder \"steps\" of the store");
	return TAKE_FD(notify_fd);
}

int step_wait(struct engine *engine, const struct step *step, struct error *err)
{
	cleanup_step_lock struct step_lock lock = STEP_LOCK_INIT;
	cleanup_close int notify_fd = watch_steps(engine, NULL); /* else there is the limit */
	cleanup_close int pidfd = -EBADF;
	pid_t owner = 0, again = 0;
	int ret = store_step_trylock(engine->store, step->lock.hex, &lock, &owner, err);

	if (ret != 0)
		return ret < 0 ? ret : 0;
	pidfd = owner > 0 ? pidfd_open(owner, 0) : -EBADF;
	ret = store_step_trylock(engine->store, step->lock.hex, &lock, &again, err);
	if (ret != 0 || again != owner)
		return ret < 0 ? ret : 0;
	struct pollfd fds[] = { { .fd = notify_fd, .events = POLLIN },
				{ .fd = pidfd, .events = POLLIN },
				{ .fd = engine->stop_fd, .events = POLLIN } };

	(void)fiber_poll(fds, ARRAY_SIZE(fds), notify_fd < 0 || pidfd < 0 ? UNKNOWN_OWNER_MS : -1);
	return engine_check_cancel(engine, err);
}
