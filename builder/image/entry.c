/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making files from archive entries, for the layer writer and for unpacking. Names are last
 * components below an fd that the caller resolved; nothing here follows a symlink.
 */
#include "builder/image/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/syscalls.h"

static int create_file(int dirfd, const char *name, const struct tar_entry *entry, int *out_fd)
{
	/* set-id bits only after the owner is right */
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			entry->mode & 0777);

	if (fd < 0)
		return -errno;
	*out_fd = fd;
	return 0;
}

/* Does the folder give its entries ACLs of their own? */
static bool gives_acls(int dirfd)
{
	char path[32];

	if (fgetxattr(dirfd, XATTR_ACL_DEFAULT, NULL, 0) >= 0)
		return true;
	if (errno != EBADF)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd); /* it is O_PATH */
	return getxattr(path, XATTR_ACL_DEFAULT, NULL, 0) >= 0;
}

/* Of what has no fd. Whoever runs in that folder may have put a symlink in its place. */
static int set_mode(int dirfd, const char *name, mode_t mode)
{
	int ret = sys_fchmodat2(dirfd, name, mode, AT_SYMLINK_NOFOLLOW);

	if (ret < 0 && (errno == ENOSYS || errno == EPERM)) /* before Linux 6.6, or seccomp */
		ret = fchmodat(dirfd, name, mode, AT_SYMLINK_NOFOLLOW);
	return ret;
}

/* A new entry has the ACLs that its archive or its source says, not those of the folder. */
static int drop_inherited(int dirfd, const char *name, const struct tar_entry *entry,
			  struct error *err)
{
	cleanup_free char *path = NULL;

	if (S_ISLNK(entry->mode) || !gives_acls(dirfd))
		return 0;
	path = xasprintf("/proc/self/fd/%d/%s", dirfd, name);
	if ((lremovexattr(path, XATTR_ACL_ACCESS) < 0 && errno != ENODATA) ||
	    (S_ISDIR(entry->mode) && lremovexattr(path, XATTR_ACL_DEFAULT) < 0 &&
	     errno != ENODATA) ||
	    set_mode(dirfd, name, entry->mode & 0777) < 0)
		return error_errno(err, errno, "drop the ACL that \"%s\" has from its folder",
				   entry->path);
	return 0;
}

int entry_create(int dirfd, const char *name, const struct tar_entry *entry, int *out_fd,
		 struct error *err)
{
	int ret;

	*out_fd = -EBADF;
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		ret = create_file(dirfd, name, entry, out_fd);
		break;
	case S_IFDIR:
		ret = mkdirat(dirfd, name, entry->mode & 0777) < 0 ? -errno : 0;
		break;
	case S_IFLNK:
		ret = symlinkat(entry->target, dirfd, name) < 0 ? -errno : 0;
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		ret = mknodat(dirfd, name, entry->mode & (S_IFMT | 0777), entry->device);
		ret = ret < 0 ? -errno : 0;
		break;
	default:
		return error_invalid(err, "\"%s\": a file of type 0%o cannot be made", entry->path,
				     entry->mode & S_IFMT);
	}
	if (ret == -EEXIST)
		return ret;
	if (ret == -EPERM && (S_ISCHR(entry->mode) || S_ISBLK(entry->mode)))
		return error_set(err, ERROR_UNSUPPORTED, EPERM,
				 "create the device node \"%s\", which takes root", entry->path);
	if (ret < 0)
		return error_errno(err, -ret, "create \"%s\"", entry->path);
	ret = drop_inherited(dirfd, name, entry, err);
	if (ret < 0)
		cleanup_close_fd(out_fd);
	return ret;
}

/*
 * What the kernel may refuse to a tree although it stands in its headers, which keep it: user
 * xattrs on a file system without them (tmpfs before 6.6), and without root those of the system's
 * own.
 */
static bool may_lack(const char *xattr, int errnum)
{
	if (errnum == EOPNOTSUPP)
		return strncmp(xattr, "user.", 5) == 0;
	return errnum == EPERM &&
	       (strncmp(xattr, "trusted.", 8) == 0 || strncmp(xattr, "security.", 9) == 0);
}

static int set_xattrs(int dirfd, const char *name, int file_fd, const struct tar_entry *entry,
		      struct error *err)
{
	cleanup_close int own_fd = -EBADF;
	int fd = file_fd;

