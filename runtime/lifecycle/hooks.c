/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks run on the host side (prestart, createRuntime, poststart, poststop) and in the container
 * (createContainer, startContainer); the code is the same, the caller is where it has to be. A
 * hook gets exactly its own environment, its own process group (so that a timeout kills all of
 * it), and files for its output, which goes into the message when it fails.
 */
#include "runtime/lifecycle/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/proc.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"
#include "lib/trace.h"
#include "runtime/texts.h"

/* More of a hook's output than this says nothing in a message of one line. */
#define OUTPUT_SHOWN 400
/* Seconds that nobody lives to see: no limit. */
#define TIMEOUT_MAX (INT64_C(1) << 32)

/* One of the hook's streams; in a file that goes on being used, from where it ended before. */
struct output {
	int fd;
	off_t start;
};

static int open_stream(struct output *output, int file, struct error *err)
{
	int fd = file < 0 ? fd_memory("hook", "", 0, err) : fd_dup_above(file, 3);

	if (fd < 0)
		return file < 0 ? fd : error_errno(err, -fd, "duplicate a file descriptor");
	output->fd = fd;
	output->start = lseek(fd, 0, SEEK_END); /* a pipe or terminal has no past to look at */
	return 0;
}

static void close_streams(struct output (*streams)[HOOK_STREAMS])
{
	for (size_t i = 0; i < HOOK_STREAMS; i++)
		cleanup_close_fd(&(*streams)[i].fd);
}
#define cleanup_streams cleanup_with(close_streams)

/* What the hook wrote, on one line without its end. */
static void read_output(const struct output *output, struct strbuf *out)
{
	char text[OUTPUT_SHOWN];
	ssize_t size = pread(output->fd, text, sizeof(text), output->start);

	strbuf_add(out, text, size > 0 ? (size_t)size : 0);
	while (out->size && strchr("\n\r ", out->data[out->size - 1]))
		strbuf_truncate(out, out->size - 1);
}

/* Wait for the end of the hook, the timeout or a signal to us; the group dies in the latter two. */
static int hook_wait(const struct plan_hook *hook, pid_t pid, int pidfd, int signal_fd,
		     int *out_status, struct error *err)
{
	bool endless = hook->timeout <= 0 || hook->timeout > TIMEOUT_MAX;
	int64_t deadline = endless ? INT64_MAX : clock_ms() + hook->timeout * 1000;
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

static int hook_judge(int status, const struct output *streams, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT, error_out = STRBUF_INIT;

	if (status == 0)
		return 0;
	read_output(&streams[HOOK_STDOUT], &out);
	read_output(&streams[HOOK_STDERR], &error_out);
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_STATE, 0, "signal: %d, stdout: %s, stderr: %s",
				 WTERMSIG(status), strbuf_text(&out), strbuf_text(&error_out));
	return error_set(err, ERROR_STATE, 0, "exit status %d, stdout: %s, stderr: %s",
			 WEXITSTATUS(status), strbuf_text(&out), strbuf_text(&error_out));
}

static int hook_start(const struct plan_hook *hook, const char *cwd, const struct spawn_fd fds[3],
		      pid_t *out_pid, int *out_pidfd, struct error *err)
{
	struct spawn spawn = SPAWN_INIT;

	spawn.path = hook->path;
	spawn.argv = hook->argv;
	spawn.envp = hook->env;
	spawn.cwd = cwd;
	spawn.fds = fds;
	spawn.fd_count = 3;
	spawn.new_group = true;
	return spawn_start(&spawn, out_pid, out_pidfd, err);
}

