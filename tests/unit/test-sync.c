/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/lifecycle/sync: the protocol between the host side and init, and its order. */
#include "runtime/lifecycle/sync.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/unit/check.h"

struct pair {
	struct sync host, child;
};

static struct pair open_pair(void)
{
	struct pair pair;

	CHECK_INT(sync_open(&pair.host, &pair.child, NULL), 0);
	return pair;
}

static void close_pair(struct pair *pair)
{
	cleanup_close_fd(&pair->host.fd);
	cleanup_close_fd(&pair->child.fd);
}

static void test_round(void)
{
	struct pair pair = open_pair();
	struct sync_message message;

	CHECK_INT(sync_send(&pair.host, SYNC_GO, 77, -EBADF, NULL), 0);
	CHECK_INT(sync_expect(&pair.child, SYNC_GO, &message, NULL), 0);
	CHECK_INT(message.value, 77);
	CHECK_INT(message.fd, -EBADF);
	CHECK_INT(sync_send(&pair.child, SYNC_READY, 0, -EBADF, NULL), 0);
	CHECK_INT(sync_receive(&pair.host, &message, NULL), 0);
	CHECK_INT(message.type, SYNC_READY);
	close_pair(&pair);
}

static void test_fds(void)
{
	struct pair pair = open_pair();
	struct sync_message message = { .fd = -EBADF };
	struct stat sent, got;

	CHECK_INT(fstat(pair.host.fd, &sent), 0);
	CHECK_INT(sync_send(&pair.child, SYNC_CONSOLE, 0, pair.host.fd, NULL), 0);
	CHECK_INT(sync_receive(&pair.host, &message, NULL), 0);
	CHECK_INT(fstat(message.fd, &got), 0);
	CHECK_INT(got.st_ino, sent.st_ino);
	cleanup_close_fd(&message.fd);
	close_pair(&pair);
}

static void test_order(void)
{
	struct pair pair = open_pair();
	struct sync_message message;

	CHECK_INT(sync_send(&pair.child, SYNC_READY, 0, -EBADF, NULL), 0);
	CHECK_ERROR(sync_send(&pair.child, SYNC_MOUNTED, 0, -EBADF, &err), EPROTO, "out of order");
	CHECK_ERROR(sync_send(&pair.child, SYNC_READY, 0, -EBADF, &err), EPROTO, "out of order");
	CHECK_INT(sync_receive(&pair.host, &message, NULL), 0);
	/* a child that lies about where it is: the host's own count finds it */
	pair.child.stage = 0;
	CHECK_INT(sync_send(&pair.child, SYNC_MOUNTED, 0, -EBADF, NULL), 0);
	CHECK_ERROR(sync_receive(&pair.host, &message, &err), EPROTO,
		    "\"mounted\" is out of order");
	close_pair(&pair);
}

static void test_repeats(void)
{
	struct pair pair = open_pair();
	struct sync_message message;

	for (int i = 0; i < 3; i++) {
		CHECK_INT(sync_send(&pair.child, SYNC_NEED_FD, i, -EBADF, NULL), 0);
		CHECK_INT(sync_receive(&pair.host, &message, NULL), 0);
		CHECK_INT(message.value, i);
	}
	close_pair(&pair);
}

static void test_direction(void)
{
	struct pair pair = open_pair();
	struct sync_message message;

	CHECK_ERROR(sync_send(&pair.child, SYNC_GO, 0, -EBADF, &err), EPROTO, "malformed");
	CHECK_ERROR(sync_send(&pair.host, SYNC_READY, 0, -EBADF, &err), EPROTO, "malformed");
	CHECK_ERROR(sync_send(&pair.child, SYNC_READY, 0, pair.child.fd, &err), EPROTO,
		    "malformed");
	CHECK_ERROR(sync_send(&pair.child, SYNC_CONSOLE, 0, -EBADF, &err), EPROTO, "malformed");
	/* one that pretends to be the host */
	pair.child.host = true;
	CHECK_INT(sync_send(&pair.child, SYNC_GO, 0, -EBADF, NULL), 0);
	CHECK_ERROR(sync_receive(&pair.host, &message, &err), EPROTO, "malformed");
	close_pair(&pair);
}

