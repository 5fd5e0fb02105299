/* SPDX-License-Identifier: Apache-2.0 */
/* See build-trace.h. */
#include "builder/cli/build-trace.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "spec/json-write.h"

#define OURS "orlop-builder"

/* -- members -------------------------------------------------------------------------------------
 */

/* The format counts microseconds. */
static void write_time(struct json_writer *json, const char *key, int64_t ns)
{
	cleanup_free char *text = NULL;

	if (ns < 0)
		ns = 0;
	text = xasprintf("%lld.%03lld", (long long)(ns / 1000), (long long)(ns % 1000));
	json_key(json, key);
	json_raw(json, text);
}

static void begin_event(struct json_writer *json, const char *phase, uint64_t pid, uint64_t tid)
{
	json_begin_object(json);
	json_put_string(json, "ph", phase);
	json_put_u64(json, "pid", pid);
	json_put_u64(json, "tid", tid);
}

/* "process_name" and "thread_name" {"name": text}, or their "..._sort_index". */
static void write_name(struct json_writer *json, const char *what, uint64_t pid, uint64_t tid,
		       const char *text)
{
	begin_event(json, "M", pid, tid);
	json_put_string(json, "name", what);
	json_key(json, "args");
	json_begin_object(json);
	json_put_string(json, "name", text);
	json_end_object(json);
	json_end_object(json);
}

static void write_order(struct json_writer *json, const char *what, uint64_t pid, uint64_t tid,
			uint64_t index)
{
	begin_event(json, "M", pid, tid);
	json_put_string(json, "name", what);
	json_key(json, "args");
	json_begin_object(json);
	json_put_u64(json, "sort_index", index);
	json_end_object(json);
	json_end_object(json);
}

/* -- the builder ---------------------------------------------------------------------------------
 */

/* Rows are no threads of the kernel's, but for the first one. */
static uint64_t row_tid(uint64_t pid, size_t row)
{
	return row ? row : pid;
}

static void write_rows(struct json_writer *json, const struct timeline *timeline, uint64_t pid)
{
	write_name(json, "process_name", pid, pid, OURS);
	write_order(json, "process_sort_index", pid, pid, 0);
	for (size_t i = 0; i < timeline->row_count; i++) {
		write_name(json, "thread_name", pid, row_tid(pid, i), timeline->rows[i].name);
		write_order(json, "thread_sort_index", pid, row_tid(pid, i), i);
	}
}

static void write_span(struct json_writer *json, const struct timeline_span *span, uint64_t pid,
		       int64_t now)
{
	const char *phase = timeline_phase_names[span->phase];

	begin_event(json, "X", pid, row_tid(pid, span->row));
	json_put_string(json, "cat", phase);
	json_put_string(json, "name", span->name ? span->name : phase);
	write_time(json, "ts", span->begin);
	write_time(json, "dur", (span->end ? span->end : now) - span->begin);
	json_key(json, "args");
	json_begin_object(json);
	if (span->step)
		json_put_u64(json, "step", span->step);
	if (span->state)
		json_put_string(json, "state", span->state);
	json_end_object(json);
	json_end_object(json);
}

static void write_failure(struct json_writer *json, const struct error *failure, uint64_t pid,
			  int64_t now)
{
	char text[2048];

	begin_event(json, "i", pid, pid);
	json_put_string(json, "s", "g");
	json_put_string(json, "cat", "error");
	json_put_string(json, "name", "failed");
	write_time(json, "ts", now);
	json_key(json, "args");
	json_begin_object(json);
	json_put_string(json, "message", error_text(failure, text, sizeof(text)));
	json_end_object(json);
	json_end_object(json);
}

/* -- runtimes ------------------------------------------------------------------------------------
 */

/* The process that the runtime was: of its events the first one's. */
static uint64_t runtime_pid(const struct timeline_runtime *runtime)
{
	return runtime->count ? runtime->events[0].pid : 0;
}

/* What the runtime calls processes, "container", are its threads here: one step, one process. */
static void write_runtime_event(struct json_writer *json, const struct timeline_event *event,
				uint64_t pid)
{
	bool is_name = strcmp(event->phase, "M") == 0;

	begin_event(json, event->phase, pid, event->pid);
	if (event->category)
		json_put_string(json, "cat", event->category);
	json_put_string(json, "name", is_name ? "thread_name" : event->name);
	if (!is_name)
		write_time(json, "ts", event->begin);
	if (strcmp(event->phase, "X") == 0)
		write_time(json, "dur", event->duration);
	if (event->arguments) {
		json_key(json, "args");
		json_raw(json, event->arguments);
	}
	json_end_object(json);
}

static void write_runtime(struct json_writer *json, const struct timeline_runtime *runtime,
			  size_t index)
{
	uint64_t pid = runtime_pid(runtime);
	cleanup_free char *name = xasprintf("#%u %s", runtime->step, runtime->name);

	if (!pid)
		return;
	write_name(json, "process_name", pid, pid, name);
	write_order(json, "process_sort_index", pid, pid, index + 1);
	for (size_t i = 0; i < runtime->count; i++)
		write_runtime_event(json, &runtime->events[i], pid);
}

/* -- the file ------------------------------------------------------------------------------------
 */

static int write_file(const char *path, const struct strbuf *text, struct error *err)
{
	int ret = io_write_result(path, text->data, text->size, err);

	return error_prefix(err, ret, "trace");
}

int build_trace_open(const char *path, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, "{\"traceEvents\":[]}\n");
	return write_file(path, &text, err);
}

int build_trace_write(const struct timeline *timeline, const char *path,
		      const struct error *failure, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer json = { .out = &text };
	uint64_t pid = (uint64_t)getpid();
	int64_t now = timeline_now(timeline);

	json_begin_object(&json);
	json_put_string(&json, "displayTimeUnit", "ms");
	json_key(&json, "traceEvents");
	json_begin_array(&json);
	write_rows(&json, timeline, pid);
	for (size_t i = 0; i < timeline->span_count; i++)
		write_span(&json, &timeline->spans[i], pid, now);
	for (size_t i = 0; i < timeline->runtime_count; i++)
		write_runtime(&json, &timeline->runtimes[i], i);
	if (failure)
		write_failure(&json, failure, pid, now);
	json_end_array(&json);
	json_end_object(&json);
	strbuf_addc(&text, '\n');
	return write_file(path, &text, err);
}
