/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes, whole files, atomic replacement, copies. */
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"

int io_write_all(int fd, const void *data, size_t size)
{
	const char *next = data;

	while (size) {
		ssize_t written = write(fd, next, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		next += written;
		size -= (size_t)written;
	}
	return 0;
}

ssize_t io_read_full(int fd, void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(fd, (char *)data + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int io_read_exact(int fd, void *data, size_t size)
{
	ssize_t got = io_read_full(fd, data, size);

	if (got < 0)
		return (int)got;
	return (size_t)got == size ? 0 : -ENODATA;
}

int io_read_rest(int fd, size_t max, struct strbuf *buf)
{
	size_t start = buf->size;

	for (;;) {
		ssize_t got;

		/* small files fit at once; the read that finds their end needs little room */
		strbuf_reserve(buf, buf->size == start ? 4096 : 512);
		got = read(fd, buf->data + buf->size, buf->capacity - buf->size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		buf->size += (size_t)got;
		buf->data[buf->size] = '\0';
		if (buf->size - start > max)
			return -EFBIG;
		if (got == 0)
			return 0;
	}
}

int io_read_file(int dirfd, const char *path, size_t max, struct strbuf *buf, struct error *err)
{
	cleanup_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return error_path(err, error_errno(err, errno, "open \"%s\"", path), path);
	ret = io_read_rest(fd, max, buf);
	if (ret < 0)
		return error_path(err, error_errno(err, -ret, "read \"%s\"", path), path);
	return 0;
}

int io_write_kernel_file(int dirfd, const char *path, const char *text, struct error *err)
{
	cleanup_close int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	size_t size = strlen(text);
	ssize_t written;

	if (fd < 0)
		return error_path(err, error_errno(err, errno, "open \"%s\"", path), path);
	do {
		written = write(fd, text, size);
	} while (written < 0 && errno == EINTR);
	if (written == (ssize_t)size)
		return 0;
	/* Without the last line's end: a message is one line. */
	return error_path(err,
			  error_errno(err, written < 0 ? errno : EIO, "write \"%.*s\" to \"%s\"",
				      (int)strcspn(text, "\n"), text, path),
			  path);
}

static int write_new_file(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
			  enum io_sync sync, struct error *err)
{
	cleanup_close int fd =
		openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "create \"%s\"", name);
	ret = io_write_all(fd, data, size);
	if (ret < 0)
		return error_errno(err, -ret, "write \"%s\"", name);
	if (sync == IO_SYNC && fdatasync(fd) < 0)
		return error_errno(err, errno, "sync \"%s\"", name);
	return 0;
}

int io_replace_file(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
		    enum io_sync sync, struct error *err)
{
	char temporary[PATH_MAX];
	uint64_t random;
	int ret;

	/* the kernel's gift to each program: no system call, and no two crashed ones left the same
	 */
	memcpy(&random, (const void *)getauxval(AT_RANDOM), sizeof(random));
	/* beside the target, not hidden by a long name: the file system bounds a component */
	if (snprintf(temporary, sizeof(temporary), "%s.%012llx~", name,
		     (unsigned long long)(random >> 16)) >= (int)sizeof(temporary))
		return error_errno(err, ENAMETOOLONG, "replace \"%s\"", name);
	ret = write_new_file(dirfd, temporary, data, size, mode, sync, err);
	if (ret == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		ret = error_errno(err, errno, "rename \"%s\" to \"%s\"", temporary, name);
	if (ret < 0)
		(void)unlinkat(dirfd, temporary, 0); /* best effort: it may not even exist */
	return ret < 0 ? error_path(err, ret, name) : 0;
}

bool io_is_in_place(const char *path)
{
	struct stat st;

	/* a link is not replaced: /dev/stdout is one, and what it leads to can be a regular file */
	return lstat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

int io_open_in_place(const char *path, int flags, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC | flags, 0644);

	return fd < 0 ? error_path(err, error_errno(err, errno, "open \"%s\"", path), path) : fd;
}

int io_write_result(const char *path, const void *data, size_t size, struct error *err)
{
	cleanup_close int fd = -EBADF;
	int ret;

	if (!io_is_in_place(path))
		return io_replace_file(AT_FDCWD, path, data, size, 0644, IO_NO_SYNC, err);
	fd = io_open_in_place(path, 0, err);
	if (fd < 0)
		return fd;
	ret = io_write_all(fd, data, size);
	return ret < 0 ? error_path(err, error_errno(err, -ret, "write \"%s\"", path), path) : 0;
}

static int copy_by_buffer(int from, int to, size_t size, size_t *copied)
{
	char buffer[128 * 1024];

	while (*copied < size) {
		size_t want = size - *copied < sizeof(buffer) ? size - *copied : sizeof(buffer);
		ssize_t got = read(from, buffer, want);
		int ret;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		ret = io_write_all(to, buffer, (size_t)got);
		if (ret < 0)
			return ret;
		*copied += (size_t)got;
	}
	return 0;
}

int io_copy(int from, int to, size_t size, size_t *out_copied)
{
	size_t copied = 0;
	int ret;

	while (copied < size) {
		size_t want = size - copied < (1UL << 30) ? size - copied : 1UL << 30;
		ssize_t got = copy_file_range(from, NULL, to, NULL, want, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break; /* the end, or not possible here: the buffer loop tells which */
		copied += (size_t)got;
	}
	ret = copy_by_buffer(from, to, size, &copied);
	if (out_copied)
		*out_copied = copied;
	return ret;
}
