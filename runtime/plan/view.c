/* SPDX-License-Identifier: Apache-2.0 */
/* A view and its two forms: text in aligned columns, and JSON. */
#include "runtime/plan/view.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/printable.h"
#include "spec/json-write.h"

#define LINE_WIDTH 100

enum cell_kind { CELL_TEXT, CELL_NUMBER, CELL_FLAG, CELL_LIST };

struct cell {
	const char *key;
	enum cell_kind kind;
	const char *text; /* TEXT; NUMBER: what stands for none */
	int64_t number;	  /* NUMBER, FLAG */
	enum view_list_form form;
	const char **items;
	size_t count, capacity;
};

struct row {
	struct cell *cells;
	size_t count, capacity;
};

struct view_section {
	const char *key, *title;
	enum view_form form;
	struct row *rows; /* a record has one */
	size_t count, capacity;
};

/* -- filling -------------------------------------------------------------------------------------
 */

static struct view_section *last_section(struct view *view)
{
	return &view->sections[view->count - 1];
}

void view_row(struct view *view)
{
	struct view_section *section = last_section(view);

	ARRAY_GROW(section->rows, section->count, section->capacity);
	section->rows[section->count++] = (struct row){ .count = 0 };
}

void view_section(struct view *view, const char *key, const char *title, enum view_form form)
{
	ARRAY_GROW(view->sections, view->count, view->capacity);
	view->sections[view->count++] =
		(struct view_section){ .key = key, .title = title, .form = form };
	if (form == VIEW_RECORD)
		view_row(view);
}

static struct cell *cell_add(struct view *view, const char *key, enum cell_kind kind)
{
	struct view_section *section = last_section(view);
	struct row *row = &section->rows[section->count - 1];

	ARRAY_GROW(row->cells, row->count, row->capacity);
	row->cells[row->count] = (struct cell){ .key = key, .kind = kind };
	return &row->cells[row->count++];
}

void view_string(struct view *view, const char *key, const char *text)
{
	struct cell *cell = cell_add(view, key, CELL_TEXT);

	if (text)
		cell->text = arena_strdup(&view->arena, text);
}

void view_text(struct view *view, const char *key, const char *format, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, format);
	strbuf_vaddf(&text, format, ap);
	va_end(ap);
	view_string(view, key, strbuf_text(&text));
}

void view_number(struct view *view, const char *key, int64_t value)
{
	cell_add(view, key, CELL_NUMBER)->number = value;
}

void view_number_or(struct view *view, const char *key, int64_t value, const char *word)
{
	struct cell *cell = cell_add(view, key, CELL_NUMBER);

	cell->number = value;
	cell->text = word;
}

void view_flag(struct view *view, const char *key, bool value)
{
	cell_add(view, key, CELL_FLAG)->number = value;
}

void view_list(struct view *view, const char *key, enum view_list_form form)
{
	cell_add(view, key, CELL_LIST)->form = form;
}

void view_item(struct view *view, const char *format, ...)
{
	struct view_section *section = last_section(view);
	struct row *row = &section->rows[section->count - 1];
	struct cell *cell = &row->cells[row->count - 1];
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, format);
	strbuf_vaddf(&text, format, ap);
	va_end(ap);
	ARRAY_GROW(cell->items, cell->count, cell->capacity);
	cell->items[cell->count++] = arena_strdup(&view->arena, strbuf_text(&text));
}

void view_done(struct view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		for (size_t j = 0; j < view->sections[i].count; j++) {
			struct row *row = &view->sections[i].rows[j];

			for (size_t k = 0; k < row->count; k++)
				free(row->cells[k].items);
			free(row->cells);
		}
		free(view->sections[i].rows);
	}
	free(view->sections);
	arena_done(&view->arena);
	*view = (struct view){ .count = 0 };
}

/* -- text ----------------------------------------------------------------------------------------
 */

static bool cell_is_empty(const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_TEXT:
		return !cell->text || !*cell->text;
	case CELL_NUMBER:
		return false;
	case CELL_FLAG:
		return !cell->number;
	case CELL_LIST:
		break;
	}
	return cell->count == 0;
}

/* "noNewPrivileges" -> "no new privileges" or "NO NEW PRIVILEGES". */
static void add_label(struct strbuf *out, const char *key, bool upper)
{
	for (; *key; key++) {
		if (isupper((unsigned char)*key))
			strbuf_addc(out, ' ');
		strbuf_addc(out, (char)(upper ? toupper((unsigned char)*key)
					      : tolower((unsigned char)*key)));
	}
}

