/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What took how long: spans of time with a name, for the debug log and for a timeline in the
 * trace-event format of Chrome and Perfetto. Off, a span costs two comparisons.
 *
 *	cleanup_trace struct trace_span span = trace_begin("delete", "remove cgroup");
 *
 * ends where its scope does. Children made by clone write their spans into memory that is shared
 *with the process that opened the trace, which alone writes the file: nobody else ever has its fd.
 */
#ifndef LIB_TRACE_H
#define LIB_TRACE_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

/** Who a span is of. */
enum trace_process { TRACE_HOST, TRACE_JOINER, TRACE_INIT, TRACE_PROCESSES };

struct trace_event;
struct trace_span {
	const char *category, *name;
	int64_t begin;		   /* ns; 0 = nobody wants to know */
	struct trace_event *event; /* in the shared memory; NULL = only for the log */
};

/** From now on spans are kept; path, which is absolute, is made and holds an empty trace at once.
 */
int trace_open(const char *path, const char *program, struct error *err);
/** Writes them. failure (may be NULL) is what the program ends with. */
int trace_close(const struct error *failure, struct error *err);

/** In a child: its spans are of this process. */
void trace_become(enum trace_process process);
/** In the one that writes: what pid it has for us. */
void trace_name(enum trace_process process, pid_t pid);
/** In the one that writes: an exec ended what that process was doing. */
void trace_exec_seen(enum trace_process process);

/** category and name are static strings. */
struct trace_span trace_begin(const char *category, const char *name);
void trace_end(struct trace_span *span);
#define cleanup_trace __attribute__((cleanup(trace_end), unused))

#endif
