/* SPDX-License-Identifier: Apache-2.0 */
/* kill: one signal to the container's process, or to everything in its cgroup. */
#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/record.h"
#include "runtime/texts.h"

static int not_running(struct error *err)
{
	return error_set(err, ERROR_STATE, 0, TEXT_NOT_RUNNING);
}

/* Shims kill all after init has ended (no pid namespace of its own): leftovers count as running. */
static int kill_all(const struct record *record, int signal, bool alive, struct error *err)
{
	cleanup_cgroup struct cgroup cgroup;
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;
	int ret = record_open_cgroup(record, &cgroup, err);

	if (ret < 0)
		return ret;
	if (signal == SIGKILL) {
		ret = cgroup_pids(&cgroup, &pids, &count, err);
		if (ret == 0 && count)
			ret = cgroup_kill(&cgroup, err);
	} else {
		ret = cgroup_signal(&cgroup, signal, &count, err);
	}
	return ret == 0 && !count && !alive ? not_running(err) : ret;
}

static int kill_one(const struct record *record, int pidfd, int signal, struct error *err)
{
	if (pidfd_send_signal(pidfd, signal, NULL, 0) == 0)
		return 0;
	return errno == ESRCH ? not_running(err)
			      : error_errno(err, errno, "send signal %d to process %d", signal,
					    record->pid);
}

int container_kill(const struct runtime_globals *globals, const char *id, int signal, bool all,
		   struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_close int pidfd = -EBADF;
	struct record record;
	bool alive;
	int ret = record_read(globals, id, &arena, &record, err);

	if (ret < 0)
		return ret;
	/* the pidfd first: if the recorded process is there then, it is that one's */
	pidfd = record.pid > 0 ? pidfd_open(record.pid, 0) : -EBADF;
	alive = pidfd >= 0 && record_is_alive(&record);
	/* the end of an init without its own pid namespace ends nothing else */
	if ((all || (signal == SIGKILL && !record.new_pid_namespace)) && record.cgroup_path &&
	    *record.cgroup_path)
		return kill_all(&record, signal, alive, err);
	return alive ? kill_one(&record, pidfd, signal, err) : not_running(err);
}
