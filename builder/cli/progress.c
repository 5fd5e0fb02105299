/* SPDX-License-Identifier: Apache-2.0 */
/* The items of a build from its events; see progress.h. */
#include "builder/cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/tty.h"

#define LINE_MAX_HELD 65536 /* a longer line is shown in pieces */
#define RATE_EVERY 250000   /* us; shorter samples jump */
#define RATE_WEIGHT 0.3	    /* of the newest sample */

const struct name_value progress_kinds[] = {
	{ "auto", PROGRESS_AUTO },
	{ "plain", PROGRESS_PLAIN },
	{ "tty", PROGRESS_TTY },
	{ "quiet", PROGRESS_QUIET },
	{ "none", PROGRESS_NONE },
	{ "rawjson", PROGRESS_RAWJSON },
	{ NULL, 0 },
};

double progress_seconds(const struct progress_item *item, int64_t when)
{
	return when > item->begin ? (double)(when - item->begin) / 1e6 : 0;
}

/* -- items ---------------------------------------------------------------------------------------
 */

static struct progress_item *find_item(struct progress *progress, unsigned int id)
{
	for (size_t i = 0; i < progress->count; i++)
		if (progress->items[i].id == id)
			return &progress->items[i];
	return NULL;
}

static void item_done(struct progress_item *item)
{
	for (size_t i = 0; i < PROGRESS_TAIL; i++)
		free(item->tail[i].text);
	strbuf_done(&item->partial);
	free(item->name);
}

static void remove_item(struct progress *progress, struct progress_item *item)
{
	size_t index = (size_t)(item - progress->items);

	item_done(item);
	progress->count--;
	memmove(item, item + 1, (progress->count - index) * sizeof(*item));
}

static void begin_item(struct progress *progress, const struct build_event *event)
{
	struct progress_item *item;

	ARRAY_GROW(progress->items, progress->count, progress->capacity);
	item = &progress->items[progress->count++];
	*item = (struct progress_item){ .id = event->id,
					.name = xstrdup(event->name),
					.begin = progress->now,
					.beside = event->beside };
	if (progress->view && progress->view->begin)
		progress->view->begin(progress, item);
}

/* A line is complete, or too long to wait for its end. */
static void add_line(struct progress *progress, struct progress_item *item)
{
	struct progress_line *line = &item->tail[item->lines++ % PROGRESS_TAIL];

	free(line->text);
	line->when = progress->now;
	line->size = item->partial.size;
	line->text = xmemdup(strbuf_text(&item->partial), line->size + 1);
	strbuf_truncate(&item->partial, 0);
	if (progress->view && progress->view->line)
		progress->view->line(progress, item, line);
}

static void add_output(struct progress *progress, struct progress_item *item, const char *data,
		       size_t size)
{
	while (size) {
		const char *newline = memchr(data, '\n', size);
		size_t part = newline ? (size_t)(newline - data) : size;

		strbuf_add(&item->partial, data, part);
		if (newline || item->partial.size >= LINE_MAX_HELD)
			add_line(progress, item);
		part += newline != NULL;
		data += part;
		size -= part;
	}
}

static void add_why(struct progress *progress, struct progress_item *item,
		    const struct build_event *event)
{
	cleanup_free char *text = NULL;

	if (!progress->why || !progress->view || !progress->view->note)
		return;
	text = xasprintf("why: %.*s", (int)event->size, event->data);
	progress->view->note(progress, item, text, strlen(text));
}

static void update_transfer(struct progress *progress, struct progress_item *item,
			    const struct build_event *event)
{
	struct progress_transfer *transfer = &item->transfer;
	int64_t passed = progress->now - transfer->mark_when;
	bool moved = event->current != transfer->current || event->total != transfer->total;

	transfer->current = event->current;
	transfer->total = event->total;
	if (!transfer->mark_when || event->current < transfer->mark) {
		/* the first word, or it began anew */
		transfer->mark_when = progress->now;
		transfer->mark = event->current;
	} else if (passed >= RATE_EVERY) {
		double sample = (double)(event->current - transfer->mark) * 1e6 / (double)passed;

		transfer->rate = transfer->rate > 0
					 ? transfer->rate * (1 - RATE_WEIGHT) + sample * RATE_WEIGHT
					 : sample;
		transfer->mark_when = progress->now;
		transfer->mark = event->current;
	}
	if (moved && progress->view && progress->view->transfer)
		progress->view->transfer(progress, item);
}

