/* SPDX-License-Identifier: Apache-2.0 */
/* Events to lines, called by the engine through cmd-build.c. One write per event. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "builder/cli/progress.h"
#include "lib/alloc.h"
#include "lib/strbuf.h"

#define TAIL_LINES 20
#define LINE_MAX_HELD 65536 /* a longer line is printed in pieces */

struct progress_item {
	unsigned int id;
	char *name;
	struct timespec begin;
	struct strbuf partial; /* of a line that has no end yet */
	char *tail[TAIL_LINES];
	size_t lines; /* all of them; the last TAIL_LINES are in tail */
	bool failed;
};

static double seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

static struct progress_item *find_item(struct progress *progress, unsigned int id)
{
	for (size_t i = 0; i < progress->count; i++)
		if (progress->items[i].id == id)
			return &progress->items[i];
	return NULL;
}

static void item_done(struct progress_item *item)
{
	for (size_t i = 0; i < TAIL_LINES; i++)
		free(item->tail[i]);
	strbuf_done(&item->partial);
	free(item->name);
}

static void put(struct progress *progress, const struct strbuf *text)
{
	if (!progress->out)
		return;
	fwrite(strbuf_text(text), 1, text->size, progress->out);
	fflush(progress->out);
}

/* One line of output, without its end. */
static void add_line(struct progress_item *item, const char *line, size_t size, struct strbuf *out)
{
	char stamp[32];
	char **slot = &item->tail[item->lines++ % TAIL_LINES];

	snprintf(stamp, sizeof(stamp), "%.3f ", seconds_since(&item->begin));
	free(*slot);
	*slot = xasprintf("%s%.*s", stamp, (int)size, line);
	strbuf_addf(out, "#%u %s", item->id, stamp);
	strbuf_add(out, line, size);
	strbuf_addc(out, '\n');
}

static void add_output(struct progress_item *item, const char *data, size_t size,
		       struct strbuf *out)
{
	while (size) {
		const char *newline = memchr(data, '\n', size);
		size_t part = newline ? (size_t)(newline - data) : size;

		strbuf_add(&item->partial, data, part);
		if (newline || item->partial.size >= LINE_MAX_HELD) {
			add_line(item, strbuf_text(&item->partial), item->partial.size, out);
			strbuf_truncate(&item->partial, 0);
		}
		part += newline != NULL;
		data += part;
		size -= part;
	}
}

static void flush_partial(struct progress_item *item, struct strbuf *out)
{
	if (item->partial.size)
		add_line(item, strbuf_text(&item->partial), item->partial.size, out);
	strbuf_truncate(&item->partial, 0);
}

static void begin_item(struct progress *progress, const struct build_event *event,
		       struct strbuf *out)
{
	struct progress_item *item;

	ARRAY_GROW(progress->items, progress->count, progress->capacity);
	item = &progress->items[progress->count++];
	*item = (struct progress_item){ .id = event->id, .name = xstrdup(event->name) };
	clock_gettime(CLOCK_MONOTONIC, &item->begin);
	strbuf_addf(out, "#%u %s\n", event->id, event->name);
}

/* The last line of an item; true if it is to be forgotten. */
static bool end_item(struct progress_item *item, const struct build_event *event,
		     struct strbuf *out)
{
	flush_partial(item, out);
	switch (event->kind) {
	case EVENT_CACHED:
		strbuf_addf(out, "#%u CACHED\n\n", event->id);
		return true;
	case EVENT_DONE:
		strbuf_addf(out, "#%u DONE %.1fs\n\n", event->id, seconds_since(&item->begin));
		return true;
	case EVENT_CANCELED:
		strbuf_addf(out, "#%u CANCELED\n\n", event->id);
		return true;
	default:
		strbuf_addf(out, "#%u ERROR: %.*s\n", event->id, (int)event->size, event->data);
		item->failed = true;
		return false;
	}
}

void progress_event(void *context, const struct build_event *event)
{
	struct progress *progress = context;
	struct progress_item *item = find_item(progress, event->id);
	struct strbuf out = STRBUF_INIT;

	if (event->kind == EVENT_BEGIN) {
		begin_item(progress, event, &out);
	} else if (!item) {
		return;
	} else if (event->kind == EVENT_OUTPUT) {
		add_output(item, event->data, event->size, &out);
	} else if (event->kind == EVENT_NOTE) {
		strbuf_addf(&out, "#%u %.*s\n", event->id, (int)event->size, event->data);
	} else if (end_item(item, event, &out)) {
		item_done(item);
		*item = progress->items[--progress->count];
	}
	put(progress, &out);
	strbuf_done(&out);
}

void progress_print_tail(const struct progress *progress, FILE *out)
{
	for (size_t i = 0; i < progress->count; i++) {
		const struct progress_item *item = &progress->items[i];
		size_t first = item->lines > TAIL_LINES ? item->lines - TAIL_LINES : 0;

		if (!item->failed)
			continue;
		fprintf(out, "------\n > %s:\n", item->name);
		for (size_t line = first; line < item->lines; line++)
			fprintf(out, "%s\n", item->tail[line % TAIL_LINES]);
		fputs("------\n", out);
	}
}

void progress_done(struct progress *progress)
{
	for (size_t i = 0; i < progress->count; i++)
		item_done(&progress->items[i]);
	free(progress->items);
}
