/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving the cgroup to the container's user: its folder, and of its files those that the kernel
 * lists as safe to give away (cgroups(7), "delegation"). Limits stay ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/driver.h"

#define LIST "/sys/kernel/cgroup/delegate"
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
