/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes and propagation of a mount, by mount_setattr(2). For binds they are what mount(8)
 * would do: with any flag given, those that are not named go, unless the kernel has them locked
 * because the mount came from a more privileged mount namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "runtime/init/mounts.h"

/* What the kernel may lock (fs/namespace.c, lock_mnt_tree), besides the atime family. */
/* clang-format off */
static const struct {
	unsigned long flag; /* of statfs(2) */
	uint64_t attribute;
	const char *undo;
} lockable[] = {
	{ ST_RDONLY, MOUNT_ATTR_RDONLY, "rw" },
	{ ST_NOSUID, MOUNT_ATTR_NOSUID, "suid" },
	{ ST_NODEV,  MOUNT_ATTR_NODEV,  "dev" },
	{ ST_NOEXEC, MOUNT_ATTR_NOEXEC, "exec" },
};
/* clang-format on */

/* Again, with what is locked left alone; an option that wanted it gone cannot be honoured. */
static int set_unlocked(int fd, const struct plan_mount *mount, struct mount_attr *attr,
			struct error *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return error_errno(err, errno, "look at the mount");
	for (size_t i = 0; i < ARRAY_SIZE(lockable); i++) {
		if (!((unsigned long)fs.f_flags & lockable[i].flag) ||
		    mount->attr_set & lockable[i].attribute)
			continue;
		if (mount->attr_clear & lockable[i].attribute)
			return error_errno(err, EPERM,
					   "option \"%s\": the flag of the source that it would "
					   "clear is locked",
					   lockable[i].undo);
		attr->attr_clr &= ~lockable[i].attribute;
	}
	if (mount_setattr(fd, "", AT_EMPTY_PATH, attr, sizeof(*attr)) < 0)
		return error_errno(err, errno, "set the mount attributes");
	return 0;
}

static int set_own(int fd, const struct plan_mount *mount, struct error *err)
{
	struct mount_attr attr = { .attr_set = mount->attr_set,
				   .attr_clr = mount->attr_clear | mount->attr_drop };

	if (!attr.attr_set && !attr.attr_clr)
		return 0;
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		return 0;
	if (errno == EPERM && attr.attr_clr)
		return set_unlocked(fd, mount, &attr, err);
	return error_errno(err, errno, "set the mount attributes");
}

int mount_set_attributes(int fd, const struct plan_mount *mount, struct error *err)
{
	struct mount_attr attr = { .attr_set = mount->attr_set_rec,
				   .attr_clr = mount->attr_clear_rec };

	if ((attr.attr_set || attr.attr_clr) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "set the recursive mount attributes");
	return set_own(fd, mount, err);
}

int mount_set_propagation(int fd, const struct plan_mount *mount, struct error *err)
{
	for (const unsigned long *p = mount->propagation; p && *p; p++) {
		struct mount_attr attr = { .propagation = *p & ~(unsigned long)MS_REC };
		unsigned int flags = AT_EMPTY_PATH | (*p & MS_REC ? AT_RECURSIVE : 0U);

		if (mount_setattr(fd, "", flags, &attr, sizeof(attr)) < 0)
			return error_errno(err, errno, "set the mount's propagation");
	}
	return 0;
}
