/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start conmon and attach to it. Its protocol (conmon(8), and the facts of its sources): a pipe
 * named by _OCI_SYNCPIPE gets {"data": PID} (older versions: "pid") or -1 and "message" when the
 * container is created; BUNDLE/attach is a SOCK_SEQPACKET socket whose packets start with a byte
 * that names the stream; BUNDLE/ctl takes "1 ROWS COLUMNS\n"; EXITDIR/ID gets the exit status.
 */
#include "builder/container/conmon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "lib/signals.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "lib/tty.h"
#include "spec/json-table.h"

#define SYNC_FD 3
#define PACKET_SIZE 32769 /* conmon's buffer and the stream byte */

struct session {
	const struct conmon_run *run;
	pid_t pid;
	int pidfd;
	int sync_fd;
	int attach_fd;
	int ctl_fd;
	int signal_fd;
	bool stdin_open;
};

static void session_done(struct session *session)
{
	cleanup_close_fd(&session->pidfd);
	cleanup_close_fd(&session->sync_fd);
	cleanup_close_fd(&session->attach_fd);
	cleanup_close_fd(&session->ctl_fd);
	cleanup_close_fd(&session->signal_fd);
}

static void add_arguments(struct strv *argv, const struct conmon_run *run)
{
	strv_add_all(argv,
		     (char *[]){ "conmon", "--sync", "--full-attach", "--cid", (char *)run->id,
				 "--cuuid", (char *)run->id, "--name", (char *)run->name,
				 "--runtime", (char *)run->runtime->program, "--bundle",
				 (char *)run->bundle, "--log-level", "error", NULL });
	strv_addf(argv, "--container-pidfile=%s/container.pid", run->bundle);
	strv_addf(argv, "--conmon-pidfile=%s/conmon.pid", run->bundle);
	strv_addf(argv, "--log-path=k8s-file:%s/output.log", run->bundle);
	strv_addf(argv, "--exit-dir=%s/exit", run->bundle);
	strv_addf(argv, "--persist-dir=%s/exit", run->bundle);
	strv_addf(argv, "--runtime-arg=--root=%s", run->runtime->root);
	strv_addf(argv, "--runtime-arg=--log=%s/log.json", run->bundle);
	strv_add(argv, "--runtime-arg=--log-format=json");
	if (run->terminal)
		strv_add(argv, "--terminal");
	if (run->interactive)
		strv_add(argv, "--stdin");
}

static int start_conmon(struct session *session, struct error *err)
{
	const struct conmon_run *run = session->run;
	cleanup_strv struct strv argv = STRV_INIT, env = STRV_INIT;
	cleanup_close int write_end = -EBADF, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	cleanup_free char *exit_folder = xasprintf("%s/exit", run->bundle);
	cleanup_free char *log_path = xasprintf("%s/conmon.log", run->bundle);
	/* it complains to stderr about harmless things; what matters comes through the pipe */
	cleanup_close int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct spawn spawn = SPAWN_INIT;
	struct spawn_fd fds[4];
	int ends[2], ret;

	if (mkdir(exit_folder, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "mkdir \"%s\"", exit_folder);
	if (null < 0 || log < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "open a pipe and a log for conmon");
	session->sync_fd = ends[0];
	write_end = ends[1];
	add_arguments(&argv, run);
	strv_add_all(&env, environ);
	strv_env_set(&env, "_OCI_SYNCPIPE", "3");
	fds[0] = (struct spawn_fd){ null, 0 };
	fds[1] = (struct spawn_fd){ null, 1 };
	fds[2] = (struct spawn_fd){ log, 2 };
	fds[3] = (struct spawn_fd){ write_end, SYNC_FD };
	spawn.path = "conmon";
	spawn.search = true;
	spawn.argv = strv_items(&argv);
	spawn.envp = strv_items(&env);
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	spawn.new_session = true; /* our terminal's signals are not its business */
	ret = spawn_start(&spawn, &session->pid, &session->pidfd, err);
	if (ret == -ENOENT)
		return error_suffix(err, ret,
				    " (a container with a terminal needs the program conmon; "
				    "Debian's package has the same name)");
	return ret;
}

struct sync_message {
	int32_t data; /* newer versions of conmon; older ones say pid */
	int32_t pid;
	const char *message;
};

static const struct json_field sync_fields[] = {
	JSON_I32(struct sync_message, "data", data),
	JSON_I32(struct sync_message, "pid", pid),
	JSON_STRING(struct sync_message, "message", message),
};
static const struct json_object sync_object = JSON_TABLE(struct sync_message, sync_fields);

/* One line: the container's pid, or why there is none. */
static int wait_created(struct session *session, struct error *err)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_free char *log = xasprintf("%s/log.json", session->run->bundle), *text = NULL;
	struct json_source source = { .name = "conmon", .flags = JSON_IGNORE_TRAILING };
	struct sync_message message = { 0 };
	char c;

	while (line.size < 65536 && io_read_exact(session->sync_fd, &c, 1) == 0 && c != '\n')
		strbuf_addc(&line, c);
	source.text = strbuf_text(&line);
	source.size = line.size;
	if (line.size && json_decode(&source, &sync_object, &arena, &message, NULL) == 0 &&
	    (message.data > 0 || message.pid > 0))
		return 0;
	if (runtime_log_error(AT_FDCWD, log, &text))
		return error_set(err, ERROR_STATE, 0, "%s", text);
	return error_set(err, ERROR_STATE, 0, "conmon could not create the container%s%s",
			 message.message ? ": " : "", message.message ? message.message : "");
}

