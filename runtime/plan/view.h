/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view: sections of facts, which people read as aligned text and programs as JSON. What fills it
 * says everything once:
 *
 *	view_section(view, "mounts", "Mounts", VIEW_TABLE);
 *	view_row(view);                                  (tables: before each row)
 *	view_text(view, "destination", "%s", path);
 *	view_number(view, "index", 3);
 *	view_list(view, "options", VIEW_COMMAS);
 *	view_item(view, "%s", "nosuid");                 (into the list begun last)
 *
 * gives "mounts": [{"destination": "/proc", "index": 3, "options": ["nosuid"]}], and in text a
 *table with the columns DESTINATION, INDEX and OPTIONS; a record is {...} and "label  value" lines.
 *Text leaves out what is empty: sections, columns, flags that are false. JSON has all that was
 *said.
 */
#ifndef RUNTIME_PLAN_VIEW_H
#define RUNTIME_PLAN_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/strbuf.h"

enum view_form { VIEW_RECORD, VIEW_TABLE };
enum view_list_form {
	VIEW_WORDS,  /* side by side, with blanks between them */
	VIEW_COMMAS, /* with commas */
	VIEW_LINES,  /* in records each on a line of its own */
};

struct view_section;

struct view {
	struct arena arena;
	struct view_section *sections;
	size_t count, capacity;
};

/** Keys and titles are borrowed, values are copied. A NULL text is one that is not there: no
 *  member in JSON. */
void view_section(struct view *view, const char *key, const char *title, enum view_form form);
void view_row(struct view *view);
void view_text(struct view *view, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void view_string(struct view *view, const char *key, const char *text);
void view_number(struct view *view, const char *key, int64_t value);
/** A number that has a word for "none" or "any" instead, which is null in JSON; NULL = the number.
 */
void view_number_or(struct view *view, const char *key, int64_t value, const char *word);
void view_flag(struct view *view, const char *key, bool value);
void view_list(struct view *view, const char *key, enum view_list_form form);
void view_item(struct view *view, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** For people; nothing in it can be taken for a command of the terminal. */
void view_write_text(const struct view *view, bool color, struct strbuf *out);
/** One object, a member for each section. */
void view_write_json(const struct view *view, struct strbuf *out);

void view_done(struct view *view);
#define cleanup_view __attribute__((cleanup(view_done)))

#endif
