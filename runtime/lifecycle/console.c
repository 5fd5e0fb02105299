/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of terminals, pid files and pidfd sockets: what callers get handed out. */
#include "runtime/lifecycle/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/io.h"
#include "runtime/texts.h"

int console_check(bool terminal, bool detached, const char *socket, struct error *err)
{
	if (detached && terminal && !socket)
		return error_set(err, ERROR_INVALID, 0, TEXT_TTY_NEEDS_SOCKET);
	if (socket && (!detached || !terminal))
		return error_set(err, ERROR_INVALID, 0, TEXT_SOCKET_WITHOUT_TTY);
	return 0;
}

int console_open(struct console *console, const char *socket, struct error *err)
{
	if (!socket)
		return 0;
	console->socket = fd_connect_unix(socket, SOCK_STREAM, err);
	return console->socket < 0 ? error_prefix(err, console->socket, "console socket") : 0;
}

int console_send_fd(int socket, int fd, const char *payload, struct error *err)
{
	/* exactly one message with exactly one fd and nothing else: receivers insist */
	ssize_t sent = fd_send(socket, payload, strlen(payload), &fd, 1);

	return sent < 0 ? error_errno(err, (int)-sent, "send a file descriptor") : 0;
}

int console_take(struct console *console, int master, struct error *err)
{
	int ret;

	if (console->socket < 0) {
		console->master = master;
		tty_copy_size(STDIN_FILENO, master); /* the payload may ask at once */
		return 0;
	}
	ret = console_send_fd(console->socket, master, "/dev/ptmx", err);
	(void)close(master);
	return error_prefix(err, ret, "console socket");
}

void console_done(struct console *console)
{
	tty_restore(&console->saved);
	cleanup_close_fd(&console->socket);
	cleanup_close_fd(&console->master);
}

int pidfd_socket_send(const char *path, int pidfd, const char *payload, struct error *err)
{
	cleanup_close int socket = -EBADF;

	if (!path)
		return 0;
	socket = fd_connect_unix(path, SOCK_STREAM, err);
	if (socket < 0)
		return error_prefix(err, socket, "pidfd socket");
	return error_prefix(err, console_send_fd(socket, pidfd, payload, err), "pidfd socket");
}

/* The container is there already, and nobody can use it before we return: no waiting for a reader.
 */
static int write_pid_in_place(const char *path, const char *text, size_t size, struct error *err)
{
	cleanup_close int fd = io_open_in_place(path, O_NONBLOCK, err);
	struct stat status;
	int ret;

	if (fd == -ENXIO && stat(path, &status) == 0 && S_ISFIFO(status.st_mode))
		return error_set(
			err, ERROR_INVALID, ENXIO,
			"nobody reads the pipe \"%s\" (open it for reading before, or name "
			"a file)",
			path);
	if (fd < 0)
		return fd;
	ret = io_write_all(fd, text, size);
	return ret < 0 ? error_errno(err, -ret, "write \"%s\"", path) : 0;
}

int pid_file_write(const char *path, pid_t pid, struct error *err)
{
	char text[16];
	int size, ret;

	if (!path)
		return 0;
	size = snprintf(text, sizeof(text), "%d", (int)pid);
	ret = io_is_in_place(path) ? write_pid_in_place(path, text, (size_t)size, err)
				   : io_write_result(path, text, (size_t)size, err);
	return error_prefix(err, ret, "pid file");
}
