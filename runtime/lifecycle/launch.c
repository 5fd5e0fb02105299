/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process model (design: "Runtime: decisions"): init is one clone3 child of the verb; only
 * where namespaces demand it, a joiner in between creates it as its sibling.
 */
#include "runtime/lifecycle/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/syscalls.h"
#include "lib/trace.h"
#include "runtime/texts.h"

void launch_init(struct launch *launch, const struct plan *plan, const struct oci_state *state)
{
	*launch = (struct launch){
		.host = { .fd = -EBADF },
		.child = { .fd = -EBADF },
		.pidfd = -EBADF,
		.signal_fd = -EBADF,
		.args = { .plan = plan,
			  .state = state,
			  .proc_fd = -EBADF,
			  .fifo_fd = -EBADF,
			  .container_fd = -EBADF,
			  .root_fd = -EBADF,
			  .hook_output = { -EBADF, -EBADF },
			  .cgroup_path = "" },
	};
	for (size_t i = 0; i < NS_COUNT; i++)
		launch->args.join_fds[i] = -EBADF;
}

int launch_check_preserved(uint64_t count, struct error *err)
{
	for (uint64_t i = 0; i < count; i++) {
		int fd = 3 + (int)i;

		if (i >= LAUNCH_PRESERVED_MAX)
			return error_set(err, ERROR_INVALID, 0,
					 "too many file descriptors to preserve");
		/* ours, the log for one, are close-on-exec from birth; what we were given is not */
		if (fcntl(fd, F_GETFD) != 0)
			return error_set(err, ERROR_INVALID, EBADF,
					 "file descriptor %d to preserve is not open", fd);
	}
	return 0;
}

static int open_namespace(const struct plan_namespace *ns, const struct namespace_info *info,
			  struct error *err)
{
	/* a fifo would keep us waiting before it is seen to be none */
	cleanup_close int fd = open(ns->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int type;

	if (fd < 0)
		return error_path(err,
				  error_errno(err, errno, "open %s namespace \"%s\"",
					      info->oci_name, ns->path),
				  ns->path);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0 || (unsigned int)type != info->clone_flag)
		return error_set(err, ERROR_INVALID, 0, "\"%s\" is not a %s namespace", ns->path,
				 info->oci_name);
	return TAKE_FD(fd);
}

/* setns(2) refuses the user namespace that one is in, and without privilege over it any other (the
 * host's network, say): there is nothing to join then. */
