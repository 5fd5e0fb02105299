/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a container's terminal: the master goes to whoever listens on
 * --console-socket, or is pumped between our own terminal and the container.
 */
#ifndef RUNTIME_LIFECYCLE_CONSOLE_H
#define RUNTIME_LIFECYCLE_CONSOLE_H

#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/tty.h"
#include "runtime/lifecycle/notify.h"

struct console {
	int socket; /* connected --console-socket; -EBADF = none */
	int master; /* the foreground's; -EBADF = none */
	struct tty_saved saved;
};

#define CONSOLE_INIT                                                                               \
	{                                                                                          \
		.socket = -EBADF, .master = -EBADF, .saved = TTY_SAVED_INIT                        \
	}

/** The rules of runc: who detaches with a terminal needs a socket, nobody else may have one. */
int console_check(bool terminal, bool detached, const char *socket, struct error *err);
/** Connect --console-socket, if given. */
int console_open(struct console *console, const char *socket, struct error *err);
/** Takes the master that init sent: passes it on, or keeps it for the foreground. */
int console_take(struct console *console, int master, struct error *err);
/** Restores our terminal and closes everything. */
void console_done(struct console *console);

/** One fd over a connected socket, with a payload: what console and pidfd sockets expect. */
int console_send_fd(int socket, int fd, const char *payload, struct error *err);

/** Whom to stay with. */
struct foreground {
	pid_t pid; /* our child */
	int pidfd;
	int signal_fd; /* what it takes is forwarded */
	struct console *console;
	const struct notify *notify; /* NULL = none */
};

/** Stay with the process: forward signals, pump the terminal, wait. *out_status: its wait status;
 *  rusage may be NULL. */
struct rusage;
int foreground_wait(const struct foreground *f, int *out_status, struct rusage *rusage,
		    struct error *err);
/** A signalfd for everything that a foreground verb forwards; blocks those signals. */
int foreground_signals(struct error *err);

/** Send pid's pidfd to --pidfd-socket with this payload ("standard", "setns"). */
int pidfd_socket_send(const char *path, int pidfd, const char *payload, struct error *err);
/** The decimal pid without a newline: shims read it with strict parsers. By rename, or into a
 *  device, a pipe or what a link leads to; that never waits. */
int pid_file_write(const char *path, pid_t pid, struct error *err);

#endif
