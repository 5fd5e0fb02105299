/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: the kernel wakes us when a counter of the cgroup changes, when processes have waited too
 * long for a resource (PSI), and when the container ends; statistics come by the clock. Nothing is
 * looked at in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/stats.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/record.h"
#include "runtime/lifecycle/stats.h"
#include "runtime/texts.h"

#define EVENT_FILE_MAX ((size_t)1 << 16)
/* a tenth of two seconds, the shortest window that takes no privilege (kernel: psi.rst) */
#define TRIGGER "some 200000 2000000"

const char *const event_watch_names[WATCH_COUNT] = {
	[WATCH_MEMORY] = "memory",
	[WATCH_PIDS] = "pids",
	[WATCH_CPU_PRESSURE] = "cpu-pressure",
	[WATCH_MEMORY_PRESSURE] = "memory-pressure",
	[WATCH_IO_PRESSURE] = "io-pressure",
};

static const struct {
	const char *file;
	const char *trigger; /* NULL: the kernel notifies of each change */
} watched[WATCH_COUNT] = {
	[WATCH_MEMORY] = { "memory.events", NULL },
	[WATCH_PIDS] = { "pids.events", NULL },
	[WATCH_CPU_PRESSURE] = { "cpu.pressure", TRIGGER },
	[WATCH_MEMORY_PRESSURE] = { "memory.pressure", TRIGGER },
	[WATCH_IO_PRESSURE] = { "io.pressure", TRIGGER },
};

enum { SLOT_END = WATCH_COUNT, SLOT_COUNT }; /* the last one is the container's process */

struct watcher {
	const struct container_events *options;
	struct record record;
	struct cgroup cgroup;
	struct pollfd slots[SLOT_COUNT];
	struct strbuf text[WATCH_COUNT]; /* what was read last */
	uint64_t oom_kills;
};

/* -- telling -- */

/* json_raw, or what makes an object of a text of the kernel's */
typedef void data_fn(struct json_writer *out, const char *text);

static void write_counters(struct json_writer *out, const char *text)
{
	stats_write_counters(out, text, true);
}

static int tell(const struct watcher *w, const char *type, data_fn *data, const char *text,
		struct error *err)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct json_writer out = { .out = &line };

	json_begin_object(&out);
	json_key(&out, "type");
	json_string(&out, type);
	json_key(&out, "id");
	json_string(&out, w->record.id);
	if (data) {
		json_key(&out, "data");
		data(&out, text);
	}
	json_end_object(&out);
	return w->options->tell(line.data, w->options->data, err);
}

static bool is_over(const struct watcher *w)
{
	return !record_is_alive(&w->record);
}

static int not_running(const struct watcher *w, struct error *err)
{
	return error_set(err, ERROR_STATE, 0, TEXT_ID_NOT_RUNNING, w->record.id);
}

/* Numbers of a container that is gone meanwhile would be zeros: 1 = it is. */
static int tell_stats(const struct watcher *w, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer out = { .out = &text };

	stats_write(&w->record, &w->cgroup, &out);
	if (is_over(w))
		return 1;
	return tell(w, "stats", json_raw, strbuf_text(&text), err);
}

/* -- watching -- */

static int reread(struct watcher *w, enum event_watch which)
{
	char text[4096]; /* flat files of a few lines */
	ssize_t size = pread(w->slots[which].fd, text, sizeof(text), 0);

	strbuf_truncate(&w->text[which], 0);
	if (size < 0)
		return -errno;
	strbuf_add(&w->text[which], text, (size_t)size);
	return 0;
}

