/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What took how long in a build, for --trace and --report: spans on rows, which nest. Each stage
 * has a row, as has whatever goes on beside it (hashing, downloads). Who does not want to know has
 * no timeline: everything here takes NULL, and does nothing then. All of it is the main thread's.
 */
#ifndef BUILDER_BUILD_TIMELINE_H
#define BUILDER_BUILD_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/alloc.h"

enum timeline_phase {
	TIMELINE_BUILD,	   /* reading, planning, running: named */
	TIMELINE_STEP,	   /* named; the others are what it is made of */
	TIMELINE_LOOKUP,   /* its key, and the search for a record */
	TIMELINE_WAIT,	   /* for another stage, or another builder, that does the same */
	TIMELINE_SNAPSHOT, /* mounting what it stands on */
	TIMELINE_RUNTIME,  /* the runtime, from its start to its end */
	TIMELINE_COPY,
	TIMELINE_SCAN,	  /* finding what a command has changed */
	TIMELINE_HASH,	  /* a layer's digest */
	TIMELINE_PUBLISH, /* a layer and its record into the store */
	TIMELINE_TRANSFER,
	TIMELINE_EXPORT,
	TIMELINE_PHASES,
};

/** The word for a phase: "layer scan". */
extern const char *const timeline_phase_names[TIMELINE_PHASES];

struct timeline_span {
	enum timeline_phase phase;
	unsigned int row;
	unsigned int step;  /* its number in the progress; 0 = none */
	char *name;	    /* NULL = that of the phase */
	const char *state;  /* of a step: "done", "cached", "failed", "canceled"; NULL = unknown */
	int64_t begin, end; /* ns since the timeline's beginning; end 0 = not ended */
};

struct timeline_row {
	char *name;
	unsigned int open; /* spans that have not ended */
};

/** An event of the runtime's own trace of a step. */
struct timeline_event {
	const char *phase; /* "X", "B", "i" ... as in the format */
	const char *category, *name;
	uint64_t pid;
	int64_t begin, duration; /* ns, begin as that of a span */
	const char *arguments;	 /* JSON text; NULL = none */
};

/** What the runtime said of its part of a step. */
struct timeline_runtime {
	unsigned int step;
	char *name;
	struct arena arena;
	struct timeline_event *events;
	size_t count;
};

struct timeline {
	int64_t origin; /* ns of the monotonic clock */
	struct timeline_span *spans;
	size_t span_count, span_capacity;
	struct timeline_row *rows;
	size_t row_count, row_capacity;
	bool want_runtime; /* the runtime is to write traces of its own */
	struct timeline_runtime *runtimes;
	size_t runtime_count, runtime_capacity;
};

/** It begins now; row 0 is the build's own. */
struct timeline *timeline_new(void);
void timeline_free(struct timeline *timeline);

/** Rows of what goes on beside a stage ("build: layers"), and beside all of them. */
#define TIMELINE_LAYERS ": layers"
#define TIMELINE_TRANSFERS "transfers"

/** A row for what follows on each other. */
unsigned int timeline_row(struct timeline *timeline, const char *name);
/** The first row of this name in which nothing is going on. */
unsigned int timeline_lane(struct timeline *timeline, const char *name);

/** A span that has begun. */
struct timeline_mark {
	struct timeline *timeline; /* NULL = there is none */
	size_t index;
};

/** step: its number in the progress, 0 = none; name (may be NULL) is copied. */
struct timeline_mark timeline_begin(struct timeline *timeline, unsigned int row,
				    enum timeline_phase phase, unsigned int step, const char *name);
/** Once: further ones do nothing. */
void timeline_end(struct timeline_mark *mark);
/** The same of a step; state is a static string. */
void timeline_end_step(struct timeline_mark *mark, const char *state);
#define cleanup_timeline_mark __attribute__((cleanup(timeline_end), unused))

/** ns since the beginning. */
int64_t timeline_now(const struct timeline *timeline);

/** Take in the trace that the runtime has written of a step. One that cannot be read is left out: a
 *  runtime that was killed leaves an empty one. */
void timeline_join(struct timeline *timeline, unsigned int step, const char *name,
		   const char *path);

#endif
