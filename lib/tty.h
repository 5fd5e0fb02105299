/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals: raw mode that is always undone, sizes, and the traffic between our terminal and a pty.
 */
#ifndef LIB_TTY_H
#define LIB_TTY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "lib/error.h"

struct tty_saved {
	int fd; /* -EBADF = nothing to restore */
	struct termios termios;
};

#define TTY_SAVED_INIT                                                                             \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/** Raw mode on fd if it is a terminal (else nothing); tty_restore undoes it and is a cleanup. */
int tty_set_raw(int fd, struct tty_saved *saved, struct error *err);
void tty_restore(struct tty_saved *saved);
#define cleanup_tty __attribute__((cleanup(tty_restore)))

/** May colours go there? To a terminal, unless NO_COLOR (no-color.org) is set and not empty. */
bool tty_has_color(int fd);

/** What fits onto the screen; 80 columns and 24 rows when the terminal does not say. */
void tty_get_size(int fd, size_t *out_columns, size_t *out_rows);

/** Copy the window size of terminal from to terminal to (silently nothing when from is none). */
void tty_copy_size(int from, int to);

/**
 * One direction of a terminal's traffic. What was read waits here until the other side takes it, so
 * that whoever polls both never blocks in a write: an empty flow is filled when "from" is readable,
 * a full one drained when "to" is writable.
 */
struct tty_flow {
	int from, to;	     /* borrowed */
	bool ended;	     /* nothing more will come from "from" */
	size_t begin, end;   /* what waits in data */
	char data[PIPE_BUF]; /* a pipe that is writable takes so much without blocking */
};

static inline bool tty_flow_is_full(const struct tty_flow *flow)
{
	return flow->begin < flow->end;
}

/** Read once, of an empty flow. An end of file sets ended; so does a failure. */
void tty_flow_fill(struct tty_flow *flow);
/** Write once. 0, also when "to" takes nothing at the moment, or negative errno. */
int tty_flow_drain(struct tty_flow *flow);

#endif
