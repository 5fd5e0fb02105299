/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors: born O_CLOEXEC, "none" is -EBADF, passed by number between owners. */
#ifndef LIB_FD_H
#define LIB_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/error.h"

/** Open /dev/null on those of 0, 1, 2 that are closed. First act of every main(). */
int fd_open_standard(struct error *err);

/** Duplicate, O_CLOEXEC, to a number of at least minimum (3 keeps clear of standard streams). */
int fd_dup_above(int fd, int minimum);

/** Close all fds from first on except those in keep (need not be sorted; -1s are skipped). */
int fd_close_except(int first, const int *keep, size_t count);

int fd_set_cloexec(int fd, bool on);
int fd_set_nonblock(int fd, bool on);

/** A file in memory with these bytes, to be read from its beginning; name is for who looks. */
int fd_memory(const char *name, const void *data, size_t size, struct error *err);

/** Reopen an O_PATH (or any) fd with other flags through /proc/self/fd; negative errno. */
int fd_reopen(int fd, int flags);

/** Send and receive one message with up to FD_PASS_MAX fds over a unix socket (received O_CLOEXEC).
 *  fd_receive returns the bytes read (0 = end), sets *count to the fds received. */
#define FD_PASS_MAX 16
ssize_t fd_send(int socket, const void *data, size_t size, const int *fds, size_t count);
ssize_t fd_receive(int socket, void *data, size_t size, int *fds, size_t *count);

/** Connect a unix socket of this type, also for paths longer than sun_path; returns the fd. */
int fd_connect_unix(const char *path, int type, struct error *err);

/** As many descriptors as the hard limit lets us have; for verbs that run no other program, which
 *  would get the same. */
void fd_allow_many(void);

#endif
