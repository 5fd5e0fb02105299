/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Execute an OCI runtime and watch it: its output, its end, our cancellation, in one poll loop.
 */
#include "builder/build/runtime-exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <time.h>

#include "builder/build/run-folder.h"
#include "builder/loop/fiber.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/signals.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "spec/json-table.h"

#define LOG_NAME "log.json"
#define LOG_SIZE_MAX ((size_t)1 << 20)
#define TERM_GRACE_MS 10000
#define COMPLAINT_MAX 16384
#define OUTPUT_MAX ((size_t)16 << 20)

/* For programs that execute it later, somewhere else: as a path. */
static char *search_path(const char *name)
{
	cleanup_strv struct strv folders = STRV_INIT;
	const char *path = getenv("PATH");
	char *absolute;

	if (strchr(name, '/')) {
		absolute = path_absolute(name);
		return absolute ? absolute : xstrdup(name);
	}
	strv_split(&folders, path ? path : "", ':');
	for (size_t i = 0; i < folders.count; i++) {
		cleanup_free char *found = path_join(folders.items[i], name);

		if (*found == '/' && access(found, X_OK) == 0)
			return TAKE_PTR(found);
	}
	return xstrdup(name); /* what starts it says that it is not there */
}

char *runtime_find(const char *wanted)
{
	char self[PATH_MAX], *beside, *slash;
	ssize_t size;

	if (wanted)
		return search_path(wanted);
	size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (size > 0) {
		self[size] = '\0';
		slash = strrchr(self, '/');
		beside = xasprintf("%.*s/orlop-runtime", (int)(slash - self), self);
		if (access(beside, X_OK) == 0)
			return beside;
		free(beside);
	}
	return search_path("orlop-runtime");
}

/* -- the log ------------------------------------------------------------------------------------
 */

struct log_record {
	const char *level;
	const char *msg;
};

static const struct json_field record_fields[] = {
	JSON_STRING(struct log_record, "level", level),
	JSON_STRING(struct log_record, "msg", msg),
};
static const struct json_object record_object = JSON_TABLE(struct log_record, record_fields);

bool runtime_log_error(int dirfd, const char *path, char **out_message)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	const char *message = NULL;
	char *rest, *line;

	if (io_read_file(dirfd, path, LOG_SIZE_MAX, &text, NULL) < 0)
		return false;
	rest = text.data;
	while ((line = strsep(&rest, "\n"))) {
		struct json_source source = {
			.name = path, .text = line, .size = strlen(line), .flags = JSON_LAST_WINS
		};
		struct log_record record = { 0 };

		/* a line that is no record (crun writes plain ones in odd moments) is not an error
		 */
		if (!*line || json_decode(&source, &record_object, &arena, &record, NULL) < 0)
			continue;
		if (record.level && record.msg && strcmp(record.level, "error") == 0)
			message = record.msg;
	}
	if (!message)
		return false;
	*out_message = xstrdup(message);
	return true;
}

int runtime_error_status(const char *message)
{
	static const struct {
		const char *words;
		int status;
	} table[] = {
		{ "executable file not found", 127 },
		{ "no such file or directory", 127 },
		{ "No such file or directory", 127 },
		{ "not a directory", 127 },
		{ "permission denied", 126 },
		{ "Permission denied", 126 },
		{ "is a directory", 126 },
		{ "exec format error", 126 },
		{ "Exec format error", 126 },
	};

	/* the same words also occur for mounts and hooks: only a failed exec counts */
	if (!strstr(message, "exec"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strstr(message, table[i].words))
			return table[i].status;
	return 0;
}

/* -- starting -----------------------------------------------------------------------------------
 */

char *runtime_root(enum runtime_place place)
{
	return run_folder(place == RUNTIME_STEPS ? "steps" : "containers");
}

static void add_common_words(struct strv *argv, const struct runtime *runtime)
{
	strv_add(argv, runtime->program);
	strv_add(argv, "--root");
	strv_take(argv, runtime_root(runtime->place));
}

/* What the runtime said on stderr, without the line's end; bounded. */
static void read_complaint(int fd, struct strbuf *out)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char buffer[4096];
	ssize_t got;

	for (;;) {
		(void)fiber_poll(&ready, 1, -1); /* read then says what is wrong */
		got = read(fd, buffer, sizeof(buffer));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break; /* what was read until then is shown */
		if (out->size < COMPLAINT_MAX)
			strbuf_add(out, buffer, (size_t)got);
	}
	while (out->size && out->data[out->size - 1] == '\n')
		strbuf_truncate(out, out->size - 1);
}

