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
#define KEPT_FD 4
#define PACKET_SIZE 32769 /* conmon's buffer and the stream byte */

static const char default_keys[] = "ctrl-p,ctrl-q";

bool conmon_is_installed(void)
{
	const char *path = getenv("PATH");
	cleanup_strv struct strv folders = STRV_INIT;

	strv_split(&folders, path ? path : "", ':');
	for (size_t i = 0; i < folders.count; i++) {
		cleanup_free char *program = xasprintf("%s/conmon", folders.items[i]);

		if (access(program, X_OK) == 0)
			return true;
	}
	return false;
}

static void add_arguments(struct strv *argv, const struct conmon_run *run)
{
	cleanup_free char *root = runtime_root(run->runtime->place);

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
	strv_addf(argv, "--runtime-arg=--root=%s", root);
	strv_addf(argv, "--runtime-arg=--log=%s/log.json", run->bundle);
	strv_add(argv, "--runtime-arg=--log-format=json");
	if (run->terminal)
		strv_add(argv, "--terminal");
	if (run->interactive)
		strv_add(argv, "--stdin");
	if (run->interactive && run->keep_stdin)
		strv_add(argv, "--leave-stdin-open");
	for (size_t i = 0; run->exit_command && run->exit_command[i]; i++) {
		strv_add(argv, i ? "--exit-command-arg" : "--exit-command");
		strv_add(argv, run->exit_command[i]);
	}
}

/* What a conmon that has just been started is known by. */
struct monitor {
	const struct conmon_run *run;
	pid_t pid;
	int pidfd;
	int sync_fd;
};

static void monitor_done(struct monitor *monitor)
{
	cleanup_close_fd(&monitor->pidfd);
	cleanup_close_fd(&monitor->sync_fd);
}

static int spawn_conmon(struct monitor *monitor, struct spawn *spawn, struct error *err)
{
	cleanup_strv struct strv argv = STRV_INIT, env = STRV_INIT;
	int ret;

	add_arguments(&argv, monitor->run);
	strv_add_all(&env, environ);
	strv_env_set(&env, "_OCI_SYNCPIPE", "3");
	spawn->path = "conmon";
	spawn->search = true;
	spawn->argv = strv_items(&argv);
	spawn->envp = strv_items(&env);
	spawn->new_session = true; /* our terminal's signals are not its business */
	ret = spawn_start(spawn, &monitor->pid, &monitor->pidfd, err);
	if (ret == -ENOENT)
		return error_suffix(
			err, ret,
			" (a container with a terminal, or one in the background, "
			"needs the program conmon; Debian's package has the same name)");
	return ret;
}

