/* SPDX-License-Identifier: Apache-2.0 */
/* Starting programs, and facts about processes. */
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

static void test_run(void)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	int status = -1, pipe_fds[2];
	struct spawn spawn = SPAWN_INIT;

	CHECK_INT(pipe2(pipe_fds, O_CLOEXEC), 0);
	spawn.path = "sh";
	spawn.search = true;
	/* 5 must be the pipe although it may be one of the sources' own numbers */
	spawn.argv = (char *[]){ "sh", "-c", "pwd >&5; echo $X; exit 3", NULL };
	spawn.envp = (char *[]){ "X=y", "PATH=/usr/bin:/bin", NULL };
	spawn.cwd = "/usr";
	spawn.fds = (struct spawn_fd[]){ { pipe_fds[1], 5 }, { pipe_fds[1], 1 } };
	spawn.fd_count = 2;
	CHECK_INT(spawn_run(&spawn, &status, NULL), 0);
	CHECK_INT(proc_exit_status(status), 3);
	(void)close(pipe_fds[1]);
	CHECK_INT(io_read_rest(pipe_fds[0], 100, &buf), 0);
	CHECK_STR(buf.data, "/usr\ny\n");
	(void)close(pipe_fds[0]);
}

static void test_failures(void)
{
	struct spawn spawn = SPAWN_INIT;
	int status;

	spawn.path = "/does/not/exist";
	spawn.argv = (char *[]){ "x", NULL };
	CHECK_ERROR(spawn_run(&spawn, &status, &err), ENOENT,
		    "start \"/does/not/exist\": exec: no such file");
	spawn.path = "/bin/true";
	spawn.cwd = "/nope";
	CHECK_ERROR(spawn_run(&spawn, &status, &err), ENOENT, "change the working directory");
}

/* A program that starts when its process has been killed, and one that was called off. */
static void test_after_end(void)
{
	char path[] = "/tmp/test-spawn.XXXXXX";
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct spawn spawn = SPAWN_INIT;
	pid_t pid, waiting = 0;
	int fd = mkstemp(path), status;

	CHECK(fd >= 0);
	spawn.path = "/bin/sh";
	spawn.argv = (char *[]){ "sh", "-c", "pwd >\"$1\"; ls /proc/self/fd >>\"$1\"",
				 "sh", path, NULL };
	pid = fork();
	if (pid == 0) {
		if (spawn_after_end(&spawn, &waiting, NULL) == 0)
			(void)kill(getpid(), SIGKILL);
		_exit(1);
	}
	CHECK_INT(proc_wait(pid, &status, NULL), 0);
	CHECK_INT(proc_exit_status(status), 128 + SIGKILL);
	for (int i = 0; i < 1000 && text.size < strlen("/\n0\n1\n2\n3\n"); i++) {
		strbuf_truncate(&text, 0);
		CHECK_INT(io_read_file(AT_FDCWD, path, 4096, &text, NULL), 0);
		(void)poll(NULL, 0, 20);
	}
	CHECK_STR(strbuf_text(&text), "/\n0\n1\n2\n3\n"); /* 3: the folder that ls reads */

	CHECK_INT(ftruncate(fd, 0), 0);
	CHECK_INT(spawn_after_end(&spawn, &waiting, NULL), 0);
	CHECK_INT(kill(waiting, SIGKILL), 0);
	CHECK_INT(proc_wait(waiting, &status, NULL), 0);
	CHECK_INT(lseek(fd, 0, SEEK_END), 0);
	(void)close(fd);
	(void)unlink(path);
}

static void test_process(void)
{
	struct spawn spawn = SPAWN_INIT;
	uint64_t start = 0, again = 0;
	int pidfd = -EBADF, status = 0;
	pid_t pid = 0;
	char state;

	spawn.path = "/bin/sleep";
	spawn.argv = (char *[]){ "a) b (", "60", NULL };
	CHECK_INT(spawn_start(&spawn, &pid, &pidfd, NULL), 0);
	CHECK(pidfd >= 0);
	CHECK_INT(proc_start_time(pid, &start, &state), 0);
	CHECK(start > 0 && proc_is_alive(pid, start) && !proc_is_alive(pid, start + 1));
	CHECK_INT(kill(pid, SIGTERM), 0);
	(void)waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	CHECK(!proc_is_alive(pid, start)); /* a zombie is dead */
	CHECK_INT(proc_wait(pid, &status, NULL), 0);
	CHECK_INT(proc_exit_status(status), 128 + SIGTERM);
	CHECK_INT(proc_start_time(pid, &again, NULL), -ESRCH);
	(void)close(pidfd);
}

static void test_executed(void)
{
	struct spawn spawn = SPAWN_INIT;
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	CHECK(!proc_has_executed(pid)); /* also when it has ended */
	CHECK_INT(proc_wait(pid, NULL, NULL), 0);
	spawn.path = "/bin/true";
	spawn.argv = (char *[]){ "true", NULL };
	CHECK_INT(spawn_start(&spawn, &pid, NULL, NULL), 0);
	CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	CHECK(proc_has_executed(pid));
	CHECK_INT(proc_wait(pid, NULL, NULL), 0);
}

CHECK_MAIN({ "a program gets its fds, folder and environment", test_run },
	   { "what the child could not do is told", test_failures },
	   { "a program starts when we have ended", test_after_end },
	   { "a process is known by its start time", test_process },
	   { "an exec can be told from a death", test_executed })
