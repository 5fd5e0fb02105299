/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The joiner: a child of the runtime that enters the namespaces which a clone3 child cannot be
 * born into, and creates init there as its own sibling (CLONE_PARENT), so that init is always the
 * runtime's child. It never becomes visible in the container's pid namespace itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/syscalls.h"
#include "lib/trace.h"
#include "runtime/init/init.h"

/* exec: all at once through the pidfd of the container's init. */
static int join_container(const struct init_args *args, struct error *err)
{
	int flags = (int)args->container_flags;

	if (flags == 0 || setns(args->container_fd, flags) == 0)
		return 0;
	if (errno != EPERM || !(flags & CLONE_NEWUSER))
		return error_errno(err, errno, "join the namespaces of the container");
	/* namespaces that belong to the host while the user namespace does not: those first */
	if (setns(args->container_fd, flags & ~CLONE_NEWUSER) < 0 ||
	    setns(args->container_fd, CLONE_NEWUSER) < 0)
		return error_errno(err, errno, "join the namespaces of the container");
	return 0;
}

static int make_user_namespace(const struct init_args *args, struct error *err)
{
	struct sync_message mapped;
	int ret;

	if (unshare(CLONE_NEWUSER) < 0)
		return error_errno(err, errno, "create a user namespace");
	ret = sync_send(args->sync, SYNC_MAPS, 0, -EBADF, err);
	return ret < 0 ? ret : sync_expect(args->sync, SYNC_MAPPED, &mapped, err);
}

/* timens_offsets can be written until the first process is in the namespace: ours will be init. */
static int make_time_namespace(const struct init_args *args, struct error *err)
{
	if (unshare(CLONE_NEWTIME) < 0)
		return error_errno(err, errno, "create a time namespace");
	if (!args->plan->time_offsets)
		return 0;
	return error_prefix(err,
			    io_write_kernel_file(args->proc_fd, "self/timens_offsets",
						 args->plan->time_offsets, err),
			    "set the time offsets");
}

/* Behind the change of user namespaces our files in /proc are root's, which nobody is there. */
static int set_oom_score(const struct init_args *args, struct error *err)
{
	cleanup_close int self = -EBADF;

	if (!policies_need_host(args) || !args->plan->rootless ||
	    !args->plan->process.has_oom_score_adj)
		return 0;
	self = openat(args->proc_fd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (self < 0)
		return error_errno(err, errno, "open /proc/self");
	return limits_write_oom_score(self, &args->plan->process, err);
}

static int enter_namespaces(struct init *init, struct error *err)
{
	const struct plan_namespace *namespaces = init->plan->namespaces;
	bool user_new = namespaces[NS_USER].mode == NS_NEW;
	int ret = set_oom_score(init->args, err);

	if (ret < 0)
		return ret;
	if (init->args->container_fd >= 0) {
		ret = join_container(init->args, err);
		if (ret < 0 || !(init->args->container_flags & CLONE_NEWUSER))
			return ret;
		return namespaces_become_root(init, err);
	}
	ret = namespaces_join(init, err);
	if (ret == 0 && user_new)
		ret = make_user_namespace(init->args, err);
	if (ret == 0 && namespaces[NS_TIME].mode == NS_NEW)
		ret = make_time_namespace(init->args, err);
	if (ret < 0 || namespaces[NS_USER].mode == NS_INHERIT)
		return ret;
	return namespaces_become_root(init, err);
}

static int create_init(const struct init_args *args, unsigned int clone_flags, struct error *err)
{
	/* with CLONE_PARENT the exit signal is ours, so it must be 0 here */
	struct clone_args clone_args = { .flags = CLONE_PARENT | clone_flags };
	const int keep[] = { args->sync->fd,
			     args->proc_fd,
			     args->fifo_fd,
			     args->root_fd,
			     log_fd() > 2 ? log_fd() : -1,
			     args->hook_output[HOOK_STDOUT],
			     args->hook_output[HOOK_STDERR] };
	pid_t pid;
	int ret;

	/* before init shows in a pid namespace where others could ask for its fds */
	ret = fd_close_except(3 + (int)args->preserve_fds, keep, ARRAY_SIZE(keep));
	if (ret < 0)
		return error_errno(err, -ret, "close file descriptors");
	pid = sys_clone3(&clone_args);
	if (pid < 0)
		return error_errno(err, errno, "create the container's process");
	if (pid == 0)
		init_main(args, true);
	return sync_send(args->sync, SYNC_JOINED, pid, -EBADF, err);
}

void joiner_main(const struct init_args *args, unsigned int clone_flags)
{
	struct init init = { .args = args, .plan = args->plan, .sync = args->sync };
	struct error err = ERROR_INIT;
	struct trace_span span;
	int ret;

	trace_become(TRACE_JOINER);
	span = trace_begin("joiner", "enter namespaces");
	ret = enter_namespaces(&init, &err);
	trace_end(&span);
	span = trace_begin("joiner", "create init");
	if (ret == 0)
		ret = create_init(args, clone_flags, &err);
	trace_end(&span);
	if (ret < 0)
		sync_send_error(args->sync, &err);
	_exit(ret < 0);
}
