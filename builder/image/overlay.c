/* SPDX-License-Identifier: Apache-2.0 */
/* Overlayfs's marks, for all that reads or makes trees. */
#include "builder/image/overlay.h"

#include <errno.h>
#include <stddef.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static const char *opaque_xattr(bool user_xattr)
{
	return user_xattr ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

int overlay_make_whiteout(int dirfd, const char *name)
{
	return mknodat(dirfd, name, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}

bool overlay_is_opaque(int fd, bool user_xattr)
{
	char value = 0;

	return fgetxattr(fd, opaque_xattr(user_xattr), &value, 1) == 1 && value == 'y';
}

int overlay_set_opaque(int fd, bool user_xattr)
{
	return fsetxattr(fd, opaque_xattr(user_xattr), "y", 1, 0) < 0 ? -errno : 0;
}

int overlay_clear_opaque(int fd, bool user_xattr)
{
	return fremovexattr(fd, opaque_xattr(user_xattr)) < 0 ? -errno : 0;
}

bool overlay_is_redirected(int fd, bool user_xattr)
{
	const char *name = user_xattr ? "user.overlay.redirect" : "trusted.overlay.redirect";

	return fgetxattr(fd, name, NULL, 0) >= 0;
}
