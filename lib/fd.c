/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors: standard streams, duplication, closing by ranges, passing over sockets. */
#include "lib/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"

int fd_open_standard(struct error *err)
{
	int fd;

	/* the lowest free number is given out, so this fills exactly the gaps below 3 */
	do {
		fd = open("/dev/null", O_RDWR); /* not O_CLOEXEC: standard streams are inherited */
		if (fd < 0)
			return error_errno(err, errno, "open /dev/null");
	} while (fd < 3);
	(void)close(fd);
	return 0;
}

int fd_dup_above(int fd, int minimum)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, minimum);

	return copy < 0 ? -errno : copy;
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

int fd_close_except(int first, const int *keep, size_t count)
{
	int sorted[64];
	unsigned int next = (unsigned int)first;

	if (count > ARRAY_SIZE(sorted))
		return -E2BIG;
	memcpy(sorted, keep, count * sizeof(*keep));
	qsort(sorted, count, sizeof(*sorted), compare_ints);
	for (size_t i = 0; i < count; i++) {
		if (sorted[i] < (int)next)
			continue;
		if ((unsigned int)sorted[i] > next &&
		    close_range(next, (unsigned int)sorted[i] - 1, 0) < 0)
			return -errno;
		next = (unsigned int)sorted[i] + 1;
	}
	return close_range(next, UINT32_MAX, 0) < 0 ? -errno : 0;
}

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int fd_memory(const char *name, const void *data, size_t size, struct error *err)
{
	cleanup_close int fd = memfd_create(name, MFD_CLOEXEC);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "create a memory file");
	ret = io_write_all(fd, data, size);
	if (ret < 0)
		return error_errno(err, -ret, "write a memory file");
	(void)lseek(fd, 0, SEEK_SET); /* cannot fail on a memory file */
	return TAKE_FD(fd);
}

int fd_reopen(int fd, int flags)
{
	char path[40];
	int copy;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, flags | O_CLOEXEC);
	return copy < 0 ? -errno : copy;
}

/* The control part of one message; the union aligns it. */
union control {
	char data[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
	struct cmsghdr align;
};

ssize_t fd_send(int socket, const void *data, size_t size, const int *fds, size_t count)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	ssize_t ret;

	if (count > FD_PASS_MAX)
		return -E2BIG;
	if (count) {
		struct cmsghdr *header;

		memset(&control, 0, sizeof(control));
		message.msg_control = control.data;
		/* exactly one header of exactly this size: receivers of a console check it */
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
	}
	do {
		ret = sendmsg(socket, &message, MSG_NOSIGNAL);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

ssize_t fd_receive(int socket, void *data, size_t size, int *fds, size_t *count)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	union control control;
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.data,
				  .msg_controllen = sizeof(control.data) };
	size_t room = *count;
	ssize_t ret;

	*count = 0;
	do {
		ret = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
	     header = CMSG_NXTHDR(&message, header)) {
		size_t got;
		int received[FD_PASS_MAX];

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		got = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(received, CMSG_DATA(header), got * sizeof(int));
		for (size_t i = 0; i < got; i++) {
			if (*count < room)
				fds[(*count)++] = received[i];
			else
				(void)close(received[i]); /* more than was asked for */
		}
	}
	return message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EMSGSIZE : ret;
}

int fd_connect_unix(const char *path, int type, struct error *err)
{
	cleanup_close int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	cleanup_close int folder = -EBADF;
	cleanup_free char *parent = NULL;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length;

	if (fd < 0)
		return error_errno(err, errno, "socket");
	length = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (length >= (int)sizeof(address.sun_path)) {
		/* longer than an address may be: name it through a fd of its folder */
		parent = path_parent(path);
		folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0)
			return error_errno(err, errno, "open \"%s\"", parent);
		length = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
				  folder, path_base(path));
		if (length >= (int)sizeof(address.sun_path))
			return error_errno(err, ENAMETOOLONG, "connect \"%s\"", path);
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, errno, "connect to socket \"%s\"", path);
	return TAKE_FD(fd);
}

void fd_allow_many(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* what is too many then is told where it is */
}
