/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes, whole files, atomic replacement. EINTR is handled here. */
#ifndef LIB_IO_H
#define LIB_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/strbuf.h"

int io_write_all(int fd, const void *data, size_t size);
/** Exactly size bytes; -EPIPE... on error, -ENODATA when the file ends before. */
int io_read_exact(int fd, void *data, size_t size);

/** Up to size bytes, fewer only when the file ends before; negative errno. */
ssize_t io_read_full(int fd, void *data, size_t size);

/** Append the rest of fd to buf; more than max bytes is -EFBIG. */
int io_read_rest(int fd, size_t max, struct strbuf *buf);

/** Read a whole file (dirfd may be AT_FDCWD) of at most max bytes. */
int io_read_file(int dirfd, const char *path, size_t max, struct strbuf *buf, struct error *err);

/** Write an existing (kernel) file in one write(2), O_WRONLY|O_CLOEXEC without O_CREAT. */
int io_write_kernel_file(int dirfd, const char *path, const char *text, struct error *err);

/** How a new file's contents reach the disk. */
enum io_sync { IO_NO_SYNC, IO_SYNC };

/**
 * Create or replace dirfd/name: temporary file beside it, write, fsync if asked, rename. A crash
 * leaves the old file or the new one. name has no slash or lies in an existing folder.
 */
int io_replace_file(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
		    enum io_sync sync, struct error *err);

/** Is what a user wants a result in to be written in place: a device, a pipe, a link to anything
 *  (/dev/null, /dev/stdout)? Else it is a regular file to be replaced, or free. */
bool io_is_in_place(const char *path);

/** An fd of it, emptied. A pipe waits for its reader; with O_NONBLOCK as flags, else 0, it is an
 *  error when it has none, -ENXIO. */
int io_open_in_place(const char *path, int flags, struct error *err);

/** Write what a user named: in place or as io_replace_file does it, with mode 0644. */
int io_write_result(const char *path, const void *data, size_t size, struct error *err);

/** Copy size bytes (or to the end with SIZE_MAX) between fds: copy_file_range, else read/write. */
int io_copy(int from, int to, size_t size, size_t *out_copied);

#endif
