/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that get no signals. */
#include "builder/loop/thread.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/check.h"

static void *read_mask(void *context)
{
	(void)pthread_sigmask(SIG_SETMASK, NULL, context);
	return NULL;
}

static void *write_byte(void *context)
{
	const int *fd = context;

	return write(*fd, "x", 1) == 1 ? NULL : context;
}

static void test_signals(void)
{
	sigset_t before, inside, after;
	pthread_t thread;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR1);
	CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	sigemptyset(&inside);
	CHECK_INT(thread_start(&thread, read_mask, &inside), 0);
	CHECK_INT(pthread_join(thread, NULL), 0);
	CHECK(sigismember(&inside, SIGTERM) == 1 && sigismember(&inside, SIGWINCH) == 1);
	CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	CHECK(sigismember(&after, SIGUSR1) == 1 && sigismember(&after, SIGTERM) == 0);
}

static void test_detached(void)
{
	int ends[2];
	char byte = 0;

	CHECK_INT(pipe(ends), 0);
	CHECK_INT(thread_start_detached(write_byte, &ends[1]), 0);
	CHECK_INT(read(ends[0], &byte, 1), 1);
	CHECK(byte == 'x');
	close(ends[0]);
	close(ends[1]);
}

/* No room for a stack: the first test, so that none of an ended thread serves again. */
static void test_no_thread(void)
{
	struct rlimit before, none;
	sigset_t after;
	pthread_t thread;
	int ret;

	CHECK_INT(getrlimit(RLIMIT_AS, &before), 0);
	none = before;
	none.rlim_cur = 1;
	CHECK_INT(setrlimit(RLIMIT_AS, &none), 0);
	ret = thread_start(&thread, read_mask, &after);
	CHECK_INT(setrlimit(RLIMIT_AS, &before), 0);
	CHECK_INT(ret, -EAGAIN);
	CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	CHECK(sigismember(&after, SIGTERM) == 0);
}

CHECK_MAIN({ "no thread can be made", test_no_thread },
	   { "a thread gets no signals, its maker as before", test_signals },
	   { "nobody joins a detached one", test_detached })
