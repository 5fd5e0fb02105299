/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress as JSON, one object a line, of the shape of BuildKit's status messages: "vertexes" (what
 * has begun or ended), "statuses" (transfers and notes), "logs" (output, in base64).
 * docs/progress.md has all members. The "digest" of a vertex tells it from others of the build,
 * nothing more.
 */
#include <string.h>

#include "builder/cli/progress.h"
#include "builder/image/digest.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "spec/json-write.h"

#define TRANSFER_EVERY 100000 /* us */

static void put(struct progress *progress, struct strbuf *line)
{
	strbuf_addc(line, '\n');
	fwrite(line->data, 1, line->size, progress->out);
	fflush(progress->out);
}

/* The clock of the events goes on when the date is set; what is written are dates. */
static void write_time(struct json_writer *json, const char *name, const struct progress *progress,
		       int64_t when)
{
	int64_t us = progress->date + when - progress->begin;
	char text[CLOCK_TEXT_SIZE];

	json_key(json, name);
	json_string(json, clock_format(us / 1000000, (long)(us % 1000000) * 1000, text));
}

static void write_digest(struct json_writer *json, const char *name,
			 const struct progress_item *item)
{
	cleanup_strbuf struct strbuf identity = STRBUF_INIT;
	struct digest digest;

	strbuf_addf(&identity, "%u %s", item->id, item->name);
	digest_of(identity.data, identity.size, &digest);
	json_key(json, name);
	json_string(json, digest.text);
}

/* {"LIST":[{ ... of one member */
static void begin_line(struct json_writer *json, const char *list)
{
	json_begin_object(json);
	json_key(json, list);
	json_begin_array(json);
	json_begin_object(json);
}

static void end_line(struct json_writer *json)
{
	json_end_object(json);
	json_end_array(json);
	json_end_object(json);
}

static void write_vertex(struct json_writer *json, const struct progress *progress,
			 const struct progress_item *item)
{
	begin_line(json, "vertexes");
	write_digest(json, "digest", item);
	json_key(json, "name");
	json_string(json, item->name);
	write_time(json, "started", progress, item->begin);
}

static void rawjson_begin(struct progress *progress, struct progress_item *item)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct json_writer json = { .out = &line };

	write_vertex(&json, progress, item);
	end_line(&json);
	put(progress, &line);
}

static void rawjson_end(struct progress *progress, struct progress_item *item,
			const struct build_event *event)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct json_writer json = { .out = &line };

	write_vertex(&json, progress, item);
	write_time(&json, "completed", progress, progress->now);
	if (event->kind == EVENT_CACHED) {
		json_key(&json, "cached");
		json_bool(&json, true);
	} else if (event->kind != EVENT_DONE) {
		cleanup_free char *text = event->kind == EVENT_FAILED
						  ? xstrndup(event->data, event->size)
						  : xstrdup("canceled");

		json_key(&json, "error");
		json_string(&json, text);
	}
	end_line(&json);
	put(progress, &line);
}

static void rawjson_line(struct progress *progress, struct progress_item *item,
			 const struct progress_line *output)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT, data = STRBUF_INIT;
	struct json_writer json = { .out = &line };

	strbuf_add(&data, output->text, output->size);
	strbuf_addc(&data, '\n');
	begin_line(&json, "logs");
	write_digest(&json, "vertex", item);
	json_key(&json, "stream");
	json_u64(&json, 1);
	json_key(&json, "data");
	json_base64(&json, data.data, data.size);
	write_time(&json, "timestamp", progress, output->when);
	end_line(&json);
	put(progress, &line);
}

static void put_status(struct progress *progress, const struct progress_item *item, const char *id,
		       const struct progress_transfer *transfer, bool completed)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct json_writer json = { .out = &line };

	begin_line(&json, "statuses");
	json_key(&json, "id");
	json_string(&json, id);
	write_digest(&json, "vertex", item);
	if (transfer->total) {
		json_key(&json, "total");
		json_u64(&json, transfer->total);
	}
	json_key(&json, "current");
	json_u64(&json, transfer->current);
	write_time(&json, "timestamp", progress, progress->now);
	write_time(&json, "started", progress, item->begin);
	if (completed)
		write_time(&json, "completed", progress, progress->now);
	end_line(&json);
	put(progress, &line);
}

static void rawjson_note(struct progress *progress, struct progress_item *item, const char *text,
			 size_t size)
{
	static const struct progress_transfer nothing = { .total = 0 };
	cleanup_free char *note = xstrndup(text, size);

	put_status(progress, item, note, &nothing, true);
}

static void rawjson_transfer(struct progress *progress, struct progress_item *item)
{
	const struct progress_transfer *transfer = &item->transfer;

	bool completed = transfer->total && transfer->current == transfer->total;

	if (progress->now - item->told < TRANSFER_EVERY && !completed)
		return;
	item->told = progress->now;
	put_status(progress, item, "transferring", transfer, completed);
}

/* -- warnings ------------------------------------------------------------------------------------
 */

static void write_base64(struct json_writer *json, const char *key, const char *text)
{
	json_key(json, key);
	json_base64(json, text, strlen(text));
}

static void write_position(struct json_writer *json, const char *key, unsigned int line)
{
	json_key(json, key);
	json_begin_object(json);
	json_key(json, "line");
	json_u64(json, line);
	json_end_object(json);
}

static void write_warning(struct json_writer *json, const struct lint_warning *warning)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	const char *url = lint_url(warning->rule, &arena);

	json_key(json, "level");
	json_u64(json, 1);
	write_base64(json, "short",
		     arena_printf(&arena, "%s: %s", warning->rule->name, warning->detail));
	json_key(json, "detail");
	json_begin_array(json);
	json_base64(json, warning->rule->description, strlen(warning->rule->description));
	json_end_array(json);
	if (url) {
		json_key(json, "url");
		json_string(json, url);
	}
	json_key(json, "range");
	json_begin_array(json);
	json_begin_object(json);
	write_position(json, "start", warning->range.first);
	write_position(json, "end", warning->range.last);
	json_end_object(json);
	json_end_array(json);
}

void progress_rawjson_warnings(const struct lint_report *report, FILE *out)
{
	for (size_t i = 0; i < report->count; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		struct json_writer json = { .out = &line };

		begin_line(&json, "warnings");
		write_warning(&json, &report->items[i]);
		end_line(&json);
		fprintf(out, "%s\n", strbuf_text(&line));
	}
}

const struct progress_view progress_rawjson = {
	.begin = rawjson_begin,
	.line = rawjson_line,
	.note = rawjson_note,
	.transfer = rawjson_transfer,
	.end = rawjson_end,
};
