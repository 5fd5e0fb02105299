/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of conmon's protocol (conmon(8), and the facts of its sources): BUNDLE/attach
 * is a SOCK_SEQPACKET socket whose packets start with a byte that names the stream; BUNDLE/ctl
 * takes "1 ROWS COLUMNS\n".
 */
#include "builder/container/conmon-client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/signals.h"
#include "lib/strv.h"
#include "lib/tty.h"

#define PACKET_SIZE 32769 /* conmon's buffer and the stream byte */

static const char default_keys[] = "ctrl-p,ctrl-q";

struct session {
	const struct conmon_client *client;
	int attach_fd;
	int ctl_fd;
	int signal_fd;
	bool stdin_open;
	bool detached;
	struct strbuf keys;
	size_t matched; /* so many of them were typed, and are held back */
};

static void session_done(struct session *session)
{
	cleanup_close_fd(&session->attach_fd);
	cleanup_close_fd(&session->ctl_fd);
	cleanup_close_fd(&session->signal_fd);
	strbuf_done(&session->keys);
}

static int parse_key(const char *word, char *out)
{
	if (word[0] && !word[1]) {
		*out = word[0];
		return 0;
	}
	/* "ctrl-" and a letter or one of @ [ \ ] ^ _ */
	if (strncmp(word, "ctrl-", 5) != 0 || !word[5] || word[6] ||
	    !((word[5] >= 'a' && word[5] <= 'z') || (word[5] >= '@' && word[5] <= '_')))
		return -EINVAL;
	*out = (char)(word[5] & 0x1f);
	return 0;
}

int conmon_parse_keys(const char *text, struct strbuf *out, struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;
	char key;

	if (!*text)
		return 0;
	strv_split(&words, text, ',');
	for (size_t i = 0; i < words.count; i++) {
		if (parse_key(words.items[i], &key) < 0)
			return error_set(err, ERROR_USAGE, 0,
					 "--detach-keys %s: expected keys like a, ctrl-p or ctrl-],"
					 " separated by commas",
					 text);
		strbuf_addc(out, key);
	}
	return 0;
}

/* A path in sun_path's bounds, whatever the bundle's length: by a fd of the folder. */
static int open_attach(struct session *session, struct error *err)
{
	cleanup_close int folder = open(session->client->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	session->attach_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (folder < 0 || session->attach_fd < 0)
		return error_errno(err, errno, "open the attach socket");
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/attach",
		       folder);
	if (connect(session->attach_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, errno, "attach to \"%s/attach\"", session->client->bundle);
	session->ctl_fd = openat(folder, "ctl", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (session->ctl_fd < 0)
		return error_errno(err, errno, "open \"%s/ctl\"", session->client->bundle);
	return 0;
}

static void send_size(const struct session *session)
{
	struct winsize size;
	char text[40];
	int length;

	if (!session->client->terminal || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	length = snprintf(text, sizeof(text), "1 %u %u\n", size.ws_row, size.ws_col);
	(void)io_write_all(session->ctl_fd, text, (size_t)length); /* a wrong size is no failure */
}

static void handle_signals(const struct session *session)
{
	struct signalfd_siginfo info;

	while (read(session->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			send_size(session);
		else
			session->client->target->kill(session->client->context,
						      (int)info.ssi_signo);
	}
}

/* One packet out; 0 = the other side has closed. */
static int receive_packet(const struct session *session)
{
	static const int streams[] = { [2] = STDOUT_FILENO, [3] = STDERR_FILENO };
	char packet[PACKET_SIZE];
	ssize_t got = recv(session->attach_fd, packet, sizeof(packet), 0);

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : 0;
	if (got == 0)
		return 0;
	if (packet[0] == 2 || packet[0] == 3)
		(void)io_write_all(streams[(int)packet[0]], packet + 1, (size_t)got - 1);
	return 1;
}

/* What is to be sent of the bytes typed: keys of the sequence are held back as long as it may be
 * one. */
static void filter_keys(struct session *session, const char *bytes, size_t size, struct strbuf *out)
{
	const struct strbuf *keys = &session->keys;

	for (size_t i = 0; i < size && !session->detached; i++) {
		if (session->matched && bytes[i] != keys->data[session->matched]) {
			strbuf_add(out, keys->data, session->matched);
			session->matched = 0;
		}
		if (keys->size && bytes[i] == keys->data[session->matched])
			session->detached = ++session->matched == keys->size;
		else
			strbuf_addc(out, bytes[i]);
	}
}

static void send_input(struct session *session)
{
	cleanup_strbuf struct strbuf wanted = STRBUF_INIT;
	char buffer[8192];
	ssize_t got = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got > 0)
		filter_keys(session, buffer, (size_t)got, &wanted);
	if (got > 0 && !wanted.size)
		return;
	if (got <= 0 || send(session->attach_fd, wanted.data, wanted.size, MSG_NOSIGNAL) < 0) {
		session->stdin_open = false;
		(void)shutdown(session->attach_fd, SHUT_WR);
	}
}

enum { WATCH_ATTACH, WATCH_STDIN, WATCH_SIGNAL, WATCH_COUNT };

/* Until conmon closes its end, after the last packet, or we are to go. */
static int move_bytes(struct session *session, struct error *err)
{
	while (!session->detached) {
		struct pollfd fds[WATCH_COUNT] = {
			[WATCH_ATTACH] = { session->attach_fd, POLLIN, 0 },
			[WATCH_STDIN] = { session->stdin_open ? STDIN_FILENO : -1, POLLIN, 0 },
			[WATCH_SIGNAL] = { session->signal_fd, POLLIN, 0 },
		};

		if (poll(fds, WATCH_COUNT, -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(err, errno, "poll");
		}
		if (fds[WATCH_ATTACH].revents && !receive_packet(session))
			return 0;
		if (fds[WATCH_STDIN].revents)
			send_input(session);
		if (fds[WATCH_SIGNAL].revents)
			handle_signals(session);
	}
	return 0;
}

static int open_session(struct session *session, struct error *err)
{
	static const int signals[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	const char *keys = session->client->detach_keys;
	int ret = session->client->terminal
			  ? conmon_parse_keys(keys ? keys : default_keys, &session->keys, err)
			  : 0;

	if (ret == 0)
		ret = open_attach(session, err);
	if (ret < 0)
		return ret;
	session->signal_fd = signal_open_fd(signals, ARRAY_SIZE(signals), err);
	return session->signal_fd < 0 ? session->signal_fd : 0;
}

int conmon_attach(const struct conmon_client *client, bool *out_detached, struct error *err)
{
	__attribute__((cleanup(session_done))) struct session session = {
		.client = client, .attach_fd = -EBADF, .ctl_fd = -EBADF, .signal_fd = -EBADF
	};
	cleanup_tty struct tty_saved saved = TTY_SAVED_INIT;
	int ret = open_session(&session, err);

	if (ret < 0)
		return ret;
	send_size(&session);
	if (client->start)
		ret = client->target->start(client->context, err);
	if (ret == 0 && client->terminal && client->interactive)
		ret = tty_set_raw(STDIN_FILENO, &saved, err);
	session.stdin_open = client->interactive;
	if (ret == 0)
		ret = move_bytes(&session, err);
	*out_detached = session.detached;
	return ret;
}