/* A word of a list, in quotes where its end would not be seen. */
static void add_word(struct strbuf *out, const char *word)
{
	bool quote = !*word || strpbrk(word, " \t\n\",");

	if (!quote) {
		strbuf_add_printable(out, word, strlen(word));
		return;
	}
	strbuf_addc(out, '"');
	for (; *word; word += *word != '\0') {
		size_t plain = strcspn(word, "\"\\");

		strbuf_add_printable(out, word, plain);
		word += plain;
		if (!*word)
			break;
		strbuf_addc(out, '\\');
		strbuf_addc(out, *word);
	}
	strbuf_addc(out, '"');
}

static void add_list(struct strbuf *out, const struct cell *cell)
{
	for (size_t i = 0; i < cell->count; i++) {
		if (i)
			strbuf_addc(out, cell->form == VIEW_COMMAS ? ',' : ' ');
		add_word(out, cell->items[i]);
	}
}

/* A cell of a table. */
static void add_cell(struct strbuf *out, const struct cell *cell)
{
	if (!cell || cell_is_empty(cell))
		return;
	switch (cell->kind) {
	case CELL_TEXT:
		strbuf_add_printable(out, cell->text, strlen(cell->text));
		break;
	case CELL_NUMBER:
		if (cell->text)
			strbuf_adds(out, cell->text);
		else
			strbuf_addf(out, "%lld", (long long)cell->number);
		break;
	case CELL_FLAG:
		add_label(out, cell->key, false);
		break;
	case CELL_LIST:
		add_list(out, cell);
		break;
	}
}

struct style {
	const char *title, *label, *off;
};
static const struct style plain = { "", "", "" };
static const struct style colored = { "\033[1m", "\033[2m", "\033[0m" };

static void add_blanks(struct strbuf *out, size_t count)
{
	while (count--)
		strbuf_addc(out, ' ');
}

/* -- records -- */

#define INDENT 2

/* Words side by side as far as a line goes, else below each other behind the label. */
static void add_words(struct strbuf *out, const struct cell *cell, size_t left)
{
	size_t column = left;

	for (size_t i = 0; i < cell->count; i++) {
		cleanup_strbuf struct strbuf word = STRBUF_INIT;
		size_t width;

		add_word(&word, cell->items[i]);
		width = printable_width(strbuf_text(&word));
		if (i && (cell->form == VIEW_LINES || column + 1 + width > LINE_WIDTH)) {
			strbuf_addc(out, '\n');
			add_blanks(out, left);
			column = left;
		} else if (i) {
			strbuf_addc(out, ' ');
			column++;
		}
		strbuf_adds(out, strbuf_text(&word));
		column += width;
	}
}

static size_t label_width(const struct row *row)
{
	size_t width = 0;

	for (size_t i = 0; i < row->count; i++) {
		cleanup_strbuf struct strbuf label = STRBUF_INIT;

		add_label(&label, row->cells[i].key, false);
		if (!cell_is_empty(&row->cells[i]) && label.size > width)
			width = label.size;
	}
	return width;
}

static void add_record(struct strbuf *out, const struct row *row, const struct style *style)
{
	size_t width = label_width(row);

	for (size_t i = 0; i < row->count; i++) {
		const struct cell *cell = &row->cells[i];
		cleanup_strbuf struct strbuf label = STRBUF_INIT;

		if (cell_is_empty(cell))
			continue;
		add_label(&label, cell->key, false);
		add_blanks(out, INDENT);
		strbuf_addf(out, "%s%s%s", style->label, strbuf_text(&label), style->off);
		add_blanks(out, width - label.size + 2);
		if (cell->kind == CELL_LIST)
			add_words(out, cell, INDENT + width + 2);
		else if (cell->kind == CELL_FLAG)
			strbuf_adds(out, "yes");
		else
			add_cell(out, cell);
		strbuf_addc(out, '\n');
	}
}

/* -- tables -- */

#define COLUMNS_MAX 16

struct column {
	const char *key;
	enum cell_kind kind;
	size_t width;
};

struct columns {
	struct column items[COLUMNS_MAX];
	size_t count;
};

static const struct cell *cell_find(const struct row *row, const char *key)
{
	for (size_t i = 0; i < row->count; i++)
		if (!strcmp(row->cells[i].key, key))
			return &row->cells[i];
	return NULL;
}

static struct column *column_find(struct columns *columns, const struct cell *cell)
{
	for (size_t i = 0; i < columns->count; i++)
		if (!strcmp(columns->items[i].key, cell->key))
			return &columns->items[i];
	if (columns->count == COLUMNS_MAX)
		return NULL;
	columns->items[columns->count] = (struct column){ .key = cell->key, .kind = cell->kind };
	return &columns->items[columns->count++];
}

