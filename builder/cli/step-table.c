/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of steps, as a table or as JSON. */
#include "builder/cli/step-table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#define TEXT_WIDTH 45

void format_seconds(uint64_t us, struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64 ".%03us", us / 1000000, (unsigned int)(us / 1000 % 1000));
}

void step_table_begin(struct step_table *table, bool full, bool json)
{
	static const char *const heading[] = { "STEP", "TIME", "CPU", "MEMORY",
					       "SIZE", "USED", "WHAT" };

	*table = (struct step_table){ .full = full,
				      .json = json,
				      .table = { .columns = ARRAY_SIZE(heading) } };
	table->writer = (struct json_writer){ .out = &table->out, .style = JSON_INDENT_2 };
	if (json)
		json_begin_array(&table->writer);
	for (size_t i = 0; i < ARRAY_SIZE(heading); i++)
		text_table_add(&table->table, heading[i]);
}

static void add_json(struct step_table *table, const struct step_row *row)
{
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

	json_begin_object(&table->writer);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_key(&table->writer, numbers[i].name);
		json_u64(&table->writer, numbers[i].value);
	}
	if (row->used) {
		json_key(&table->writer, "used");
		json_i64(&table->writer, row->used);
	}
	json_key(&table->writer, "stage");
	json_string(&table->writer, info->stage);
	json_key(&table->writer, "what");
	json_string(&table->writer, row->text ? row->text : info->text);
	json_end_object(&table->writer);
}

/* One line each, whatever a here-document had. */
static void add_text(struct step_table *table, const char *text)
{
	cleanup_free char *line = xstrdup(text ? text : "");

	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	if (!table->full && strlen(line) > TEXT_WIDTH)
		memcpy(line + TEXT_WIDTH - 3, "...", 4);
	text_table_add(&table->table, line);
}

/* A cell, empty where nothing is known. */
static void add_cell(struct step_table *table, bool known,
		     void (*format)(uint64_t, struct strbuf *), uint64_t value)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (known)
		format(value, &text);
	text_table_add(&table->table, strbuf_text(&text));
}

void step_table_add(struct step_table *table, const struct step_row *row)
{
	const struct step_info *info = row->info;
	cleanup_strbuf struct strbuf age = STRBUF_INIT;
	char when[CLOCK_TEXT_SIZE], name[48] = "";

	if (table->json) {
		add_json(table, row);
		return;
	}
	if (info->build)
		snprintf(name, sizeof(name), "%" PRIu64 "#%" PRIu64, info->build, info->event);
	text_table_add(&table->table, name);
	add_cell(table, info->build != 0, format_seconds, info->wall_us);
	add_cell(table, info->peak_rss != 0, format_seconds, info->user_us + info->system_us);
	add_cell(table, info->peak_rss != 0, format_size, info->peak_rss);
	add_cell(table, true, format_size, row->size);
	if (row->used)
		format_age(clock_format(row->used, 0, when), time(NULL), &age);
	text_table_add(&table->table, strbuf_text(&age));
	add_text(table, row->text ? row->text : info->text);
}

void step_table_print(struct step_table *table)
{
	if (table->json) {
		json_end_array(&table->writer);
		puts(strbuf_text(&table->out));
	} else {
		text_table_print(&table->table, stdout);
	}
	text_table_done(&table->table);
	strbuf_done(&table->out);
}