	if (!entry->xattr_count || S_ISLNK(entry->mode))
		return 0; /* the kernel has no portable xattrs on symlinks */
	if (fd < 0) {
		/* a folder, as the kernel allows user xattrs only on those and on files; a device
		 * must not be opened, that has effects */
		if (!S_ISDIR(entry->mode))
			return 0;
		own_fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (own_fd < 0)
			return error_errno(err, errno, "open \"%s\"", entry->path);
		fd = own_fd;
	}
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *x = &entry->xattrs[i];

		if (!tar_xattr_is_portable(x->name))
			continue;
		if (fsetxattr(fd, x->name, x->value, x->size, 0) < 0 && !may_lack(x->name, errno))
			return error_errno(err, errno, "set xattr \"%s\" of \"%s\"", x->name,
					   entry->path);
	}
	return 0;
}

/* Most files have the owner that they need already: a look is cheaper than a journaled change. */
static int change_owner(int dirfd, const char *name, int file_fd, const struct tar_entry *entry)
{
	struct stat st;

	if (file_fd < 0)
		return fchownat(dirfd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW);
	if (fstat(file_fd, &st) == 0 && st.st_uid == entry->uid && st.st_gid == entry->gid)
		return 0;
	return fchown(file_fd, entry->uid, entry->gid);
}

/* EINVAL: our user namespace has no such id. The headers of the layer keep it. */
static int set_owner(int dirfd, const char *name, int file_fd, const struct tar_entry *entry)
{
	int ret = change_owner(dirfd, name, file_fd, entry);

	return ret < 0 && errno == EINVAL ? 0 : ret;
}

int entry_set_metadata(int dirfd, const char *name, int file_fd, const struct tar_entry *entry,
		       struct error *err)
{
	const struct timespec mtime = { entry->mtime, entry->mtime_nsec };
	const struct timespec times[2] = { mtime, mtime };
	int ret;

	if (set_owner(dirfd, name, file_fd, entry) < 0)
		return error_errno(err, errno, "set the owner of \"%s\" to %u:%u", entry->path,
				   entry->uid, entry->gid);
	/* chown cleared set-id bits, a set-gid parent may have added one */
	if (!S_ISLNK(entry->mode) && (S_ISDIR(entry->mode) || (entry->mode & 07000))) {
		ret = file_fd >= 0 ? fchmod(file_fd, entry->mode & 07777)
				   : set_mode(dirfd, name, entry->mode & 07777);
		if (ret < 0)
			return error_errno(err, errno, "set the mode of \"%s\"", entry->path);
	}
	ret = set_xattrs(dirfd, name, file_fd, entry, err);
	if (ret < 0 || S_ISDIR(entry->mode))
		return ret;
	ret = file_fd >= 0 ? futimens(file_fd, times)
			   : utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW);
	if (ret < 0)
		return error_errno(err, errno, "set the time of \"%s\"", entry->path);
	return 0;
}

void xattrs_free(struct tar_xattr *xattrs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((void *)xattrs[i].name);
		free((void *)xattrs[i].value);
	}
	free(xattrs);
}

static int read_value(int fd, const char *name, struct tar_xattr *out, struct error *err)
{
	ssize_t size = fgetxattr(fd, name, NULL, 0);
	cleanup_free char *value = NULL;

	if (size >= 0) {
		value = xmalloc((size_t)size + 1);
		size = fgetxattr(fd, name, value, (size_t)size);
	}
	if (size < 0)
		return error_errno(err, errno, "read xattr \"%s\"", name);
	*out = (struct tar_xattr){ xstrdup(name), TAKE_PTR(value), (size_t)size };
	return 0;
}

int entry_read_xattrs(int fd, struct tar_xattr **out, size_t *out_count, struct error *err)
{
	char names[1024];
	cleanup_free char *more = NULL;
	const char *list = names;
	struct tar_xattr *xattrs = NULL;
	size_t count = 0, capacity = 0;
	ssize_t size = flistxattr(fd, names, sizeof(names));

	if (size < 0 && errno == ERANGE) {
		list = more = xmalloc(XATTR_LIST_MAX);
		size = flistxattr(fd, more, XATTR_LIST_MAX);
	}
	if (size < 0 && errno != EOPNOTSUPP)
		return error_errno(err, errno, "list xattrs");
	for (ssize_t i = 0; i < size; i += (ssize_t)strlen(list + i) + 1) {
		int ret;

		if (!tar_xattr_is_portable(list + i))
			continue;
		ARRAY_GROW(xattrs, count, capacity);
		ret = read_value(fd, list + i, &xattrs[count], err);
		if (ret < 0) {
			xattrs_free(xattrs, count);
			return ret;
		}
		count++;
	}
	*out = xattrs;
	*out_count = count;
	return 0;
}
