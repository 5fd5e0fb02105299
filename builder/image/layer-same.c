/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing files of an upper with those of the trees below; called by layer-scan.c. */
#include "builder/image/layer-same.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "builder/image/entry.h"
#include "lib/cleanup.h"

#define PIECE (32 * 1024)

static bool same_stat(const struct stat *a, const struct stat *b)
{
	bool device = S_ISCHR(a->st_mode) || S_ISBLK(a->st_mode);

	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       (S_ISDIR(a->st_mode) || a->st_size == b->st_size) &&
	       (!device || a->st_rdev == b->st_rdev);
}

static bool has_xattr(const struct tar_xattr *xattrs, size_t count, const struct tar_xattr *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(xattrs[i].name, wanted->name) == 0)
			return xattrs[i].size == wanted->size &&
			       memcmp(xattrs[i].value, wanted->value, wanted->size) == 0;
	return false;
}

static int same_xattrs(int a_fd, int b_fd, struct error *err)
{
	struct tar_xattr *a = NULL, *b = NULL;
	size_t a_count = 0, b_count = 0;
	int ret = entry_read_xattrs(a_fd, &a, &a_count, err);

	if (ret == 0)
		ret = entry_read_xattrs(b_fd, &b, &b_count, err);
	if (ret == 0)
		ret = a_count == b_count;
	for (size_t i = 0; i < a_count && ret == 1; i++)
		ret = has_xattr(b, b_count, &a[i]);
	xattrs_free(a, a_count);
	xattrs_free(b, b_count);
	return ret;
}

static ssize_t read_piece(int fd, char *buffer, off_t offset)
{
	size_t size = 0;

	while (size < PIECE) {
		ssize_t n = pread(fd, buffer + size, PIECE - size, offset + (off_t)size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	return (ssize_t)size;
}

static int same_contents(int a_fd, int b_fd, struct error *err)
{
	char a[PIECE], b[PIECE];

	for (off_t offset = 0;; offset += PIECE) {
		ssize_t a_size = read_piece(a_fd, a, offset);
		ssize_t b_size = a_size < 0 ? a_size : read_piece(b_fd, b, offset);

		if (b_size < 0)
			return error_errno(err, (int)-b_size, "compare it with what is below");
		if (a_size != b_size || memcmp(a, b, (size_t)a_size) != 0)
			return 0;
		if (a_size < PIECE)
			return 1;
	}
}

static int same_link(int a_folder_fd, int b_folder_fd, const char *name, struct error *err)
{
	char a[PATH_MAX], b[PATH_MAX];
	ssize_t a_size = readlinkat(a_folder_fd, name, a, sizeof(a));
	ssize_t b_size = readlinkat(b_folder_fd, name, b, sizeof(b));

	if (a_size < 0 || b_size < 0)
		return error_errno(err, errno, "read the symlink");
	return a_size == b_size && memcmp(a, b, (size_t)a_size) == 0;
}

int layer_same_entry(int a_folder_fd, const struct stat *a, int b_folder_fd, const struct stat *b,
		     const char *name, struct error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	cleanup_close int a_fd = -EBADF;
	cleanup_close int b_fd = -EBADF;
	int ret;

	if (!same_stat(a, b))
		return 0;
	if (S_ISLNK(a->st_mode))
		return same_link(a_folder_fd, b_folder_fd, name, err);
	if (!S_ISREG(a->st_mode))
		return 1;
	a_fd = openat(a_folder_fd, name, flags);
	b_fd = openat(b_folder_fd, name, flags);
	if (a_fd < 0 || b_fd < 0)
		return error_errno(err, errno, "open it");
	ret = same_xattrs(a_fd, b_fd, err);
	return ret == 1 ? same_contents(a_fd, b_fd, err) : ret;
}

int layer_same_folder(int a_fd, const struct stat *a, int b_fd, const struct stat *b,
		      struct error *err)
{
	return same_stat(a, b) ? same_xattrs(a_fd, b_fd, err) : 0;
}
