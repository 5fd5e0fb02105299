/* SPDX-License-Identifier: Apache-2.0 */
/* Called by every verb that lists something. */
#include "builder/cli/listing.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "builder/cli/format.h"
#include "builder/cli/go-template.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "spec/json-write.h"

bool listing_is_json(const char *format)
{
	return format && strcmp(format, "json") == 0;
}

static bool is_table(const char *format)
{
	return !format || strcmp(format, "table") == 0;
}

/* What is behind "table ", or all of it. Owned. */
static char *template_of(const char *format, bool *out_table)
{
	*out_table = strncmp(format, "table ", 6) == 0;
	return go_template_unescape(*out_table ? format + 6 : format);
}

/* "CreatedAt": CREATED AT */
static void add_heading(struct strbuf *out, const struct heading *headings, const char *field,
			size_t size)
{
	for (; headings && headings->field; headings++)
		if (strlen(headings->field) == size && memcmp(headings->field, field, size) == 0) {
			strbuf_adds(out, headings->text);
			return;
		}
	for (size_t i = 0; i < size; i++) {
		if (i && isupper((unsigned char)field[i]) && islower((unsigned char)field[i - 1]))
			strbuf_addc(out, ' ');
		strbuf_addc(out, (char)toupper((unsigned char)field[i]));
	}
}

/* "{{.ID}}\t{{.CreatedAt}}": the heading of each; what is no field stays. */
static char *headings_of(const char *template, const struct heading *headings)
{
	struct strbuf out = STRBUF_INIT;

	while (*template) {
		const char *end = strncmp(template, "{{", 2) == 0 ? strstr(template, "}}") : NULL;
		const char *name = end ? memrchr(template, '.', (size_t)(end - template)) : NULL;

		if (!end) {
			strbuf_addc(&out, *template ++);
			continue;
		}
		if (name) {
			size_t size = 0;

			while (isalnum((unsigned char)name[1 + size]))
				size++;
			add_heading(&out, headings, name + 1, size);
		}
		template = end + 2;
	}
	return strbuf_take(&out);
}

static void add_cells(struct text_table *table, const char *line)
{
	cleanup_strv struct strv cells = STRV_INIT;

	strv_split(&cells, line, '\t');
	for (size_t i = 0; i < table->columns; i++)
		text_table_add(table, i < cells.count ? cells.items[i] : "");
}

static int print_table(struct cli *cli, const struct listing *listing, const char *template,
		       const struct strv *rows)
{
	cleanup_free char *headings = headings_of(template, listing ? listing->headings : NULL);
	const struct go_zero *zeros = listing ? listing->zeros : NULL;
	cleanup_text_table struct text_table table = { .columns = 1 };

	for (const char *p = template; *p; p++)
		table.columns += *p == '\t';
	add_cells(&table, headings);
	for (size_t i = 0; i < rows->count; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		int ret = go_template_run(template, rows->items[i], zeros, &line, &cli->err);

		if (ret < 0)
			return ret;
		add_cells(&table, strbuf_text(&line));
	}
	text_table_print(&table, stdout);
	return 0;
}

static int print_lines(struct cli *cli, const char *template, const struct strv *rows,
		       const struct go_zero *zeros)
{
	for (size_t i = 0; i < rows->count; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		int ret = go_template_run(template, rows->items[i], zeros, &line, &cli->err);

		if (ret < 0)
			return ret;
		puts(strbuf_text(&line));
	}
	return 0;
}

static void print_json(const struct strv *rows)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out, .style = JSON_INDENT_2 };

	json_begin_array(&writer);
	for (size_t i = 0; i < rows->count; i++)
		json_raw(&writer, rows->items[i]);
	json_end_array(&writer);
	puts(out.data);
}

int listing_print(struct cli *cli, const struct listing *listing, const char *format,
		  const struct strv *rows)
{
	cleanup_free char *template = NULL;
	bool table;

	if (listing_is_json(format)) {
		print_json(rows);
		return 0;
	}
	if (listing && listing->table && is_table(format))
		return print_table(cli, listing, listing->table, rows);
	template = template_of(format, &table);
	return table ? print_table(cli, listing, template, rows)
		     : print_lines(cli, template, rows, listing ? listing->zeros : NULL);
}

int listing_print_one(struct cli *cli, const char *format, const char *json)
{
	cleanup_strv struct strv rows = STRV_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json_writer writer = { .out = &out, .style = JSON_INDENT_2 };

	if (listing_is_json(format)) {
		json_raw(&writer, json);
		puts(out.data);
		return 0;
	}
	strv_add(&rows, json);
	return listing_print(cli, NULL, format, &rows);
}
