/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device nodes and the usual symlinks of /dev. Every name is made relative to the fd of its folder
 * inside the rootfs; where mknod is not allowed (user namespaces) the host's node is bound.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/syscalls.h"
#include "runtime/init/init.h"

/* clang-format off */
static const struct {
	const char *name, *target;
} dev_links[] = {
	{ "fd",     "/proc/self/fd" },
	{ "stdin",  "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};
/* clang-format on */

/* The folder of the last device: nearly all are in /dev. */
struct device_folder {
	char path[PATH_MAX];
	int fd;
};

static int open_folder(struct init *init, const char *path, struct device_folder *folder,
		       const char **out_name, struct error *err)
{
	const char *name = strrchr(path, '/');
	size_t size = name ? (size_t)(name - path) : 0;

	if (folder->fd >= 0 && name && name[1] && strncmp(folder->path, path, size) == 0 &&
	    !folder->path[size]) {
		*out_name = name + 1;
		return 0;
	}
	cleanup_close_fd(&folder->fd);
	folder->fd = inroot_parent(init->root_fd, path, true, out_name, err);
	if (folder->fd < 0)
		return folder->fd;
	if (size < sizeof(folder->path)) {
		memcpy(folder->path, path, size);
		folder->path[size] = '\0';
	}
	return 0;
}

static bool is_device(const struct stat *status, const struct plan_device *device)
{
	return (status->st_mode & S_IFMT) == device->type &&
	       (device->type == S_IFIFO || status->st_rdev == device->number);
}

static int wrong_node(const struct plan_device *device, struct error *err)
{
	if (device->type == S_IFIFO)
		return error_set(err, ERROR_INVALID, EEXIST, "\"%s\" exists and is not a fifo",
				 device->path);
	return error_set(err, ERROR_INVALID, EEXIST, "\"%s\" exists and is not the device %c %u:%u",
			 device->path, S_ISBLK(device->type) ? 'b' : 'c', major(device->number),
			 minor(device->number));
}

/* Before Linux 6.6 the mode of what an O_PATH fd is can only be changed by the fd's name; this is
 * the host's /proc, for the root is still the host's. */
static int set_mode(int fd, mode_t mode)
{
	char path[32];

	if (sys_fchmodat2(fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) < 0 ? -errno : 0;
}

/* What is there already must be the very device (spec, config-linux.md), and gets its owner. */
static int check_node(int folder, const char *name, const struct plan_device *device, bool existed,
		      struct error *err)
{
	cleanup_close int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	int ret = 0;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_errno(err, errno, "look at device \"%s\"", device->path);
	if (!is_device(&status, device))
		return wrong_node(device, err);
	if (existed && device->is_default)
		return 0;
	if ((status.st_uid != device->uid || status.st_gid != device->gid) &&
	    fchownat(fd, "", device->uid, device->gid, AT_EMPTY_PATH) < 0)
		return error_errno(err, errno, "set the owner of device \"%s\"", device->path);
	if (existed && (status.st_mode & 07777) != device->mode)
		ret = set_mode(fd, device->mode);
	return ret < 0 ? error_errno(err, -ret, "set the mode of device \"%s\"", device->path) : 0;
}

/* The node of the host, found by its path, must be the device that config.json means by it. */
static int clone_host_node(const struct plan_device *device, struct error *err)
{
	int fd = open_tree(AT_FDCWD, device->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_errno(err, errno, "bind device \"%s\" of the host", device->path);
	if (!is_device(&status, device))
		return error_set(
			err, ERROR_UNSUPPORTED, 0,
			"device \"%s\" cannot be made here, and the host's node of that name is "
			"not the device %u:%u",
			device->path, major(device->number), minor(device->number));
	return fd;
}

/*
 * The place for a bind: a new file, or the one that an earlier container has left there for the
 * same purpose. Nothing is opened that could be a device or lead away.
 */
static int open_target(int folder, const char *name, const struct plan_device *device,
		       struct error *err)
{
	cleanup_close int fd =
		openat(folder, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	struct stat status;

	if (fd >= 0)
		return TAKE_FD(fd);
	if (errno == EEXIST)
		fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_errno(err, errno, "create \"%s\"", device->path);
	if (!S_ISREG(status.st_mode) || status.st_size > 0)
		return wrong_node(device, err);
	return TAKE_FD(fd);
}

/* Where nodes cannot be made. Its owner and mode are the host's: the node itself is. */
static int bind_node(int folder, const char *name, const struct plan_device *device,
		     struct error *err)
{
	int source = clone_host_node(device, err);
	cleanup_close int target = -EBADF;

	if (source < 0)
		return source;
	target = open_target(folder, name, device, err);
	if (target < 0)
		return target;
	return error_prefix(err, mount_attach(source, target, err), "device \"%s\"", device->path);
}

/* In a user namespace mknod(2) is refused: an empty file is then what an earlier bind needed. */
static bool is_bind_target(const struct init *init, int folder, const char *name)
{
	struct stat status;

	return init->plan->namespaces[NS_USER].mode != NS_INHERIT &&
	       fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(status.st_mode) && status.st_size == 0;
}

static int make_device(struct init *init, const struct plan_device *device,
		       struct device_folder *folder, struct error *err)
{
	bool can_bind =
		device->type != S_IFIFO && init->plan->namespaces[NS_MOUNT].mode != NS_INHERIT;
	const char *name = NULL;
	int ret = open_folder(init, device->path, folder, &name, err), errnum;

	if (ret < 0)
		return ret;
	/* umask is 0: the mode is exact, and a fresh node of ours is owned by 0:0 */
	if (mknodat(folder->fd, name, device->type | device->mode, device->number) == 0) {
		if (device->uid == 0 && device->gid == 0)
			return 0;
		return check_node(folder->fd, name, device, false, err);
	}
	errnum = errno;
	if (can_bind &&
	    (errnum == EPERM || (errnum == EEXIST && is_bind_target(init, folder->fd, name))))
		return bind_node(folder->fd, name, device, err);
	if (errnum == EEXIST)
		return check_node(folder->fd, name, device, true, err);
	return error_errno(err, errnum, "create device \"%s\"", device->path);
}

static int make_link(int folder, const char *name, const char *target, struct error *err)
{
	if (symlinkat(target, folder, name) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create symlink \"/dev/%s\"", name);
	return 0;
}

static int make_links(int folder, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dev_links) && ret == 0; i++)
		ret = make_link(folder, dev_links[i].name, dev_links[i].target, err);
	if (ret == 0 && access("/proc/kcore", F_OK) == 0)
		ret = make_link(folder, "core", "/proc/kcore", err);
	if (ret < 0)
		return ret;
	/* the container's own devpts, also where the image brings a node for the host's */
	if (symlinkat("pts/ptmx", folder, "ptmx") == 0)
		return 0;
	if (errno == EEXIST && unlinkat(folder, "ptmx", 0) == 0 &&
	    symlinkat("pts/ptmx", folder, "ptmx") == 0)
		return 0;
	return errno == EEXIST ? 0 : error_errno(err, errno, "create symlink \"/dev/ptmx\"");
}

/* The fd of /dev stays open until init_sweep_fds. */
int devices_create(struct init *init, struct error *err)
{
	struct device_folder folder = { .path = "", .fd = -EBADF };
	int ret = 0;

	for (size_t i = 0; i < init->plan->device_count && ret == 0; i++)
		ret = make_device(init, &init->plan->devices[i], &folder, err);
	if (ret < 0 || init->plan->dev_is_bound)
		return ret;
	if (folder.fd < 0 || strcmp(folder.path, "/dev") != 0)
		folder.fd =
			inroot_mkdir_all(init->root_fd, "/dev", 0755, (uid_t)-1, (gid_t)-1, err);
	return folder.fd < 0 ? folder.fd : make_links(folder.fd, err);
}