/* In the order in which rows have them; those that are empty in all rows keep the width 0. */
static void columns_measure(const struct view_section *section, struct columns *columns)
{
	for (size_t i = 0; i < section->count; i++) {
		for (size_t j = 0; j < section->rows[i].count; j++) {
			const struct cell *cell = &section->rows[i].cells[j];
			struct column *column = column_find(columns, cell);
			cleanup_strbuf struct strbuf text = STRBUF_INIT, label = STRBUF_INIT;
			size_t width;

			if (!column || cell_is_empty(cell))
				continue;
			add_cell(&text, cell);
			width = printable_width(strbuf_text(&text));
			if (cell->kind != CELL_FLAG)
				add_label(&label, cell->key, true);
			if (label.size > column->width)
				column->width = label.size;
			if (width > column->width)
				column->width = width;
		}
	}
}

/* Numbers end below each other, all else begins so; nothing is padded at a line's end. */
static void add_padded(struct strbuf *line, const struct column *column, const char *text)
{
	size_t width = printable_width(text);
	size_t pad = column->width > width ? column->width - width : 0;

	if (!column->width)
		return;
	if (column->kind == CELL_NUMBER)
		add_blanks(line, pad);
	strbuf_adds(line, text);
	if (column->kind != CELL_NUMBER)
		add_blanks(line, pad);
	add_blanks(line, 2);
}

static void add_line(struct strbuf *out, struct strbuf *line, const struct style *style, bool head)
{
	size_t size = line->size;

	while (size && line->data[size - 1] == ' ')
		size--;
	strbuf_truncate(line, size);
	add_blanks(out, INDENT);
	strbuf_addf(out, "%s%s%s\n", head ? style->label : "", strbuf_text(line),
		    head ? style->off : "");
}

static void add_heads(struct strbuf *out, const struct columns *columns, const struct style *style)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	for (size_t i = 0; i < columns->count; i++) {
		cleanup_strbuf struct strbuf label = STRBUF_INIT;

		if (columns->items[i].width && columns->items[i].kind != CELL_FLAG)
			add_label(&label, columns->items[i].key, true);
		add_padded(&line, &columns->items[i], strbuf_text(&label));
	}
	add_line(out, &line, style, true);
}

static void add_table(struct strbuf *out, const struct view_section *section,
		      const struct style *style)
{
	struct columns columns = { .count = 0 };

	columns_measure(section, &columns);
	add_heads(out, &columns, style);
	for (size_t i = 0; i < section->count; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		for (size_t j = 0; j < columns.count; j++) {
			cleanup_strbuf struct strbuf text = STRBUF_INIT;

			add_cell(&text, cell_find(&section->rows[i], columns.items[j].key));
			add_padded(&line, &columns.items[j], strbuf_text(&text));
		}
		add_line(out, &line, style, false);
	}
}

static bool section_is_empty(const struct view_section *section)
{
	for (size_t i = 0; i < section->count; i++)
		for (size_t j = 0; j < section->rows[i].count; j++)
			if (!cell_is_empty(&section->rows[i].cells[j]))
				return false;
	return true;
}

void view_write_text(const struct view *view, bool color, struct strbuf *out)
{
	const struct style *style = color ? &colored : &plain;
	bool first = true;

	for (size_t i = 0; i < view->count; i++) {
		const struct view_section *section = &view->sections[i];

		if (section_is_empty(section))
			continue;
		strbuf_addf(out, "%s%s%s%s\n", first ? "" : "\n", style->title, section->title,
			    style->off);
		first = false;
		if (section->form == VIEW_RECORD)
			add_record(out, &section->rows[0], style);
		else
			add_table(out, section, style);
	}
}

/* -- JSON ----------------------------------------------------------------------------------------
 */

static void write_cell(struct json_writer *writer, const struct cell *cell)
{
	if (cell->kind == CELL_TEXT && !cell->text)
		return;
	json_key(writer, cell->key);
	switch (cell->kind) {
	case CELL_TEXT:
		json_string(writer, cell->text);
		break;
	case CELL_NUMBER:
		if (cell->text)
			json_null(writer);
		else
			json_i64(writer, cell->number);
		break;
	case CELL_FLAG:
		json_bool(writer, cell->number);
		break;
	case CELL_LIST:
		json_begin_array(writer);
		for (size_t i = 0; i < cell->count; i++)
			json_string(writer, cell->items[i]);
		json_end_array(writer);
		break;
	}
}

void view_write_json(const struct view *view, struct strbuf *out)
{
	struct json_writer writer = { .out = out, .style = JSON_INDENT_2 };

	json_begin_object(&writer);
	for (size_t i = 0; i < view->count; i++) {
		const struct view_section *section = &view->sections[i];

		json_key(&writer, section->key);
		if (section->form == VIEW_TABLE)
			json_begin_array(&writer);
		for (size_t j = 0; j < section->count; j++) {
			json_begin_object(&writer);
			for (size_t k = 0; k < section->rows[j].count; k++)
				write_cell(&writer, &section->rows[j].cells[k]);
			json_end_object(&writer);
		}
		if (section->form == VIEW_TABLE)
			json_end_array(&writer);
	}
	json_end_object(&writer);
	strbuf_addc(out, '\n');
}
