/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership by cleanup attributes: declare at the top of the block, initialise there, give away
 * with TAKE_FD or TAKE_PTR. There is no goto in this project.
 */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Closes *fd if it is one; keeps errno. close(2) is never retried: on Linux the fd is gone. */
static inline void cleanup_close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* nothing was written through it that close could still lose */
	*fd = -EBADF;
	errno = saved;
}

static inline void cleanup_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

static inline void cleanup_close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

#define cleanup_with(function) __attribute__((cleanup(function)))
#define cleanup_close cleanup_with(cleanup_close_fd)
#define cleanup_free cleanup_with(cleanup_free_pointer)
#define cleanup_file cleanup_with(cleanup_close_file)
#define cleanup_dir cleanup_with(cleanup_close_dir)

/** Hands the fd over: its value, and the variable no longer owns it. */
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int *take_fd_ = &(fd);                                                             \
		int taken_ = *take_fd_;                                                            \
		*take_fd_ = -EBADF;                                                                \
		taken_;                                                                            \
	})

/** Hands the pointer over: its value, and the variable no longer owns it. */
#define TAKE_PTR(ptr)                                                                              \
	({                                                                                         \
		__typeof__(ptr) *take_ptr_ = &(ptr);                                               \
		__typeof__(ptr) taken_ = *take_ptr_;                                               \
		*take_ptr_ = NULL;                                                                 \
		taken_;                                                                            \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
