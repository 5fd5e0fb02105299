/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system: a private recursive clone of the bundle's rootfs is attached over itself
 * in the new mount namespace, filled, and made the root with pivot_root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "lib/syscalls.h"
#include "runtime/init/init.h"

#define MOUNTINFO_MAX ((size_t)16 << 20)

int rootfs_need_fd(struct init *init, int index, struct error *err)
{
	struct sync_message answer;
	int ret = namespaces_need_network(init, err); /* comes first */

	if (ret == 0)
		ret = sync_send(init->sync, SYNC_NEED_FD, index, -EBADF, err);
	if (ret == 0)
		ret = sync_expect(init->sync, SYNC_FD, &answer, err);
	return ret < 0 ? ret : answer.fd;
}

/* The mount that fd is on: climb to its root and make that private. Closes fd. */
static int make_private(int fd, struct error *err)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	cleanup_close int folder = fd;
	struct statx status;

	while (folder >= 0) {
		int up;

		if (statx(folder, "", AT_EMPTY_PATH, 0, &status) < 0)
			break;
		if (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) {
			if (mount_setattr(folder, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
				break;
			return 0;
		}
		up = openat(folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		(void)close(folder);
		folder = up;
	}
	return error_errno(err, errno, "make the mount below the rootfs private");
}

/* An unbindable tree could not be cloned: it gets that propagation at the end. */
static unsigned long propagation_of(const struct plan *plan)
{
	if (plan->rootfs_propagation & MS_UNBINDABLE)
		return MS_PRIVATE | MS_REC;
	return plan->rootfs_propagation;
}

/* rslave and rprivate: whatever happens to any mount of ours, none of the host hears of it. */
static bool is_cut_off(const struct plan *plan)
{
	unsigned long propagation = propagation_of(plan);

	return propagation & MS_REC && propagation & (MS_SLAVE | MS_PRIVATE);
}

/*
 * What mounts do to the host is decided by the propagation of "/" in the new namespace: rslave (the
 * default) receives the host's mounts and sends none. With any form that leaves mounts shared, the
 * clone of the rootfs (a peer of the host's) and the mount that it goes onto must still be cut off,
 * or everything that follows would show on the host.
 */
static int cut_off_rootfs(const struct plan *plan, int fd, const char *target, struct error *err)
{
	struct mount_attr attr = {
		.propagation = plan->rootfs_propagation & MS_SLAVE ? MS_SLAVE : MS_PRIVATE,
	};
	int place;

	if (is_cut_off(plan))
		return 0;
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "cut the rootfs off the host");
	place = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place < 0)
		return error_errno(err, errno, "open the rootfs \"%s\"", target);
	return make_private(place, err);
}

static bool has_mount_namespace(const struct init *init)
{
	return init->plan->namespaces[NS_MOUNT].mode != NS_INHERIT;
}

static int open_rootfs(struct init *init, struct error *err)
{
	const char *rootfs = init->plan->rootfs;

	init->root_fd = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (init->root_fd < 0)
		return error_path(err, error_errno(err, errno, "open the rootfs \"%s\"", rootfs),
				  rootfs);
	return 0;
}