/* out: what it prints; NULL = dropped. */
static int run_short(const struct runtime *runtime, char *const *words, struct strbuf *out,
		     struct error *err)
{
	cleanup_strbuf struct strbuf complaint = STRBUF_INIT;
	cleanup_close int output = out ? memfd_create("output", MFD_CLOEXEC) : -EBADF;
	cleanup_strv struct strv argv = STRV_INIT;
	cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC), ours = -EBADF;
	cleanup_close int theirs = -EBADF;
	struct spawn_fd fds[3];
	struct spawn spawn = SPAWN_INIT;
	int status, ret, ends[2];
	pid_t pid;

	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "open a pipe for %s", runtime->program);
	ours = ends[0];
	theirs = ends[1];
	add_common_words(&argv, runtime);
	strv_add_all(&argv, words);
	fds[0] = (struct spawn_fd){ null, 0 };
	fds[1] = (struct spawn_fd){ output >= 0 ? output : null, 1 };
	fds[2] = (struct spawn_fd){ theirs, 2 };
	spawn.path = runtime->program;
	spawn.search = true;
	spawn.argv = strv_items(&argv);
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	ret = spawn_start(&spawn, &pid, NULL, err);
	if (ret < 0)
		return ret;
	cleanup_close_fd(&theirs);
	read_complaint(ours, &complaint);
	ret = proc_wait(pid, &status, NULL);
	if (ret < 0)
		return error_errno(err, -ret, "wait for %s", runtime->program);
	if (status != 0)
		return error_set(err, ERROR_STATE, 0, "%s",
				 complaint.size ? complaint.data : "the runtime failed silently");
	if (!out)
		return 0;
	(void)lseek(output, 0, SEEK_SET);
	ret = io_read_rest(output, OUTPUT_MAX, out);
	return ret < 0 ? error_errno(err, -ret, "read the output of %s", runtime->program) : 0;
}

int runtime_verb(const struct runtime *runtime, char *const *words, struct error *err)
{
	return run_short(runtime, words, NULL, err);
}

int runtime_output(const struct runtime *runtime, char *const *words, struct strbuf *out,
		   struct error *err)
{
	return run_short(runtime, words, out, err);
}

bool runtime_has_trace(const struct runtime *runtime)
{
	char *words[] = { "--trace", "/dev/null", "--version", NULL };

	return runtime_verb(runtime, words, NULL) == 0;
}

/* What one run has open. */
struct running {
	const struct runtime_run *run;
	int pidfd;
	pid_t pid;
	int pipes[2]; /* our ends of stdout and stderr; -EBADF = ended or not wanted */
	int signal_fd;
	bool cancelled, killed;
	int64_t kill_at_ms; /* when cancelled: the time of the next KILL */
};

static void running_done(struct running *running)
{
	cleanup_close_fd(&running->pidfd);
	cleanup_close_fd(&running->pipes[0]);
	cleanup_close_fd(&running->pipes[1]);
	cleanup_close_fd(&running->signal_fd);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_pipe(int *out_ours, int *out_theirs, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "pipe");
	*out_ours = ends[0];
	*out_theirs = ends[1];
	return fd_set_nonblock(ends[0], true);
}