static void test_garbage(void)
{
	struct pair pair = open_pair();
	struct sync_message message;
	unsigned char bytes[64];

	memset(bytes, 0xff, sizeof(bytes));
	CHECK_INT(send(pair.child.fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	CHECK_ERROR(sync_receive(&pair.host, &message, &err), EPROTO, "is unknown");
	CHECK_INT(send(pair.child.fd, bytes, 3, 0), 3);
	CHECK_ERROR(sync_receive(&pair.host, &message, &err), EPROTO, "too short");
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = SYNC_ERROR;
	CHECK_INT(send(pair.child.fd, bytes, 8, 0), 8);
	CHECK_ERROR(sync_receive(&pair.host, &message, &err), EPROTO, "is cut");
	close_pair(&pair);
}

static void test_error(void)
{
	struct pair pair = open_pair();
	struct error failure, got = ERROR_INIT;
	struct sync_message message;

	(void)error_errno(&failure, ENOSPC, "make \"%s\"", "it");
	(void)error_pointer(&failure, -ENOSPC, "/mounts/3");
	sync_send_error(&pair.child, &failure);
	CHECK_INT(sync_receive(&pair.host, &message, &got), -ENOSPC);
	CHECK_STR(got.msg, "make \"it\"");
	CHECK_STR(got.pointer, "/mounts/3");
	/* unterminated texts are cut, not read past */
	memset(failure.msg, 'x', sizeof(failure.msg));
	sync_send_error(&pair.child, &failure);
	CHECK_INT(sync_receive(&pair.host, &message, &got), -ENOSPC);
	CHECK_INT(strlen(got.msg), sizeof(got.msg) - 1);
	close_pair(&pair);
}

/* The reset that unread messages cause must not hide what the other side said before it ended. */
static void test_last_words(void)
{
	struct pair pair = open_pair();
	struct sync_message message;
	struct error failure = ERROR_INIT;

	(void)error_set(&failure, ERROR_INVALID, ENOTDIR, "no folder");
	CHECK_INT(sync_send(&pair.host, SYNC_GO, 0, -EBADF, NULL), 0);
	sync_send_error(&pair.child, &failure);
	cleanup_close_fd(&pair.child.fd);
	CHECK_ERROR(sync_receive(&pair.host, &message, &err), ENOTDIR, "no folder");
	CHECK_INT(sync_receive(&pair.host, &message, NULL), -ECONNRESET);
	close_pair(&pair);
}

static void test_end(void)
{
	struct pair pair = open_pair();
	struct sync_message message;
	struct error untouched = ERROR_INIT;

	cleanup_close_fd(&pair.child.fd);
	CHECK_INT(sync_receive(&pair.host, &message, &untouched), -ECONNRESET);
	CHECK_INT(untouched.errnum, 0);
	/* nobody reads it: no SIGPIPE */
	CHECK_ERROR(sync_send(&pair.host, SYNC_GO, 0, -EBADF, &err), EPIPE,
		    "send sync message \"go\"");
	close_pair(&pair);
}

/* The end of the host's side ends the child, whatever it waits for. */
static void test_child_exits(void)
{
	struct pair pair = open_pair();
	struct sync_message message;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		cleanup_close_fd(&pair.host.fd);
		(void)sync_expect(&pair.child, SYNC_GO, &message, NULL);
		_exit(77);
	}
	close_pair(&pair);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(WEXITSTATUS(status), 1);
}

static void test_unexpected(void)
{
	struct pair pair = open_pair();
	struct sync_message message;

	CHECK_INT(sync_send(&pair.host, SYNC_HOOKS_DONE, 0, -EBADF, NULL), 0);
	CHECK_ERROR(sync_expect(&pair.child, SYNC_GO, &message, &err), EPROTO,
		    "\"hooks done\" came instead of \"go\"");
	close_pair(&pair);
}

CHECK_MAIN({ "messages carry values both ways", test_round }, { "messages carry fds", test_fds },
	   { "the order is checked on both sides", test_order },
	   { "messages repeat where their row says so", test_repeats },
	   { "direction and fds are checked", test_direction },
	   { "garbage is refused", test_garbage }, { "errors arrive whole", test_error },
	   { "last words are heard over unread messages", test_last_words },
	   { "the end of the stream is told apart", test_end },
	   { "a child whose host is gone exits", test_child_exits },
	   { "what may not come now is an error", test_unexpected })