static int start_conmon(struct monitor *monitor, struct error *err)
{
	const struct conmon_run *run = monitor->run;
	cleanup_close int write_end = -EBADF, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	cleanup_free char *exit_folder = xasprintf("%s/exit", run->bundle);
	cleanup_free char *log_path = xasprintf("%s/conmon.log", run->bundle);
	/* it complains to stderr about harmless things; what matters comes through the pipe */
	cleanup_close int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct spawn spawn = SPAWN_INIT;
	struct spawn_fd fds[5];
	int ends[2];

	if (mkdir(exit_folder, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "mkdir \"%s\"", exit_folder);
	if (null < 0 || log < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "open a pipe and a log for conmon");
	monitor->sync_fd = ends[0];
	write_end = ends[1];
	fds[0] = (struct spawn_fd){ null, 0 };
	fds[1] = (struct spawn_fd){ null, 1 };
	fds[2] = (struct spawn_fd){ log, 2 };
	fds[3] = (struct spawn_fd){ write_end, SYNC_FD };
	spawn.fd_count = 4;
	if (run->keep_fd && *run->keep_fd >= 0)
		fds[spawn.fd_count++] = (struct spawn_fd){ *run->keep_fd, KEPT_FD };
	spawn.fds = fds;
	return spawn_conmon(monitor, &spawn, err);
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
static int wait_created(struct monitor *monitor, struct error *err)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_free char *log = xasprintf("%s/log.json", monitor->run->bundle), *text = NULL;
	struct json_source source = { .name = "conmon", .flags = JSON_IGNORE_TRAILING };
	struct sync_message message = { 0 };
	char c;

	while (line.size < 65536 && io_read_exact(monitor->sync_fd, &c, 1) == 0 && c != '\n')
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

static void delete_container(const struct runtime *runtime, const char *id)
{
	char *words[] = { "delete", "--force", (char *)id, NULL };

	(void)runtime_verb(runtime, words, NULL); /* there may be nothing to delete */
}

int conmon_create(const struct conmon_run *run, pid_t *out_pid, int *out_pidfd, struct error *err)
{
	__attribute__((cleanup(monitor_done))) struct monitor monitor = { .run = run,
									  .pidfd = -EBADF,
									  .sync_fd = -EBADF };
	int ret = start_conmon(&monitor, err);

	if (ret < 0)
		return ret;
	ret = wait_created(&monitor, err);
	if (ret < 0) {
		delete_container(run->runtime, run->id);
		/* without a container it would wait for one for ever */
		(void)pidfd_send_signal(monitor.pidfd, SIGKILL, NULL, 0);
		(void)proc_wait(monitor.pid, NULL, NULL);
		return ret;
	}
	*out_pid = monitor.pid;
	if (out_pidfd)
		*out_pidfd = TAKE_FD(monitor.pidfd);
	return 0;
}

/* -- the client ----------------------------------------------------------------------------------
 */

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
		cleanup_free char *number = xasprintf("%u", info.ssi_signo);
		char *words[] = { "kill", (char *)session->client->id, number, NULL };

		if (info.ssi_signo == SIGWINCH)
			send_size(session);
		else
			(void)runtime_verb(session->client->runtime, words, NULL);
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
	char *words[] = { "start", (char *)client->id, NULL };
	cleanup_tty struct tty_saved saved = TTY_SAVED_INIT;
	int ret = open_session(&session, err);

	if (ret < 0)
		return ret;
	send_size(&session);
	if (client->start)
		ret = runtime_verb(client->runtime, words, err);
	if (ret == 0 && client->terminal && client->interactive)
		ret = tty_set_raw(STDIN_FILENO, &saved, err);
	session.stdin_open = client->interactive;
	if (ret == 0)
		ret = move_bytes(&session, err);
	*out_detached = session.detached;
	return ret;
}

/* -- both ----------------------------------------------------------------------------------------
 */

static int read_status(const struct conmon_run *run, int *out_status, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/exit/%s", run->bundle, run->id);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(AT_FDCWD, path, 64, &text, err);

	if (ret < 0)
		return ret;
	if (number_parse_int(strbuf_text(&text), out_status) < 0)
		return error_invalid(err, "conmon wrote \"%s\" as exit status", text.data);
	return 0;
}

int conmon_run_attached(const struct conmon_run *run, int *out_status, struct error *err)
{
	const struct conmon_client client = { .runtime = run->runtime,
					      .bundle = run->bundle,
					      .id = run->id,
					      .terminal = run->terminal,
					      .interactive = run->interactive,
					      .start = true,
					      .detach_keys = "" };
	cleanup_close int pidfd = -EBADF;
	bool detached = false;
	pid_t pid = 0;
	int ret = conmon_create(run, &pid, &pidfd, err);

	if (ret < 0)
		return ret;
	ret = conmon_attach(&client, &detached, err);
	if (ret == 0) {
		(void)proc_wait(pid, NULL, NULL);
		ret = read_status(run, out_status, err);
		delete_container(run->runtime, run->id);
		return ret;
	}
	/* it ends by itself when the container is gone, unless that was never started */
	delete_container(run->runtime, run->id);
	(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	(void)proc_wait(pid, NULL, NULL);
	return ret;
}
