/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a report: what the template's names stand for. */
#include "builder/cli/report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "builder/build/step-info.h"
#include "builder/cli/format.h"
#include "builder/cli/progress-frame.h"
#include "builder/cli/template.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#define SLOWEST 5
#define SLOW_US 100000 /* what takes less is not slow */

/* the template's bytes between two symbols; the assembler reads it */
__asm__(".section .rodata\n"
	"report_html_start:\n"
	".incbin \"" REPORT_HTML "\"\n"
	"report_html_end:\n"
	".previous\n");
extern const char report_html_start[], report_html_end[];

/* -- values --------------------------------------------------------------------------------------
 */

void report_time(struct template_scope *scope, const char *name, int64_t us)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (us < 10000)
		strbuf_addf(&text, "%.1f ms", (double)us / 1000);
	else if (us < 1000000)
		strbuf_addf(&text, "%.0f ms", (double)us / 1000);
	else
		format_duration((double)us / 1e6, &text);
	template_set(scope, name, strbuf_text(&text));
}

void report_size(struct template_scope *scope, const char *name, uint64_t bytes)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	format_size(bytes, &text);
	template_set(scope, name, strbuf_text(&text));
}

static void add_lines(struct template_scope *scope, const char *list, const struct strv *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		template_set(template_add(scope, list), "line", lines->items[i]);
}

/* -- steps ---------------------------------------------------------------------------------------
 */

static const char *state_name(enum build_event_kind state)
{
	switch (state) {
	case EVENT_CACHED:
		return "cached";
	case EVENT_DONE:
		return "done";
	case EVENT_FAILED:
		return "failed";
	default:
		return "canceled";
	}
}

/* What the record of the step says: of one from the cache, what making it had cost. */
static void add_record(struct template_scope *row, const struct report_build *build,
		       const struct step *step)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct step_info info;

	if (!step->key.hex[0] || store_step_get(build->store, step->key.hex, &record, NULL) <= 0)
		return;
	step_info_decode(record.info, &arena, &info);
	report_size(row, "size", info.size);
	if (step->cached && info.wall_us)
		report_time(row, "saved", (int64_t)info.wall_us);
}

static void add_costs(struct template_scope *row, const struct step *step)
{
	const struct rusage *usage = &step->usage;

	if (step->cached || !usage->ru_maxrss)
		return;
	report_time(row, "cpu",
		    (int64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
			    usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
	report_size(row, "memory", (uint64_t)usage->ru_maxrss * 1024);
}

/* "[build 2/5] RUN make" to "build 2/5" and "RUN make". */
static void set_name(struct template_scope *row, const char *name)
{
	const char *end = *name == '[' ? strstr(name, "] ") : NULL;

	template_set(row, "name", end ? end + 2 : name);
	if (end)
		template_setf(row, "place", "%.*s", (int)(end - name - 1), name + 1);
}

static int64_t duration(const struct report_item *item)
{
	return item->end > item->begin ? item->end - item->begin : 0;
}

static void add_step(struct template_scope *page, const struct report_build *build,
		     const struct report_item *item)
{
	const struct step *step = graph_find_step(build->graph, item->id);
	struct template_scope *row = template_add(page, "steps");

	template_setf(row, "id", "%u", item->id);
	set_name(row, item->name);
	template_set(row, "state", state_name(item->state));
	report_time(row, "time", duration(item));
	if (item->why.count || item->notes.count)
		template_set(row, "has_lines", "yes");
	add_lines(row, "why", &item->why);
	add_lines(row, "notes", &item->notes);
	if (build->number)
		template_setf(row, "log", "%llu#%u", (unsigned long long)build->number, item->id);
	if (!step)
		return;
	add_record(row, build, step);
	add_costs(row, step);
}

static int compare_items(const void *a, const void *b)
{
	const struct report_item *const *left = a, *const *right = b;
	int64_t difference = duration(*right) - duration(*left);

	return difference < 0 ? -1 : difference > 0;
}

static void add_slowest(struct template_scope *page, const struct report *report)
{
	cleanup_free const struct report_item **items =
		xreallocarray(NULL, report->count + 1, sizeof(*items));
	int64_t longest;

	for (size_t i = 0; i < report->count; i++)
		items[i] = &report->items[i];
	qsort(items, report->count, sizeof(*items), compare_items);
	longest = report->count ? duration(items[0]) : 0;
	for (size_t i = 0; i < report->count && i < SLOWEST && duration(items[i]) > SLOW_US; i++) {
		struct template_scope *row = template_add(page, "slowest");

		template_set(page, "has_slowest", "yes");
		template_setf(row, "id", "%u", items[i]->id);
		set_name(row, items[i]->name);
		report_time(row, "time", duration(items[i]));
		template_setf(row, "share", "%.2f",
			      (double)duration(items[i]) * 100 / (double)longest);
	}
}

/* -- the failure, the warnings -------------------------------------------------------------------
 */

/* Without colours. */
static void last_lines(const struct strbuf *output, struct strbuf *out)
{
	const char *text = strbuf_text(output), *end = text + output->size, *at = end;
	size_t lines = 0;

	if (at > text && at[-1] == '\n')
		at--;
	while (at > text && (at[-1] != '\n' || ++lines < REPORT_TAIL))
		at--;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		frame_clean_line(at, (size_t)(stop - at), out);
		strbuf_addc(out, '\n');
		at = stop + (newline != NULL);
	}
}

/* What the steps that failed said last. */
static void add_tails(struct template_scope *page, const struct report *report,
		      const struct report_build *build)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct report_item *item = &report->items[i];
		cleanup_strbuf struct strbuf lines = STRBUF_INIT;
		struct template_scope *tail;

		if (item->state != EVENT_FAILED || !item->output.size)
			continue;
		last_lines(&item->output, &lines);
		tail = template_add(page, "tails");
		template_set(tail, "name", item->name);
		template_set(tail, "output", strbuf_text(&lines));
		if (build->number)
			template_setf(tail, "log", "%llu#%u", (unsigned long long)build->number,
				      item->id);
	}
}