/* What has failed is kept for the report; the rest is forgotten. */
static void end_item(struct progress *progress, struct progress_item *item,
		     const struct build_event *event)
{
	if (item->partial.size)
		add_line(progress, item);
	progress->ended += !item->beside;
	progress->cached += event->kind == EVENT_CACHED;
	/* of what is no step, the step that needs it tells */
	item->failed = event->kind == EVENT_FAILED && !item->beside;
	if (progress->view)
		progress->view->end(progress, item, event);
	if (!item->failed)
		remove_item(progress, item);
}

static void take_event(struct progress *progress, const struct build_event *event)
{
	struct progress_item *item = find_item(progress, event->id);

	if (event->kind == EVENT_BEGIN) {
		begin_item(progress, event);
		return;
	}
	if (!item || item->failed)
		return;
	switch (event->kind) {
	case EVENT_OUTPUT:
		add_output(progress, item, event->data, event->size);
		break;
	case EVENT_NOTE:
		if (progress->view && progress->view->note)
			progress->view->note(progress, item, event->data, event->size);
		break;
	case EVENT_WHY:
		add_why(progress, item, event);
		break;
	case EVENT_TRANSFER:
		update_transfer(progress, item, event);
		break;
	case EVENT_BEGIN:
	case EVENT_CACHED:
	case EVENT_DONE:
	case EVENT_FAILED:
	case EVENT_CANCELED:
		end_item(progress, item, event);
		break;
	}
}

void progress_set_total(struct progress *progress, size_t total)
{
	pthread_mutex_lock(&progress->lock);
	progress->total = total;
	pthread_mutex_unlock(&progress->lock);
}

void progress_event(void *context, const struct build_event *event)
{
	struct progress *progress = context;

	pthread_mutex_lock(&progress->lock);
	progress->now = event->when ? event->when : clock_us();
	take_event(progress, event);
	pthread_mutex_unlock(&progress->lock);
}

void progress_print_tail(const struct progress *progress, FILE *out)
{
	for (size_t i = 0; i < progress->count; i++) {
		const struct progress_item *item = &progress->items[i];
		size_t first = item->lines > PROGRESS_TAIL ? item->lines - PROGRESS_TAIL : 0;

		if (!item->failed)
			continue;
		fprintf(out, "------\n > %s:\n", item->name);
		for (size_t number = first; number < item->lines; number++) {
			const struct progress_line *line = &item->tail[number % PROGRESS_TAIL];

			fprintf(out, "%.3f ", progress_seconds(item, line->when));
			fwrite(line->text, 1, line->size, out);
			fputc('\n', out);
		}
		fputs("------\n", out);
	}
}

/* -- views ---------------------------------------------------------------------------------------
 */

static const struct progress_view *const views[] = {
	[PROGRESS_PLAIN] = &progress_plain,
	[PROGRESS_TTY] = &progress_tty,
	[PROGRESS_RAWJSON] = &progress_rawjson,
	[PROGRESS_QUIET] = NULL,
	[PROGRESS_NONE] = NULL,
};

/* A terminal that can move its cursor. */
static bool is_screen(FILE *out)
{
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && term && *term && strcmp(term, "dumb") != 0;
}

int progress_resolve(enum progress_kind *kind, FILE *out, struct error *err)
{
	if (*kind == PROGRESS_AUTO)
		*kind = is_screen(out) ? PROGRESS_TTY : PROGRESS_PLAIN;
	if (*kind == PROGRESS_TTY && !isatty(fileno(out)))
		return error_set(err, ERROR_USAGE, 0,
				 "--progress tty needs a terminal on standard error (without one: "
				 "--progress plain)");
	return 0;
}

int progress_start(struct progress *progress, enum progress_kind kind, FILE *out, struct error *err)
{
	int ret = progress_resolve(&kind, out, err);
	struct timespec now;

	if (ret < 0)
		return ret;
	progress->out = out;
	progress->color = tty_has_color(fileno(out));
	progress->begin = clock_us();
	(void)clock_gettime(CLOCK_REALTIME, &now);
	progress->date = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	if (kind == PROGRESS_TTY)
		ret = progress_tty_start(progress, err);
	if (ret == 0)
		progress->view = views[kind];
	return ret;
}

void progress_stop(struct progress *progress)
{
	const struct progress_view *view;

	pthread_mutex_lock(&progress->lock);
	view = progress->view;
	progress->view = NULL;
	pthread_mutex_unlock(&progress->lock);
	if (view && view->stop)
		view->stop(progress);
}

void progress_done(struct progress *progress)
{
	progress_stop(progress);
	for (size_t i = 0; i < progress->count; i++)
		item_done(&progress->items[i]);
	free(progress->items);
	progress->items = NULL;
	progress->count = 0;
}
