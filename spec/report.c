/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings as text with excerpts, and as JSON. The document may be hostile: nothing of it reaches
 * the terminal that could be taken for a control sequence.
 */
#include "spec/report.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/printable.h"
#include "spec/json-table.h"

/* -- excerpts -----------------------------------------------------------------------------------
 */

#define BEFORE_MAX 48 /* bytes of a line before the place ... */
#define AFTER_MAX 48  /* ... and from it on */
#define INDENT_MAX 256

struct excerpt {
	size_t start, end; /* of what is shown */
	bool cut_start, cut_end;
	size_t place, place_end; /* what is marked */
};

static bool is_continuation(const struct report_source *source, size_t offset)
{
	return offset < source->size && ((unsigned char)source->text[offset] & 0xc0) == 0x80;
}

/* The end of the scalar at offset; of an array or object its bracket is enough. */
static size_t value_end(const struct report_source *source, size_t offset)
{
	const char *text = source->text;
	size_t end = offset + 1;

	if (offset >= source->size)
		return offset;
	if (text[offset] == '"') {
		while (end < source->size && text[end] != '"' && text[end] != '\n')
			end += text[end] == '\\' && end + 1 < source->size ? 2 : 1;
		return end < source->size && text[end] == '"' ? end + 1 : end;
	}
	if (strchr("{}[],:", text[offset]))
		return end;
	while (end < source->size && !strchr(" \t\r\n,]}", text[end]))
		end++;
	return end;
}

/* Does only indentation come before this place? It says nothing in an excerpt. */
static bool is_indented(const struct report_source *source, size_t offset)
{
	for (size_t i = 0; i < INDENT_MAX && offset > 0; i++, offset--) {
		if (source->text[offset - 1] == '\n')
			return true;
		if (!strchr(" \t\r", source->text[offset - 1]))
			return false;
	}
	return offset == 0;
}

static struct excerpt excerpt_find(const struct report_source *source, size_t place)
{
	struct excerpt excerpt = { .place = place < source->size ? place : source->size };
	size_t start = excerpt.place, end = excerpt.place;

	while (start > 0 && source->text[start - 1] != '\n' && excerpt.place - start < BEFORE_MAX)
		start--;
	while (is_continuation(source, start))
		start++;
	while (start < excerpt.place && strchr(" \t\r", source->text[start]))
		start++;
	while (end < source->size && source->text[end] != '\n' && end - excerpt.place < AFTER_MAX)
		end++;
	while (end > excerpt.place && is_continuation(source, end))
		end--;
	excerpt.start = start;
	excerpt.end = end;
	excerpt.cut_start = !is_indented(source, start);
	excerpt.cut_end = end < source->size && source->text[end] != '\n';
	excerpt.place_end = value_end(source, excerpt.place);
	if (excerpt.place_end > end)
		excerpt.place_end = end;
	return excerpt;
}

static void add_repeated(struct strbuf *out, char c, size_t count)
{
	while (count--)
		strbuf_addc(out, c);
}

struct style {
	const char *place, *severity[SEVERITY_COUNT], *pointer, *rule, *mark, *off;
};

/* clang-format off */
static const struct style plain = { "", { "", "", "" }, "", "", "", "" };
static const struct style colored = {
	.place = "\033[1m", .severity = { "\033[1;31m", "\033[1;33m", "\033[1;35m" },
	.pointer = "\033[1m", .rule = "\033[2m", .mark = "\033[1;32m", .off = "\033[0m",
};
/* clang-format on */

static void add_excerpt(struct strbuf *out, const struct report_source *source,
			const struct finding *finding, const struct style *style)
{
	struct excerpt excerpt = excerpt_find(source, finding->offset);
	cleanup_strbuf struct strbuf before = STRBUF_INIT, marked = STRBUF_INIT;
	size_t columns;

	strbuf_add_printable(&before, source->text + excerpt.start, excerpt.place - excerpt.start);
	strbuf_add_printable(&marked, source->text + excerpt.place,
			     excerpt.place_end - excerpt.place);
	strbuf_addf(out, "%6zu | %s%s%s", finding->line, excerpt.cut_start ? "..." : "",
		    strbuf_text(&before), strbuf_text(&marked));
	strbuf_add_printable(out, source->text + excerpt.place_end,
			     excerpt.end - excerpt.place_end);
	strbuf_addf(out, "%s\n       | ", excerpt.cut_end ? "..." : "");
	add_repeated(out, ' ', printable_width(strbuf_text(&before)) + (excerpt.cut_start ? 3 : 0));
	strbuf_addf(out, "%s^", style->mark);
	columns = printable_width(strbuf_text(&marked));
	add_repeated(out, '~', columns ? columns - 1 : 0);
	strbuf_addf(out, "%s\n", style->off);
}

