/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving the cgroup to the container's user: its folder, and of its files those that the kernel
 * lists as safe to give away (cgroups(7), "delegation"). Limits stay ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/driver.h"

#define LIST "/sys/kernel/cgroup/delegate"
#define ROUNDS 100
#define PROCS_MAX ((size_t)64 << 20)
#define ALWAYS "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n"

int cgroup_delegate(const struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	uid_t owner = plan->cgroup.owner;
	char *save = NULL;

	if (!owner || !cgroup->made)
		return 0; /* root has it; and what was there before is somebody's */
	if (io_read_file(AT_FDCWD, LIST, 1 << 16, &list, NULL) < 0)
		strbuf_adds(&list, ALWAYS);
	if (fchownat(cgroup->fd, "", owner, (gid_t)-1, AT_EMPTY_PATH) < 0) {
		/* without privilege it is its caller's, who is the container's root */
		if (errno == EPERM && plan->rootless)
			return 0;
		return error_errno(err, errno, "give cgroup \"%s\" to user %u", cgroup->path,
				   owner);
	}
	for (char *file = strtok_r(list.data, "\n", &save); file;
	     file = strtok_r(NULL, "\n", &save)) {
		/* files of controllers that are not there */
		if (fchownat(cgroup->fd, file, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			return error_errno(err, errno, "give \"%s\" of cgroup \"%s\" to user %u",
					   file, cgroup->path, owner);
	}
	return 0;
}

/* Until nobody is there: they may fork meanwhile, and who has ended is no longer there either. */
static int move_all(const struct cgroup *from, int to, struct error *err)
{
	for (int round = 0; round < ROUNDS; round++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		/* whole: half a number is the pid of somebody else */
		int ret = io_read_file(from->fd, "cgroup.procs", PROCS_MAX, &text, err);
		char *save = NULL;

		if (ret < 0 || !text.size)
			return ret;
		for (char *pid = strtok_r(text.data, "\n", &save); pid;
		     pid = strtok_r(NULL, "\n", &save)) {
			ret = io_write_kernel_file(to, "cgroup.procs", pid, err);
			if (ret < 0 && ret != -ESRCH)
				return ret;
		}
	}
	return error_set(err, ERROR_SYSTEM, EBUSY, "move all processes: there are always more");
}

int cgroup_enter_delegated(const struct cgroup *cgroup, const struct plan *plan, pid_t pid,
			   struct error *err)
{
	const char *name = plan->cgroup.delegated;
	struct cgroup below = *cgroup; /* borrows all but fd */
	cleanup_free char *path = NULL, *pid_text = NULL;
	cleanup_close int fd = -EBADF;
	int ret;

	if (!name || cgroup->fd < 0)
		return 0;
	path = xasprintf("%s/%s", cgroup->path, name);
	pid_text = xasprintf("%d", (int)pid);
	if (mkdirat(cgroup->fd, name, 0755) < 0 && errno != EEXIST) /* or empty: fs_prepare */
		return error_errno(err, errno, "create cgroup \"%s\"", path);
	fd = openat(cgroup->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open cgroup \"%s\"", path);
	below.fd = fd;
	below.path = path;
	below.made = true;
	ret = cgroup_delegate(&below, plan, err);
	if (ret == 0)
		ret = pid ? io_write_kernel_file(fd, "cgroup.procs", pid_text, err)
			  : move_all(cgroup, fd, err);
	return error_prefix(err, ret, "delegate cgroup \"%s\"", path);
}