/* A path in sun_path's bounds, whatever the bundle's length: by a fd of the folder. */
static int open_attach(struct session *session, struct error *err)
{
	cleanup_close int folder = open(session->run->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	session->attach_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (folder < 0 || session->attach_fd < 0)
		return error_errno(err, errno, "open the attach socket");
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/attach",
		       folder);
	if (connect(session->attach_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, errno, "attach to \"%s/attach\"", session->run->bundle);
	session->ctl_fd = openat(folder, "ctl", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (session->ctl_fd < 0)
		return error_errno(err, errno, "open \"%s/ctl\"", session->run->bundle);
	return 0;
}

static void send_size(const struct session *session)
{
	struct winsize size;
	char text[40];
	int length;

	if (!session->run->terminal || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	length = snprintf(text, sizeof(text), "1 %u %u\n", size.ws_row, size.ws_col);
	(void)io_write_all(session->ctl_fd, text, (size_t)length); /* a wrong size is no failure */
}

static void handle_signals(const struct session *session)
{
	struct signalfd_siginfo info;

	while (read(session->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		cleanup_free char *number = xasprintf("%u", info.ssi_signo);
		char *words[] = { "kill", (char *)session->run->id, number, NULL };

		if (info.ssi_signo == SIGWINCH)
			send_size(session);
		else
			(void)runtime_verb(session->run->runtime, words, NULL);
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

static void send_input(struct session *session)
{
	char buffer[8192];
	ssize_t got = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0 || send(session->attach_fd, buffer, (size_t)got, MSG_NOSIGNAL) < 0) {
		session->stdin_open = false;
		(void)shutdown(session->attach_fd, SHUT_WR);
	}
}

enum { WATCH_ATTACH, WATCH_STDIN, WATCH_SIGNAL, WATCH_PID, WATCH_COUNT };

static int move_bytes(struct session *session, struct error *err)
{
	bool attached = true;

	for (;;) {
		struct pollfd fds[WATCH_COUNT] = {
			[WATCH_ATTACH] = { attached ? session->attach_fd : -1, POLLIN, 0 },
			[WATCH_STDIN] = { session->stdin_open ? STDIN_FILENO : -1, POLLIN, 0 },
			[WATCH_SIGNAL] = { session->signal_fd, POLLIN, 0 },
			/* conmon's end counts only once its last packets are read */
			[WATCH_PID] = { attached ? -1 : session->pidfd, POLLIN, 0 },
		};

		if (poll(fds, WATCH_COUNT, -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(err, errno, "poll");
		}
		if (fds[WATCH_ATTACH].revents)
			attached = receive_packet(session) > 0;
		if (fds[WATCH_STDIN].revents)
			send_input(session);
		if (fds[WATCH_SIGNAL].revents)
			handle_signals(session);
		if (fds[WATCH_PID].revents)
			return 0;
	}
}

static int read_status(const struct session *session, int *out_status, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/exit/%s", session->run->bundle, session->run->id);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(AT_FDCWD, path, 64, &text, err);

	if (ret < 0)
		return ret;
	if (number_parse_int(strbuf_text(&text), out_status) < 0)
		return error_invalid(err, "conmon wrote \"%s\" as exit status", text.data);
	return 0;
}

static int attach_and_wait(struct session *session, int *out_status, struct error *err)
{
	static const int signals[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	char *words[] = { "start", (char *)session->run->id, NULL };
	cleanup_tty struct tty_saved saved = TTY_SAVED_INIT;
	int ret = open_attach(session, err);

	if (ret < 0)
		return ret;
	session->signal_fd = signal_open_fd(signals, ARRAY_SIZE(signals), err);
	if (session->signal_fd < 0)
		return session->signal_fd;
	send_size(session);
	ret = runtime_verb(session->run->runtime, words, err);
	if (ret < 0)
		return ret;
	if (session->run->terminal && session->run->interactive)
		ret = tty_set_raw(STDIN_FILENO, &saved, err);
	session->stdin_open = session->run->interactive;
	if (ret == 0)
		ret = move_bytes(session, err);
	return ret < 0 ? ret : read_status(session, out_status, err);
}

int conmon_run_attached(const struct conmon_run *run, int *out_status, struct error *err)
{
	__attribute__((cleanup(session_done))) struct session session = {
		.run = run,
		.pidfd = -EBADF,
		.sync_fd = -EBADF,
		.attach_fd = -EBADF,
		.ctl_fd = -EBADF,
		.signal_fd = -EBADF,
	};
	char *words[] = { "delete", "--force", (char *)run->id, NULL };
	int ret = start_conmon(&session, err);

	if (ret < 0)
		return ret;
	ret = wait_created(&session, err);
	if (ret == 0)
		ret = attach_and_wait(&session, out_status, err);
	/* also ends conmon when something of ours failed: it goes when the container is gone */
	if (runtime_verb(run->runtime, words, NULL) < 0 && ret < 0 && session.pidfd >= 0)
		/* neither started nor deleted: it would wait for that container for ever */
		(void)pidfd_send_signal(session.pidfd, SIGKILL, NULL, 0);
	if (session.pid > 0)
		(void)proc_wait(session.pid, NULL, NULL);
	return ret;
}