static void add_failure(struct template_scope *page, const struct report *report,
			const struct report_build *build)
{
	cleanup_free char *excerpt = NULL;
	char text[2048];
	size_t size;
	FILE *out;

	if (!build->failure)
		return;
	template_set(page, "failure", error_text(build->failure, text, sizeof(text)));
	out = open_memstream(&excerpt, &size);
	if (out) {
		if (build->source->name && build->where.first)
			dockerfile_print_excerpt(build->source, &build->where, out);
		fclose(out);
		template_set(page, "excerpt", excerpt);
	}
	add_tails(page, report, build);
}

static void add_warnings(struct template_scope *page, const struct lint_report *warnings)
{
	cleanup_arena struct arena arena = ARENA_INIT;

	if (warnings->count)
		template_setf(page, "warning_count", "%zu", warnings->count);
	for (size_t i = 0; i < warnings->count; i++) {
		const struct lint_warning *warning = &warnings->items[i];
		struct template_scope *row = template_add(page, "warnings");

		template_set(row, "rule", warning->rule->name);
		template_set(row, "detail", warning->detail);
		template_set(row, "fix", warning->rule->fix);
		template_set(row, "url", lint_url(warning->rule, &arena));
		if (warning->range.first)
			template_setf(row, "line", "%u", warning->range.first);
	}
}

/* -- the page ------------------------------------------------------------------------------------
 */

/* FROM is no step. */
static void add_counts(struct template_scope *page, const struct report *report,
		       const struct report_build *build)
{
	struct build_result counted = { .steps = 0 };
	size_t done = 0;

	build_result_count(&counted, build->graph);
	if (!counted.steps)
		return;
	for (size_t i = 0; i < report->count; i++)
		done += (report->items[i].state == EVENT_DONE ||
			 report->items[i].state == EVENT_CACHED) &&
			graph_find_step(build->graph, report->items[i].id);
	if (build->failure)
		template_setf(page, "step_count", "%zu of %zu", done, counted.steps);
	else
		template_setf(page, "step_count", "%zu", counted.steps);
	template_setf(page, "cached_count", "%zu", counted.cached);
	template_setf(page, "cached_percent", "%zu", counted.cached * 100 / counted.steps);
}

static void add_head(struct template_scope *page, const struct report_build *build)
{
	const struct build_result *result = build->result;
	const struct error *failure = build->failure;
	cleanup_strbuf struct strbuf when = STRBUF_INIT, names = STRBUF_INIT;

	template_set(page, "class",
		     !failure				? "good"
		     : failure->code == ERROR_CANCELLED ? "stopped"
							: "bad");
	template_set(page, "verdict",
		     !failure				? "Built"
		     : failure->code == ERROR_CANCELLED ? "Canceled"
							: "Failed");
	for (size_t i = 0; i < result->names.count; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", result->names.items[i]);
	template_set(page, "names", strbuf_text(&names));
	format_time(time(NULL), &when);
	template_set(page, "when", strbuf_text(&when));
	template_set(page, "context", build->context);
	template_set(page, "platform", build->platform);
	template_set(page, "dockerfile", build->source->name);
	template_set(page, "target", build->graph->target ? build->graph->target->label : NULL);
	template_set(page, "version", ORLOP_VERSION);
	if (build->number)
		template_setf(page, "number", "%llu", (unsigned long long)build->number);
	report_time(page, "total", build->us);
	if (failure)
		return;
	template_set(page, "image_id", result->image_id.text);
	template_set(page, "digest", result->ref.digest.text);
	report_size(page, "image_size", result->size);
}

static int write_page(const struct template_scope *page, const char *path, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	int ret;

	template_render(report_html_start, (size_t)(report_html_end - report_html_start), page,
			&out);
	ret = io_write_result(path, out.data, out.size, err);
	return error_prefix(err, ret, "report");
}

int report_open(const char *path, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct template_scope *page = template_new(&arena);

	template_set(page, "class", "stopped");
	template_set(page, "verdict", "Not finished");
	template_set(page, "version", ORLOP_VERSION);
	return write_page(page, path, err);
}

int report_write(const struct report *report, const struct report_build *build, const char *path,
		 struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct template_scope *page = template_new(&arena);

	add_head(page, build);
	add_counts(page, report, build);
	add_failure(page, report, build);
	report_timeline(page, build->timeline);
	add_slowest(page, report);
	if (report->count)
		template_set(page, "has_steps", "yes");
	for (size_t i = 0; i < report->count; i++)
		add_step(page, build, &report->items[i]);
	report_layers(page, build);
	add_warnings(page, build->warnings);
	return write_page(page, path, err);
}
