/* SPDX-License-Identifier: Apache-2.0 */
/* The timeline of a report: positions are percents of the build's time, drawn by the page. */
#include <string.h>

#include "builder/cli/report.h"
#include "builder/cli/template.h"
#include "lib/alloc.h"

#define TICKS 5

/* What the page's styles call a phase. */
static const char *const classes[TIMELINE_PHASES] = {
	[TIMELINE_BUILD] = "build",	  [TIMELINE_STEP] = "step",
	[TIMELINE_LOOKUP] = "lookup",	  [TIMELINE_WAIT] = "wait",
	[TIMELINE_SNAPSHOT] = "snapshot", [TIMELINE_RUNTIME] = "runtime",
	[TIMELINE_COPY] = "copy",	  [TIMELINE_SCAN] = "scan",
	[TIMELINE_HASH] = "hash",	  [TIMELINE_PUBLISH] = "publish",
	[TIMELINE_TRANSFER] = "transfer", [TIMELINE_EXPORT] = "export",
};

/* "RUN make" of "[build 2/5] RUN make": the row says the rest. */
static const char *short_name(const char *name)
{
	const char *end = *name == '[' ? strstr(name, "] ") : NULL;

	return end ? end + 2 : name;
}

static void set_percent(struct template_scope *scope, const char *name, int64_t part, int64_t whole)
{
	template_setf(scope, name, "%.3f", whole > 0 ? (double)part * 100 / (double)whole : 0);
}

/* below: what a step is made of is drawn below it. */
static void add_bar(struct template_scope *row, const struct timeline_span *span, bool below,
		    int64_t whole)
{
	const char *phase = timeline_phase_names[span->phase];
	const char *name = span->name ? span->name : phase;
	int64_t end = span->end ? span->end : whole;
	struct template_scope *bar = template_add(row, below ? "parts" : "bars");

	template_set(bar, "class",
		     span->phase == TIMELINE_STEP && span->state ? span->state
								 : classes[span->phase]);
	if (span->step)
		template_setf(bar, "step", "%u", span->step);
	set_percent(bar, "left", span->begin, whole);
	set_percent(bar, "width", end - span->begin, whole);
	template_set(bar, "label", short_name(name));
	template_set(bar, "what", name);
	report_time(bar, "took", (end - span->begin) / 1000);
	report_time(bar, "at", span->begin / 1000);
}

/* Is this row what goes on beside a stage (NULL: beside all of them)? */
static bool is_beside(const struct timeline_row *row, const char *stage)
{
	size_t size = stage ? strlen(stage) : 0;

	if (!stage)
		return strcmp(row->name, TIMELINE_TRANSFERS) == 0;
	return strncmp(row->name, stage, size) == 0 &&
	       strcmp(row->name + size, TIMELINE_LAYERS) == 0;
}

static void add_row(struct template_scope *page, const struct timeline *timeline, size_t index,
		    const char *name, bool beside, int64_t whole)
{
	struct template_scope *row = template_add(page, "rows");

	template_set(row, "row", name);
	if (beside)
		template_set(row, "beside", "yes");
	for (size_t i = 0; i < timeline->span_count; i++) {
		const struct timeline_span *span = &timeline->spans[i];

		if (span->row == index)
			add_bar(row, span, index && !beside && span->phase > TIMELINE_STEP, whole);
	}
}

static void add_rows_beside(struct template_scope *page, const struct timeline *timeline,
			    const char *stage, const char *name, int64_t whole)
{
	for (size_t i = 1; i < timeline->row_count; i++)
		if (is_beside(&timeline->rows[i], stage))
			add_row(page, timeline, i, name, true, whole);
}

/* The build, each stage and what goes on beside it, what goes on beside all. */
static void add_rows(struct template_scope *page, const struct timeline *timeline, int64_t whole)
{
	for (size_t i = 0; i < timeline->row_count; i++) {
		const char *name = timeline->rows[i].name;

		if (strstr(name, TIMELINE_LAYERS) || strcmp(name, TIMELINE_TRANSFERS) == 0)
			continue;
		add_row(page, timeline, i, name, false, whole);
		add_rows_beside(page, timeline, name, "layers", whole);
	}
	add_rows_beside(page, timeline, NULL, TIMELINE_TRANSFERS, whole);
}

static void add_legend(struct template_scope *page, const struct timeline *timeline)
{
	for (int phase = TIMELINE_STEP + 1; phase < TIMELINE_PHASES; phase++) {
		struct template_scope *key;
		bool there = false;

		for (size_t i = 0; i < timeline->span_count && !there; i++)
			there = timeline->spans[i].phase == (enum timeline_phase)phase;
		if (!there)
			continue;
		key = template_add(page, "legend");
		template_set(key, "class", classes[phase]);
		template_set(key, "phase", timeline_phase_names[phase]);
	}
}

void report_timeline(struct template_scope *page, const struct timeline *timeline)
{
	int64_t whole = timeline_now(timeline);

	add_rows(page, timeline, whole);
	add_legend(page, timeline);
	for (int i = 0; i <= TICKS; i++) {
		struct template_scope *tick = template_add(page, "ticks");

		set_percent(tick, "left", i, TICKS);
		report_time(tick, "at", whole * i / TICKS / 1000);
	}
}
