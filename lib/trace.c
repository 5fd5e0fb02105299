/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans and the trace file. Besides the log this is the only module with mutable state at file
 * scope: steps anywhere report here.
 */
#include "lib/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/printable.h"
#include "lib/strbuf.h"

#define EVENTS_MAX 1000

/* The texts are those of the program's image, which all processes that write here share. */
struct trace_event {
	const char *category, *name;
	int64_t begin, end; /* ns; end 0 = not ended yet */
	enum trace_process process;
	bool written; /* the others are filled in */
};

struct shared {
	size_t count; /* taken, also beyond the maximum */
	struct trace_event events[EVENTS_MAX];
};

static struct {
	struct shared *shared; /* NULL = off */
	const char *path, *program;
	int64_t start;
	enum trace_process self;
	pid_t pids[TRACE_PROCESSES];
} trace;

static const char *const process_names[] = {
	[TRACE_HOST] = NULL, /* the program's */
	[TRACE_JOINER] = "joiner",
	[TRACE_INIT] = "container",
};

/* Not the monotonic clock: a time namespace has its own. */
static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* -- spans ---------------------------------------------------------------------------------------
 */

static struct trace_event *take_event(void)
{
	size_t index = __atomic_fetch_add(&trace.shared->count, 1, __ATOMIC_RELAXED);

	return index < EVENTS_MAX ? &trace.shared->events[index] : NULL;
}

struct trace_span trace_begin(const char *category, const char *name)
{
	struct trace_span span = { .category = category, .name = name };

	if (!trace.shared && !log_enabled(LOG_DEBUG))
		return span;
	span.begin = now_ns();
	span.event = trace.shared ? take_event() : NULL;
	if (!span.event)
		return span;
	*span.event = (struct trace_event){
		.category = category, .name = name, .begin = span.begin, .process = trace.self
	};
	__atomic_store_n(&span.event->written, true, __ATOMIC_RELEASE);
	return span;
}

void trace_end(struct trace_span *span)
{
	int saved = errno;
	int64_t end;

	if (!span->begin)
		return;
	end = now_ns();
	if (span->event)
		__atomic_store_n(&span->event->end, end, __ATOMIC_RELEASE);
	log_debug("%s: %s (%lld us)", span->category, span->name,
		  (long long)((end - span->begin) / 1000));
	span->begin = 0;
	errno = saved;
}

void trace_become(enum trace_process process)
{
	trace.self = process;
}

void trace_name(enum trace_process process, pid_t pid)
{
	trace.pids[process] = pid;
}

void trace_exec_seen(enum trace_process process)
{
	int64_t end;

	if (!trace.shared)
		return;
	end = now_ns();
	for (size_t i = 0; i < EVENTS_MAX && i < trace.shared->count; i++) {
		struct trace_event *event = &trace.shared->events[i];

		if (event->written && event->process == process && !event->end)
			event->end = end;
	}
}

/* -- the file ------------------------------------------------------------------------------------
 */

static int write_file(int flags, const struct strbuf *text, struct error *err)
{
	cleanup_close int fd = open(trace.path, O_WRONLY | O_TRUNC | O_CLOEXEC | flags, 0644);
	int ret = fd < 0 ? -errno : io_write_all(fd, text->data, text->size);

	return ret < 0 ? error_errno(err, -ret, "write trace \"%s\"", trace.path) : 0;
}

int trace_open(const char *path, const char *program, struct error *err)
{
	cleanup_strbuf struct strbuf empty = STRBUF_INIT;
	struct shared *shared;
	int ret;

	trace.path = path;
	trace.program = program;
	trace.start = now_ns();
	trace.pids[TRACE_HOST] = getpid();
	/* who is killed leaves this much */
	strbuf_adds(&empty, "{\"traceEvents\":[]}\n");
	ret = write_file(O_CREAT, &empty, err);
	if (ret < 0)
		return ret;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return error_errno(err, errno, "memory for the trace");
	trace.shared = shared;
	return 0;
}

/* Texts of messages may have anything. */
static void add_string(struct strbuf *out, const char *text)
{
	cleanup_strbuf struct strbuf clean = STRBUF_INIT;

	strbuf_add_printable(&clean, text, strlen(text));
	strbuf_addc(out, '"');
	for (const char *p = strbuf_text(&clean); *p; p++) {
		if (*p == '"' || *p == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *p);
	}
	strbuf_addc(out, '"');
}

static void add_microseconds(struct strbuf *out, const char *key, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	strbuf_addf(out, ",\"%s\":%lld.%03lld", key, (long long)(ns / 1000),
		    (long long)(ns % 1000));
}

static void add_event(struct strbuf *out, const struct trace_event *event)
{
	int64_t end = __atomic_load_n(&event->end, __ATOMIC_ACQUIRE);
	pid_t pid = trace.pids[event->process];

	strbuf_addf(out, ",\n{\"ph\":\"%s\",\"cat\":\"%s\",\"name\":", end ? "X" : "B",
		    event->category);
	add_string(out, event->name);
	strbuf_addf(out, ",\"pid\":%d,\"tid\":%d", pid, pid);
	add_microseconds(out, "ts", event->begin - trace.start);
	if (end)
		add_microseconds(out, "dur", end - event->begin);
	strbuf_addc(out, '}');
}

static void add_processes(struct strbuf *out)
{
	for (int i = 0; i < TRACE_PROCESSES; i++) {
		if (!trace.pids[i])
			continue;
		strbuf_addf(out,
			    "%s\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"tid\":%d,"
			    "\"args\":{\"name\":",
			    i ? "," : "", trace.pids[i], trace.pids[i]);
		add_string(out, i == TRACE_HOST ? trace.program : process_names[i]);
		strbuf_adds(out, "}}");
	}
}

static void add_failure(struct strbuf *out, const struct error *failure)
{
	char text[sizeof(failure->msg) + 256];
	pid_t pid = trace.pids[TRACE_HOST];

	strbuf_addf(out,
		    ",\n{\"ph\":\"i\",\"s\":\"g\",\"cat\":\"error\",\"name\":\"failed\","
		    "\"pid\":%d,\"tid\":%d",
		    pid, pid);
	add_microseconds(out, "ts", now_ns() - trace.start);
	strbuf_adds(out, ",\"args\":{\"message\":");
	add_string(out, error_text(failure, text, sizeof(text)));
	strbuf_adds(out, "}}");
}

int trace_close(const struct error *failure, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct shared *shared = trace.shared;
	int ret;

	if (!shared)
		return 0;
	/* since 1970: others can lay their own time beside it */
	strbuf_addf(&out,
		    "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"begin_ns\":%lld},"
		    "\"traceEvents\":[",
		    (long long)trace.start);
	add_processes(&out);
	for (size_t i = 0; i < EVENTS_MAX && i < shared->count; i++)
		if (__atomic_load_n(&shared->events[i].written, __ATOMIC_ACQUIRE))
			add_event(&out, &shared->events[i]);
	if (failure)
		add_failure(&out, failure);
	strbuf_adds(&out, "\n]}\n");
	ret = write_file(0, &out, err);
	trace.shared = NULL;
	(void)munmap(shared, sizeof(*shared)); /* cannot fail on what we mapped */
	return ret;
}
