/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals: raw mode that is always undone, sizes, and the loop between our terminal and a pty. */
#ifndef LIB_TTY_H
#define LIB_TTY_H

#include <stdbool.h>
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

/** Copy the window size of terminal from to terminal to (silently nothing when from is none). */
void tty_copy_size(int from, int to);

/** Pump bytes both ways between (in, out) and a pty master. The two halves are called when poll
 *  says readable; 1 = more may come, 0 = this side has ended, negative errno. */
int tty_pump(int from, int to);

#endif