static int start(struct running *running, struct error *err)
{
	const struct runtime_run *run = running->run;
	cleanup_strv struct strv argv = STRV_INIT;
	cleanup_free char *log = xasprintf("%s/" LOG_NAME, run->bundle);
	cleanup_close int null = -EBADF, out = -EBADF, err_pipe = -EBADF;
	struct spawn_fd fds[3];
	struct spawn spawn = SPAWN_INIT;
	int ret;

	add_common_words(&argv, run->runtime);
	if (run->trace)
		strv_add_all(&argv, (char *[]){ "--trace", (char *)run->trace, NULL });
	strv_add_all(&argv, (char *[]){ "--log", log, "--log-format", "json", NULL });
	if (run->words)
		strv_add_all(&argv, run->words);
	else
		strv_add_all(&argv, (char *[]){ "run", "--bundle", (char *)run->bundle,
						(char *)run->id, NULL });
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0)
		return error_errno(err, errno, "open /dev/null");
	fds[0] = (struct spawn_fd){ run->stdin_fd >= 0 ? run->stdin_fd : null, 0 };
	fds[1] = (struct spawn_fd){ 1, 1 };
	fds[2] = (struct spawn_fd){ 2, 2 };
	if (run->output) {
		ret = open_pipe(&running->pipes[0], &out, err);
		if (ret == 0)
			ret = open_pipe(&running->pipes[1], &err_pipe, err);
		if (ret < 0)
			return ret;
		fds[1].from = out;
		fds[2].from = err_pipe;
	}
	spawn.path = run->runtime->program;
	spawn.search = true;
	spawn.argv = strv_items(&argv);
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	/* a terminal's Ctrl-C reaches us; what happens to the step is our decision */
	spawn.new_group = run->output != NULL;
	/* else a container could appear after the next builder has looked for leftovers */
	spawn.death_signal = SIGKILL;
	return spawn_start(&spawn, &running->pid, &running->pidfd, err);
}

/* -- watching -----------------------------------------------------------------------------------
 */

/* Read what is there; the end of a stream closes our end. */
static void drain(struct running *running, int stream)
{
	char buffer[16384];
	ssize_t got;

	while (running->pipes[stream] >= 0) {
		got = read(running->pipes[stream], buffer, sizeof(buffer));
		if (got > 0)
			running->run->output(running->run->context, stream + 1, buffer,
					     (size_t)got);
		else if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		else
			cleanup_close_fd(&running->pipes[stream]);
	}
}

static void send_kill(struct running *running, const char *signal)
{
	char *words[] = { "kill", (char *)running->run->id, (char *)signal, NULL };

	/* before the container exists there is nothing to signal but the runtime itself */
	if (runtime_verb(running->run->runtime, words, NULL) < 0)
		(void)pidfd_send_signal(running->pidfd, SIGTERM, NULL, 0);
}

/*
 * Does the container's first process take notice of TERM? The kernel drops it when that process
 * neither handles nor blocks it, because it is an init (pid_namespaces(7)): a shell would only be
 * waited for in vain. It is a child of the runtime, with every runtime.
 */
static bool hears_term(const struct running *running)
{
	pid_t init = proc_first_child(running->pid);

	return init <= 0 || proc_hears_signal(init, SIGTERM);
}

static void handle_kill(struct running *running)
{
	running->cancelled = running->killed = true;
	running->kill_at_ms = now_ms() + TERM_GRACE_MS;
	send_kill(running, "KILL");
}

static void handle_cancel(struct running *running)
{
	running->cancelled = true;
	running->kill_at_ms = now_ms() + TERM_GRACE_MS;
	send_kill(running, "TERM");
	if (!hears_term(running))
		handle_kill(running);
}

