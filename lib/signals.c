/* SPDX-License-Identifier: Apache-2.0 */
/* Signal names and numbers by glibc's table (no list of ours), and clean slates. */
#include "lib/signals.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/number.h"

/* glibc's sigabbrev_np covers 1..31; POSIX's other names for the same numbers. */
static const struct {
	const char *name;
	int number;
} aliases[] = {
	{ "CLD", SIGCHLD },
	{ "IOT", SIGIOT },
	{ "IO", SIGIO },
	{ "UNUSED", SIGSYS },
};

/* "RTMIN", "RTMIN+3", "RTMAX-1" as the kernel counts: 34 is glibc's SIGRTMIN, as in runc. */
static int parse_realtime(const char *name)
{
	int base, sign, offset = 0;

	if (strncasecmp(name, "RTMIN", 5) == 0) {
		base = SIGRTMIN;
		sign = 1;
	} else if (strncasecmp(name, "RTMAX", 5) == 0) {
		base = SIGRTMAX;
		sign = -1;
	} else {
		return -EINVAL;
	}
	name += 5;
	if (*name) {
		if (*name != (sign > 0 ? '+' : '-') || number_parse_int(name + 1, &offset) < 0 ||
		    offset < 0 || offset > SIGRTMAX - SIGRTMIN)
			return -EINVAL;
	}
	return base + sign * offset;
}

int signal_parse(const char *text)
{
	int number;

	if (number_parse_int(text, &number) == 0)
		return number > 0 && number <= SIGRTMAX ? number : -EINVAL;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (number = 1; number < 32; number++) {
		const char *name = sigabbrev_np(number);

		if (name && strcasecmp(name, text) == 0)
			return number;
	}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (strcasecmp(aliases[i].name, text) == 0)
			return aliases[i].number;
	return parse_realtime(text);
}

const char *signal_name(int number)
{
	static const char *const names[] = {
		NULL,	    "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",  "SIGTRAP",   "SIGABRT",
		"SIGBUS",   "SIGFPE",  "SIGKILL",   "SIGUSR1", "SIGSEGV", "SIGUSR2",   "SIGPIPE",
		"SIGALRM",  "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP",   "SIGTSTP",
		"SIGTTIN",  "SIGTTOU", "SIGURG",    "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF",
		"SIGWINCH", "SIGIO",   "SIGPWR",    "SIGSYS",
	};

	if (number > 0 && (size_t)number < sizeof(names) / sizeof(*names))
		return names[number];
	return NULL;
}

int signal_open_fd(const int *signals, size_t count, struct error *err)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < count; i++)
		(void)sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_errno(err, errno, "block signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_errno(err, errno, "signalfd") : fd;
}

int signal_open_stop_fd(struct error *err)
{
	static const int stop[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

	return signal_open_fd(stop, ARRAY_SIZE(stop), err);
}

/* struct sigaction as the kernel has it: the handler, which may be one of the special values,
 * first; no flags, no restorer, no mask. */
struct kernel_sigaction {
	unsigned long words[4];
};
#define KERNEL_SIGSET_SIZE 8

static void set_disposition(int number, __sighandler_t disposition)
{
	const struct kernel_sigaction action = { { (unsigned long)disposition } };

	/* SIGKILL and SIGSTOP are refused, and have no other disposition than the default */
	(void)syscall(SYS_rt_sigaction, number, &action, NULL, KERNEL_SIGSET_SIZE);
}

void signal_set_default(int number)
{
	set_disposition(number, SIG_DFL);
}

void signal_ignore(int number)
{
	set_disposition(number, SIG_IGN);
}

void signal_reset_all(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal_set_default(number);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}
