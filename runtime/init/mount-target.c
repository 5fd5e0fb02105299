/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a mount goes: a file or folder inside the rootfs, by fd, made when it is not there.
 * Everything in the rootfs may have been placed there by an attacker.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/path.h"
#include "runtime/init/mounts.h"
#include "runtime/texts.h"

static bool is_folder(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

/* proc and sysfs: a symlink in their place would let the image choose what we trust. */
static int open_real_folder(struct init *init, const struct plan_mount *mount, bool *out_made,
			    struct error *err)
{
	const char *path = mount->destination;
	int fd = inroot_open_nofollow(init->root_fd, path, O_PATH | O_DIRECTORY, true, NULL);

	if (fd == -ENOENT) {
		cleanup_close int made = inroot_open_or_make(init->root_fd, path, out_made, err);

		if (made < 0)
			return made;
		fd = inroot_open_nofollow(init->root_fd, path, O_PATH | O_DIRECTORY, true, NULL);
	}
	if (fd == -ELOOP || fd == -ENOTDIR)
		return error_set(err, ERROR_INVALID, -fd, TEXT_ORDINARY_DIR, mount->type);
	return fd < 0 ? error_errno(err, -fd, "open \"%s\"", path) : fd;
}

static int open_bind_target(struct init *init, const struct plan_mount *mount, int source_fd,
			    struct error *err)
{
	const char *path = mount->destination;
	int fd;

	if (mount->flags & PLAN_MOUNT_DEST_NOFOLLOW)
		fd = inroot_open_nofollow(init->root_fd, path, O_PATH, false, NULL);
	else
		fd = inroot_open(init->root_fd, path, O_PATH, 0, NULL);
	if (fd >= 0)
		return fd;
	if (fd != -ENOENT)
		return error_errno(err, -fd, "open \"%s\" in the rootfs", path);
	if (is_folder(source_fd)) {
		bool made;

		return inroot_open_or_make(init->root_fd, path, &made, err);
	}
	return inroot_make_file(init->root_fd, path, 0644, err);
}

/*
 * A symlink in the image may lead anywhere below the root, also onto the procfs that is mounted by
 * now: only what the planner has allowed by name may go there (CVE-2019-16884).
 */
static int check_target(const struct plan_mount *mount, int fd, struct error *err)
{
	struct statfs fs;

	if (path_is_below(mount->destination, "/proc"))
		return 0;
	if (fstatfs(fd, &fs) < 0)
		return error_errno(err, errno, "look at \"%s\" in the rootfs", mount->destination);
	if (fs.f_type == PROC_SUPER_MAGIC)
		return error_set(err, ERROR_INVALID, 0,
				 "\"%s\" cannot be mounted because it is inside /proc",
				 mount->destination);
	return 0;
}

/* What the planner saw at the source's path must still be true of what was opened. */
static int check_source(const struct plan_mount *mount, int fd, struct error *err)
{
	struct statfs fs;

	if (mount->kind != PLAN_MOUNT_BIND || strcmp(mount->destination, "/proc") != 0)
		return 0;
	if (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return 0;
	return error_invalid(err, "\"/proc\" cannot be mounted because it is not of type proc");
}

int mount_target_open(struct init *init, const struct plan_mount *mount, int source_fd,
		      struct error *err)
{
	bool made = false;
	int fd, ret = check_source(mount, source_fd, err);

	if (ret < 0)
		return ret;
	if (mount->flags & PLAN_MOUNT_REAL_DIR)
		fd = open_real_folder(init, mount, &made, err);
	else if (mount->kind == PLAN_MOUNT_BIND)
		fd = open_bind_target(init, mount, source_fd, err);
	else
		fd = inroot_open_or_make(init->root_fd, mount->destination, &made, err);
	/* what was made a moment ago cannot lie on procfs */
	if (fd >= 0 && !made)
		ret = check_target(mount, fd, err);
	return ret < 0 ? ret : fd;
}

static int check_copy(int folder, const char *name, const char *expected,
		      const struct plan_mount *mount, struct error *err)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(folder, name, target, sizeof(target) - 1);

	if (size >= 0) {
		target[size] = '\0';
		if (strcmp(target, expected) == 0)
			return 1;
	}
	return error_set(err, ERROR_INVALID, EEXIST, "\"%s\" exists and is not a symlink to \"%s\"",
			 mount->destination, expected);
}

int mount_target_copy_symlink(struct init *init, const struct plan_mount *mount, struct error *err)
{
	cleanup_close int folder = -EBADF;
	char target[PATH_MAX];
	const char *name = NULL;
	ssize_t size = readlink(mount->source, target, sizeof(target) - 1);

	if (size < 0)
		return errno == EINVAL ? 0
				       : error_errno(err, errno, "read link \"%s\"", mount->source);
	target[size] = '\0';
	folder = inroot_parent(init->root_fd, mount->destination, true, &name, err);
	if (folder < 0)
		return folder;
	if (symlinkat(target, folder, name) == 0)
		return 1;
	if (errno == EEXIST)
		return check_copy(folder, name, target, mount, err);
	return error_errno(err, errno, "create symlink \"%s\"", mount->destination);
}
