/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view of a terminal: what has ended scrolls up as a line, what is under way is a picture below
 * it that stays in its place. A thread draws it ten times a second, so that clocks go on whatever
 * the build waits for, and writes only the lines that changed, all in one write: nothing flickers.
 *
 * No mode of the terminal is changed, neither the cursor's nor the keyboard's. So there is nothing
 * to restore, and a builder that is killed or stopped leaves the terminal as it was.
 *
 * Who else writes to standard error would tear the picture: while it is there, the log goes through
 * a pipe, and what comes out of it is shown above.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "builder/cli/progress-frame.h"
#include "builder/loop/thread.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/signals.h"
#include "lib/tty.h"

#define DRAW_EVERY_MS 100
#define LOG_LINES 6
#define LOG_LINES_ENV "BUILDKIT_TTY_LOG_LINES" /* the name that people know */

struct progress_tty {
	pthread_t thread;
	int fd;			/* the terminal */
	int stop_fd;		/* an eventfd: draw a last time and end */
	int signal_fd;		/* SIGCONT, SIGWINCH */
	int log_fd, log_end_fd; /* a pipe: ours, the log's */
	int log_before_fd;	/* where the log went before */
	size_t log_lines;
	struct strbuf above; /* lines that are to stay; under the lock of the progress */

	/* the thread's own */
	struct strv shown;    /* the lines of the picture on the screen */
	size_t columns, rows; /* of the screen that they were made for */
};

/* -- drawing -------------------------------------------------------------------------------------
 */

/* Rows that the picture has on the screen; a terminal that became narrower has folded its lines. */
static size_t rows_shown(const struct progress_tty *tty, size_t columns)
{
	size_t rows = 0;

	for (size_t i = 0; i < tty->shown.count; i++) {
		size_t width = columns < tty->columns ? frame_width(tty->shown.items[i]) : 0;

		rows += width > columns ? (width + columns - 1) / columns : 1;
	}
	return rows;
}

static bool is_resized(const struct progress_tty *tty, const struct frame_form *form)
{
	return form->columns != tty->columns || form->rows != tty->rows;
}

/* The cursor stands below the picture, in the first column; there it stands again afterwards. */
static void compose(struct progress_tty *tty, const struct strbuf *above, const struct strv *lines,
		    const struct frame_form *form, struct strbuf *out)
{
	size_t rows = rows_shown(tty, form->columns);
	bool resized = is_resized(tty, form);

	strbuf_adds(out, "\r");
	if (rows)
		strbuf_addf(out, "\033[%zuA", rows);
	if (resized)
		strbuf_adds(out, "\033[J");
	for (const char *line = strbuf_text(above); *line;) {
		size_t size = strcspn(line, "\n");

		strbuf_add(out, line, size);
		strbuf_adds(out, "\033[K\r\n");
		line += size + (line[size] == '\n');
	}
	for (size_t i = 0; i < lines->count; i++) {
		if (above->size || resized || i >= tty->shown.count ||
		    strcmp(lines->items[i], tty->shown.items[i]) != 0)
			strbuf_addf(out, "%s\033[K", lines->items[i]);
		strbuf_adds(out, "\r\n");
	}
	if (lines->count < tty->shown.count)
		strbuf_adds(out, "\033[J");
}

static bool is_shown(const struct progress_tty *tty, const struct strv *lines,
		     const struct frame_form *form)
{
	if (lines->count != tty->shown.count || is_resized(tty, form))
		return false;
	for (size_t i = 0; i < lines->count; i++)
		if (strcmp(lines->items[i], tty->shown.items[i]) != 0)
			return false;
	return true;
}

static struct frame_form form_of(const struct progress *progress)
{
	struct frame_form form = { .log_lines = progress->tty->log_lines,
				   .color = progress->color,
				   .now = clock_us() };

	tty_get_size(progress->tty->fd, &form.columns, &form.rows);
	return form;
}

/* The last one has no picture. Nothing is written under the lock: terminals can stand still. */
static void draw(struct progress *progress, bool last)
{
	struct progress_tty *tty = progress->tty;
	struct frame_form form = form_of(progress);
	cleanup_strbuf struct strbuf above = STRBUF_INIT, out = STRBUF_INIT;
	struct strv lines = STRV_INIT;

	pthread_mutex_lock(&progress->lock);
	if (!last)
		frame_render(progress, &form, &lines);
	above = tty->above;
	tty->above = (struct strbuf)STRBUF_INIT;
	pthread_mutex_unlock(&progress->lock);
	if (above.size || !is_shown(tty, &lines, &form)) {
		compose(tty, &above, &lines, &form, &out);
		/* a terminal that is gone is no reason to end a build */
		(void)io_write_all(tty->fd, out.data, out.size);
	}
	strv_done(&tty->shown);
	tty->shown = lines;
	tty->columns = form.columns;
	tty->rows = form.rows;
}

