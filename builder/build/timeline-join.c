/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime's own trace of a step, moved to the build's clock. It has real time, which containers
 * cannot shift for themselves; what that clock is ahead of ours is looked up when the trace is
 * read, right after the runtime has ended.
 */
#include "builder/build/timeline.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"
#include "spec/json-table.h"

#define TRACE_MAX ((size_t)4 << 20)

struct trace_event {
	const char *ph, *cat, *name;
	const char *ts, *dur; /* us, with decimals */
	const char *args;
	uint64_t pid;
};

struct trace_origin {
	int64_t begin_ns; /* since 1970 */
};

struct trace_document {
	JSON_LIST(struct trace_event) events;
	struct trace_origin origin;
};

/* clang-format off */
static const struct json_field event_fields[] = {
	JSON_STRING(struct trace_event, "ph", ph),
	JSON_STRING(struct trace_event, "cat", cat),
	JSON_STRING(struct trace_event, "name", name),
	JSON_U64(struct trace_event, "pid", pid),
	JSON_RAW(struct trace_event, "ts", ts),
	JSON_RAW(struct trace_event, "dur", dur),
	JSON_RAW(struct trace_event, "args", args),
};
static const struct json_object event_object = JSON_TABLE(struct trace_event, event_fields);

static const struct json_field origin_fields[] = {
	JSON_I64(struct trace_origin, "begin_ns", begin_ns),
};
static const struct json_object origin_object = JSON_TABLE(struct trace_origin, origin_fields);

static const struct json_field document_fields[] = {
	JSON_INLINE(struct trace_document, "otherData", origin, &origin_object),
	JSON_OBJECTS(struct trace_document, "traceEvents", events, &event_object),
};
static const struct json_object document_object = JSON_TABLE(struct trace_document, document_fields);
/* clang-format on */

/* "12.345" us; what is odd is 0. */
static int64_t nanoseconds(const char *text)
{
	char whole[24] = "";
	int64_t ns = 0, us = 0;
	size_t size = text ? strcspn(text, ".") : 0;

	if (!size || size >= sizeof(whole))
		return 0;
	memcpy(whole, text, size);
	if (number_parse_i64(whole, &us) < 0)
		return 0;
	for (size_t i = 1; i <= 3; i++) {
		const char *digit =
			text[size] == '.' && strlen(text + size) > i ? text + size + i : "0";

		ns = ns * 10 + (*digit >= '0' && *digit <= '9' ? *digit - '0' : 0);
	}
	return us * 1000 + ns;
}

/* What the clock of the traces is ahead of the timeline's. */
static int64_t clock_offset(const struct timeline *timeline)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - timeline_now(timeline);
}

static void take_events(struct timeline_runtime *runtime, const struct trace_document *document,
			int64_t shift)
{
	size_t count = document->events.count;

	runtime->events = arena_alloc(&runtime->arena, (count + 1) * sizeof(*runtime->events));
	for (size_t i = 0; i < count; i++) {
		const struct trace_event *event = &document->events.items[i];

		if (!event->ph || !event->name || !event->pid)
			continue;
		runtime->events[runtime->count++] = (struct timeline_event){
			.phase = event->ph,
			.category = event->cat,
			.name = event->name,
			.pid = event->pid,
			.begin = nanoseconds(event->ts) + shift,
			.duration = nanoseconds(event->dur),
			.arguments = event->args,
		};
	}
}

void timeline_join(struct timeline *timeline, unsigned int step, const char *name, const char *path)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct timeline_runtime runtime = { .step = step, .arena = ARENA_INIT };
	struct json_source source = { .name = path, .max_size = TRACE_MAX };
	struct trace_document document = { .origin = { 0 } };

	if (!timeline || io_read_file(AT_FDCWD, path, TRACE_MAX, &text, NULL) < 0)
		return;
	source.text = text.data;
	source.size = text.size;
	if (json_decode(&source, &document_object, &runtime.arena, &document, NULL) < 0 ||
	    !document.origin.begin_ns) {
		arena_done(&runtime.arena);
		return;
	}
	take_events(&runtime, &document, document.origin.begin_ns - clock_offset(timeline));
	runtime.name = xstrdup(name);
	ARRAY_GROW(timeline->runtimes, timeline->runtime_count, timeline->runtime_capacity);
	timeline->runtimes[timeline->runtime_count++] = runtime;
}
