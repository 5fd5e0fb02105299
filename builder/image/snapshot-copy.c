/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging trees by copying, called by snapshot.c where overlayfs refuses: the same merged view of
 * each folder as everywhere (layer-below.h), one name after the other. Contents are shared where
 * the file system can do that (reflinks), else copied inside the kernel, holes left out.
 */
#include "builder/image/snapshot-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/entry.h"
#include "builder/image/layer-below.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"

struct copier {
	struct store *store;
	unsigned int flags;
};

static struct tar_entry entry_of(const struct stat *st, const char *path)
{
	return (struct tar_entry){ .path = path,
				   .mode = st->st_mode,
				   .uid = st->st_uid,
				   .gid = st->st_gid,
				   .mtime = st->st_mtim.tv_sec,
				   .mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
				   .device = st->st_rdev };
}

/* -- files --------------------------------------------------------------------------------------
 */

/* read and write, where the kernel has no way of its own between these two. */
static int pump(const struct copier *copier, int from, int to, off_t offset, off_t end,
		struct error *err)
{
	char buffer[65536];

	if (lseek(from, offset, SEEK_SET) < 0 || lseek(to, offset, SEEK_SET) < 0)
		return error_errno(err, errno, "seek");
	while (offset < end) {
		size_t want = end - offset < (off_t)sizeof(buffer) ? (size_t)(end - offset)
								   : sizeof(buffer);
		ssize_t n = read(from, buffer, want);
		int ret = store_check_stop(copier->store, err);

		if (ret < 0)
			return ret;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, n < 0 ? errno : EIO, "read it");
		ret = io_write_all(to, buffer, (size_t)n);
		if (ret < 0)
			return error_errno(err, -ret, "write it");
		offset += n;
	}
	return 0;
}

#define PIECE ((size_t)64 << 20) /* between two looks at the stop fd */

static int copy_range(const struct copier *copier, int from, int to, off_t offset, off_t end,
		      struct error *err)
{
	loff_t in = offset, out = offset;

	while (in < end) {
		size_t want = end - in < (off_t)PIECE ? (size_t)(end - in) : PIECE;
		ssize_t n = copy_file_range(from, &in, to, &out, want, 0);
		int ret = store_check_stop(copier->store, err);

		if (ret < 0)
			return ret;
		if (n <= 0)
			return pump(copier, from, to, in, end, err);
	}
	return 0;
}

static int copy_contents(const struct copier *copier, int from, int to, off_t size,
			 struct error *err)
{
	off_t data = 0;
	int ret = 0;

