/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status of a container. conmon's exit file is there once it has ended; a container without
 * conmon has its client for a monitor, which writes the record; until then the runtime knows.
 */
#include "builder/container/state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/runtime-exec.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "spec/state.h"

#define STATUS_UNKNOWN 255
#define SETTLE_MS 10 /* between a process's end and the news of it */

const struct name_value container_statuses[] = {
	{ "created", CONTAINER_CREATED },
	{ "running", CONTAINER_RUNNING },
	{ "paused", CONTAINER_PAUSED },
	{ "exited", CONTAINER_EXITED },
	{ NULL, 0 },
};

/* conmon's word */
static bool read_exit_file(struct store *store, const struct container_record *record,
			   struct container_state *out)
{
	cleanup_free char *path = xasprintf("containers/%s/bundle/exit/%s", record->id, record->id);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct stat st;

	if (fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    io_read_file(store->fd, path, 64, &text, NULL) < 0 ||
	    number_parse_int(strbuf_text(&text), &out->exit_status) < 0)
		return false;
	(void)clock_format(st.st_mtim.tv_sec, st.st_mtim.tv_nsec, out->finished);
	out->status = CONTAINER_EXITED;
	return true;
}

/* The runtime's word: false when it knows nothing of a process that lives. */
static bool ask_runtime(const struct container_record *record, struct container_state *out)
{
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	char *words[] = { "state", (char *)record->id, NULL };
	cleanup_free char *root = runtime_root(RUNTIME_CONTAINERS);
	cleanup_free char *folder = xasprintf("%s/%s", root, record->id);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_state *state = NULL;

	if (access(folder, F_OK) < 0 || runtime_output(&runtime, words, &text, NULL) < 0 ||
	    state_decode("state", text.data, text.size, &arena, &state, NULL) < 0 || !state->status)
		return false;
	if (strcmp(state->status, "paused") == 0)
		out->status = CONTAINER_PAUSED;
	else if (strcmp(state->status, "running") == 0)
		out->status = CONTAINER_RUNNING;
	else
		return false;
	out->pid = state->pid;
	return true;
}

void container_state_get(struct store *store, const struct container_record *record,
			 struct container_state *out)
{
	bool monitored = record->monitor_pid > 0 &&
			 proc_is_alive(record->monitor_pid, record->monitor_start);

	*out = (struct container_state){ .status = CONTAINER_CREATED };
	if (!record->started)
		return;
	if (record->exited) {
		out->status = record->error ? CONTAINER_CREATED : CONTAINER_EXITED;
		out->exit_status = record->exit_status;
		(void)snprintf(out->finished, sizeof(out->finished), "%s",
			       record->finished ? record->finished : "");
		return;
	}
	if (read_exit_file(store, record, out) || ask_runtime(record, out))
		return;
	/* its monitor has not said yet what it has seen */
	out->status = monitored ? CONTAINER_RUNNING : CONTAINER_EXITED;
	out->exit_status = STATUS_UNKNOWN;
	if (monitored)
		(void)read_exit_file(store, record, out);
}

int container_require_up(struct store *store, const struct container_record *record,
			 struct container_state *out, struct error *err)
{
	container_state_get(store, record, out);
	if (container_is_up(out) && out->pid > 0)
		return 0;
	return error_set(err, ERROR_STATE, 0, "container %s is not running", record->name);
}

/* -- waiting -------------------------------------------------------------------------------------
 */

/* Until the process ends, or the time is up. */
static void wait_process(pid_t pid, int timeout_ms)
{
	cleanup_close int fd = pid > 0 ? pidfd_open(pid, 0) : -EBADF;
	struct pollfd ended = { .fd = fd, .events = POLLIN };

	/* what follows its end takes a moment, and has no descriptor of its own */
	if (fd < 0 || poll(&ended, 1, timeout_ms) > 0)
		(void)poll(NULL, 0, SETTLE_MS);
}

int container_lock_client(struct store *store, const char *id)
{
	cleanup_free char *path = xasprintf("containers/%s/client", id);
	int fd = openat(store->fd, path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)flock(fd, LOCK_SH | LOCK_NB); /* it is being cleaned: then it has ended */
	return fd;
}

void container_wait_clients(struct store *store, const char *id)
{
	cleanup_free char *path = xasprintf("containers/%s/client", id);
	cleanup_close int fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
}

int container_wait(struct store *store, const char *id, int timeout_ms, struct container_state *out,
		   struct error *err)
{
	int64_t end = clock_ms() + timeout_ms;

	for (;;) {
		cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
		struct error why = ERROR_INIT;
		int64_t left = end - clock_ms();
		int ret = container_record_load(store, id, &record, &why);

		if (ret < 0 && why.code == ERROR_NOT_FOUND) {
			*out = (struct container_state){ .status = CONTAINER_EXITED,
							 .exit_status = STATUS_UNKNOWN };
			return 1;
		}
		if (ret < 0) {
			if (err)
				*err = why;
			return ret;
		}
		container_state_get(store, &record, out);
		if (!container_is_up(out))
			return 1;
		if (timeout_ms >= 0 && left <= 0)
			return 0;
		wait_process(out->pid, timeout_ms < 0 ? -1 : (int)left);
	}
}
