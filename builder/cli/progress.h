/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The progress of a build. progress.c keeps what is under way, with the last lines of its output,
 * for every kind of view; a view shows it: as lines (plain), as a picture that stays in its place
 * (tty), as JSON (rawjson) or not at all (quiet). Nothing of a step's output is ever left out of
 * plain and rawjson.
 */
#ifndef BUILDER_CLI_PROGRESS_H
#define BUILDER_CLI_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "builder/build/events.h"
#include "builder/dockerfile/lint.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/table.h"

enum progress_kind {
	PROGRESS_AUTO, /* TTY on a terminal, else PLAIN */
	PROGRESS_PLAIN,
	PROGRESS_TTY,
	PROGRESS_RAWJSON,
	PROGRESS_QUIET, /* nothing but the image's id, on standard output */
	PROGRESS_NONE,	/* not even that */
};

/** The words of --progress. */
extern const struct name_value progress_kinds[];

#define PROGRESS_TAIL 20 /* lines that are kept of each item */

struct progress_line {
	int64_t when;
	char *text; /* without its end; may have NULs */
	size_t size;
};

/** Bytes that come or go, and how fast. */
struct progress_transfer {
	uint64_t current, total; /* total 0 = unknown; both 0 = nothing is transferred */
	double rate;		 /* bytes per second, smoothed; 0 = too early to tell */
	uint64_t mark;		 /* current at ... */
	int64_t mark_when;
};

/** Something that is under way, or has failed. */
struct progress_item {
	unsigned int id;
	char *name;
	int64_t begin;
	struct strbuf partial;			  /* of a line that has no end yet */
	struct progress_line tail[PROGRESS_TAIL]; /* a ring: line i is in i % PROGRESS_TAIL */
	size_t lines;				  /* all that there were */
	struct progress_transfer transfer;
	int64_t told; /* when a view last said something about the transfer */
	bool failed;
	bool beside; /* no step: not counted */
};

struct progress;

/** How to show it. Called under the lock, with progress->now set; any but end may be NULL. */
struct progress_view {
	void (*begin)(struct progress *progress, struct progress_item *item);
	void (*line)(struct progress *progress, struct progress_item *item,
		     const struct progress_line *line);
	void (*note)(struct progress *progress, struct progress_item *item, const char *text,
		     size_t size);
	void (*transfer)(struct progress *progress, struct progress_item *item);
	void (*end)(struct progress *progress, struct progress_item *item,
		    const struct build_event *event);
	void (*stop)(struct progress *progress); /* without the lock */
};

struct progress_tty;

struct progress {
	pthread_mutex_t lock;
	const struct progress_view *view; /* NULL: quiet */
	FILE *out;
	bool color;
	bool why;		  /* show EVENT_WHY */
	struct progress_tty *tty; /* of progress-tty.c */

	struct progress_item *items; /* in the order in which they began */
	size_t count, capacity;
	size_t total, ended, cached; /* items; total 0 = unknown */
	int64_t begin, now;	     /* us; of the whole, of the latest event */
	int64_t date;		     /* of begin: us since 1970 */
};

#define PROGRESS_INIT                                                                              \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER                                                  \
	}

/** AUTO becomes what out can show; TTY where out is no terminal is a usage error. */
int progress_resolve(enum progress_kind *kind, FILE *out, struct error *err);

/** Show it from now on, on out. May make a thread: the mount namespace must have been entered. */
int progress_start(struct progress *progress, enum progress_kind kind, FILE *out,
		   struct error *err);

/** The view's last word; out is free for others after it. */
void progress_stop(struct progress *progress);

/** How many steps there will be. */
void progress_set_total(struct progress *progress, size_t total);

/** A build_event_fn; context is the struct progress. */
void progress_event(void *progress, const struct build_event *event);

/** The names of the failed items and their last lines, between dashes. */
void progress_print_tail(const struct progress *progress, FILE *out);

/** Also stops it. */
void progress_done(struct progress *progress);
#define cleanup_progress __attribute__((cleanup(progress_done)))

/** Seconds of an item's life, at the time when. */
double progress_seconds(const struct progress_item *item, int64_t when);

/* the views */
extern const struct progress_view progress_plain, progress_rawjson, progress_tty;
/** Before the first event of progress_tty. */
int progress_tty_start(struct progress *progress, struct error *err);
/** The warnings about a Dockerfile, in the form of progress_rawjson. */
void progress_rawjson_warnings(const struct lint_report *report, FILE *out);

#endif