static bool is_own_namespace(const struct namespace_info *info, int fd)
{
	struct stat ours, theirs;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", info->proc_name);
	return stat(path, &ours) == 0 && fstat(fd, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

static int open_namespaces(struct launch *launch, struct error *err)
{
	const struct plan *plan = launch->args.plan;

	for (size_t i = 0; i < NS_COUNT; i++) {
		int fd;

		if (plan->namespaces[i].mode != NS_JOIN)
			continue;
		fd = open_namespace(&plan->namespaces[i], &namespace_table[i], err);
		if (fd < 0)
			return error_phase(err, fd, PHASE_NAMESPACES);
		if (is_own_namespace(&namespace_table[i], fd))
			(void)close(fd); /* opened for reading */
		else
			launch->args.join_fds[i] = fd;
	}
	return 0;
}

/* -- time namespaces without a joiner: the child is born into ours, we come back -- */

static int enter_time_namespace(const struct launch *launch, int *out_own, struct error *err)
{
	const char *offsets = launch->args.plan->time_offsets;
	cleanup_close int own = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);

	if (own < 0 || unshare(CLONE_NEWTIME) < 0)
		return error_errno(err, errno, "create a time namespace");
	*out_own = TAKE_FD(own);
	if (!offsets)
		return 0;
	return error_prefix(
		err, io_write_kernel_file(AT_FDCWD, "/proc/self/timens_offsets", offsets, err),
		"set the time offsets");
}

static int leave_time_namespace(int own, struct error *err)
{
	if (own >= 0 && setns(own, CLONE_NEWTIME) < 0)
		return error_errno(err, errno, "return to the host's time namespace");
	return 0;
}

/* -- the network namespace, which takes half a millisecond to make: we do while init mounts -- */

static bool makes_network_later(const struct launch *launch, bool joiner)
{
	const struct plan *plan = launch->args.plan;

	/* it belongs to the user namespace of its maker; devices must have moved before init goes;
	 * and back into the host's takes rights over the initial user namespace */
	return !joiner && !plan->rootless && !plan->net_device_count &&
	       plan->namespaces[NS_NETWORK].mode == NS_NEW &&
	       plan->namespaces[NS_USER].mode == NS_INHERIT;
}

/* init waits for the namespace, not for what is in it. */
static int send_network(struct launch *launch, struct error *err)
{
	cleanup_close int made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int ret;

	if (made < 0)
		return error_errno(err, errno, "open the new network namespace");
	ret = launch_send(launch, SYNC_NETWORK, 0, made, err);
	return ret < 0 ? ret : namespaces_loopback_up(err);
}

static int make_network(struct launch *launch, struct error *err)
{
	cleanup_close int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int ret;

	if (own < 0 || unshare(CLONE_NEWNET) < 0)
		return error_errno(err, errno, "create a network namespace");
	ret = send_network(launch, err);
	if (setns(own, CLONE_NEWNET) < 0)
		return error_errno(err, errno, "return to the host's network namespace");
	return ret;
}

/*
 * What init makes itself, while we make the network namespace: the cgroup namespace in any case,
 * inside the cgroup; those that may belong to a user namespace of the caller's are as good.
 */
static unsigned int own_namespaces(const struct launch *launch, bool joiner)
{
	const struct plan *plan = launch->args.plan;
	unsigned int flags = plan_clone_flags(plan, NS_NEW);

	if (launch->args.container_fd >= 0)
		return 0;
	if (joiner || plan->namespaces[NS_USER].mode != NS_INHERIT)
		return flags & CLONE_NEWCGROUP;
	return flags & (CLONE_NEWCGROUP | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC);
}

/* -- the clone -- */

static int clone_child(struct launch *launch, bool joiner, struct error *err)
{
	const struct plan *plan = launch->args.plan;
	int cgroup_fd = launch->cgroup ? launch->cgroup->fd : -EBADF;
	/* a time namespace is never made by clone3 */
	unsigned int later = CLONE_NEWTIME | launch->args.own_namespaces |
			     (launch->args.network_later ? CLONE_NEWNET : 0);
	unsigned int namespaces =
		launch->args.container_fd >= 0 ? 0 : plan_clone_flags(plan, NS_NEW) & ~later;
	struct clone_args args = {
		.flags = CLONE_PIDFD | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0) |
			 (joiner ? 0 : namespaces),
		.pidfd = (uintptr_t)&launch->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
	};
	pid_t pid = sys_clone3(&args);

	if (pid < 0)
		return error_phase(err, error_errno(err, errno, "create the container's process"),
				   PHASE_CLONE);
	if (pid == 0 && joiner)
		joiner_main(&launch->args, namespaces & ~(unsigned int)CLONE_NEWUSER);
	if (pid == 0)
		init_main(&launch->args, false);
	*(joiner ? &launch->joiner : &launch->pid) = pid;
	trace_name(joiner ? TRACE_JOINER : TRACE_INIT, pid);
	return 0;
}

static int write_maps(const struct plan *plan, pid_t pid, struct error *err)
{
	const struct plan_idmaps maps = { plan->uid_map, plan->gid_map, plan->uid_map_count,
					  plan->gid_map_count };

	return idmap_write(&maps, plan->rootless, pid, err);
}

