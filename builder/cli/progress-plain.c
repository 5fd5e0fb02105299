/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress as lines: "#N [stage i/n] RUN make", "#N 0.321 line", "#N CACHED", "#N DONE 1.2s",
 * "#N ERROR: ...". One write per event, so that lines stay whole beside those of others.
 */
#include "builder/cli/format.h"
#include "builder/cli/progress.h"

#define TRANSFER_EVERY 2000000 /* us: a log is no place for a bar that moves */

static void put(struct progress *progress, const struct strbuf *text)
{
	fwrite(strbuf_text(text), 1, text->size, progress->out);
	fflush(progress->out);
}

static void plain_begin(struct progress *progress, struct progress_item *item)
{
	fprintf(progress->out, "#%u %s\n", item->id, item->name);
	fflush(progress->out);
}

static void plain_line(struct progress *progress, struct progress_item *item,
		       const struct progress_line *line)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "#%u %.3f ", item->id, progress_seconds(item, line->when));
	strbuf_add(&out, line->text, line->size);
	strbuf_addc(&out, '\n');
	put(progress, &out);
}

static void plain_note(struct progress *progress, struct progress_item *item, const char *text,
		       size_t size)
{
	fprintf(progress->out, "#%u %.*s\n", item->id, (int)size, text);
	fflush(progress->out);
}

static void plain_transfer(struct progress *progress, struct progress_item *item)
{
	const struct progress_transfer *transfer = &item->transfer;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (progress->now - item->told < TRANSFER_EVERY && transfer->current != transfer->total)
		return;
	item->told = progress->now;
	strbuf_addf(&out, "#%u ", item->id);
	format_size(transfer->current, &out);
	if (transfer->total) {
		strbuf_adds(&out, " / ");
		format_size(transfer->total, &out);
	}
	strbuf_addf(&out, " %.1fs\n", progress_seconds(item, progress->now));
	put(progress, &out);
}

static void plain_end(struct progress *progress, struct progress_item *item,
		      const struct build_event *event)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "#%u ", item->id);
	if (event->kind == EVENT_CACHED)
		strbuf_adds(&out, "CACHED\n\n");
	else if (event->kind == EVENT_DONE)
		strbuf_addf(&out, "DONE %.1fs\n\n", progress_seconds(item, progress->now));
	else if (event->kind == EVENT_CANCELED)
		strbuf_adds(&out, "CANCELED\n\n");
	else
		strbuf_addf(&out, "ERROR: %.*s\n", (int)event->size, event->data);
	put(progress, &out);
}

const struct progress_view progress_plain = {
	.begin = plain_begin,
	.line = plain_line,
	.note = plain_note,
	.transfer = plain_transfer,
	.end = plain_end,
};
