/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seccomp agent: `agent PATH ANSWER CALL...`. Prints the message of each connection as one line
 * ("message ..."), then answers what the filters report: ANSWER (an errno) for the named numbers,
 * which it prints ("call N of PID"), and "go on" for all others. As strict as the specification:
 * exactly one fd in the first message. Ends when it is killed.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/helpers/listen.h"

#define LISTENERS_MAX 16

static int die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The description, to the end of the connection; the fd must come with its beginning. */
static int receive(int listener)
{
	char text[65536], control[CMSG_SPACE(sizeof(int) * 4)];
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC), fd = -1;
	struct iovec iov = { text, sizeof(text) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t size = recvmsg(connection, &message, MSG_CMSG_CLOEXEC), more;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (size <= 0)
		die("recvmsg");
	if (!header || header->cmsg_len != CMSG_LEN(sizeof(int)) ||
	    message.msg_controllen != CMSG_SPACE(sizeof(int))) {
		errno = EPROTO;
		die("control data");
	}
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	while ((more = read(connection, text + size, sizeof(text) - (size_t)size)) > 0)
		size += more;
	(void)close(connection);
	printf("message %.*s\n", (int)size, text);
	return fd;
}

static bool is_listed(char **calls, int nr)
{
	for (; *calls; calls++)
		if (atoi(*calls) == nr)
			return true;
	return false;
}

static void answer(int fd, int with, char **calls)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp response = { 0 };

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return; /* it was killed meanwhile */
	response.id = call.id;
	if (is_listed(calls, call.data.nr)) {
		printf("call %d of %u\n", call.data.nr, call.pid);
		response.error = -with;
	} else {
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

int main(int argc, char **argv)
{
	struct pollfd fds[1 + LISTENERS_MAX] = { { .events = POLLIN } };
	nfds_t count = 1;

	if (argc < 3) {
		fprintf(stderr, "usage: agent PATH ERRNO [NUMBER...]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	fds[0].fd = listen_at(argv[1], 1);
	if (fds[0].fd < 0)
		die(argv[1]);
	while (poll(fds, count, -1) >= 0 || errno == EINTR) {
		for (nfds_t i = count - 1; i >= 1; i--) {
			if (fds[i].revents & POLLIN)
				answer(fds[i].fd, atoi(argv[2]), argv + 3);
			else if (fds[i].revents) { /* nobody has this filter any more */
				(void)close(fds[i].fd);
				fds[i] = fds[--count];
			}
		}
		if (fds[0].revents && count <= LISTENERS_MAX) {
			fds[count].fd = receive(fds[0].fd);
			fds[count++].events = POLLIN;
		}
	}
	return 1;
}
