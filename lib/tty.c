/* SPDX-License-Identifier: Apache-2.0 */
/* Raw mode, window sizes, and one direction of a terminal's traffic. */
#include "lib/tty.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int tty_set_raw(int fd, struct tty_saved *saved, struct error *err)
{
	struct termios raw;

	if (tcgetattr(fd, &saved->termios) < 0)
		return errno == ENOTTY ? 0 : error_errno(err, errno, "read the terminal's mode");
	raw = saved->termios;
	cfmakeraw(&raw);
	/* TCSANOW: pending input belongs to the program that is about to read it */
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return error_errno(err, errno, "set the terminal to raw mode");
	saved->fd = fd;
	return 0;
}

void tty_restore(struct tty_saved *saved)
{
	if (saved->fd < 0)
		return;
	(void)tcsetattr(saved->fd, TCSADRAIN, &saved->termios); /* nothing better can be done */
	saved->fd = -EBADF;
}

bool tty_has_color(int fd)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(fd) && !(no_color && *no_color);
}

void tty_get_size(int fd, size_t *out_columns, size_t *out_rows)
{
	struct winsize size = { 0 };

	(void)ioctl(fd, TIOCGWINSZ, &size); /* zeros, then, as from a serial line */
	*out_columns = size.ws_col ? size.ws_col : 80;
	*out_rows = size.ws_row ? size.ws_row : 24;
}

void tty_copy_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) == 0)
		(void)ioctl(to, TIOCSWINSZ, &size); /* a wrong size is no reason to fail */
}

void tty_flow_fill(struct tty_flow *flow)
{
	ssize_t got = read(flow->from, flow->data, sizeof(flow->data));

	flow->begin = flow->end = 0;
	if (got > 0)
		flow->end = (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		flow->ended = true; /* EIO: the last slave of a pty is closed */
}

int tty_flow_drain(struct tty_flow *flow)
{
	ssize_t put = write(flow->to, flow->data + flow->begin, flow->end - flow->begin);

	if (put < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	flow->begin += (size_t)put;
	return 0;
}
