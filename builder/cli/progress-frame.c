/* SPDX-License-Identifier: Apache-2.0 */
/* See progress-frame.h. Lines end before the last column, where terminals differ in what is next.
 */
#include "builder/cli/progress-frame.h"

#include <stdlib.h>
#include <string.h>

#include "builder/cli/format.h"
#include "lib/cleanup.h"
#include "lib/printable.h"

#define INDENT "    "
#define NAME_MIN 12 /* columns: below that the time is left out */
#define BAR_WIDTH 24
#define TAB_WIDTH 8

#define STYLE_NONE ""
#define STYLE_DIM "2"
#define STYLE_BOLD "1"
#define STYLE_CACHED "36"
#define STYLE_FAILED "1;31"
#define STYLE_CANCELED "33"

/* -- pieces --------------------------------------------------------------------------------------
 */

static void add_styled(struct strbuf *out, const struct frame_form *form, const char *style,
		       const char *text)
{
	if (form->color && *style)
		strbuf_addf(out, "\033[%sm%s\033[0m", style, text);
	else
		strbuf_adds(out, text);
}

/* As much of it as fits into columns, "..." at the end of what was cut. */
static char *fit(const char *text, size_t columns)
{
	size_t size = printable_fit(text, columns, NULL);

	if (!text[size])
		return xstrdup(text);
	if (columns < 4)
		return xstrndup(text, size);
	size = printable_fit(text, columns - 3, NULL);
	return xasprintf("%.*s...", (int)size, text);
}

static void add_blanks(struct strbuf *out, size_t count)
{
	strbuf_addf(out, "%*s", (int)count, "");
}

/* "\033[1m" and its like: where it ends; NULL when text does not begin with one. */
static const char *skip_escape(const char *text, const char *end)
{
	if (end - text < 2 || text[0] != '\033')
		return NULL;
	if (text[1] == ']') { /* up to BEL or ESC backslash */
		while (text < end && *text != '\a' && !(*text == '\\' && text[-1] == '\033'))
			text++;
		return text < end ? text + 1 : end;
	}
	if (text[1] != '[')
		return text + 2;
	for (text += 2; text < end && (*text < '@' || *text > '~'); text++)
		continue;
	return text < end ? text + 1 : end;
}

void frame_clean_line(const char *line, size_t size, struct strbuf *out)
{
	const char *end = line + size, *start = line;

	while (end > line && end[-1] == '\r')
		end--;
	for (const char *p = line; p < end; p++)
		if (*p == '\r')
			start = p + 1;
	while (start < end) {
		const char *skipped = skip_escape(start, end);
		const char *next = skipped ? skipped : start + 1;

		if (skipped) {
			start = skipped;
			continue;
		}
		if (*start == '\t') {
			add_blanks(out, TAB_WIDTH - printable_width(strbuf_text(out)) % TAB_WIDTH);
			start++;
			continue;
		}
		while (next < end && *next != '\t' && *next != '\033')
			next++;
		strbuf_add_printable(out, start, (size_t)(next - start));
		start = next;
	}
}

size_t frame_width(const char *line)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	frame_clean_line(line, strlen(line), &text);
	return printable_width(strbuf_text(&text));
}

/* -- lines ---------------------------------------------------------------------------------------
 */

/* " => [build 2/5] RUN make                 12.3s" */
static void add_title(struct strbuf *out, const struct frame_form *form, const char *mark,
		      const char *style, const char *name, double seconds)
{
	cleanup_strbuf struct strbuf clean = STRBUF_INIT, time = STRBUF_INIT;
	cleanup_free char *shown = NULL;
	size_t room = form->columns - 1, used = printable_width(mark);

	strbuf_add_printable(&clean, name, strlen(name));
	format_duration(seconds, &time);
	if (room < used + NAME_MIN + 1 + time.size)
		strbuf_truncate(&time, 0);
	room -= room < used ? room : used;
	if (time.size)
		room -= time.size + 1;
	shown = fit(strbuf_text(&clean), room);
	cleanup_free char *fit_mark = fit(mark, form->columns - 1);

	add_styled(out, form, style, fit_mark);
	add_styled(out, form, style, shown);
	if (!time.size)
		return;
	add_blanks(out, room - printable_width(shown) + 1);
	add_styled(out, form, style, strbuf_text(&time));
}

void frame_render_end(const struct progress_item *item, const struct build_event *event,
		      const struct frame_form *form, struct strbuf *out)
{
	static const struct {
		const char *mark, *style;
	} ends[] = {
		[EVENT_CACHED] = { "=> CACHED ", STYLE_CACHED },
		[EVENT_DONE] = { "=> ", STYLE_NONE },
		[EVENT_FAILED] = { "=> ERROR ", STYLE_FAILED },
		[EVENT_CANCELED] = { "=> CANCELED ", STYLE_CANCELED },
	};

	add_title(out, form, ends[event->kind].mark, ends[event->kind].style, item->name,
		  progress_seconds(item, form->now));
}

