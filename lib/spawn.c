/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start another program. vfork: the child borrows our memory until exec, so it reports a failed
 * step by writing into a variable of ours, and it may only make async-signal-safe calls.
 */
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/signals.h"
#include "lib/strbuf.h"

/* What the child could not do, told through the shared memory. */
struct spawn_failure {
	int errnum;
	const char *step;
};

/* Move every listed fd to its number. Sources that lie in the way are first moved above all. */
static int place_fds(const struct spawn_fd *fds, size_t count)
{
	int sources[32], above = 3;

	if (count > ARRAY_SIZE(sources))
		return -E2BIG;
	for (size_t i = 0; i < count; i++)
		if (fds[i].to >= above)
			above = fds[i].to + 1;
	for (size_t i = 0; i < count; i++) {
		sources[i] = fcntl(fds[i].from, F_DUPFD_CLOEXEC, above);
		if (sources[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < count; i++)
		if (dup2(sources[i], fds[i].to) < 0)
			return -errno;
	/* also what our own caller left open for us without knowing */
	(void)close_range((unsigned int)above, ~0U, CLOSE_RANGE_CLOEXEC);
	return 0;
}

static void child_fail(volatile struct spawn_failure *failure, const char *step, int errnum)
{
	failure->step = step;
	failure->errnum = errnum;
	_exit(127);
}

static void __attribute__((noreturn))
child(const struct spawn *spawn, pid_t parent, volatile struct spawn_failure *failure)
{
	char *const *envp = spawn->envp ? spawn->envp : environ;
	int ret;

	signal_reset_all();
	if (spawn->death_signal) {
		if (prctl(PR_SET_PDEATHSIG, spawn->death_signal) < 0)
			child_fail(failure, "set the parent death signal", errno);
		if (getppid() != parent)
			_exit(127); /* it died before prctl could watch it */
	}
	if (spawn->umask >= 0)
		(void)umask((mode_t)spawn->umask);
	if (spawn->new_session && setsid() < 0)
		child_fail(failure, "setsid", errno);
	if (spawn->new_group && setpgid(0, 0) < 0)
		child_fail(failure, "setpgid", errno);
	/* chroot too: who was in one stays in it */
	if (spawn->mounts_fd >= 0 && (setns(spawn->mounts_fd, CLONE_NEWNS) < 0 ||
				      fchdir(spawn->root_fd) < 0 || chroot(".") < 0))
		child_fail(failure, "enter a mount namespace", errno);
	if (spawn->cwd_fd >= 0 && fchdir(spawn->cwd_fd) < 0)
		child_fail(failure, "change the working directory", errno);
	if (spawn->cwd && chdir(spawn->cwd) < 0)
		child_fail(failure, "change the working directory", errno);
	ret = place_fds(spawn->fds, spawn->fd_count);
	if (ret < 0)
		child_fail(failure, "place the file descriptors", -ret);
	if (spawn->search)
		(void)execvpe(spawn->path, spawn->argv, envp);
	else
		(void)execve(spawn->path, spawn->argv, envp);
	child_fail(failure, "exec", errno);
	_exit(127);
}

/* The vfork itself, apart from everything that lives across it. */
static pid_t start_child(const struct spawn *spawn, pid_t parent,
			 volatile struct spawn_failure *failure)
{
	pid_t pid = vfork();

	if (pid == 0)
		child(spawn, parent, failure);
	return pid < 0 ? -errno : pid;
}

int spawn_start(const struct spawn *spawn, pid_t *out_pid, int *out_pidfd, struct error *err)
{
	volatile struct spawn_failure failure = { 0, NULL };
	sigset_t all, old;
	pid_t pid;

	/* no handler of ours may run in the child while it shares our memory */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid = start_child(spawn, getpid(), &failure);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return error_errno(err, -pid, "start \"%s\"", spawn->path);
	if (failure.errnum) {
		(void)proc_wait(pid, NULL, NULL);
		return error_errno(err, failure.errnum, "start \"%s\": %s", spawn->path,
				   failure.step);
	}
	if (out_pidfd) {
		int pidfd = pidfd_open(pid, 0);

		if (pidfd < 0)
			return error_errno(err, errno, "open a pidfd of \"%s\"", spawn->path);
		*out_pidfd = pidfd;
	}
	*out_pid = pid;
	return 0;
}

/* -- after our end -------------------------------------------------------------------------------
 */

#define WAITING_NAME "orlop-guard"
#define END_FD 3

/* Nothing of ours stays open: each fd could be a lock, or the end of a pipe that somebody reads. */
static int keep_end_fd(pid_t parent)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), end_fd = pidfd_open(parent, 0);
	int failed = end_fd < 0 ? errno : 0;

	if (failed && failed != ESRCH) /* then it has ended already */
		return -failed;
	for (int fd = 0; fd < END_FD; fd++)
		if (dup2(null_fd, fd) < 0)
			return -errno;
	if (failed)
		return close_range(END_FD, ~0U, 0) < 0 ? -errno : 0;
	if (end_fd != END_FD && dup3(end_fd, END_FD, O_CLOEXEC) < 0)
		return -errno;
	return close_range(END_FD + 1, ~0U, 0) < 0 ? -errno : 0;
}

