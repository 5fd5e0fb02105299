/* SPDX-License-Identifier: Apache-2.0 */
/* Recursive copies for volumes, cp and commit. */
#include "builder/container/tree-copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "builder/image/entry.h"
#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/io.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static struct tar_entry entry_of(const struct tree_copy *copy, const struct stat *st,
				 const char *name)
{
	bool given = copy->set_owner && !S_ISDIR(st->st_mode) &&
		     (copy->uid != st->st_uid || copy->gid != st->st_gid);

	/* as with chown(2): what ran as one user must not run as another */
	return (struct tar_entry){ .path = name,
				   .mode = st->st_mode & ~(given ? S_ISUID | S_ISGID : 0U),
				   .uid = copy->set_owner ? copy->uid : st->st_uid,
				   .gid = copy->set_owner ? copy->gid : st->st_gid,
				   .mtime = st->st_mtim.tv_sec,
				   .mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
				   .device = st->st_rdev };
}

/* Make room at a name: what is there and is no folder goes. */
static int make_room(const struct tree_copy *copy, int to_fd, const char *name, struct error *err)
{
	struct stat st;

	if (fstatat(to_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "stat \"%s\"", name);
	if (S_ISDIR(st.st_mode))
		return error_errno(err, EISDIR, "replace the folder \"%s\"", name);
	if (copy->no_replace && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return error_errno(err, EEXIST, "replace \"%s\"", name);
	return unlinkat(to_fd, name, 0) < 0 ? error_errno(err, errno, "remove \"%s\"", name) : 0;
}

/* From hole to hole. */
static int copy_contents(int from, int to, off_t size, struct error *err)
{
	off_t data = 0, end;
	int ret;

	for (; data < size; data = end) {
		data = lseek(from, data, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break; /* a hole up to the end */
		end = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (end < 0) { /* a file system without holes */
			data = 0;
			end = size;
		}
		if (lseek(from, data, SEEK_SET) < 0 || lseek(to, data, SEEK_SET) < 0)
			return error_errno(err, errno, "seek");
		ret = io_copy(from, to, (size_t)(end - data), NULL);
		if (ret < 0)
			return error_errno(err, -ret, "copy the contents");
	}
	return ftruncate(to, size) < 0 ? error_errno(err, errno, "set the size") : 0;
}

static int copy_file(const struct tree_copy *copy, int from_fd, const char *from_name, int to_fd,
		     const char *to_name, struct error *err)
{
	cleanup_close int from =
		openat(from_fd, from_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	cleanup_close int to = -EBADF;
	struct tar_xattr *xattrs = NULL;
	struct tar_entry entry;
	struct stat st;
	int ret;

	if (from < 0 || fstat(from, &st) < 0)
		return error_errno(err, errno, "open it");
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_STATE, 0, "it was replaced meanwhile");
	entry = entry_of(copy, &st, to_name);
	ret = entry_read_xattrs(from, &xattrs, &entry.xattr_count, err);
	if (ret < 0)
		return ret;
	entry.xattrs = xattrs;
	ret = entry_create(to_fd, to_name, &entry, &to, err);
	if (ret == 0)
		ret = copy_contents(from, to, st.st_size, err);
	if (ret == 0)
		ret = entry_set_metadata(to_fd, to_name, to, &entry, err);
	xattrs_free(xattrs, entry.xattr_count);
	return ret;
}

static int copy_other(const struct tree_copy *copy, const struct stat *st, int from_fd,
		      const char *from_name, int to_fd, const char *to_name, struct error *err)
{
	struct tar_entry entry = entry_of(copy, st, to_name);
	char target[PATH_MAX];
	int unused = -EBADF, ret;
	ssize_t size;

	if (S_ISLNK(st->st_mode)) {
		size = readlinkat(from_fd, from_name, target, sizeof(target) - 1);
		if (size < 0)
			return error_errno(err, errno, "read the symlink");
		target[size] = '\0';
		entry.target = target;
	}
	ret = entry_create(to_fd, to_name, &entry, &unused, err);
	return ret < 0 ? ret : entry_set_metadata(to_fd, to_name, -EBADF, &entry, err);
}

/* The folder itself, after what is in it, which changes its time. */
static int set_folder(const struct tree_copy *copy, int from, int to, struct error *err)
{
	struct tar_xattr *xattrs = NULL;
	struct timespec times[2];
	struct tar_entry entry;
	struct stat st;
	int ret;

	if (fstat(from, &st) < 0)
		return error_errno(err, errno, "stat it");
	entry = entry_of(copy, &st, ".");
	ret = entry_read_xattrs(from, &xattrs, &entry.xattr_count, err);
	entry.xattrs = xattrs;
	if (ret == 0)
		ret = entry_set_metadata(to, ".", -EBADF, &entry, err);
	xattrs_free(xattrs, entry.xattr_count);
	if (ret < 0)
		return ret;
	ret = copy->marks ? overlay_is_opaque(*copy->marks, from) : 0;
	if (ret > 0)
		ret = overlay_set_opaque(*copy->marks, to);
	if (ret < 0)
		return error_errno(err, -ret, "mark it as opaque");
	times[0] = times[1] = st.st_mtim;
	return futimens(to, times) < 0 ? error_errno(err, errno, "set its time") : 0;
}

static int copy_folder(const struct tree_copy *copy, int from_fd, const char *from_name, int to_fd,
		       const char *to_name, struct error *err)
{
	cleanup_close int from = openat(from_fd, from_name, FOLDER_FLAGS), to = -EBADF;
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	bool made;
	int ret = 0;

	if (from < 0)
		return error_errno(err, errno, "open it");
	made = mkdirat(to_fd, to_name, 0700) == 0;
	if (!made && errno != EEXIST)
		return error_errno(err, errno, "make the folder \"%s\"", to_name);
	to = openat(to_fd, to_name, FOLDER_FLAGS);
	if (to < 0)
		return error_errno(err, errno, "open the folder \"%s\"", to_name);
	dir = fdopendir(fd_dup_above(from, 3));
	if (!dir)
		return error_errno(err, errno, "read it");
	while (ret == 0 && (errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ret = tree_copy(copy, from, entry->d_name, to, entry->d_name, err);
	if (ret == 0 && errno)
		return error_errno(err, errno, "read it");
	return ret < 0 || (copy->keep_folders && !made) ? ret : set_folder(copy, from, to, err);
}

int tree_copy(const struct tree_copy *copy, int from_fd, const char *from_name, int to_fd,
	      const char *to_name, struct error *err)
{
	struct stat st;
	int ret;

	if (fstatat(from_fd, from_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "stat \"%s\"", from_name);
	if (S_ISSOCK(st.st_mode))
		return 0; /* useless without its process */
	if (S_ISDIR(st.st_mode))
		ret = copy_folder(copy, from_fd, from_name, to_fd, to_name, err);
	else
		ret = make_room(copy, to_fd, to_name, err);
	if (ret == 0 && S_ISREG(st.st_mode))
		ret = copy_file(copy, from_fd, from_name, to_fd, to_name, err);
	else if (ret == 0 && !S_ISDIR(st.st_mode))
		ret = copy_other(copy, &st, from_fd, from_name, to_fd, to_name, err);
	return error_prefix(err, ret, "copy \"%s\"", from_name);
}

/* -- all of a tree -------------------------------------------------------------------------------
 */

typedef int (*each_fn)(int dir_fd, const char *name, const void *context, struct error *err);

static int each(int dir_fd, const char *name, each_fn call, const void *context, struct error *err)
{
	cleanup_close int fd = openat(dir_fd, name, FOLDER_FLAGS);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd_dup_above(fd, 3));
	const struct dirent *entry;
	int ret = 0;

	if (fd < 0 && errno != ENOTDIR && errno != ELOOP)
		return error_errno(err, errno, "open \"%s\"", name);
	if (fd >= 0 && !dir)
		return error_errno(err, errno, "read \"%s\"", name);
	while (dir && ret == 0 && (errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ret = each(fd, entry->d_name, call, context, err);
	if (dir && ret == 0 && errno)
		return error_errno(err, errno, "read \"%s\"", name);
	return ret < 0 ? ret : call(dir_fd, name, context, err);
}

static int chown_one(int dir_fd, const char *name, const void *context, struct error *err)
{
	const struct tree_copy *owner = context;

	if (fchownat(dir_fd, name, owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "change the owner of \"%s\"", name);
	return 0;
}

int tree_chown(int dir_fd, const char *name, uid_t uid, gid_t gid, struct error *err)
{
	const struct tree_copy owner = { .uid = uid, .gid = gid };

	return each(dir_fd, name, chown_one, &owner, err);
}

static int label_one(int dir_fd, const char *name, const void *context, struct error *err)
{
	cleanup_close int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || setxattr(path, "security.selinux", context, strlen(context) + 1, 0) < 0)
		return error_errno(err, errno, "label \"%s\"", name);
	return 0;
}

int tree_label(int dir_fd, const char *name, const char *label, struct error *err)
{
	return each(dir_fd, name, label_one, label, err);
}

bool tree_is_empty(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, FOLDER_FLAGS);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return false;
	return true;
}