/* "12.3MB / 51.2MB [=====>    ]  24%  5.1MB/s, 8s left": what there is room for, from the left. */
static char *transfer_line(const struct progress_transfer *transfer, const struct frame_form *form)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT, rest = STRBUF_INIT;
	double part = transfer->total ? (double)transfer->current / (double)transfer->total : 0;
	size_t filled, room = form->columns - 1;

	part = part > 1 ? 1 : part;
	filled = (size_t)(part * BAR_WIDTH);
	strbuf_adds(&text, INDENT);
	format_size(transfer->current, &text);
	if (transfer->total) {
		strbuf_adds(&text, " / ");
		format_size(transfer->total, &text);
		strbuf_addf(&text, " %3d%%", (int)(part * 100));
	}
	if (transfer->rate > 0) {
		strbuf_adds(&rest, "  ");
		format_size((uint64_t)transfer->rate, &rest);
		strbuf_adds(&rest, "/s");
	}
	if (transfer->rate > 0 && transfer->total > transfer->current) {
		strbuf_adds(&rest, ", ");
		format_duration((double)(transfer->total - transfer->current) / transfer->rate,
				&rest);
		strbuf_adds(&rest, " left");
	}
	if (transfer->total && text.size + rest.size + BAR_WIDTH + 3 <= room)
		strbuf_addf(&text, " [%.*s%s%*s]", (int)filled,
			    "========================", filled < BAR_WIDTH ? ">" : "",
			    (int)(BAR_WIDTH - filled - (filled < BAR_WIDTH)), "");
	if (text.size + rest.size <= room)
		strbuf_adds(&text, strbuf_text(&rest));
	return fit(strbuf_text(&text), room);
}

static char *log_line(const char *line, size_t size, const struct frame_form *form)
{
	cleanup_strbuf struct strbuf clean = STRBUF_INIT, out = STRBUF_INIT;
	cleanup_free char *shown = NULL;
	size_t indent = strlen(INDENT), room = form->columns - 1;

	frame_clean_line(line, size, &clean);
	shown = fit(strbuf_text(&clean), room > indent ? room - indent : 0);
	if (room > indent)
		strbuf_adds(&out, INDENT);
	add_styled(&out, form, STYLE_DIM, shown);
	return strbuf_take(&out);
}

/* What there is room for, and all of it. */
static void add_if_it_fits(struct strbuf *out, const char *piece, const struct frame_form *form)
{
	if (out->size + strlen(piece) < form->columns)
		strbuf_adds(out, piece);
}

/* "Building 14.2s, 5 of 12 done, 2 running (3 cached)" */
static char *status_line(const struct progress *progress, size_t running,
			 const struct frame_form *form)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	cleanup_free char *active = xasprintf(", %zu running", running);
	cleanup_free char *cached = xasprintf(" (%zu cached)", progress->cached);
	cleanup_free char *shown = NULL;

	strbuf_adds(&text, "Building ");
	format_duration((double)(form->now - progress->begin) / 1e6, &text);
	strbuf_addf(&text, ", %zu", progress->ended);
	if (progress->total)
		strbuf_addf(&text, " of %zu", progress->total);
	strbuf_adds(&text, " done");
	if (running > 1)
		add_if_it_fits(&text, active, form);
	if (progress->cached)
		add_if_it_fits(&text, cached, form);
	shown = fit(strbuf_text(&text), form->columns - 1);
	add_styled(&out, form, STYLE_BOLD, shown);
	return strbuf_take(&out);
}

/* -- the picture ---------------------------------------------------------------------------------
 */

/* One running item, and the lines below its title that it may have. */
struct block {
	const struct progress_item *item;
	bool transfer;
	size_t logs;
};

/* The last one may have no end yet. */
static size_t count_lines(const struct progress_item *item)
{
	return item->lines + (item->partial.size > 0);
}

/* Rows beyond the titles go round: first to transfers, then a line of output to each in turn. */
static void share_rows(struct block *blocks, size_t count, size_t rows, size_t log_lines)
{
	bool given = true;

	for (size_t i = 0; i < count && rows; i++) {
		const struct progress_transfer *transfer = &blocks[i].item->transfer;

		blocks[i].transfer = transfer->current || transfer->total;
		rows -= blocks[i].transfer;
	}
	while (rows && given) {
		given = false;
		for (size_t i = 0; i < count && rows; i++) {
			if (blocks[i].logs >= log_lines ||
			    blocks[i].logs >= count_lines(blocks[i].item))
				continue;
			blocks[i].logs++;
			rows--;
			given = true;
		}
	}
}

static void render_block(const struct block *block, const struct frame_form *form, struct strv *out)
{
	const struct progress_item *item = block->item;
	cleanup_strbuf struct strbuf title = STRBUF_INIT;

	add_title(&title, form, " > ", STYLE_NONE, item->name, progress_seconds(item, form->now));
	strv_add(out, strbuf_text(&title));
	if (block->transfer)
		strv_take(out, transfer_line(&item->transfer, form));
	for (size_t i = count_lines(item) - block->logs; i < item->lines; i++) {
		const struct progress_line *line = &item->tail[i % PROGRESS_TAIL];

		strv_take(out, log_line(line->text, line->size, form));
	}
	if (block->logs && item->partial.size)
		strv_take(out, log_line(item->partial.data, item->partial.size, form));
}

void frame_render(const struct progress *progress, const struct frame_form *form, struct strv *out)
{
	cleanup_free struct block *blocks = xzalloc((progress->count + 1) * sizeof(struct block));
	size_t count = 0, shown, rows = form->rows > 2 ? form->rows - 2 : 0;

	for (size_t i = 0; i < progress->count; i++)
		if (!progress->items[i].failed)
			blocks[count++].item = &progress->items[i];
	shown = count <= rows ? count : rows ? rows - 1 : 0;
	share_rows(blocks, shown, count <= rows ? rows - count : 0, form->log_lines);
	for (size_t i = 0; i < shown; i++)
		render_block(&blocks[i], form, out);
	if (shown < count && rows) {
		cleanup_free char *more = xasprintf(" > ... and %zu more", count - shown);

		strv_take(out, fit(more, form->columns - 1));
	}
	strv_take(out, status_line(progress, count, form));
}
