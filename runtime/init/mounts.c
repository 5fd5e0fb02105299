/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts[] of config.json through the new mount API: a detached mount is made and given all its
 * attributes first (mount-source.c), then attached to a destination that was opened inside the
 * rootfs (mount-target.c). No path string is used twice, and nothing is ever remounted. The fds of
 * mounts and destinations stay open until init_sweep_fds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/syscalls.h"
#include "runtime/init/mounts.h"
#include "runtime/init/tmpcopyup.h"

static bool is_folder(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

int mount_attach(int mount_fd, int target_fd, struct error *err)
{
	if (move_mount(mount_fd, "", target_fd, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0)
		return 0;
	/* mount(2) has a better word for this, which callers know */
	if (errno == EINVAL && is_folder(mount_fd) != is_folder(target_fd))
		return error_errno(err, ENOTDIR,
				   "one of source and destination is a folder, the other not");
	return error_errno(err, errno, "attach the mount");
}

/* "remount": the attributes of what is mounted at the destination already. */
static int remount(struct init *init, const struct plan_mount *mount, struct error *err)
{
	cleanup_close int fd = inroot_open(init->root_fd, mount->destination, O_PATH, 0, err);
	int ret = fd;

	if (ret >= 0 && mount->data[0])
		ret = fs_context_change(fd, mount->data, err);
	if (ret >= 0)
		ret = mount_set_attributes(fd, mount, err);
	return ret < 0 ? ret : mount_set_propagation(fd, mount, err);
}

/* tmpfs without a mode looks like the folder it covers. */
static int inherit_mode(int mount_fd, int target_fd, const struct plan_mount *mount,
			struct error *err)
{
	struct stat status;

	if (!mount->type || strcmp(mount->type, "tmpfs") != 0)
		return 0;
	for (size_t i = 0; mount->data[i]; i++)
		if (strncmp(mount->data[i], "mode=", 5) == 0)
			return 0;
	if (fstat(target_fd, &status) < 0 || fchmodat(mount_fd, ".", status.st_mode & 07777, 0) < 0)
		return error_errno(err, errno, "set the mode of the tmpfs");
	return 0;
}

/* What becomes read-only at the end keeps its fd until then: its path may lead elsewhere. */
static void keep_for_later(struct init *init, int fd)
{
	init->late_fds = xreallocarray(init->late_fds, init->late_count + 1, sizeof(int));
	init->late_fds[init->late_count++] = fd;
}

int mount_place(struct init *init, const struct plan_mount *mount, int fd, struct error *err)
{
	int target = mount_target_open(init, mount, fd, err);
	int ret = target < 0 ? target : inherit_mode(fd, target, mount, err);

	if (ret == 0 && mount->flags & PLAN_MOUNT_TMPCOPYUP)
		ret = tmpcopyup(target, fd, err);
	if (ret == 0)
		ret = mount_attach(fd, target, err);
	if (ret == 0) /* attached, it is where peers and masters are */
		ret = mount_set_propagation(fd, mount, err);
	if (ret == 0 && mount->flags & PLAN_MOUNT_LATE_RO)
		keep_for_later(init, fd);
	return ret;
}

static int mount_one(struct init *init, const struct plan_mount *mount, struct error *err)
{
	int fd, ret;

	if (mount->kind == PLAN_MOUNT_REMOUNT)
		return remount(init, mount, err);
	if (mount->flags & PLAN_MOUNT_COPY_SYMLINK) {
		ret = mount_target_copy_symlink(init, mount, err);
		if (ret != 0)
			return ret < 0 ? ret : 0;
	}
	fd = mount_source_open(init, mount, err);
	if (fd < 0)
		return fd;
	ret = mount_place(init, mount, fd, err);
	if (ret == 0 && strcmp(mount->destination, "/") == 0)
		init->root_fd = fd;
	return ret;
}

static int apply(struct init *init, size_t end, struct error *err)
{
	for (; init->mounted < end; init->mounted++) {
		const struct plan_mount *mount = &init->plan->mounts[init->mounted];
		int ret = mount_one(init, mount, err);

		if (ret < 0) {
			(void)error_phase(err, ret, PHASE_ROOTFS);
			return error_pointer(err,
					     error_prefix(err, ret,
							  "error mounting \"%s\" to \"%s\"",
							  mount->source ? mount->source
							  : mount->type ? mount->type
									: "none",
							  mount->destination),
					     "/mounts/%zu", mount->index);
		}
		if (init->mounted % INIT_SWEEP_EVERY == INIT_SWEEP_EVERY - 1)
			ret = init_sweep_fds(init, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int mounts_apply(struct init *init, struct error *err)
{
	return apply(init,
		     init->args->network_later ? plan_mounts_before_network(init->plan)
					       : init->plan->mount_count,
		     err);
}

int mounts_apply_rest(struct init *init, struct error *err)
{
	return apply(init, init->plan->mount_count, err);
}

int mounts_make_readonly(struct init *init, struct error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	for (size_t i = 0; i < init->late_count; i++)
		if (mount_setattr(init->late_fds[i], "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
			return error_errno(err, errno, "make a mount read-only");
	return 0;
}
