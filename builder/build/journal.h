/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of a build, kept in the store: builds are numbered, and builds/N/ has the whole
 * output of every step, unclipped and with times, and at the end what became of each step. It
 * stands between the engine and the progress: every event goes through it.
 *
 *	builds/next		the number of the next build
 *	builds/N/EVENT.log	"2026-11-21T08:40:37.123Z text", a line each, as it came
 *	builds/N/build.json	written last; absent: the builder was killed, or still runs
 *
 * A journal that cannot be written does not fail a build.
 */
#ifndef BUILDER_BUILD_JOURNAL_H
#define BUILDER_BUILD_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/build/engine.h"
#include "builder/image/store.h"
#include "spec/json-types.h"

#define JOURNAL_BUILDS_MAX 100 /* kept ones; older go when a new one starts */

/** A step in build.json. */
struct journal_step {
	uint64_t event;
	const char *name;  /* "[build 2/3] RUN make" */
	const char *state; /* "done", "cached", "failed", "canceled" */
	const char *error; /* message of a failed one */
	const char *key;   /* of its record; NULL = none */
	uint64_t wall_us;
};

/** When a step was made that the cache had. */
struct journal_time {
	const char *stage; /* its label */
	uint64_t number;
	int64_t time; /* seconds */
};

/** What a build was asked for, as far as it has an effect on the image: `verify` asks for the same.
 * No secrets, of them and of agents the ids. */
struct journal_request {
	struct json_strings arguments; /* of the command line, with absolute paths */
	struct json_strings secrets, agents;
	struct json_strings images;	      /* ids of what it made, of each platform */
	int64_t volumes;		      /* that were lent: how many, nothing else */
	const char *context;		      /* absolute, a URL without passwords, "-" */
	const char *commit;		      /* of a clean checkout; NULL = it was none */
	int64_t time;			      /* seconds: what the build has for the present */
	bool dated;			      /* somebody has said it */
	bool commit_times;		      /* files of the context have it, too */
	struct pins pins;		      /* what names stood for */
	JSON_LIST(struct journal_time) times; /* of steps that have another one than the build */
};

struct journal_build {
	uint64_t number;
	const char *target, *context, *image;
	int64_t begin, end;		 /* seconds since 1970 */
	const char *state;		 /* "done", "failed", "canceled" */
	struct journal_request *request; /* NULL = it is not known */
	JSON_LIST(struct journal_step) steps;
};

struct journal_log; /* journal.c */

struct journal {
	struct store *store;
	const struct graph *graph;
	build_event_fn next; /* who gets the events after us */
	void *next_context;
	uint64_t number; /* 0 = there is no journal */
	int fd;		 /* builds/N */
	int64_t begin;
	struct journal_request *request; /* set before the end; borrowed; NULL = nobody has */
	struct arena arena;
	struct journal_log *logs; /* of what runs and of what has ended */
	size_t log_count, log_capacity;
	uint64_t bytes;	    /* of its logs */
	uint64_t bytes_max; /* of those of all kept builds */
	bool full;	    /* they have all the room; said once */
	bool failed;	    /* to write; said once */
};

#define JOURNAL_INIT                                                                               \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/** Give the build its number. */
void journal_open(struct journal *journal, struct store *store, const struct graph *graph);
/** A build_event_fn; context is the struct journal. */
void journal_event(void *journal, const struct build_event *event);
/** The build begins again: keep what it has made, all else comes once more. The graph is still that
 *  of the first time. */
void journal_again(struct journal *journal);
/** Write build.json. ret and err: how the build ended; image: its id, NULL = none. */
void journal_finish(struct journal *journal, int ret, const struct error *err, const char *context,
		    const char *image);
void journal_close(struct journal *journal);

/** Read builds/N/build.json: 1, or 0 when there is none that can be read. */
int journal_read(struct store *store, uint64_t number, struct arena *arena,
		 struct journal_build *out);
/** The numbers of all kept builds, ascending; owned. */
uint64_t *journal_list(struct store *store, size_t *out_count);

#endif
