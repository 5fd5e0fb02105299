/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait: sleep on a pidfd until the container's process has ended, and learn how from the kernel,
 * although it is not our child: from /proc as long as its parent has not collected it, and from the
 * pidfd itself after that. Any number of waiters can do so; the first one records it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/proc.h"
#include "lib/syscalls.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/exit-record.h"
#include "runtime/lifecycle/record.h"
#include "runtime/lifecycle/verbs.h"
#include "runtime/texts.h"

/* What a pidfd remembers of a process that its parent has collected: since Linux 6.15. */
static int ask_pidfd(int pidfd, int *out_status)
{
	struct sys_pidfd_info info = { .mask = SYS_PIDFD_INFO_EXIT };

	if (ioctl(pidfd, SYS_PIDFD_GET_INFO, &info) < 0)
		return -errno;
	if (!(info.mask & SYS_PIDFD_INFO_EXIT))
		return -ENODATA;
	*out_status = info.exit_code;
	return 0;
}

/* Collected between one question and the other, it is the first one's again. */
static int find_status(const struct record *record, int pidfd, int *out_status)
{
	int ret = ask_pidfd(pidfd, out_status);

	if (ret < 0)
		ret = proc_zombie_status(record->pid, record->start_time, out_status);
	return ret < 0 ? ask_pidfd(pidfd, out_status) : 0;
}

static int wait_for_end(int pidfd, struct error *err)
{
	struct pollfd fds = { .fd = pidfd, .events = POLLIN };

	while (poll(&fds, 1, -1) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "wait for the container's process");
	return 0;
}

static int not_known(const char *id, struct error *err)
{
	return error_set(err, ERROR_STATE, 0, TEXT_EXIT_UNKNOWN, id);
}

/* The lock of this very container: another one may have got its name while we waited. */
static bool lock_same(const struct runtime_globals *globals, const struct record *record,
		      struct arena *arena, int *out_dirfd)
{
	cleanup_close int dirfd = -EBADF;
	struct record now;

	if (record_lock(globals, record->id, VERB_LOCK_WAIT_MS, &dirfd, NULL) < 0 ||
	    record_read_at(dirfd, record->id, arena, &now, NULL) < 0 || now.pid != record->pid ||
	    now.start_time != record->start_time)
		return false;
	*out_dirfd = TAKE_FD(dirfd);
	return true;
}

/*
 * Under the lock, so that of several waiters and a run with --keep one record stays: run's, which
 * knows more. Without the lock (the container may be deleted by now) the answer is no worse.
 */
static int settle(const struct runtime_globals *globals, const struct record *record,
		  const int *status, const struct cgroup *cgroup, struct arena *arena,
		  struct exit_record *out, struct error *err)
{
	cleanup_close int dirfd = -EBADF;
	bool locked = lock_same(globals, record, arena, &dirfd);
	struct error why = ERROR_INIT;

	if (locked && exit_record_read(dirfd, arena, out, NULL) == 0)
		return 0;
	if (!status)
		return not_known(record->id, err);
	exit_record_fill(out, *status, NULL, cgroup, arena);
	if (locked && exit_record_write(dirfd, out, &why) < 0)
		log_warning("record the end of container \"%s\": %s", record->id, why.msg);
	return 0;
}

int container_wait(const struct runtime_globals *globals, const char *id, struct arena *arena,
		   struct exit_record *out, struct error *err)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	cleanup_close int pidfd = -EBADF;
	struct record record;
	int ret = record_read(globals, id, arena, &record, err), status;

	if (ret < 0)
		return ret;
	if (!record.pid)
		return error_set(err, ERROR_STATE, 0, TEXT_NOT_RUNNING);
	/* open before the end: a delete may be quicker than we are */
	record_cgroup(&record, &cgroup);
	(void)cgroup_open(&cgroup, NULL); /* without it the record has less in it */
	pidfd = pidfd_open(record.pid, 0);
	/* the start time is read after the pidfd was opened: it is this process or none */
	if (pidfd < 0 || !proc_is_same(record.pid, record.start_time))
		return settle(globals, &record, NULL, &cgroup, arena, out, err);
	ret = wait_for_end(pidfd, err);
	if (ret < 0)
		return ret;
	ret = find_status(&record, pidfd, &status);
	return settle(globals, &record, ret < 0 ? NULL : &status, &cgroup, arena, out, err);
}
