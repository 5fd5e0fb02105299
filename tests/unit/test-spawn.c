/* SPDX-License-Identifier: Apache-2.0 */
/* Starting programs, and facts about processes. */
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

CHECK_MAIN({ "a program gets its fds, folder and environment", test_run },
	   { "what the child could not do is told", test_failures },
	   { "a process is known by its start time", test_process })
