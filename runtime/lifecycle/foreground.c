/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verb that stays with its container: it forwards every signal that can be, pumps the terminal
 * both ways, and ends with the process. One poll loop, no handlers.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/proc.h"
#include "lib/trace.h"
#include "runtime/lifecycle/console.h"

int foreground_signals(struct error *err)
{
	sigset_t set;
	int fd;

	/* not forwarded: the child's end, urgent data (as runc), our faults */
	static const int ours[] = { SIGCHLD, SIGURG, SIGSEGV, SIGBUS,
				    SIGILL,  SIGFPE, SIGTRAP, SIGSYS };

	(void)sigfillset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		(void)sigdelset(&set, ours[i]);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return error_errno(err, errno, "block signals");
	/* a reader of our output that goes away must not take us along, nor the payload */
	(void)sigdelset(&set, SIGPIPE);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_errno(err, errno, "signalfd") : fd;
}

static void forward_signals(int pidfd, int signal_fd, const struct console *console)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH && console->master >= 0)
			tty_copy_size(STDIN_FILENO, console->master);
		else
			/* it may be dead already, which is not the sender's fault */
			(void)pidfd_send_signal(pidfd, (int)info.ssi_signo, NULL, 0);
	}
}

/* The poll set: a negative fd is left out by poll(2). */
enum { POLL_PROCESS, POLL_SIGNALS, POLL_MASTER, POLL_INPUT, POLL_OUTPUT, POLL_NOTIFY, POLL_COUNT };

/* The terminal's two directions. */
struct traffic {
	struct tty_flow input, output;
};

/* A write to a payload that does not read must not keep us from its output, its end, or signals. */
static int start_terminal(struct console *console, struct traffic *traffic, struct error *err)
{
	bool none = console->master < 0;
	int ret;

	*traffic = (struct traffic){
		.input = { .from = STDIN_FILENO, .to = console->master, .ended = none },
		.output = { .from = console->master, .to = STDOUT_FILENO, .ended = none },
	};
	if (none)
		return 0;
	ret = fd_set_nonblock(console->master, true);
	if (ret < 0)
		return error_errno(err, -ret, "make the terminal non-blocking");
	return tty_set_raw(STDIN_FILENO, &console->saved, err);
}

/*
 * When our own reader is gone the rest is thrown away: a payload that blocks on a full terminal
 * would never end.
 */
static void drain_output(struct tty_flow *output)
{
	if (tty_flow_drain(output) == 0)
		return;
	if (output->to == STDOUT_FILENO)
		output->to = open("/dev/null", O_WRONLY | O_CLOEXEC); /* as long as we live */
	else
		output->ended = true;
	output->begin = output->end;
}

static void drain_input(struct tty_flow *input)
{
	if (tty_flow_drain(input) == 0)
		return;
	input->ended = true; /* nobody has the terminal open any more */
	input->begin = input->end;
}

/* What the process wrote last is still in the pty when it is dead. */
static void finish_output(struct tty_flow *output)
{
	for (int left = 8192; left > 0 && (tty_flow_is_full(output) || !output->ended); left--) {
		struct pollfd poll_fd = { .fd = output->from, .events = POLLIN };

		if (tty_flow_is_full(output)) {
			drain_output(output);
			continue;
		}
		/* a survivor of the process that writes on could hold us here */
		if (poll(&poll_fd, 1, 0) <= 0 || !(poll_fd.revents & POLLIN))
			return;
		tty_flow_fill(output);
	}
}

/* Each flow waits either for something to read, or for its place to be taken. */
static void watch_terminal(const struct traffic *traffic, struct pollfd fds[POLL_COUNT])
{
	const struct tty_flow *input = &traffic->input, *output = &traffic->output;
	bool in = tty_flow_is_full(input), out = tty_flow_is_full(output);
	short events = 0;

	if (!out && !output->ended)
		events |= POLLIN;
	if (in)
		events |= POLLOUT;
	fds[POLL_MASTER] = (struct pollfd){ .fd = events ? output->from : -1, .events = events };
	fds[POLL_INPUT] =
		(struct pollfd){ .fd = in || input->ended ? -1 : input->from, .events = POLLIN };
	fds[POLL_OUTPUT] = (struct pollfd){ .fd = out ? output->to : -1, .events = POLLOUT };
}

static void pump_terminal(struct traffic *traffic, const struct pollfd fds[POLL_COUNT])
{
	if (fds[POLL_OUTPUT].revents)
		drain_output(&traffic->output);
	else if (fds[POLL_MASTER].events & POLLIN && fds[POLL_MASTER].revents & ~POLLOUT)
		tty_flow_fill(&traffic->output);
	if (fds[POLL_INPUT].revents)
		tty_flow_fill(&traffic->input);
	if (tty_flow_is_full(&traffic->input)) /* at once, mostly: its place does not block */
		drain_input(&traffic->input);
}

static int serve(const struct foreground *f, struct traffic *traffic, struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("run", "wait for the end");
	struct pollfd fds[POLL_COUNT] = {
		[POLL_PROCESS] = { .fd = f->pidfd, .events = POLLIN },
		[POLL_SIGNALS] = { .fd = f->signal_fd, .events = POLLIN },
		[POLL_NOTIFY] = { .fd = f->notify ? f->notify->socket : -1, .events = POLLIN },
	};

	/* until it is dead, and had nothing more to tell its service manager */
	while (!fds[POLL_PROCESS].revents || fds[POLL_NOTIFY].revents) {
		watch_terminal(traffic, fds);
		if (poll(fds, POLL_COUNT, -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(err, errno, "poll");
		}
		if (fds[POLL_SIGNALS].revents)
			forward_signals(f->pidfd, f->signal_fd, f->console);
		pump_terminal(traffic, fds);
		if (fds[POLL_NOTIFY].revents)
			(void)notify_serve(f->notify, 0); /* we are the service, as far as we go */
	}
	return 0;
}

int foreground_wait(const struct foreground *f, int *out_status, struct rusage *rusage,
		    struct error *err)
{
	struct traffic traffic;
	int ret = start_terminal(f->console, &traffic, err);

	if (ret == 0)
		ret = serve(f, &traffic, err);
	if (ret < 0)
		return ret;
	finish_output(&traffic.output);
	ret = proc_wait(f->pid, out_status, rusage);
	return ret < 0 ? error_errno(err, -ret, "wait for the container's process") : 0;
}
