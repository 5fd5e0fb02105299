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
enum { POLL_PROCESS, POLL_SIGNALS, POLL_MASTER, POLL_INPUT, POLL_NOTIFY, POLL_COUNT };

static int start_terminal(struct console *console, struct error *err)
{
	if (console->master < 0)
		return 0;
	return tty_set_raw(STDIN_FILENO, &console->saved, err);
}

/*
 * One portion of output. When our own reader is gone the rest is thrown away: a payload that
 * blocks on a full terminal would never end.
 */
static int pump_output(struct console *console)
{
	int ret = tty_pump(console->master, console->output);

	if (ret >= 0 || console->output != STDOUT_FILENO)
		return ret;
	console->output = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return console->output < 0 ? ret : 1;
}

/* What the process wrote last is still in the pty when it is dead. */
static void drain_terminal(struct console *console)
{
	int master = console->master;

	(void)fd_set_nonblock(master, true); /* else a survivor of the process could hold us here */
	for (int left = 4096; left > 0; left--) {
		struct pollfd poll_fd = { .fd = master, .events = POLLIN };

		if (poll(&poll_fd, 1, 0) <= 0 || !(poll_fd.revents & POLLIN) ||
		    pump_output(console) <= 0)
			return;
	}
}

static int serve(const struct foreground *f, struct pollfd fds[POLL_COUNT], struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("run", "wait for the end");
	struct console *console = f->console;

	while (!fds[POLL_PROCESS].revents) {
		if (poll(fds, POLL_COUNT, -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(err, errno, "poll");
		}
		if (fds[POLL_SIGNALS].revents)
			forward_signals(f->pidfd, f->signal_fd, console);
		if (fds[POLL_MASTER].revents && pump_output(console) <= 0)
			fds[POLL_MASTER].fd = -1;
		if (fds[POLL_INPUT].revents && tty_pump(STDIN_FILENO, console->master) <= 0)
			fds[POLL_INPUT].fd = -1;
		if (fds[POLL_NOTIFY].revents)
			(void)notify_serve(f->notify, 0); /* we are the service, as far as we go */
	}
	return 0;
}

int foreground_wait(const struct foreground *f, int *out_status, struct error *err)
{
	int master = f->console->master;
	struct pollfd fds[POLL_COUNT] = {
		[POLL_PROCESS] = { .fd = f->pidfd, .events = POLLIN },
		[POLL_SIGNALS] = { .fd = f->signal_fd, .events = POLLIN },
		[POLL_MASTER] = { .fd = master, .events = POLLIN },
		[POLL_INPUT] = { .fd = master < 0 ? -1 : STDIN_FILENO, .events = POLLIN },
		[POLL_NOTIFY] = { .fd = f->notify ? f->notify->socket : -1, .events = POLLIN },
	};
	int ret = start_terminal(f->console, err);

	if (ret == 0)
		ret = serve(f, fds, err);
	if (ret < 0)
		return ret;
	if (f->console->master >= 0)
		drain_terminal(f->console);
	ret = proc_wait(f->pid, out_status, NULL);
	return ret < 0 ? error_errno(err, -ret, "wait for the container's process") : 0;
}