/* Reading is what tells the kernel how much we know: before the first poll, and after each. */
static int open_slot(struct watcher *w, enum event_watch which, struct error *err)
{
	const char *trigger = watched[which].trigger, *file = watched[which].file;
	int fd = openat(w->cgroup.fd, file, (trigger ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, errno, "watch %s of cgroup \"%s\"", file, w->cgroup.path);
	w->slots[which] = (struct pollfd){ .fd = fd, .events = POLLPRI };
	if (trigger && write(fd, trigger, strlen(trigger) + 1) < 0)
		return error_errno(err, errno, "write \"%s\" to %s of cgroup \"%s\"", trigger, file,
				   w->cgroup.path);
	if (reread(w, which) == 0 && which == WATCH_MEMORY)
		w->oom_kills = stats_counter(strbuf_text(&w->text[which]), "oom_kill");
	return 0;
}

static int open_slots(struct watcher *w, struct error *err)
{
	for (size_t i = 0; i < WATCH_COUNT; i++) {
		bool asked = w->options->watch & (1U << i);
		struct error why = ERROR_INIT;
		int ret = 0;

		/* OOM kills are told always, where they are counted */
		if (asked || i == WATCH_MEMORY)
			ret = open_slot(w, (enum event_watch)i, &why);
		if (ret < 0 && asked) {
			if (err)
				*err = why;
			return ret;
		}
	}
	return 0;
}

static int tell_oom(struct watcher *w, struct error *err)
{
	uint64_t kills = stats_counter(strbuf_text(&w->text[WATCH_MEMORY]), "oom_kill");
	bool more = kills > w->oom_kills;

	w->oom_kills = kills;
	return more ? tell(w, "oom", NULL, NULL, err) : 0;
}

static int serve_slot(struct watcher *w, enum event_watch which, struct error *err)
{
	cleanup_free char *before = xstrdup(strbuf_text(&w->text[which]));
	const char *text;
	int ret = 0;

	if (reread(w, which) < 0) { /* the cgroup is gone, and with it the container */
		cleanup_close_fd(&w->slots[which].fd);
		return 0;
	}
	text = strbuf_text(&w->text[which]);
	if (which == WATCH_MEMORY)
		ret = tell_oom(w, err);
	if (ret < 0 || !(w->options->watch & (1U << which)))
		return ret;
	if (watched[which].trigger)
		return tell(w, event_watch_names[which], stats_write_pressure, text, err);
	return strcmp(before, text) == 0
		       ? 0
		       : tell(w, event_watch_names[which], write_counters, text, err);
}

/* Also once more at the end: what ended the container may be news of the same moment. */
static int serve_slots(struct watcher *w, bool all, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < WATCH_COUNT && ret == 0; i++)
		if (w->slots[i].fd >= 0 && (w->slots[i].revents || (all && !watched[i].trigger)))
			ret = serve_slot(w, (enum event_watch)i, err);
	return ret;
}

static int watch(struct watcher *w, struct error *err)
{
	const int64_t interval = (int64_t)(w->options->interval_ns / 1000000) | 1; /* not 0 */
	int64_t next = clock_ms() + interval;
	int ret = 0;

	while (ret == 0) {
		int64_t left = next - clock_ms();
		int wait = left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
		bool over;

		if (poll(w->slots, SLOT_COUNT, wait) < 0 && errno != EINTR)
			return error_errno(err, errno, "wait for events");
		over = w->slots[SLOT_END].revents != 0;
		ret = serve_slots(w, over, err);
		if (ret < 0 || over)
			return ret;
		if (clock_ms() >= next) {
			ret = tell_stats(w, err);
			next = clock_ms() + interval;
		}
	}
	return ret < 0 ? ret : 0;
}

static int open_container(struct watcher *w, const struct runtime_globals *globals, const char *id,
			  struct arena *arena, struct error *err)
{
	int ret = record_read(globals, id, arena, &w->record, err);

	if (ret < 0)
		return ret;
	record_cgroup(&w->record, &w->cgroup);
	if (!*w->cgroup.path)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "container \"%s\" has no cgroup that would count what it uses",
				 id);
	ret = cgroup_open(&w->cgroup, err);
	if (ret == 0 && w->record.pid)
		w->slots[SLOT_END].fd = pidfd_open(w->record.pid, 0);
	/* looked at after the pidfd was opened: it is this process's, or nobody's */
	if (ret == 0 && (w->cgroup.fd < 0 || w->slots[SLOT_END].fd < 0 || is_over(w)))
		ret = not_running(w, err);
	return ret;
}

int container_events(const struct runtime_globals *globals, const char *id,
		     const struct container_events *options, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct watcher w = { .options = options, .cgroup = CGROUP_INIT };
	int ret;

	for (size_t i = 0; i < SLOT_COUNT; i++)
		w.slots[i] = (struct pollfd){ .fd = -EBADF, .events = POLLIN };
	ret = open_container(&w, globals, id, &arena, err);
	if (ret == 0 && !options->interval_ns) {
		ret = tell_stats(&w, err);
		ret = ret > 0 ? not_running(&w, err) : ret;
	} else if (ret == 0) {
		ret = open_slots(&w, err);
		if (ret == 0)
			ret = watch(&w, err);
	}
	for (size_t i = 0; i < SLOT_COUNT; i++)
		cleanup_close_fd(&w.slots[i].fd);
	for (size_t i = 0; i < WATCH_COUNT; i++)
		strbuf_done(&w.text[i]);
	cgroup_done(&w.cgroup);
	return error_phase(err, ret, PHASE_CGROUP);
}
