/* SPDX-License-Identifier: Apache-2.0 */
/* Overlayfs's marks and their substitutes, for all that reads or makes trees. */
#include "builder/image/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *opaque_xattr(enum overlay_marks marks)
{
	return marks == OVERLAY_MARKS_USER ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

int overlay_make_whiteout(enum overlay_marks marks, int dirfd, const char *name)
{
	mode_t type = marks == OVERLAY_MARKS_PLAIN ? S_IFSOCK : S_IFCHR;

	return mknodat(dirfd, name, type, makedev(0, 0)) < 0 ? -errno : 0;
}

int overlay_is_opaque(enum overlay_marks marks, int fd)
{
	bool plain = marks == OVERLAY_MARKS_PLAIN;
	char value = 0;
	ssize_t ret = plain ? faccessat(fd, OPAQUE_NAME, F_OK, AT_SYMLINK_NOFOLLOW)
			    : fgetxattr(fd, opaque_xattr(marks), &value, 1);

	if (ret >= 0)
		return plain || (ret == 1 && value == 'y');
	/* no mark; one that is longer than ours; nowhere to have one */
	return errno == ENOENT || errno == ENODATA || errno == ERANGE || errno == EOPNOTSUPP
		       ? 0
		       : -errno;
}

int overlay_set_opaque(enum overlay_marks marks, int fd)
{
	if (marks != OVERLAY_MARKS_PLAIN)
		return fsetxattr(fd, opaque_xattr(marks), "y", 1, 0) < 0 ? -errno : 0;
	return mknodat(fd, OPAQUE_NAME, S_IFSOCK, 0) < 0 && errno != EEXIST ? -errno : 0;
}

int overlay_clear_opaque(enum overlay_marks marks, int fd)
{
	int ret = marks == OVERLAY_MARKS_PLAIN ? unlinkat(fd, OPAQUE_NAME, 0)
					       : fremovexattr(fd, opaque_xattr(marks));

	return ret < 0 ? -errno : 0;
}

bool overlay_is_redirected(enum overlay_marks marks, int fd)
{
	const char *name =
		marks == OVERLAY_MARKS_USER ? "user.overlay.redirect" : "trusted.overlay.redirect";

	return marks != OVERLAY_MARKS_PLAIN && fgetxattr(fd, name, NULL, 0) >= 0;
}