/* The copy that waits. Other threads may have held any lock when it was made: system calls only. */
static void __attribute__((noreturn)) wait_for_end(const struct spawn *spawn, pid_t parent)
{
	struct pollfd end = { .fd = END_FD, .events = POLLIN };

	signal_reset_all();
	(void)prctl(PR_SET_NAME, WAITING_NAME);
	if (setsid() < 0)
		_exit(127);
	if (spawn->mounts_fd >= 0 && (setns(spawn->mounts_fd, CLONE_NEWNS) < 0 ||
				      fchdir(spawn->root_fd) < 0 || chroot(".") < 0))
		_exit(127);
	if (chdir("/") < 0 || keep_end_fd(parent) < 0)
		_exit(127);
	/* a parent that was gone before is not our parent, and perhaps somebody else by now */
	while (getppid() == parent && poll(&end, 1, -1) < 0 && errno == EINTR)
		;
	(void)execve(spawn->path, spawn->argv, spawn->envp ? spawn->envp : environ);
	_exit(127);
}

int spawn_after_end(const struct spawn *spawn, pid_t *out_pid, struct error *err)
{
	sigset_t all, old;
	pid_t parent = getpid(), pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		wait_for_end(spawn, parent);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return error_errno(err, errno, "fork");
	*out_pid = pid;
	return 0;
}

/* -- and wait ------------------------------------------------------------------------------------
 */

int spawn_run(const struct spawn *spawn, int *out_status, struct error *err)
{
	pid_t pid;
	int ret = spawn_start(spawn, &pid, NULL, err);

	if (ret < 0)
		return ret;
	ret = proc_wait(pid, out_status, NULL);
	return ret < 0 ? error_errno(err, -ret, "wait for \"%s\"", spawn->path) : 0;
}

int spawn_capture(char *const *argv, size_t max, struct strbuf *output, int *out_status,
		  struct error *err)
{
	cleanup_close int reader = -EBADF, writer = -EBADF;
	cleanup_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct spawn spawn = SPAWN_INIT;
	int ends[2], status = 0, ret;
	pid_t pid;

	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe for \"%s\"", argv[0]);
	reader = ends[0];
	writer = ends[1];
	spawn.path = argv[0];
	spawn.search = true;
	spawn.argv = argv;
	spawn.fds = (const struct spawn_fd[]){ { null, STDIN_FILENO },
					       { writer, STDOUT_FILENO },
					       { writer, STDERR_FILENO } };
	spawn.fd_count = 3;
	spawn.death_signal = SIGKILL;
	ret = spawn_start(&spawn, &pid, NULL, err);
	if (ret < 0)
		return ret;
	cleanup_close_fd(&writer);
	ret = io_read_rest(reader, max, output);
	cleanup_close_fd(&reader); /* a writer that goes on gets an end, too */
	(void)proc_wait(pid, &status, NULL);
	if (ret < 0)
		return error_errno(err, -ret, "read what \"%s\" prints", argv[0]);
	*out_status = proc_exit_status(status);
	return 0;
}
