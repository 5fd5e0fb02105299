/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start: opens the fifo that init waits at. Renaming it first is what makes the container a
 * running one, in one atomic step.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/signals.h"
#include "lib/trace.h"
#include "runtime/init/init.h"
#include "runtime/lifecycle/create.h"
#include "runtime/lifecycle/hooks.h"
#include "runtime/lifecycle/notify.h"
#include "runtime/lifecycle/verbs.h"
#include "runtime/texts.h"

/* clang-format off */
static const char *const refusals[] = {
	[CONTAINER_CREATING] = "cannot start a container that is still being created",
	[CONTAINER_RUNNING]  = TEXT_START_RUNNING,
	[CONTAINER_PAUSED]   = TEXT_START_PAUSED,
	[CONTAINER_STOPPED]  = TEXT_START_STOPPED,
};
/* clang-format on */

static int check_startable(const struct runtime_globals *globals, const struct record *record,
			   struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("start", "check status");
	enum container_status status = record_status(globals, record);

	if (status != CONTAINER_CREATED)
		return error_set(err, ERROR_STATE, 0, "%s", refusals[status]);
	return 0;
}

static int open_gate(int dirfd, struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("start", "open the gate");
	int fd;

	if (renameat(dirfd, RECORD_FIFO, dirfd, RECORD_STARTED) < 0)
		return error_errno(err, errno, "rename \"%s\"", RECORD_FIFO);
	/* non-blocking: with init dead there will be no other end */
	fd = openat(dirfd, RECORD_STARTED, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open \"%s\"", RECORD_STARTED) : fd;
}

/* What init says: "0" past the gate, then the end (it is executing), or why it failed. */
static int read_answer(int fd, struct strbuf *text, bool *ended, struct error *err)
{
	char buffer[sizeof(struct init_failure) + 16];
	ssize_t size = read(fd, buffer, sizeof(buffer));

	if (size < 0)
		return errno == EAGAIN || errno == EINTR
			       ? 0
			       : error_errno(err, errno, "read the answer of init");
	strbuf_add(text, buffer, (size_t)size);
	/* more than there is to say: the beginning tells what it is */
	*ended = size == 0 || text->size > sizeof(buffer);
	return 0;
}

static int judge_answer(const struct strbuf *text, struct error *err)
{
	const size_t head = offsetof(struct init_failure, error);
	struct init_failure failure = { .format = ERROR_FORMAT, .size = sizeof(failure.error) };
	size_t size = text->size ? text->size - 1 : 0;

	if (text->size == 1)
		return 0; /* "0" and the end: the exec has happened */
	if (size >= head)
		memcpy(&failure, text->data + 1, size < sizeof(failure) ? size : sizeof(failure));
	if (failure.format != ERROR_FORMAT || failure.size != sizeof(failure.error) ||
	    size > sizeof(failure))
		return error_set(err, ERROR_STATE, 0,
				 "the container's process failed; why cannot be read, as it was "
				 "created by another version of this program (create it anew)");
	if (size < sizeof(failure))
		return error_set(err, ERROR_STATE, 0,
				 "the container's process ended before its start");
	*err = failure.error;
	return error_received(err);
}

/* The container side has no part in our trace: create made it. So its way from here to the exec is
 * one span, as it looks from outside. */
static struct trace_span begin_inside(const struct record *record)
{
	struct trace_span span;

	trace_name(TRACE_INIT, record->pid);
	trace_become(TRACE_INIT);
	span = trace_begin("init", "start to exec");
	trace_become(TRACE_HOST);
	return span;
}

static int wait_for_exec(const struct record *record, int fifo, int pidfd, int signal_fd,
			 struct error *err)
{
	struct pollfd fds[] = { { .fd = fifo, .events = POLLIN },
				{ .fd = pidfd, .events = POLLIN },
				{ .fd = signal_fd, .events = POLLIN } };
	cleanup_trace struct trace_span span = trace_begin("start", "wait for exec");
	cleanup_trace struct trace_span inside = { .begin = 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	bool ended = false;

	while (!ended) {
		int ret = 0;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return error_errno(err, errno, "poll");
		if (fds[2].revents)
			return error_set(err, ERROR_CANCELLED, EINTR, "stopped by a signal");
		if (fds[0].revents || fds[1].revents)
			ret = read_answer(fifo, &text, &ended, err);
		if (ret < 0)
			return ret;
		if (text.size && !ended && !inside.begin)
			inside = begin_inside(record);
		/* dead, and nothing more to read: there was no other end at all */
		if (fds[1].revents && !fds[0].revents)
			break;
	}
	return judge_answer(&text, err);
}

static int run_poststart(int dirfd, const struct record *record, int pidfd, int signal_fd,
			 struct error *err)
{
	int ret;

	if (!record->poststart)
		return 0;
	ret = verb_run_hooks(dirfd, record, HOOK_POSTSTART, signal_fd, err);
	if (ret < 0) /* spec 1.3: the container must not go on */
		(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	return ret;
}

int container_start(const struct runtime_globals *globals, const char *id, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_close int dirfd = -EBADF, pidfd = -EBADF, fifo = -EBADF, signal_fd = -EBADF;
	struct notify notify = NOTIFY_INIT;
	struct record record;
	int ret = record_lock(globals, id, VERB_LOCK_WAIT_MS, &dirfd, err);

	if (ret == 0)
		ret = record_read_at(dirfd, id, &arena, &record, err);
	if (ret < 0)
		return ret;
	pidfd = pidfd_open(record.pid, 0); /* before the look at its start time */
	ret = check_startable(globals, &record, err);
	if (ret < 0)
		return ret;
	signal_fd = signal_open_stop_fd(err);
	if (signal_fd < 0)
		return signal_fd;
	ret = notify_listen(&notify, dirfd, err);
	if (ret < 0)
		return ret;
	fifo = open_gate(dirfd, err);
	if (fifo < 0)
		return fifo;
	ret = wait_for_exec(&record, fifo, pidfd, signal_fd, err);
	if (ret < 0) {
		(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0); /* half started is no state */
		return error_prefix(err, ret, TEXT_INIT_FAILED);
	}
	ret = run_poststart(dirfd, &record, pidfd, signal_fd, err);
	if (ret < 0)
		return ret;
	cleanup_close_fd(&dirfd); /* the lock: readiness may be long in coming */
	return notify_wait(&notify, record.pid, pidfd, signal_fd, err);
}
