/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's terminal, from the container's own devpts: the master goes to the host side, the
 * slave becomes /dev/console and the standard streams. The host never opens a path in there, and
 * the nodes are checked by fd (CVE-2025-52565).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/syscalls.h"
#include "runtime/init/init.h"

#define PTMX "/dev/pts/ptmx"

/* Nothing is opened for real before it is known to be the multiplexer of a devpts. */
static int open_master(struct init *init, struct error *err)
{
	cleanup_close int found = inroot_open_nofollow(init->root_fd, PTMX, O_PATH, true, err);
	struct stat status;
	struct statfs fs;
	char path[32];
	int fd;

	if (found < 0)
		return found;
	if (fstat(found, &status) < 0 || fstatfs(found, &fs) < 0)
		return error_errno(err, errno, "look at \"%s\"", PTMX);
	if (fs.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(status.st_mode) ||
	    status.st_rdev != makedev(5, 2))
		return error_set(err, ERROR_INVALID, 0, "\"%s\" is not the multiplexer of a devpts",
				 PTMX);
	(void)snprintf(path, sizeof(path), "fd/%d", found);
	fd = openat(init->self_fd, path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open \"%s\"", PTMX) : fd;
}

static int open_slave(int master, struct error *err)
{
	int unlock = 0, fd;

	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return error_errno(err, errno, "unlock the terminal");
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open the terminal's other end") : fd;
}

static int set_size(const struct plan_process *process, int master, struct error *err)
{
	struct winsize size = { .ws_row = process->console_height,
				.ws_col = process->console_width };

	if (!size.ws_row && !size.ws_col)
		return 0;
	if (ioctl(master, TIOCSWINSZ, &size) < 0)
		return error_errno(err, errno, "set the terminal's size");
	return 0;
}

static int mount_console(struct init *init, int slave, struct error *err)
{
	cleanup_close int folder = -EBADF, target = -EBADF, clone = -EBADF;
	const char *name = NULL;

	folder = inroot_parent(init->root_fd, "/dev/console", true, &name, err);
	if (folder < 0)
		return folder;
	target = openat(folder, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0620);
	if (target < 0 && errno == EEXIST)
		target = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return error_errno(err, errno, "create /dev/console");
	clone = open_tree(slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone < 0)
		return error_errno(err, errno, "clone the terminal's mount");
	return error_prefix(err, mount_attach(clone, target, err), "/dev/console");
}

int console_setup(struct init *init, struct error *err)
{
	cleanup_close int master = open_master(init, err), slave = -EBADF;
	int ret;

	if (master < 0)
		return master;
	slave = open_slave(master, err);
	if (slave < 0)
		return slave;
	ret = set_size(&init->plan->process, master, err);
	if (ret == 0 && init->args->container_fd < 0)
		ret = mount_console(init, slave, err);
	if (ret == 0)
		ret = sync_send(init->sync, SYNC_CONSOLE, 0, master, err);
	if (ret < 0)
		return ret;
	/* we lead a session since the start */
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return error_errno(err, errno, "make the terminal the controlling one");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			return error_errno(err, errno, "make the terminal standard stream %d", fd);
	return 0;
}