static int hook_run(const struct plan_hook *hook, const struct strbuf *state,
		    const struct hook_place *place, struct error *err)
{
	/* a file, not a pipe: a hook that never reads its input disturbs nobody */
	cleanup_close int input = fd_memory("hook", state->data, state->size, err);
	cleanup_streams struct output streams[HOOK_STREAMS] = { { -EBADF, 0 }, { -EBADF, 0 } };
	cleanup_close int pidfd = -EBADF;
	int status = 0, ret = input < 0 ? input : 0;
	pid_t pid;

	for (size_t i = 0; i < HOOK_STREAMS && ret == 0; i++)
		ret = open_stream(&streams[i], place->output[i], err);
	if (ret == 0)
		ret = hook_start(hook, place->cwd,
				 (const struct spawn_fd[]){ { input, 0 },
							    { streams[HOOK_STDOUT].fd, 1 },
							    { streams[HOOK_STDERR].fd, 2 } },
				 &pid, &pidfd, err);
	if (ret == 0)
		ret = hook_wait(hook, pid, pidfd, place->signal_fd, &status, err);
	return ret < 0 ? ret : hook_judge(status, streams, err);
}

/* -- all of a kind -- */

int hooks_open_output(const struct plan *plan, int fds[HOOK_STREAMS], struct error *err)
{
	for (size_t i = 0; i < HOOK_STREAMS; i++) {
		const char *path = plan->hook_output[i];

		fds[i] = -EBADF;
		if (!path)
			continue;
		/* readable, too: what a failing hook has written is in the message all the same */
		fds[i] = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0640);
		if (fds[i] < 0)
			return error_path(err,
					  error_errno(err, errno,
						      "open \"%s\" for the output of hooks", path),
					  path);
	}
	return 0;
}

bool hooks_run_inside(const struct plan *plan)
{
	return plan->hooks[HOOK_CREATE_CONTAINER].count || plan->hooks[HOOK_START_CONTAINER].count;
}

static void warn(const struct error *failure)
{
	char line[sizeof(failure->msg) + 256];

	log_warning("%s", error_text(failure, line, sizeof(line)));
}

static int run_all(const struct plan *plan, enum hook_kind kind, const struct hook_place *place,
		   struct error *err)
{
	const struct plan_hooks *hooks = &plan->hooks[kind];
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	state_write(place->state, JSON_COMPACT, &text);
	for (size_t i = 0; i < hooks->count; i++) {
		cleanup_trace struct trace_span span = trace_begin("hook", hook_names[kind]);
		struct error failure = ERROR_INIT;
		int ret = hook_run(&hooks->items[i], &text, place, &failure);

		if (ret == 0)
			continue;
		(void)error_prefix(&failure, ret, TEXT_HOOK_FAILED, hook_names[kind], i);
		(void)error_phase(&failure, ret, PHASE_HOOK);
		if (kind != HOOK_POSTSTOP) {
			if (err)
				*err = failure;
			return ret;
		}
		/* the container is no more: nothing is left to be stopped by it */
		warn(&failure);
	}
	return 0;
}

static int open_output_or_warn(const struct plan *plan, enum hook_kind kind, int fds[HOOK_STREAMS],
			       struct error *err)
{
	struct error failure = ERROR_INIT;
	int ret = hooks_open_output(plan, fds, &failure);

	if (ret < 0 && kind == HOOK_POSTSTOP) {
		warn(&failure);
		return 0;
	}
	if (ret < 0 && err)
		*err = failure;
	return error_phase(err, ret, PHASE_HOOK);
}

int hooks_run(const struct plan *plan, enum hook_kind kind, const struct hook_place *place,
	      struct error *err)
{
	struct hook_place here = *place;
	int opened[HOOK_STREAMS] = { -EBADF, -EBADF }, ret = 0;

	if (!plan->hooks[kind].count)
		return 0;
	if (!place->output) {
		ret = open_output_or_warn(plan, kind, opened, err);
		here.output = opened;
	}
	if (ret == 0)
		ret = run_all(plan, kind, &here, err);
	for (size_t i = 0; i < HOOK_STREAMS; i++)
		cleanup_close_fd(&opened[i]);
	return ret;
}
