/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel parameters of the container's namespaces. /proc/sys shows the values of the namespaces of
 * whoever looks, so the host's procfs does, by an fd that nothing in the container can redirect
 * (CVE-2019-16884, CVE-2025-52881).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/syscalls.h"
#include "runtime/init/init.h"

/* For runtimes that run in a container themselves, with a read-only /proc. */
static int own_procfs(struct error *err)
{
	cleanup_close int fsfd = fsopen("proc", FSOPEN_CLOEXEC);
	int fd;

	if (fsfd < 0 || fsconfig(fsfd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_errno(err, errno, "create a procfs for kernel parameters");
	fd = fsmount(fsfd, FSMOUNT_CLOEXEC,
		     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? error_errno(err, errno, "mount a procfs for kernel parameters") : fd;
}

static int open_parameter(int sys_fd, const char *file)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = sys_openat2(sys_fd, file, &how);

	return fd < 0 ? -errno : fd;
}

static int open_sys(int proc_fd, struct error *err)
{
	int fd = openat(proc_fd, "sys", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? error_errno(err, errno, "open /proc/sys") : fd;
}

static int set_parameter(int sys_fd, const struct plan_sysctl *sysctl, struct error *err)
{
	cleanup_close int fd = open_parameter(sys_fd, sysctl->file);
	ssize_t size = (ssize_t)strlen(sysctl->value);

	if (fd < 0)
		return error_errno(err, -fd, "open kernel parameter \"%s\"", sysctl->file);
	if (write(fd, sysctl->value, (size_t)size) != size)
		return error_errno(err, errno, "write \"%s\" to kernel parameter \"%s\"",
				   sysctl->value, sysctl->file);
	return 0;
}

int sysctl_apply(struct init *init, struct error *err)
{
	cleanup_close int sys_fd = open_sys(init->proc_fd, err);
	cleanup_close int own_fd = -EBADF;
	bool retried = false;

	if (sys_fd < 0)
		return sys_fd;
	for (size_t i = 0; i < init->plan->sysctl_count; i++) {
		int ret = set_parameter(sys_fd, &init->plan->sysctls[i], err);

		if (ret == -EROFS && !retried) {
			retried = true;
			own_fd = own_procfs(err);
			if (own_fd < 0)
				return own_fd;
			cleanup_close_fd(&sys_fd);
			sys_fd = open_sys(own_fd, err);
			if (sys_fd < 0)
				return sys_fd;
			ret = set_parameter(sys_fd, &init->plan->sysctls[i], err);
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}
