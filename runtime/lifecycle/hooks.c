/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks run on the host side (prestart, createRuntime, poststart, poststop) and in the container
 * (createContainer, startContainer); the code is the same, the caller is where it has to be. A
 * hook gets exactly its own environment, its own process group (so that a timeout kills all of
 * it), and files for its output, which goes into the message when it fails.
 */
#include "runtime/lifecycle/hooks.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"
#include "runtime/texts.h"

/* More of a hook's output than this says nothing in a message of one line. */
#define OUTPUT_SHOWN 400

static int memory_file(const char *text, size_t size, struct error *err)
{
	cleanup_close int fd = memfd_create("hook", MFD_CLOEXEC);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "create a memory file");
	ret = io_write_all(fd, text, size);
	if (ret < 0)
		return error_errno(err, -ret, "write a memory file");
	(void)lseek(fd, 0, SEEK_SET); /* cannot fail on a memory file */
	return TAKE_FD(fd);
}

/* What the hook wrote, on one line without its end. */
static void read_output(int fd, struct strbuf *out)
{
	char text[OUTPUT_SHOWN];
	ssize_t size = pread(fd, text, sizeof(text), 0);

	strbuf_add(out, text, size > 0 ? (size_t)size : 0);
	while (out->size && strchr("\n\r ", out->data[out->size - 1]))
		strbuf_truncate(out, out->size - 1);
}

/* Wait for the end of the hook, the timeout or a signal to us; the group dies in the latter two. */
static int hook_wait(const struct plan_hook *hook, pid_t pid, int pidfd, int signal_fd,
		     int *out_status, struct error *err)
{
	int64_t deadline = hook->timeout > 0 ? clock_ms() + hook->timeout * 1000 : INT64_MAX;
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = signal_fd, .events = POLLIN } };
	int ret = 0;

	for (;;) {
		int64_t left = deadline == INT64_MAX ? -1 : deadline - clock_ms();
		int ready;

		if (deadline != INT64_MAX && left <= 0) {
			ret = error_set(err, ERROR_TIMEOUT, 0, TEXT_HOOK_TIMEOUT,
					(double)hook->timeout);
			break;
		}
		ready = poll(fds, 2, left > 60000 ? 60000 : (int)left);
		if (ready < 0 && errno != EINTR) {
			ret = error_errno(err, errno, "poll");
			break;
		}
		if (ready > 0 && fds[0].revents)
			break;
		if (ready > 0 && fds[1].revents) {
			ret = error_set(err, ERROR_CANCELLED, EINTR, "stopped by a signal");
			break;
		}
	}
	if (ret < 0 && kill(-pid, SIGKILL) < 0)
		(void)kill(pid, SIGKILL); /* it left its group; at least itself */
	(void)proc_wait(pid, out_status, NULL);
	return ret;
}

static int hook_judge(int status, int output, int errors, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT, error_out = STRBUF_INIT;

	if (status == 0)
		return 0;
	read_output(output, &out);
	read_output(errors, &error_out);
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_STATE, 0, "signal: %d, stdout: %s, stderr: %s",
				 WTERMSIG(status), strbuf_text(&out), strbuf_text(&error_out));
	return error_set(err, ERROR_STATE, 0, "exit status %d, stdout: %s, stderr: %s",
			 WEXITSTATUS(status), strbuf_text(&out), strbuf_text(&error_out));
}

static int hook_run(const struct plan_hook *hook, const struct strbuf *state, const char *cwd,
		    int signal_fd, struct error *err)
{
	/* a file, not a pipe: a hook that never reads its input disturbs nobody */
	cleanup_close int input = memory_file(state->data, state->size, err);
	cleanup_close int output = memory_file("", 0, err);
	cleanup_close int errors = memory_file("", 0, err);
	cleanup_close int pidfd = -EBADF;
	const struct spawn_fd fds[] = { { input, 0 }, { output, 1 }, { errors, 2 } };
	struct spawn spawn = SPAWN_INIT;
	int status = 0, ret;
	pid_t pid;

	if (input < 0 || output < 0 || errors < 0)
		return -ENOMEM;
	spawn.path = hook->path;
	spawn.argv = hook->argv;
	spawn.envp = hook->env;
	spawn.cwd = cwd;
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	spawn.new_group = true;
	ret = spawn_start(&spawn, &pid, &pidfd, err);
	if (ret < 0)
		return ret;
	ret = hook_wait(hook, pid, pidfd, signal_fd, &status, err);
	return ret < 0 ? ret : hook_judge(status, output, errors, err);
}

int hooks_run(const struct plan *plan, enum hook_kind kind, const struct oci_state *state,
	      const char *cwd, int signal_fd, struct error *err)
{
	const struct plan_hooks *hooks = &plan->hooks[kind];
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!hooks->count)
		return 0;
	state_write(state, JSON_COMPACT, &text);
	for (size_t i = 0; i < hooks->count; i++) {
		int ret = hook_run(&hooks->items[i], &text, cwd, signal_fd, err);

		if (ret < 0)
			return error_phase(
				err, error_prefix(err, ret, TEXT_HOOK_FAILED, hook_names[kind], i),
				PHASE_HOOK);
	}
	return 0;
}
