/* SPDX-License-Identifier: Apache-2.0 */
/* What a report keeps of a build's events. */
#include <stdlib.h>
#include <string.h>

#include "builder/cli/report.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#define OUTPUT_MAX ((size_t)64 << 10) /* enough for the last lines */

static struct report_item *find_item(struct report *report, unsigned int id)
{
	for (size_t i = report->count; i-- > 0;)
		if (report->items[i].id == id)
			return &report->items[i];
	return NULL;
}

static void begin_item(struct report *report, const struct build_event *event)
{
	ARRAY_GROW(report->items, report->count, report->capacity);
	report->items[report->count++] = (struct report_item){
		.id = event->id,
		.name = xstrdup(event->name),
		.begin = clock_us(),
	};
}

/* The end of the output is what tells why something failed. */
static void add_output(struct report_item *item, const char *data, size_t size)
{
	struct strbuf *output = &item->output;

	strbuf_add(output, data, size);
	if (output->size <= OUTPUT_MAX)
		return;
	memmove(output->data, output->data + output->size - OUTPUT_MAX / 2, OUTPUT_MAX / 2 + 1);
	output->size = OUTPUT_MAX / 2;
}

static void end_item(struct report_item *item, enum build_event_kind state)
{
	item->state = state;
	item->end = clock_us();
	if (state != EVENT_FAILED)
		strbuf_done(&item->output);
}

static void take_event(struct report_item *item, const struct build_event *event)
{
	cleanup_free char *text = NULL;

	switch (event->kind) {
	case EVENT_OUTPUT:
		add_output(item, event->data, event->size);
		break;
	case EVENT_NOTE:
	case EVENT_WHY:
		text = xstrndup(event->data, event->size);
		strv_add(event->kind == EVENT_WHY ? &item->why : &item->notes, text);
		break;
	case EVENT_CACHED:
	case EVENT_DONE:
	case EVENT_FAILED:
	case EVENT_CANCELED:
		end_item(item, event->kind);
		break;
	case EVENT_BEGIN:
	case EVENT_TRANSFER:
		break;
	}
}

void report_event(void *context, const struct build_event *event)
{
	struct report *report = context;

	/* transfers come from other threads; everything else is the main thread's */
	if (event->kind != EVENT_TRANSFER) {
		struct report_item *item = find_item(report, event->id);

		if (event->kind == EVENT_BEGIN)
			begin_item(report, event);
		else if (item && item->state == EVENT_BEGIN)
			take_event(item, event);
	}
	report->next(report->next_context, event);
}

static void item_done(struct report_item *item)
{
	free(item->name);
	strv_done(&item->why);
	strv_done(&item->notes);
	strbuf_done(&item->output);
}

void report_again(struct report *report, const struct graph *graph)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->count; i++) {
		struct report_item *item = &report->items[i];

		if (item->state == EVENT_DONE && graph_find_step(graph, item->id))
			report->items[kept++] = *item;
		else
			item_done(item);
	}
	report->count = kept;
}

void report_done(struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		item_done(&report->items[i]);
	free(report->items);
	*report = (struct report){ NULL };
}
