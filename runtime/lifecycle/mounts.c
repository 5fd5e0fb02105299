/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What init asks of the host side while it mounts: sources behind folders that are closed to the
 * container's root, and id maps of mounts, which take rights over the file system's own user
 * namespace. The kernel takes an id map in the form of a user namespace: that of the container, or
 * one that exists only for the fd.
 */
#include "runtime/lifecycle/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/proc.h"
#include "lib/syscalls.h"

static const struct plan_mount *find_mount(const struct plan *plan, int index, struct error *err)
{
	if (index >= 0 && (size_t)index < plan->mount_count)
		return &plan->mounts[index];
	(void)error_set(err, ERROR_INTERNAL, EPROTO, "there is no mount %d", index);
	return NULL;
}

static int open_source(const struct plan *plan, int index, struct error *err)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
	/* a clone that init makes is cut off by its mount namespace, ours must not be a peer */
	struct mount_attr attr = { .propagation = MS_SLAVE };
	const char *path = plan->rootfs;
	cleanup_close int fd = -EBADF;

	if (index != SYNC_ROOTFS) {
		const struct plan_mount *mount = find_mount(plan, index, err);

		if (!mount)
			return -EPROTO;
		flags = plan_mount_clone_flags(mount);
		path = mount->source;
	}
	fd = open_tree(AT_FDCWD, path, flags);
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return error_path(
			err, error_errno(err, errno, "open \"%s\" for the container", path), path);
	return TAKE_FD(fd);
}

int mount_service_fd(struct launch *launch, int index, struct error *err)
{
	cleanup_close int fd = open_source(launch->args.plan, index, err);

	return fd < 0 ? fd : launch_send(launch, SYNC_FD, 0, fd, err);
}

/* -- id maps -- */

/* A process for as long as its user namespace has no other reference. */
static pid_t spawn_owner(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t parent = getpid(), pid = sys_clone3(&args);

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent)
		(void)pause();
	_exit(0);
}

static int open_user_namespace(pid_t pid, struct error *err)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open \"%s\"", path) : fd;
}

static int make_user_namespace(const struct plan *plan, const struct plan_idmaps *map,
			       struct error *err)
{
	pid_t pid = spawn_owner();
	int ret, fd = -EBADF;

	if (pid < 0)
		return error_errno(err, errno, "create a user namespace for an id-mapped mount");
	ret = idmap_write(map, plan->rootless, pid, err);
	if (ret == 0)
		ret = fd = open_user_namespace(pid, err);
	(void)kill(pid, SIGKILL); /* our own unreaped child: no other can have the number */
	(void)proc_wait(pid, NULL, NULL);
	return ret < 0 ? ret : fd;
}

static int find_user_namespace(struct mount_service *service, const struct launch *launch,
			       int idmap, struct error *err)
{
	const struct plan *plan = launch->args.plan;
	int *fd;

	if (!service->map_fds) {
		service->map_fds = xreallocarray(NULL, plan->mount_map_count + 1, sizeof(int));
		for (size_t i = 0; i <= plan->mount_map_count; i++)
			service->map_fds[i] = -EBADF;
	}
	/* the first place is the container's own */
	fd = &service->map_fds[idmap == PLAN_IDMAP_CONTAINER ? 0 : idmap];
	if (*fd < 0)
		*fd = idmap == PLAN_IDMAP_CONTAINER
			      ? open_user_namespace(launch->pid, err)
			      : make_user_namespace(plan, &plan->mount_maps[idmap - 1], err);
	return *fd;
}

static int map_ids(struct mount_service *service, const struct launch *launch,
		   const struct plan_mount *mount, int mount_fd, struct error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	unsigned int flags = AT_EMPTY_PATH;
	int fd = find_user_namespace(service, launch, mount->idmap, err);

	if (fd < 0)
		return fd;
	attr.userns_fd = (uint64_t)fd;
	if (mount->flags & PLAN_MOUNT_IDMAP_RECURSIVE)
		flags |= AT_RECURSIVE;
	if (mount_setattr(mount_fd, "", flags, &attr, sizeof(attr)) == 0)
		return 0;
	if (errno == EINVAL)
		return error_errno(err, EINVAL,
				   "map the ids of the mount (does its file system allow it?)");
	return error_errno(err, errno, "map the ids of the mount");
}

int mount_service_idmap(struct mount_service *service, struct launch *launch, int index,
			int mount_fd, struct error *err)
{
	cleanup_close int fd = mount_fd;
	const struct plan_mount *mount = find_mount(launch->args.plan, index, err);
	int ret;

	if (!mount)
		return -EPROTO;
	if (mount->idmap == PLAN_IDMAP_NONE)
		return error_set(err, ERROR_INTERNAL, EPROTO, "mount %d has no id map", index);
	ret = map_ids(service, launch, mount, fd, err);
	if (ret < 0)
		return error_pointer(err,
				     error_prefix(err, ret, "error mounting \"%s\" to \"%s\"",
						  mount->source, mount->destination),
				     "/mounts/%zu", mount->index);
	return launch_send(launch, SYNC_IDMAPPED, 0, -EBADF, err);
}

void mount_service_done(struct mount_service *service, const struct plan *plan)
{
	for (size_t i = 0; service->map_fds && i <= plan->mount_map_count; i++)
		cleanup_close_fd(&service->map_fds[i]);
	free(service->map_fds);
	service->map_fds = NULL;
}