static int serve_joiner(struct launch *launch, struct error *err)
{
	struct sync_message message = { .fd = -EBADF };
	int ret = launch_receive(launch, &message, err);

	if (ret == 0 && message.type == SYNC_MAPS) {
		ret = write_maps(launch->args.plan, launch->joiner, err);
		if (ret == 0)
			ret = launch_send(launch, SYNC_MAPPED, 0, -EBADF, err);
		if (ret == 0)
			ret = launch_receive(launch, &message, err);
	}
	if (ret < 0)
		return ret;
	if (message.type != SYNC_JOINED)
		return error_set(err, ERROR_INTERNAL, EPROTO, "the joiner sent \"%s\"",
				 sync_type_name(message.type));
	cleanup_close_fd(&launch->pidfd);
	/* our unreaped child: the number cannot be anybody else's */
	launch->pid = message.value;
	trace_name(TRACE_INIT, launch->pid);
	launch->pidfd = pidfd_open(launch->pid, 0);
	if (launch->pidfd < 0)
		return error_errno(err, errno, "open a pidfd of the container's process");
	(void)proc_wait(launch->joiner, NULL, NULL); /* it has nothing more to tell */
	launch->joiner = 0;
	if (launch->args.plan->namespaces[NS_USER].mode != NS_JOIN)
		return 0;
	return idmap_check(launch->args.plan, launch->pid, err);
}

static int write_own_maps(struct launch *launch, struct error *err)
{
	int ret;

	if (launch->args.plan->namespaces[NS_USER].mode != NS_NEW)
		return 0;
	ret = write_maps(launch->args.plan, launch->pid, err);
	return ret < 0 ? ret : launch_send(launch, SYNC_MAPPED, 0, -EBADF, err);
}

/* What init writes through it must reach the kernel, also where somebody has made us a /proc. */
static int open_proc(struct launch *launch, struct error *err)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	launch->args.proc_fd = fd;
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return error_errno(err, errno, "open /proc");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return error_set(err, ERROR_UNSUPPORTED, 0, "/proc is not a procfs");
	return 0;
}

int launch_start(struct launch *launch, struct error *err)
{
	const struct plan *plan = launch->args.plan;
	bool additional = launch->args.container_fd >= 0;
	bool joiner = additional || plan->needs_joiner;
	cleanup_close int own_time = -EBADF;
	int ret = additional ? 0 : open_namespaces(launch, err), back;

	if (ret < 0)
		return ret;
	if (init_needs_proc(&launch->args)) {
		ret = open_proc(launch, err);
		if (ret < 0)
			return ret;
	}
	ret = sync_open(&launch->host, &launch->child, err);
	if (ret < 0)
		return ret;
	launch->args.sync = &launch->child;
	if (launch->cgroup && !launch->cgroup->made)
		launch->oom_kills = cgroup_oom_kills(launch->cgroup);
	launch->args.network_later = makes_network_later(launch, joiner);
	launch->args.own_namespaces = own_namespaces(launch, joiner);
	if (!joiner && plan->namespaces[NS_TIME].mode == NS_NEW)
		ret = enter_time_namespace(launch, &own_time, err);
	if (ret == 0)
		ret = clone_child(launch, joiner, err);
	back = leave_time_namespace(own_time, ret < 0 ? NULL : err);
	cleanup_close_fd(&launch->child.fd);
	if (ret < 0 || back < 0)
		return ret < 0 ? ret : back;
	return joiner ? serve_joiner(launch, err) : write_own_maps(launch, err);
}

/* -- the talk -- */

/* How a process that said nothing came to its end. Reaps it. */
static int explain_death(struct launch *launch, struct error *err)
{
	pid_t *pid = launch->joiner ? &launch->joiner : &launch->pid;
	int status = 0;

	if (!*pid || proc_wait(*pid, &status, NULL) < 0)
		return error_set(err, ERROR_INTERNAL, ECHILD, "the container's process is gone");
	*pid = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && launch->cgroup &&
	    cgroup_oom_kills(launch->cgroup) > launch->oom_kills)
		return error_set(err, ERROR_SYSTEM, 0,
				 launch->args.container_fd >= 0
					 ? "the process was killed " TEXT_OOM_SUFFIX
					 : TEXT_OOM_INIT);
	if (WIFSIGNALED(status))
		return error_set(
			err, ERROR_SYSTEM, 0,
			"the container's process was killed by signal %d while it was set up",
			WTERMSIG(status));
	return error_set(err, ERROR_INTERNAL, 0,
			 "the container's process ended with status %d while it was set up",
			 WEXITSTATUS(status));
}