	if (size == 0 || ioctl(to, FICLONE, from) == 0)
		return 0;
	while (ret == 0 && data < size) {
		off_t end;

		data = lseek(from, data, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break; /* a hole up to the end */
		end = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (end < 0)
			return error_errno(err, errno, "look for holes");
		ret = copy_range(copier, from, to, data, end, err);
		data = end;
	}
	if (ret == 0 && ftruncate(to, size) < 0)
		return error_errno(err, errno, "set the size");
	return ret;
}

static int copy_file(const struct copier *copier, int from_fd, const char *name, int to_fd,
		     struct tar_entry *entry, struct error *err)
{
	cleanup_close int from =
		openat(from_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	cleanup_close int to = -EBADF;
	struct tar_xattr *xattrs = NULL;
	struct stat st;
	int ret;

	if (from < 0 || fstat(from, &st) < 0)
		return error_errno(err, errno, "open it");
	ret = entry_read_xattrs(from, &xattrs, &entry->xattr_count, err);
	if (ret < 0)
		return ret;
	entry->xattrs = xattrs;
	ret = entry_create(to_fd, name, entry, &to, err);
	if (ret == 0)
		ret = copy_contents(copier, from, to, st.st_size, err);
	if (ret == 0)
		ret = entry_set_metadata(to_fd, name, to, entry, err);
	xattrs_free(xattrs, entry->xattr_count);
	return ret;
}

static int copy_other(const struct copier *copier, int from_fd, const char *name, int to_fd,
		      const struct stat *st, const char *path, struct error *err)
{
	struct tar_entry entry = entry_of(st, path);
	char target[PATH_MAX];
	int unused = -EBADF;
	ssize_t size;
	int ret;

	if (S_ISSOCK(st->st_mode))
		return 0; /* in no layer, and useless without its process */
	if ((copier->flags & SNAPSHOT_COPY_LINKS) && linkat(from_fd, name, to_fd, name, 0) == 0)
		return 0;
	if (S_ISREG(st->st_mode))
		return copy_file(copier, from_fd, name, to_fd, &entry, err);
	if (S_ISLNK(st->st_mode)) {
		size = readlinkat(from_fd, name, target, sizeof(target) - 1);
		if (size < 0)
			return error_errno(err, errno, "read the symlink");
		target[size] = '\0';
		entry.target = target;
	}
	ret = entry_create(to_fd, name, &entry, &unused, err);
	return ret < 0 ? ret : entry_set_metadata(to_fd, name, -EBADF, &entry, err);
}

/* -- folders ------------------------------------------------------------------------------------
 */

static int copy_folder(const struct copier *copier, struct below *below, int to_fd,
		       struct error *err);

static int copy_child_folder(const struct copier *copier, struct below *below, const char *name,
			     const struct stat *st, int to_fd, struct error *err)
{
	__attribute__((cleanup(below_done))) struct below child = { .count = 0 };
	cleanup_close int fd = -EBADF;
	struct tar_entry entry;
	int unused = -EBADF;
	int ret = below_enter(below, name, &child, err);

	if (ret < 0)
		return ret;
	below_close(below); /* depth must not cost descriptors */
	entry = entry_of(st, child.path);
	ret = entry_create(to_fd, name, &entry, &unused, err);
	if (ret < 0)
		return ret;
	fd = openat(to_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open \"%s\"", child.path)
		      : copy_folder(copier, &child, fd, err);
}

static int copy_child(const struct copier *copier, struct below *below, const char *name, int to_fd,
		      struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", below->path, name);
	struct stat st;
	int from_fd = below_find(below, name, &st, err);
	int ret;

	if (from_fd < 0)
		return from_fd;
	if (S_ISDIR(st.st_mode))
		return copy_child_folder(copier, below, name, &st, to_fd, err);
	ret = copy_other(copier, from_fd, name, to_fd, &st, path, err);
	return error_prefix(err, ret, "copy \"%s\"", path);
}

/* After what is in it, which changes its time. The root's are the upper's own (copy_root). */
static int set_folder(struct below *below, int to_fd, struct error *err)
{
	struct tar_entry entry;
	struct tar_xattr *xattrs = NULL;
	struct timespec times[2];
	struct stat st;
	int ret = below_open(below, err);

	if (ret < 0)
		return ret;
	if (fstat(below->fds[0], &st) < 0)
		return error_errno(err, errno, "stat \"%s\"", below->path);
	entry = entry_of(&st, below->path);
	ret = entry_read_xattrs(below->fds[0], &xattrs, &entry.xattr_count, err);
	entry.xattrs = xattrs;
	if (ret == 0)
		ret = entry_set_metadata(to_fd, ".", -EBADF, &entry, err);
	xattrs_free(xattrs, entry.xattr_count);
	times[0] = times[1] = st.st_mtim;
	if (ret == 0 && futimens(to_fd, times) < 0)
		return error_errno(err, errno, "set the time of \"%s\"", below->path);
	return ret;
}

static int copy_folder(const struct copier *copier, struct below *below, int to_fd,
		       struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	int ret = below_names(below, &names, err);

	for (size_t i = 0; i < names.count && ret == 0; i++) {
		ret = store_check_stop(copier->store, err);
		if (ret == 0)
			ret = copy_child(copier, below, names.items[i], to_fd, err);
	}
	return ret < 0 || !below->count ? ret : set_folder(below, to_fd, err);
}

int snapshot_copy(struct store *store, const struct strv *trees, int folder_fd, unsigned int flags,
		  struct error *err)
{
	const struct copier copier = { store, flags };
	__attribute__((cleanup(below_done))) struct below root = { .count = 0 };
	int ret = below_root(store, trees, &root, err);

	if (ret == 0)
		ret = copy_folder(&copier, &root, folder_fd, err);
	return error_prefix(err, ret, "copy the files of a snapshot");
}
