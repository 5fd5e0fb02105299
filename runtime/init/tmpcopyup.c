/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies the contents of a folder into a fresh tmpfs. Both ends are walked by fd with O_NOFOLLOW:
 * the folder comes from an image, and its links may point anywhere.
 */
#include "runtime/init/tmpcopyup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"

/* Deeper trees than this are refused rather than recursed into. */
#define DEPTH_MAX 256

static int copy_folder(int from, int to, int depth);

/* Extended attributes of a regular file or folder; what tmpfs does not take is left behind. */
static int copy_xattrs(int from, int to)
{
	char names[4096], value[4096];
	ssize_t size = flistxattr(from, names, sizeof(names));

	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t length = fgetxattr(from, names + at, value, sizeof(value));

		if (length >= 0 && fsetxattr(to, names + at, value, (size_t)length, 0) < 0 &&
		    errno != EOPNOTSUPP && errno != EPERM)
			return -errno;
	}
	return 0;
}

static int copy_metadata(int fd, const struct stat *status)
{
	const struct timespec times[] = { status->st_atim, status->st_mtim };

	if (fchown(fd, status->st_uid, status->st_gid) < 0 ||
	    fchmod(fd, status->st_mode & 07777) < 0 || futimens(fd, times) < 0)
		return -errno;
	return 0;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *status)
{
	cleanup_close int from =
		openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	cleanup_close int to = -EBADF;
	int ret;

	if (from < 0)
		return -errno;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	ret = io_copy(from, to, SIZE_MAX, NULL);
	if (ret == 0)
		ret = copy_xattrs(from, to);
	return ret < 0 ? ret : copy_metadata(to, status);
}

static int copy_subfolder(int from_dir, int to_dir, const char *name, const struct stat *status,
			  int depth)
{
	cleanup_close int from =
		openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int to = -EBADF;
	int ret;

	if (from < 0 || mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -errno;
	ret = copy_folder(from, to, depth + 1);
	if (ret == 0)
		ret = copy_xattrs(from, to);
	return ret < 0 ? ret : copy_metadata(to, status);
}

/* Symlinks, devices, fifos and sockets: made anew, owner and times set on the name itself. */
static int copy_special(int from_dir, int to_dir, const char *name, const struct stat *status)
{
	const struct timespec times[] = { status->st_atim, status->st_mtim };
	char target[PATH_MAX];

	if (S_ISLNK(status->st_mode)) {
		ssize_t size = readlinkat(from_dir, name, target, sizeof(target) - 1);

		if (size < 0)
			return -errno;
		target[size] = '\0';
		if (symlinkat(target, to_dir, name) < 0)
			return -errno;
	} else if (mknodat(to_dir, name, status->st_mode, status->st_rdev) < 0) {
		return -errno;
	}
	if (fchownat(to_dir, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_entry(int from, int to, const char *name, int depth)
{
	struct stat status;

	if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return copy_subfolder(from, to, name, &status, depth);
	if (S_ISREG(status.st_mode))
		return copy_file(from, to, name, &status);
	return copy_special(from, to, name, &status);
}

static int copy_folder(int from, int to, int depth)
{
	cleanup_dir DIR *dir = NULL;
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -ENOMEM;
	}
	if (depth > DEPTH_MAX)
		return -ELOOP;
	for (struct dirent *entry; (entry = readdir(dir));) {
		int ret;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		ret = copy_entry(from, to, entry->d_name, depth);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int tmpcopyup(int from_fd, int to_fd, struct error *err)
{
	/* the mount's fd is O_PATH: a real one through its own "." */
	cleanup_close int to = openat(to_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = to < 0 ? -errno : copy_folder(from_fd, to, 0);

	return ret < 0 ? error_errno(err, -ret, "copy the folder below the tmpfs") : 0;
}