static int wait_readable(struct launch *launch, struct error *err)
{
	struct pollfd fds[] = { { .fd = launch->host.fd, .events = POLLIN },
				{ .fd = launch->signal_fd, .events = POLLIN } };

	for (;;) {
		int ready = poll(fds, ARRAY_SIZE(fds), -1);

		if (ready < 0 && errno != EINTR)
			return error_errno(err, errno, "poll");
		if (ready > 0 && fds[1].revents)
			return error_set(err, ERROR_CANCELLED, EINTR, "stopped by a signal");
		if (ready > 0 && fds[0].revents)
			return 0;
	}
}

int launch_receive(struct launch *launch, struct sync_message *out, struct error *err)
{
	int ret = wait_readable(launch, err);

	if (ret == 0)
		ret = sync_receive(&launch->host, out, err);
	if (ret == -ECONNRESET)
		ret = explain_death(launch, err);
	/* the words that callers know, whoever of us notices first */
	return launch->args.container_fd >= 0 ? ret : error_prefix(err, ret, TEXT_INIT_FAILED);
}

int launch_send(struct launch *launch, enum sync_type type, int value, int fd, struct error *err)
{
	struct sync_message last = { .fd = -EBADF };
	int ret = sync_send(&launch->host, type, value, fd, err);

	if (ret != -EPIPE && ret != -ECONNRESET)
		return ret;
	ret = launch_receive(launch, &last, err);
	cleanup_close_fd(&last.fd);
	return ret < 0 ? ret : explain_death(launch, err);
}

int launch_go(struct launch *launch, struct error *err)
{
	int ret = launch_send(launch, SYNC_GO, launch->pid, -EBADF, err);

	return ret == 0 && launch->args.network_later ? make_network(launch, err) : ret;
}

int launch_wait_exec(struct launch *launch, struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("launch", "wait for exec");
	struct sync_message message = { .fd = -EBADF };
	int ret = wait_readable(launch, err);

	if (ret == 0)
		ret = sync_receive(&launch->host, &message, err);
	if (ret == -ECONNRESET && proc_has_executed(launch->pid)) {
		trace_exec_seen(TRACE_INIT);
		return 0; /* closed by the exec; if the process has died since, its status tells */
	}
	if (ret == -ECONNRESET)
		return explain_death(launch, err);
	if (ret < 0)
		return ret;
	cleanup_close_fd(&message.fd);
	return error_set(err, ERROR_INTERNAL, EPROTO,
			 "sync message \"%s\" came instead of the exec",
			 sync_type_name(message.type));
}

static void kill_and_reap(pid_t *pid)
{
	if (!*pid)
		return;
	(void)kill(*pid, SIGKILL); /* our own unreaped child: no other can have the number */
	(void)proc_wait(*pid, NULL, NULL);
	*pid = 0;
}

void launch_abort(struct launch *launch)
{
	kill_and_reap(&launch->joiner);
	kill_and_reap(&launch->pid);
	launch_done(launch);
}

void launch_done(struct launch *launch)
{
	for (size_t i = 0; i < NS_COUNT; i++)
		cleanup_close_fd(&launch->args.join_fds[i]);
	cleanup_close_fd(&launch->args.proc_fd);
	cleanup_close_fd(&launch->args.fifo_fd);
	cleanup_close_fd(&launch->args.container_fd);
	cleanup_close_fd(&launch->args.root_fd);
	for (size_t i = 0; i < HOOK_STREAMS; i++)
		cleanup_close_fd(&launch->args.hook_output[i]);
	cleanup_close_fd(&launch->host.fd);
	cleanup_close_fd(&launch->child.fd);
	cleanup_close_fd(&launch->pidfd);
}