static void forward_signals(struct running *running)
{
	struct signalfd_siginfo info;

	while (read(running->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		(void)pidfd_send_signal(running->pidfd, (int)info.ssi_signo, NULL, 0);
}

static int poll_timeout(const struct running *running)
{
	int64_t left;

	if (!running->cancelled)
		return -1;
	left = running->kill_at_ms - now_ms();
	return left < 0 ? 0 : (int)left;
}

enum { WATCH_PID, WATCH_OUT, WATCH_ERR, WATCH_CANCEL, WATCH_KILL, WATCH_SIGNAL, WATCH_COUNT };

/* Until the runtime has ended. */
static int watch(struct running *running, struct error *err)
{
	for (;;) {
		struct pollfd fds[WATCH_COUNT] = {
			[WATCH_PID] = { running->pidfd, POLLIN, 0 },
			[WATCH_OUT] = { running->pipes[0], POLLIN, 0 },
			[WATCH_ERR] = { running->pipes[1], POLLIN, 0 },
			/* once cancelled, only time matters */
			[WATCH_CANCEL] = { running->cancelled ? -1 : running->run->cancel_fd,
					   POLLIN, 0 },
			[WATCH_KILL] = { running->killed ? -1 : running->run->kill_fd, POLLIN, 0 },
			[WATCH_SIGNAL] = { running->signal_fd, POLLIN, 0 },
		};
		int ready = fiber_poll(fds, WATCH_COUNT, poll_timeout(running));

		if (ready < 0 && errno != EINTR)
			return error_errno(err, errno, "poll");
		if (ready == 0 || (ready > 0 && fds[WATCH_KILL].revents))
			handle_kill(running);
		else if (ready > 0 && fds[WATCH_CANCEL].revents)
			handle_cancel(running);
		if (ready <= 0)
			continue;
		if (fds[WATCH_OUT].revents)
			drain(running, 0);
		if (fds[WATCH_ERR].revents)
			drain(running, 1);
		if (fds[WATCH_SIGNAL].revents)
			forward_signals(running);
		if (fds[WATCH_PID].revents)
			return 0;
	}
}

static void delete_container(const struct runtime_run *run)
{
	char *words[] = { "delete", "--force", (char *)run->id, NULL };

	if (run->words)
		return;				       /* it is not ours */
	(void)runtime_verb(run->runtime, words, NULL); /* there may be nothing to delete */
}

/* What the end means: the payload's own status, or the runtime's failure. */
static int judge(const struct runtime_run *run, const struct running *running, int status,
		 struct runtime_result *out, struct error *err)
{
	cleanup_free char *log = xasprintf("%s/" LOG_NAME, run->bundle);
	cleanup_free char *message = NULL;
	int exec_status;

	out->exit_status = proc_exit_status(status);
	if (running->cancelled) {
		delete_container(run);
		return error_set(err, ERROR_CANCELLED, 0, "stopped");
	}
	if (status == 0 || !runtime_log_error(AT_FDCWD, log, &message))
		return 0;
	delete_container(run);
	exec_status = runtime_error_status(message);
	if (exec_status) {
		/* the reason stands on its stderr already, which is the container's */
		out->exit_status = exec_status;
		return 0;
	}
	return error_set(err, ERROR_STATE, 0, "%s", message);
}

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

int runtime_run(const struct runtime_run *run, struct runtime_result *out, struct error *err)
{
	__attribute__((cleanup(running_done))) struct running running = {
		.run = run,
		.pidfd = -EBADF,
		.pipes = { -EBADF, -EBADF },
		.signal_fd = -EBADF,
	};
	int status, ret;

	if (run->forward_signals) {
		running.signal_fd = signal_open_fd(forwarded, ARRAY_SIZE(forwarded), err);
		if (running.signal_fd < 0)
			return running.signal_fd;
	}
	ret = start(&running, err);
	if (ret < 0)
		return ret;
	ret = watch(&running, err);
	if (ret < 0) {
		(void)pidfd_send_signal(running.pidfd, SIGKILL, NULL, 0);
		delete_container(run);
	}
	if (proc_wait(running.pid, &status, &out->rusage) < 0 || ret < 0)
		return ret < 0 ? ret : error_errno(err, errno, "wait for the runtime");
	/* what was written before the end is still in the pipes; nobody writes any more */
	drain(&running, 0);
	drain(&running, 1);
	return judge(run, &running, status, out, err);
}
