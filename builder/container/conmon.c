/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start conmon. Its protocol (conmon(8), and the facts of its sources): a pipe named by
 * _OCI_SYNCPIPE gets {"data": PID} (older versions: "pid") or -1 and "message" when the container
 * is created or the process is there; EXITDIR/ID gets the exit status. For a process that a client
 * is to see the whole output of it reads a byte from _OCI_STARTPIPE at its beginning, writes a line
 * to _OCI_ATTACHPIPE when it can be connected to, and executes it after another byte. Attaching is
 * conmon-client.c's.
 */
#include "builder/container/conmon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "spec/json-table.h"

#define SYNC_FD 3
#define KEPT_FD 4
#define START_FD 5
#define ATTACH_FD 6
#define FDS_MAX 7
#define LINE_MAX_SIZE 65536

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

/* What is made, and where its output goes when nobody is attached. */
static void add_place(struct strv *argv, const struct conmon_run *run)
{
	if (!run->process) {
		strv_addf(argv, "--log-path=k8s-file:%s/output.log", run->bundle);
		return;
	}
	strv_add_all(argv, (char *[]){ "--exec", "--exec-attach", "--api-version", "1",
				       "--log-path", "none", NULL });
	strv_addf(argv, "--exec-process-spec=%s", run->process);
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
	add_place(argv, run);
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
	int start_fd, attach_fd; /* of a process */
	int process_pidfd;
};

#define MONITOR_INIT(what)                                                                         \
	{                                                                                          \
		.run = (what), .pidfd = -EBADF, .sync_fd = -EBADF, .start_fd = -EBADF,             \
		.attach_fd = -EBADF, .process_pidfd = -EBADF                                       \
	}

static void monitor_done(struct monitor *monitor)
{
	cleanup_close_fd(&monitor->pidfd);
	cleanup_close_fd(&monitor->sync_fd);
	cleanup_close_fd(&monitor->start_fd);
	cleanup_close_fd(&monitor->attach_fd);
	cleanup_close_fd(&monitor->process_pidfd);
}

static int spawn_conmon(struct monitor *monitor, struct spawn *spawn, struct error *err)
{
	cleanup_strv struct strv argv = STRV_INIT, env = STRV_INIT;
	int ret;

	add_arguments(&argv, monitor->run);
	strv_add_all(&env, environ);
	strv_env_set(&env, "_OCI_SYNCPIPE", "3");
	if (monitor->run->process) {
		strv_env_set(&env, "_OCI_STARTPIPE", "5");
		strv_env_set(&env, "_OCI_ATTACHPIPE", "6");
	}
	spawn->path = "conmon";
	spawn->search = true;
	spawn->argv = strv_items(&argv);
	spawn->envp = strv_items(&env);
	spawn->new_session = true; /* our terminal's signals are not its business */
	ret = spawn_start(spawn, &monitor->pid, &monitor->pidfd, err);
	if (ret == -ENOENT)
		return error_suffix(
			err, ret,
			" (a container with a terminal, one in the background, and exec "
			"--detach-keys need the program conmon; Debian's package has the same "
			"name)");
	return ret;
}

/* Ends of pipes for one that executes a process. */
struct exec_ends {
	int start_fd, attach_fd;
};

static void exec_ends_done(struct exec_ends *ends)
{
	cleanup_close_fd(&ends->start_fd);
	cleanup_close_fd(&ends->attach_fd);
}

static int open_pipe(int *out_read, int *out_write, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "open a pipe for conmon");
	*out_read = ends[0];
	*out_write = ends[1];
	return 0;
}

/* What starts the process is a socket: who writes to a pipe that nobody reads gets a signal. */
static int open_exec_ends(struct monitor *monitor, struct exec_ends *out, struct error *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, errno, "open a socket for conmon");
	out->start_fd = ends[0];
	monitor->start_fd = ends[1];
	return open_pipe(&monitor->attach_fd, &out->attach_fd, err);
}