/* -- text ---------------------------------------------------------------------------------------
 */

static void add_finding(struct strbuf *out, const struct report_source *source,
			const struct finding *finding, const struct style *style)
{
	strbuf_adds(out, style->place);
	strbuf_add_printable(out, source->name, strlen(source->name));
	strbuf_addf(out, ":%zu:%zu:%s %s%s:%s ", finding->line, finding->column, style->off,
		    style->severity[finding->severity], severity_names[finding->severity],
		    style->off);
	if (*finding->pointer) {
		strbuf_adds(out, style->pointer);
		strbuf_add_printable(out, finding->pointer, strlen(finding->pointer));
		strbuf_addf(out, "%s: ", style->off);
	}
	strbuf_add_printable(out, finding->message, strlen(finding->message));
	strbuf_addf(out, " %s[%s]%s\n", style->rule, finding->rule, style->off);
	if (source->size)
		add_excerpt(out, source, finding, style);
}

static void add_summary(struct strbuf *out, const struct report_source *source,
			const struct findings *findings)
{
	static const char *const one[] = { "error", "thing that this host cannot give", "warning" };
	static const char *const many[] = { "errors", "things that this host cannot give",
					    "warnings" };
	size_t count[SEVERITY_COUNT] = { 0 };
	const char *separator = "";

	for (size_t i = 0; i < findings->count; i++)
		count[findings->items[i].severity]++;
	strbuf_add_printable(out, source->name, strlen(source->name));
	strbuf_adds(out, ":");
	if (!findings_refuse(findings)) {
		strbuf_adds(out, " valid");
		separator = ",";
	}
	for (size_t i = 0; i < SEVERITY_COUNT; i++) {
		if (!count[i])
			continue;
		strbuf_addf(out, "%s %zu %s", separator, count[i],
			    count[i] == 1 ? one[i] : many[i]);
		separator = ",";
	}
	strbuf_adds(out, findings->dropped ? ", and more that are not shown\n" : "\n");
}

void report_text(FILE *out, const struct report_source *source, const struct findings *findings,
		 bool color)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < findings->count; i++)
		add_finding(&text, source, &findings->items[i], color ? &colored : &plain);
	add_summary(&text, source, findings);
	(void)fwrite(text.data, 1, text.size, out); /* main() asks stdout for errors at the end */
}

/* -- JSON ---------------------------------------------------------------------------------------
 */

struct row {
	const char *file;
	uint64_t line, column;
	const char *severity, *rule, *pointer, *message;
};

struct rows {
	struct row *items;
	size_t count;
};

static const struct json_field row_fields[] = {
	JSON_STRING(struct row, "file", file, .flags = JSON_ALWAYS),
	JSON_U64(struct row, "line", line, .flags = JSON_ALWAYS),
	JSON_U64(struct row, "column", column, .flags = JSON_ALWAYS),
	JSON_STRING(struct row, "severity", severity, .flags = JSON_ALWAYS),
	JSON_STRING(struct row, "rule", rule, .flags = JSON_ALWAYS),
	JSON_STRING(struct row, "pointer", pointer, .flags = JSON_ALWAYS),
	JSON_STRING(struct row, "message", message, .flags = JSON_ALWAYS),
};
static const struct json_object row_object = JSON_TABLE(struct row, row_fields);

void report_json(struct strbuf *out, const struct report_source *source,
		 const struct findings *findings)
{
	cleanup_free struct row *items = xreallocarray(NULL, findings->count + 1, sizeof(*items));
	struct rows rows = { .items = items, .count = findings->count };

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		items[i] = (struct row){
			.file = source->name,
			.line = finding->line,
			.column = finding->column,
			.severity = severity_names[finding->severity],
			.rule = finding->rule,
			.pointer = finding->pointer,
			.message = finding->message,
		};
	}
	json_encode_list(&row_object, &rows, JSON_INDENT_2, out);
	strbuf_addc(out, '\n');
}