static int mount_rootfs(struct init *init, struct error *err)
{
	const char *rootfs = init->plan->rootfs, *target = rootfs;
	int ret, fd;

	if (mount(NULL, "/", NULL, propagation_of(init->plan), NULL) < 0)
		return error_errno(err, errno, "set the propagation of the root mount");
	fd = open_tree(AT_FDCWD, rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (fd < 0 && errno == EACCES && init->plan->namespaces[NS_USER].mode != NS_INHERIT) {
		/* a folder on the way is closed to the container's root: the host opens it, and it
		 * lies over "/" until pivot_root, for we could not name the place itself either */
		fd = rootfs_need_fd(init, SYNC_ROOTFS, err);
		if (fd < 0)
			return fd;
		target = "/";
	}
	if (fd < 0)
		return error_path(err, error_errno(err, errno, "open the rootfs \"%s\"", rootfs),
				  rootfs);
	init->root_fd = fd;
	ret = cut_off_rootfs(init->plan, fd, target, err);
	if (ret < 0)
		return ret;
	if (move_mount(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_path(err, error_errno(err, errno, "mount the rootfs \"%s\"", rootfs),
				  rootfs);
	return 0;
}

int rootfs_prepare(struct init *init, struct error *err)
{
	return has_mount_namespace(init) ? mount_rootfs(init, err) : open_rootfs(init, err);
}

/* proc(5): blanks and the like in a path are octal numbers behind a backslash. */
static char *unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return path;
}

/* The mount point in a line of mountinfo(5) if it is all of a procfs or sysfs, else NULL. */
static const char *kernel_mount(char *line)
{
	char *dash = strstr(line, " - "), *save = NULL, *root = NULL, *point = NULL;

	if (!dash || (strncmp(dash, " - proc ", 8) != 0 && strncmp(dash, " - sysfs ", 9) != 0))
		return NULL;
	for (int field = 0; field < 5; field++) {
		root = point;
		point = strtok_r(field ? NULL : line, " ", &save);
	}
	return root && point && strcmp(root, "/") == 0 ? unescape(point) : NULL;
}

/*
 * Moving the root leaves the host's mounts in the namespace, where mount(2) of a fresh procfs or
 * sysfs is allowed as long as a full one is visible: take those away, or cover them.
 */
static int drop_kernel_mounts(const char *rootfs, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, err);
	char *rest = text.data, *line;

	if (ret < 0)
		return ret;
	while (rest && (line = strsep(&rest, "\n"))) {
		const char *point = kernel_mount(line);

		if (!point || path_is_below(point, rootfs) || umount2(point, MNT_DETACH) == 0 ||
		    mount("tmpfs", point, "tmpfs", MS_RDONLY, "size=0") == 0)
			continue;
		return error_errno(err, errno, "take \"%s\" out of the container's view", point);
	}
	return 0;
}

/* For hosts whose root is a ramfs, which pivot_root refuses: move the mount over "/" instead. */
static int move_root(struct init *init, struct error *err)
{
	int ret = drop_kernel_mounts(init->plan->rootfs, err);

	if (ret < 0)
		return ret;
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return error_errno(err, errno, "move the rootfs to \"/\"");
	if (chroot(".") < 0 || chdir("/") < 0)
		return error_errno(err, errno, "chroot to the rootfs");
	return 0;
}

/* Where mounts are shared, the unmounting of the old root would reach the host: cut it off first.
 */
static int cut_off_old_root(int old_root, struct error *err)
{
	if (fchdir(old_root) < 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
	    chdir("/") < 0)
		return error_errno(err, errno, "cut the old root off");
	return 0;
}

/* pivot_root(".", "."), see pivot_root(2): the old root lies on the new one until unmounted. */
static int pivot(struct init *init, struct error *err)
{
	bool cut_off = is_cut_off(init->plan);
	cleanup_close int old_root = -EBADF;
	int ret;

	if (!cut_off) {
		old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (old_root < 0)
			return error_errno(err, errno, "open the old root");
	}
	if (sys_pivot_root(".", ".") < 0)
		return error_syscall(
			err, error_errno(err, errno, "pivot_root to \"%s\"", init->plan->rootfs),
			"pivot_root");
	ret = cut_off ? 0 : cut_off_old_root(old_root, err);
	if (ret < 0)
		return ret;
	if (umount2(".", MNT_DETACH) < 0)
		return error_errno(err, errno, "unmount the old root");
	return 0;
}

/* Leaves us at the new root. */
int rootfs_pivot(struct init *init, struct error *err)
{
	if (fchdir(init->root_fd) < 0)
		return error_errno(err, errno, "change to the rootfs");
	if (!has_mount_namespace(init))
		return chroot(".") < 0 ? error_errno(err, errno, "chroot to the rootfs") : 0;
	return init->plan->no_pivot ? move_root(init, err) : pivot(init, err);
}

/* Where the program is to start: the folder is made while that is possible. */
static void make_cwd(struct init *init)
{
	const struct plan_process *process = &init->plan->process;
	int fd = -EBADF;

	if (strcmp(process->cwd, "/") != 0)
		fd = inroot_mkdir_all(init->root_fd, process->cwd, 0755, (uid_t)-1, (gid_t)-1,
				      NULL); /* entering it says what is wrong */
	cleanup_close_fd(&fd);
}

/* Last: everything that had to be made in the rootfs is there. */
int rootfs_finish(struct init *init, struct error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	unsigned long propagation = init->plan->rootfs_propagation;

	if (!has_mount_namespace(init))
		return 0;
	/* slave and private are what the clone is already */
	if (propagation & (MS_SHARED | MS_UNBINDABLE) &&
	    mount(NULL, "/", NULL, propagation, NULL) < 0)
		return error_errno(err, errno, "set the propagation of the rootfs");
	if (!init->plan->rootfs_readonly)
		return 0;
	make_cwd(init);
	if (mount_setattr(init->root_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "make the rootfs read-only");
	return 0;
}