/* -- the thread ----------------------------------------------------------------------------------
 */

static void take_log(struct progress *progress)
{
	char buffer[4096];
	ssize_t got;

	while ((got = read(progress->tty->log_fd, buffer, sizeof(buffer))) > 0) {
		pthread_mutex_lock(&progress->lock);
		strbuf_add(&progress->tty->above, buffer, (size_t)got);
		pthread_mutex_unlock(&progress->lock);
	}
}

/* After a stop (^Z) a shell has written below the picture: the next one is a new one. */
static void take_signals(struct progress_tty *tty)
{
	struct signalfd_siginfo info;

	while (read(tty->signal_fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGCONT)
			strv_done(&tty->shown);
}

static void *draw_until_stopped(void *context)
{
	struct progress *progress = context;
	struct progress_tty *tty = progress->tty;
	struct pollfd fds[] = { { .fd = tty->stop_fd, .events = POLLIN },
				{ .fd = tty->signal_fd, .events = POLLIN } };

	do {
		int64_t next = clock_ms() + DRAW_EVERY_MS, left;

		while (!fds[0].revents && (left = next - clock_ms()) > 0) {
			(void)poll(fds, ARRAY_SIZE(fds), (int)left);
			if (fds[1].revents) {
				take_signals(tty);
				break; /* a new size should be seen at once */
			}
		}
		take_log(progress);
		draw(progress, fds[0].revents);
	} while (!fds[0].revents);
	return NULL;
}

static int start_thread(struct progress *progress, struct error *err)
{
	int ret = thread_start(&progress->tty->thread, draw_until_stopped, progress);

	return ret < 0 ? error_errno(err, -ret, "start the thread of the progress") : 0;
}

/* -- the view ------------------------------------------------------------------------------------
 */

static void tty_free(struct progress_tty *tty)
{
	cleanup_close_fd(&tty->stop_fd);
	cleanup_close_fd(&tty->signal_fd);
	cleanup_close_fd(&tty->log_fd);
	cleanup_close_fd(&tty->log_end_fd);
	strbuf_done(&tty->above);
	strv_done(&tty->shown);
	free(tty);
}

static int open_fds(struct progress_tty *tty, struct error *err)
{
	static const int signals[] = { SIGCONT, SIGWINCH };
	int log_fds[2];

	tty->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (tty->stop_fd < 0)
		return error_errno(err, errno, "make an eventfd");
	tty->signal_fd = signal_open_fd(signals, ARRAY_SIZE(signals), err);
	if (tty->signal_fd < 0)
		return tty->signal_fd;
	if (pipe2(log_fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe");
	tty->log_fd = log_fds[0];
	tty->log_end_fd = log_fds[1];
	/* ours only: a log that is ahead of the screen waits */
	if (fcntl(tty->log_fd, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, errno, "set up a pipe");
	return 0;
}

int progress_tty_start(struct progress *progress, struct error *err)
{
	struct progress_tty *tty = xzalloc(sizeof(*tty));
	const char *lines = getenv(LOG_LINES_ENV);
	uint64_t count;
	int ret;

	*tty = (struct progress_tty){ .fd = fileno(progress->out),
				      .stop_fd = -EBADF,
				      .signal_fd = -EBADF,
				      .log_fd = -EBADF,
				      .log_end_fd = -EBADF,
				      .log_lines = LOG_LINES };
	if (lines && number_parse_u64(lines, &count) == 0)
		tty->log_lines = count < PROGRESS_TAIL ? (size_t)count : PROGRESS_TAIL;
	progress->tty = tty;
	ret = open_fds(tty, err);
	if (ret == 0)
		ret = start_thread(progress, err);
	if (ret < 0) {
		tty_free(tty);
		progress->tty = NULL;
		return ret;
	}
	tty->log_before_fd = log_redirect(tty->log_end_fd);
	return 0;
}

static void tty_stop(struct progress *progress)
{
	struct progress_tty *tty = progress->tty;
	const uint64_t one = 1;

	(void)log_redirect(tty->log_before_fd);
	(void)io_write_all(tty->stop_fd, &one, sizeof(one)); /* cannot fail on an eventfd */
	pthread_join(tty->thread, NULL);
	tty_free(tty);
	progress->tty = NULL;
}

static void tty_end(struct progress *progress, struct progress_item *item,
		    const struct build_event *event)
{
	struct frame_form form = form_of(progress);

	form.now = progress->now;
	frame_render_end(item, event, &form, &progress->tty->above);
	strbuf_addc(&progress->tty->above, '\n');
}

const struct progress_view progress_tty = {
	.end = tty_end,
	.stop = tty_stop,
};