static int start_conmon(struct monitor *monitor, struct error *err)
{
	const struct conmon_run *run = monitor->run;
	__attribute__((cleanup(exec_ends_done))) struct exec_ends its = { -EBADF, -EBADF };
	cleanup_close int write_end = -EBADF, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	cleanup_free char *exit_folder = xasprintf("%s/exit", run->bundle);
	cleanup_free char *log_path = xasprintf("%s/conmon.log", run->bundle);
	/* it complains to stderr about harmless things; what matters comes through the pipe */
	cleanup_close int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct spawn_fd fds[FDS_MAX];
	struct spawn spawn = SPAWN_INIT;
	int ret;

	if (mkdir(exit_folder, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "mkdir \"%s\"", exit_folder);
	if (null < 0 || log < 0)
		return error_errno(err, errno, "open a log for conmon");
	ret = open_pipe(&monitor->sync_fd, &write_end, err);
	if (ret == 0 && run->process)
		ret = open_exec_ends(monitor, &its, err);
	if (ret < 0)
		return ret;
	fds[0] = (struct spawn_fd){ null, 0 };
	fds[1] = (struct spawn_fd){ null, 1 };
	fds[2] = (struct spawn_fd){ log, 2 };
	fds[3] = (struct spawn_fd){ write_end, SYNC_FD };
	spawn.fd_count = 4;
	if (run->keep_fd && *run->keep_fd >= 0)
		fds[spawn.fd_count++] = (struct spawn_fd){ *run->keep_fd, KEPT_FD };
	if (run->process) {
		fds[spawn.fd_count++] = (struct spawn_fd){ its.start_fd, START_FD };
		fds[spawn.fd_count++] = (struct spawn_fd){ its.attach_fd, ATTACH_FD };
	}
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

static void read_line(int fd, struct strbuf *out)
{
	char c;

	while (out->size < LINE_MAX_SIZE && io_read_exact(fd, &c, 1) == 0 && c != '\n')
		strbuf_addc(out, c);
}

/* One line: the pid of the container or the process, or why there is none. */
static int wait_created(struct monitor *monitor, pid_t *out_pid, struct error *err)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_free char *log = xasprintf("%s/log.json", monitor->run->bundle), *text = NULL;
	struct json_source source = { .name = "conmon", .flags = JSON_IGNORE_TRAILING };
	struct sync_message message = { 0 };

	read_line(monitor->sync_fd, &line);
	source.text = strbuf_text(&line);
	source.size = line.size;
	if (line.size && json_decode(&source, &sync_object, &arena, &message, NULL) == 0 &&
	    (message.data > 0 || message.pid > 0)) {
		*out_pid = message.data > 0 ? message.data : message.pid;
		return 0;
	}
	if (runtime_log_error(AT_FDCWD, log, &text))
		return error_set(err, ERROR_STATE, 0, "%s", text);
	return error_set(err, ERROR_STATE, 0, "conmon could not create the %s%s%s",
			 monitor->run->process ? "process" : "container",
			 message.message ? ": " : "", message.message ? message.message : "");
}

/* Without what it waits for it would wait for ever. */
static void kill_conmon(pid_t pid, int pidfd)
{
	(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	(void)proc_wait(pid, NULL, NULL);
}

static void delete_container(const struct runtime *runtime, const char *id)
{
	char *words[] = { "delete", "--force", (char *)id, NULL };

	(void)runtime_verb(runtime, words, NULL); /* there may be nothing to delete */
}

int conmon_create(const struct conmon_run *run, pid_t *out_pid, int *out_pidfd, struct error *err)
{
	__attribute__((cleanup(monitor_done))) struct monitor monitor = MONITOR_INIT(run);
	pid_t container;
	int ret = start_conmon(&monitor, err);

	if (ret < 0)
		return ret;
	ret = wait_created(&monitor, &container, err);
	if (ret < 0) {
		delete_container(run->runtime, run->id);
		kill_conmon(monitor.pid, monitor.pidfd);
		return ret;
	}
	*out_pid = monitor.pid;
	if (out_pidfd)
		*out_pidfd = TAKE_FD(monitor.pidfd);
	return 0;
}

/* -- a container, attached ------------------------------------------------------------------------
 */

static int start_container(void *context, struct error *err)
{
	const struct conmon_container *container = context;
	char *words[] = { "start", (char *)container->id, NULL };

	return runtime_verb(container->runtime, words, err);
}

static void kill_container(void *context, int signal)
{
	const struct conmon_container *container = context;
	cleanup_free char *number = xasprintf("%d", signal);
	char *words[] = { "kill", (char *)container->id, number, NULL };

	(void)runtime_verb(container->runtime, words, NULL); /* it may have ended */
}

const struct conmon_target conmon_container_target = { start_container, kill_container };

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
	struct conmon_container container = { run->runtime, run->id };
	const struct conmon_client client = { .target = &conmon_container_target,
					      .context = &container,
					      .bundle = run->bundle,
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
	kill_conmon(pid, pidfd);
	return ret;
}

/* -- a process in a container ---------------------------------------------------------------------
 */

static int send_start(const struct monitor *monitor, struct error *err)
{
	if (send(monitor->start_fd, "", 1, MSG_NOSIGNAL) < 0)
		return error_errno(err, errno, "tell conmon to go on");
	return 0;
}

static int start_process(void *context, struct error *err)
{
	struct monitor *monitor = context;
	pid_t pid = -1;
	int ret = send_start(monitor, err);

	if (ret == 0)
		ret = wait_created(monitor, &pid, err);
	if (ret == 0)
		monitor->process_pidfd = pidfd_open(pid, 0); /* none: it has ended already */
	return ret;
}

static void kill_process(void *context, int signal)
{
	const struct monitor *monitor = context;

	if (monitor->process_pidfd >= 0)
		(void)pidfd_send_signal(monitor->process_pidfd, signal, NULL, 0);
}

static const struct conmon_target process_target = { start_process, kill_process };

static int attach_process(struct monitor *monitor, const char *detach_keys, bool *out_detached,
			  struct error *err)
{
	const struct conmon_client client = { .target = &process_target,
					      .context = monitor,
					      .bundle = monitor->run->bundle,
					      .terminal = monitor->run->terminal,
					      .interactive = monitor->run->interactive,
					      .start = true,
					      .detach_keys = detach_keys };
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	int ret = send_start(monitor, err);

	if (ret < 0)
		return ret;
	read_line(monitor->attach_fd, &line);
	if (!line.size)
		return error_set(err, ERROR_STATE, 0, "conmon has ended (\"%s/conmon.log\")",
				 monitor->run->bundle);
	return conmon_attach(&client, out_detached, err);
}

int conmon_exec(const struct conmon_run *run, const char *detach_keys, int *out_status,
		struct error *err)
{
	__attribute__((cleanup(monitor_done))) struct monitor monitor = MONITOR_INIT(run);
	bool detached = false;
	int ret = start_conmon(&monitor, err);

	if (ret < 0)
		return ret;
	ret = attach_process(&monitor, detach_keys, &detached, err);
	if (ret < 0) {
		kill_conmon(monitor.pid, monitor.pidfd);
		return ret;
	}
	*out_status = 0;
	if (detached)
		return 0;
	(void)proc_wait(monitor.pid, NULL, NULL);
	return read_status(run, out_status, err);
}
