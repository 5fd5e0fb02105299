/* SPDX-License-Identifier: Apache-2.0 */
/* Spans and rows of a build; timeline-join.c adds what the runtime says. */
#include "builder/build/timeline.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/alloc.h"

#define WAIT_SHOWN_NS 1000000

const char *const timeline_phase_names[TIMELINE_PHASES] = {
	[TIMELINE_BUILD] = "build",	  [TIMELINE_STEP] = "step",
	[TIMELINE_LOOKUP] = "lookup",	  [TIMELINE_WAIT] = "wait",
	[TIMELINE_SNAPSHOT] = "snapshot", [TIMELINE_RUNTIME] = "runtime",
	[TIMELINE_COPY] = "copy",	  [TIMELINE_SCAN] = "layer scan",
	[TIMELINE_HASH] = "hash",	  [TIMELINE_PUBLISH] = "publish",
	[TIMELINE_TRANSFER] = "transfer", [TIMELINE_EXPORT] = "export",
};

static int64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct timeline *timeline_new(void)
{
	struct timeline *timeline = xzalloc(sizeof(*timeline));

	timeline->origin = monotonic_ns();
	(void)timeline_row(timeline, "build");
	return timeline;
}

void timeline_free(struct timeline *timeline)
{
	if (!timeline)
		return;
	for (size_t i = 0; i < timeline->span_count; i++)
		free(timeline->spans[i].name);
	for (size_t i = 0; i < timeline->row_count; i++)
		free(timeline->rows[i].name);
	for (size_t i = 0; i < timeline->runtime_count; i++) {
		free(timeline->runtimes[i].name);
		arena_done(&timeline->runtimes[i].arena);
	}
	free(timeline->spans);
	free(timeline->rows);
	free(timeline->runtimes);
	free(timeline);
}

int64_t timeline_now(const struct timeline *timeline)
{
	return monotonic_ns() - timeline->origin;
}

unsigned int timeline_row(struct timeline *timeline, const char *name)
{
	if (!timeline)
		return 0;
	ARRAY_GROW(timeline->rows, timeline->row_count, timeline->row_capacity);
	timeline->rows[timeline->row_count] = (struct timeline_row){ .name = xstrdup(name) };
	return (unsigned int)timeline->row_count++;
}

unsigned int timeline_lane(struct timeline *timeline, const char *name)
{
	for (size_t i = 0; timeline && i < timeline->row_count; i++)
		if (!timeline->rows[i].open && strcmp(timeline->rows[i].name, name) == 0)
			return (unsigned int)i;
	return timeline_row(timeline, name);
}

struct timeline_mark timeline_begin(struct timeline *timeline, unsigned int row,
				    enum timeline_phase phase, unsigned int step, const char *name)
{
	struct timeline_mark mark = { .timeline = timeline };

	if (!timeline)
		return mark;
	ARRAY_GROW(timeline->spans, timeline->span_count, timeline->span_capacity);
	mark.index = timeline->span_count++;
	timeline->spans[mark.index] = (struct timeline_span){ .phase = phase,
							      .row = row,
							      .step = step,
							      .name = name ? xstrdup(name) : NULL,
							      .begin = timeline_now(timeline) };
	timeline->rows[row].open++;
	return mark;
}

/* Most waits are none. */
static bool is_nothing(const struct timeline *timeline, size_t index)
{
	const struct timeline_span *span = &timeline->spans[index];

	return span->phase == TIMELINE_WAIT && span->end - span->begin < WAIT_SHOWN_NS &&
	       index + 1 == timeline->span_count;
}

void timeline_end_step(struct timeline_mark *mark, const char *state)
{
	struct timeline *timeline = mark->timeline;
	struct timeline_span *span;

	if (!timeline)
		return;
	mark->timeline = NULL;
	span = &timeline->spans[mark->index];
	span->end = timeline_now(timeline);
	span->state = state;
	timeline->rows[span->row].open--;
	if (is_nothing(timeline, mark->index))
		timeline->span_count--;
}

void timeline_end(struct timeline_mark *mark)
{
	timeline_end_step(mark, NULL);
}
