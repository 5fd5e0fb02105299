/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HELPERS_LISTEN_H
#define TESTS_HELPERS_LISTEN_H

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * A socket that listens at path. It has this name only once it listens: whoever sees it there can
 * connect. Returns the fd, or -1 with errno; the path and "~" have to fit into an address.
 */
static inline int listen_at(const char *path, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, size = snprintf(address.sun_path, sizeof(address.sun_path), "%s~", path);

	if (size < 0 || (size_t)size >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, backlog) < 0 || rename(address.sun_path, path) < 0)
		return -1; /* the caller ends */
	return fd;
}

#endif
