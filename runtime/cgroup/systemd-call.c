/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime's side of systemd-request.h: starts the program that talks to systemd, waits for its
 * end, at most so long, and makes an error of what it says.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/spawn.h"
#include "lib/trace.h"
#include "runtime/cgroup/systemd.h"

#define PROGRAM LIBEXECDIR "/orlop/systemd-scope"
#define PROGRAM_VARIABLE "ORLOP_SYSTEMD_SCOPE"

bool cgroup_has_systemd(void)
{
#ifdef HAVE_SYSTEMD
	return true;
#else
	return false;
#endif
}

void systemd_add_word(struct strbuf *request, const char *word)
{
	strbuf_add(request, word, strlen(word) + 1);
}

static int start_program(int input, int output, pid_t *out_pid, int *out_pidfd, struct error *err)
{
	const char *given = getenv(PROGRAM_VARIABLE);
	const char *path = given && *given ? given : PROGRAM;
	char *const argv[] = { (char *)path, NULL };
	const struct spawn_fd fds[] = { { input, 0 }, { output, 1 }, { STDERR_FILENO, 2 } };
	struct spawn spawn = SPAWN_INIT;
	int ret;

	spawn.path = path;
	spawn.argv = argv;
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	spawn.new_session = true; /* what a terminal sends is for us to judge */
	spawn.death_signal = SIGKILL;
	ret = spawn_start(&spawn, out_pid, out_pidfd, err);
	if (ret == -ENOENT)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the systemd cgroup manager needs the program \"%s\", which is "
				 "not there",
				 path);
	return ret;
}

static int wait_for_end(int pidfd, int stop_fd, int64_t deadline_ms, struct error *err)
{
	int64_t end = clock_ms() + deadline_ms;
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = stop_fd, .events = POLLIN } };

	for (;;) {
		int64_t left = end - clock_ms();

		if (left <= 0)
			return error_set(err, ERROR_TIMEOUT, 0, "systemd did not answer in %.3g s",
					 (double)deadline_ms / 1000);
		if (poll(fds, ARRAY_SIZE(fds), (int)left) < 0 && errno != EINTR)
			return error_errno(err, errno, "poll");
		if (fds[0].revents)
			return 0;
		if (fds[1].revents)
			return error_set(err, ERROR_CANCELLED, EINTR, "stopped by a signal");
	}
}

static int judge(const char *name, const char *message, struct error *err)
{
	int size = (int)strlen(message);

	if (size && message[size - 1] == '.')
		size--; /* its sentence ends, ours may go on */
	if (strcmp(name, SYSTEMD_ERROR_EXISTS) == 0)
		return error_set(err, ERROR_EXISTS, 0, "systemd: %.*s", size, message);
	if (!*name)
		return error_set(err, ERROR_UNSUPPORTED, 0, "cannot connect to systemd: %.*s", size,
				 message);
	return error_set(err, ERROR_STATE, 0, "systemd: %.*s (%s)", size, message, name);
}

/* The answer is whole (its last word has its end), or the program has died over it. */
static int read_answer(int output, int status, struct strbuf *answer, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *name, *message, *end;
	int ret = lseek(output, 0, SEEK_SET) < 0 ? -errno : 0;

	if (ret == 0)
		ret = io_read_rest(output, SYSTEMD_REQUEST_SIZE_MAX, &text);
	if (ret < 0)
		return error_errno(err, -ret, "read the answer of systemd-scope");
	end = strbuf_text(&text) + text.size;
	name = text.size && !end[-1] ? text.data + strlen(text.data) + 1 : NULL;
	message = name && name < end ? name + strlen(name) + 1 : end;
	if (name && strcmp(text.data, SYSTEMD_OK) == 0) {
		if (answer && name < end)
			strbuf_adds(answer, name);
		return 0;
	}
	if (name && strcmp(text.data, SYSTEMD_ERROR) == 0 && message < end)
		return judge(name, message, err);
	return error_set(err, ERROR_INTERNAL, 0, "systemd-scope ended with status %d and no answer",
			 proc_exit_status(status));
}

int systemd_call(const struct strbuf *request, int stop_fd, int64_t deadline_ms,
		 struct strbuf *answer, struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("systemd", strbuf_text(request));
	/* files, not pipes: neither side waits for the other but for its end */
	cleanup_close int input = fd_memory("request", request->data, request->size, err);
	cleanup_close int output = fd_memory("answer", "", 0, err), pidfd = -EBADF;
	int status = 0, ret = input < 0 ? input : output;
	pid_t pid;

	if (ret >= 0)
		ret = start_program(input, output, &pid, &pidfd, err);
	if (ret < 0)
		return ret;
	ret = wait_for_end(pidfd, stop_fd, deadline_ms, err);
	if (ret < 0)
		(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0); /* it may just have ended */
	(void)proc_wait(pid, &status, NULL);
	return ret < 0 ? ret : read_answer(output, status, answer, err);
}
