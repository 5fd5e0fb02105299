/* SPDX-License-Identifier: Apache-2.0 */
/* See load-program.h. Called by build for --load. */
#include "builder/cli/load-program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/spawn.h"
#include "lib/strv.h"

static bool is_in_path(const char *program)
{
	cleanup_strv struct strv folders = STRV_INIT;
	const char *path = getenv("PATH");

	strv_split(&folders, path ? path : "", ':');
	for (size_t i = 0; i < folders.count; i++) {
		cleanup_free char *file = xasprintf("%s/%s", folders.items[i], program);

		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

const char *load_program_find(void)
{
	static const char *const programs[] = { "docker", "podman" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (is_in_path(programs[i]))
			return programs[i];
	return NULL;
}

static int start(const char *program, int from, pid_t *out_pid, struct error *err)
{
	char *argv[] = { (char *)program, (char *)"load", NULL };
	const struct spawn_fd fds[] = { { from, 0 }, { STDERR_FILENO, 1 }, { STDERR_FILENO, 2 } };
	struct spawn spawn = SPAWN_INIT;

	spawn.path = program;
	spawn.search = true;
	spawn.argv = argv;
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	spawn.umask = 022;
	return spawn_start(&spawn, out_pid, NULL, err);
}

/* Its own words are on standard error already, and tell more than a broken pipe. But half an
 * archive that came of another failure is nothing that it could have loaded. */
static int judge(const char *program, int status, int ret, struct error *err)
{
	if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (ret < 0 && err->errnum != EPIPE))
		return ret;
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_SYSTEM, 0, "\"%s load\" was ended by signal %d",
				 program, WTERMSIG(status));
	return error_set(err, ERROR_SYSTEM, 0, "\"%s load\" failed with status %d", program,
			 WEXITSTATUS(status));
}

int load_program_run(const char *program, archive_write_fn write, void *context, struct error *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	cleanup_close int from = -EBADF, to = -EBADF;
	struct sigaction old;
	int ends[2], status = 0, ret;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe");
	from = ends[0];
	to = ends[1];
	ret = start(program, from, &pid, err);
	if (ret < 0)
		return ret;
	cleanup_close_fd(&from);
	sigaction(SIGPIPE, &ignore, &old); /* it may end before it has read all */
	ret = write(context, to, err);
	sigaction(SIGPIPE, &old, NULL);
	cleanup_close_fd(&to);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return judge(program, status, ret, err);
}
