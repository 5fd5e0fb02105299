/* SPDX-License-Identifier: Apache-2.0 */
/* Running git. It never asks anybody anything and runs no hook. */
#include "builder/context/git-run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "builder/loop/fiber.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/spawn.h"

#define MESSAGE_MAX 600

static const char *const options[] = {
	"-c", "core.hooksPath=/dev/null",  "-c", "protocol.ext.allow=never",
	"-c", "advice.detachedHead=false", "-c", "gc.auto=0",
};

/* Read until the end, until we are told to stop, or until it takes too long. */
static int read_output(const struct git_call *git, pid_t pid, int fd, struct strbuf *out)
{
	struct pollfd polls[] = { { .fd = fd, .events = POLLIN },
				  { .fd = git->cancel_fd, .events = POLLIN } };
	char buffer[4096];
	ssize_t n;

	for (;;) {
		int ready = fiber_poll(polls, ARRAY_SIZE(polls),
				       git->deadline_ms ? git->deadline_ms : -1);

		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready == 0 || polls[1].revents) {
			kill(pid, SIGTERM);
			return ready == 0 ? -ETIMEDOUT : -ECANCELED;
		}
		if (!polls[0].revents)
			continue;
		n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return 0;
		if (n > 0 && out->size < GIT_OUTPUT_MAX)
			strbuf_add(out, buffer, (size_t)n);
	}
}

/* The last line that git said. */
static int git_failed(int message_fd, const char *verb, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	off_t size = lseek(message_fd, 0, SEEK_END);
	char *line;

	(void)lseek(message_fd, size > MESSAGE_MAX ? size - MESSAGE_MAX : 0, SEEK_SET);
	(void)io_read_rest(message_fd, MESSAGE_MAX, &text); /* what there is */
	while (text.size && text.data[text.size - 1] == '\n')
		strbuf_truncate(&text, text.size - 1);
	for (line = text.data; line && *line; line++)
		if (*line == '\n')
			*line = ' ';
	return error_set(err, ERROR_STATE, 0, "git %s: %s", verb, strbuf_text(&text));
}

int git_run(const struct git_call *git, struct strbuf *out, struct error *err)
{
	cleanup_strv struct strv argv = STRV_INIT;
	cleanup_strbuf struct strbuf ignored = STRBUF_INIT;
	cleanup_close int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cleanup_close int message_fd = memfd_create("git", MFD_CLOEXEC);
	int pipe_fds[2], status = 0, ret;
	struct spawn spawn = SPAWN_INIT;
	pid_t pid;

	strv_add(&argv, "git");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		strv_add(&argv, options[i]);
	if (git->folder) {
		strv_add(&argv, "-C");
		strv_add(&argv, git->folder);
	}
	strv_add_all(&argv, git->args);
	if (null_fd < 0 || message_fd < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "prepare to run git");
	spawn.path = "git";
	spawn.search = true;
	spawn.argv = strv_items(&argv);
	spawn.envp = strv_items(git->env);
	spawn.death_signal = SIGTERM;
	spawn.fds = (struct spawn_fd[]){ { null_fd, 0 }, { pipe_fds[1], 1 }, { message_fd, 2 } };
	spawn.fd_count = 3;
	spawn.umask = 022; /* ours is 0; the modes of what is checked out are not */
	ret = spawn_start(&spawn, &pid, NULL, err);
	close(pipe_fds[1]);
	if (ret == 0) {
		ret = read_output(git, pid, pipe_fds[0], out ? out : &ignored);
		(void)proc_wait(pid, &status, NULL);
		if (ret == -ECANCELED)
			(void)error_set(err, ERROR_CANCELLED, ECANCELED,
					"the build was interrupted");
		else if (ret == -ETIMEDOUT)
			(void)error_set(err, ERROR_TIMEOUT, ETIMEDOUT,
					"git %s said nothing for %d ms", git->args[0],
					git->deadline_ms);
		else if (ret < 0)
			(void)error_errno(err, -ret, "read what git says");
		else if (status != 0)
			ret = git_failed(message_fd, git->args[0], err);
	}
	close(pipe_fds[0]);
	return ret;
}
