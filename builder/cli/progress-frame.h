/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of a running build as lines of text; pure, so that it can be tested without a
 * terminal. */
#ifndef BUILDER_CLI_PROGRESS_FRAME_H
#define BUILDER_CLI_PROGRESS_FRAME_H

#include "builder/cli/progress.h"
#include "lib/strv.h"

struct frame_form {
	size_t columns, rows; /* of the terminal */
	size_t log_lines;     /* of one item, at most */
	bool color;
	int64_t now; /* us */
};

/**
 * What is under way, at most rows - 1 lines, none of them as wide as the terminal: steps with their
 * time, the transfer or the last lines of output of each, and the state of the whole.
 */
void frame_render(const struct progress *progress, const struct frame_form *form, struct strv *out);

/** The one line that stays of an item that has ended, without its end. */
void frame_render_end(const struct progress_item *item, const struct build_event *event,
		      const struct frame_form *form, struct strbuf *out);

/** A line of a command's output, as it would look at its end: what stands behind the last carriage
 *  return, without the commands to a terminal, tabs as blanks. */
void frame_clean_line(const char *line, size_t size, struct strbuf *out);

/** How many columns a line of a frame takes: its colours take none. */
size_t frame_width(const char *line);

#endif
