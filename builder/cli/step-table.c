/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of steps, as a table or as JSON. */
#include "builder/cli/step-table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "builder/cli/format.h"
#include "builder/cli/listing.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "spec/json-write.h"

#define TEXT_WIDTH 45

void format_seconds(uint64_t us, struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64 ".%03us", us / 1000000, (unsigned int)(us / 1000 % 1000));
}

static void add_document(struct step_table *table, const struct step_row *row)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer writer = { .out = &text };
	const struct step_info *info = row->info;
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "build", info->build },
		{ "step", info->event },
		{ "wallMicroseconds", info->wall_us },
		{ "userMicroseconds", info->user_us },
		{ "systemMicroseconds", info->system_us },
		{ "peakRSS", info->peak_rss },
		{ "size", row->size },
	};

	json_begin_object(&writer);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		json_put_u64(&writer, numbers[i].name, numbers[i].value);
	if (row->used)
		json_put_i64(&writer, "used", row->used);
	json_put_string(&writer, "stage", info->stage);
	json_put_string(&writer, "what", row->text ? row->text : info->text);
	json_end_object(&writer);
	strv_add(&table->documents, text.data);
}

/* One line, whatever a here-document had. Owned. */
static char *one_line(const char *text, bool full)
{
	char *line = xstrdup(text ? text : "");

	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	if (!full && strlen(line) > TEXT_WIDTH)
		memcpy(line + TEXT_WIDTH - 3, "...", 4);
	return line;
}

/* Empty where nothing is known. */
static void put(struct json_writer *writer, const char *name, bool known,
		void (*format)(uint64_t, struct strbuf *), uint64_t value)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (known)
		format(value, &text);
	json_put_text(writer, name, strbuf_text(&text));
}

static void add_row(struct step_table *table, const struct step_row *row)
{
	const struct step_info *info = row->info;
	cleanup_strbuf struct strbuf text = STRBUF_INIT, age = STRBUF_INIT;
	cleanup_free char *line = one_line(row->text ? row->text : info->text, table->full);
	struct json_writer writer = { .out = &text };
	char when[CLOCK_TEXT_SIZE], name[48] = "";

	if (info->build)
		snprintf(name, sizeof(name), "%" PRIu64 "#%" PRIu64, info->build, info->event);
	if (row->used)
		format_age(clock_format(row->used, 0, when), time(NULL), &age);
	json_begin_object(&writer);
	json_put_text(&writer, "Step", name);
	put(&writer, "Time", info->build != 0, format_seconds, info->wall_us);
	put(&writer, "CPU", info->peak_rss != 0, format_seconds, info->user_us + info->system_us);
	put(&writer, "Memory", info->peak_rss != 0, format_size, info->peak_rss);
	put(&writer, "Size", true, format_size, row->size);
	json_put_text(&writer, "Used", strbuf_text(&age));
	json_put_text(&writer, "What", line);
	json_end_object(&writer);
	strv_add(&table->rows, text.data);
}

void step_table_add(struct step_table *table, const struct step_row *row)
{
	add_row(table, row);
	add_document(table, row);
}

int step_table_print(struct step_table *table, struct cli *cli, const char *format)
{
	static const struct listing listing = {
		.table = "{{.Step}}\t{{.Time}}\t{{.CPU}}\t{{.Memory}}\t{{.Size}}\t{{.Used}}\t{{."
			 "What}}",
	};
	int ret = listing_print(cli, &listing, format,
				listing_is_json(format) ? &table->documents : &table->rows);

	strv_done(&table->rows);
	strv_done(&table->documents);
	return ret;
}
