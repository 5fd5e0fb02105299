/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listens on a --console-socket or --pidfd-socket: prints the payload and what the fd is, then
 * (for a terminal) copies it to stdout until it ends. As strict as the callers of runc: exactly
 * one fd, exactly one control message. `recvtty [-n] PATH`; -n: do not read the terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/helpers/listen.h"

static int die(const char *what)
{
	fprintf(stderr, "recvtty: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int receive(int connection)
{
	char payload[4096], control[CMSG_SPACE(sizeof(int) * 4)], link[64], target[256] = "";
	struct iovec iov = { payload, sizeof(payload) - 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t size = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fd;

	if (size <= 0)
		die("recvmsg");
	if (message.msg_controllen != CMSG_SPACE(sizeof(int)) || !header ||
	    header->cmsg_len != CMSG_LEN(sizeof(int))) {
		errno = EPROTO;
		die("control data");
	}
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	payload[size] = '\0';
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, target, sizeof(target) - 1) < 0)
		die(link);
	printf("payload %s\nfd %s\n", payload, target);
	return fd;
}

static void copy_terminal(int fd)
{
	char buffer[4096];
	struct winsize window;
	ssize_t size;

	if (ioctl(fd, TIOCGWINSZ, &window) == 0)
		printf("size %d %d\n", window.ws_row, window.ws_col);
	(void)fflush(stdout);
	while ((size = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(STDOUT_FILENO, buffer, (size_t)size) != size)
			die("write");
}

int main(int argc, char **argv)
{
	int quiet = argc > 1 && strcmp(argv[1], "-n") == 0, listener, connection, fd;

	if (argc != 2 + quiet) {
		fprintf(stderr, "usage: recvtty [-n] PATH\n");
		return 2;
	}
	listener = listen_at(argv[1 + quiet], 1);
	if (listener < 0)
		die(argv[1 + quiet]);
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0)
		die("accept");
	fd = receive(connection);
	if (!quiet)
		copy_terminal(fd);
	return 0;
}
