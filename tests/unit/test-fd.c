/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping, closing and passing file descriptors. */
#include "lib/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"
#include "tests/unit/check.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* runs in a child, so that the test's own fds survive */
static int in_child(int (*run)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int close_all_but_some(void)
{
	int keep[] = { 20, -1, 10, 20 };

	for (int fd = 5; fd < 30; fd++)
		(void)dup2(0, fd);
	if (fd_close_except(3, keep, ARRAY_SIZE(keep)) < 0)
		return 1;
	for (int fd = 3; fd < 30; fd++)
		if (is_open(fd) != (fd == 10 || fd == 20))
			return fd;
	return is_open(0) && is_open(2) ? 0 : 1;
}

static int open_missing_standard(void)
{
	(void)close(0);
	(void)close(2);
	if (fd_open_standard(NULL) < 0 || !is_open(0) || !is_open(2))
		return 1;
	return 0;
}

static void test_closing(void)
{
	CHECK_INT(in_child(close_all_but_some), 0);
	CHECK_INT(in_child(open_missing_standard), 0);
}

static void test_passing(void)
{
	int pair[2], got[2] = { -1, -1 };
	size_t count = 1;
	char byte[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	CHECK_INT(fd_send(pair[0], "x", 1, (int[]){ 0, 1 }, 2), 1);
	CHECK_INT(fd_receive(pair[1], byte, sizeof(byte), got, &count), 1);
	CHECK_INT(count, 1); /* the one that was not asked for is closed, not leaked */
	CHECK(is_open(got[0]) && (fcntl(got[0], F_GETFD) & FD_CLOEXEC));
	(void)close(got[0]);
	CHECK_INT(fd_send(pair[0], "abc", 3, NULL, 0), 3);
	count = 0;
	CHECK_INT(fd_receive(pair[1], byte, sizeof(byte), NULL, &count), -EMSGSIZE);
	(void)close(pair[0]);
	count = 0;
	CHECK_INT(fd_receive(pair[1], byte, sizeof(byte), NULL, &count), 0);
	(void)close(pair[1]);
}

static void test_long_socket_path(void)
{
	char top[] = "/tmp/orlop-test-fd-XXXXXX";
	cleanup_free char *folder = NULL, *path = NULL;
	cleanup_close int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = -EBADF;
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "sock" };

	CHECK(mkdtemp(top));
	folder = xasprintf("%s/%0150d", top, 7);
	path = xasprintf("%s/sock", folder);
	CHECK_INT(mkdir(folder, 0700), 0);
	CHECK_INT(chdir(folder), 0);
	CHECK_INT(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(listen(listener, 1), 0);
	CHECK_INT(chdir("/"), 0);
	fd = fd_connect_unix(path, SOCK_STREAM, NULL);
	CHECK(fd >= 0);
	CHECK_INT(path_remove_tree(AT_FDCWD, top, NULL), 0);
	CHECK_ERROR(fd_connect_unix("/nowhere/sock", SOCK_STREAM, &err), ENOENT,
		    "connect to socket \"/nowhere/sock\"");
}

CHECK_MAIN({ "closing spares the kept and fills the standard ones", test_closing },
	   { "passing takes what was asked for and closes the rest", test_passing },
	   { "a socket's path may be longer than an address", test_long_socket_path })
