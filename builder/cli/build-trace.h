/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build --trace: the timeline of a build in the trace-event format of Chrome and Perfetto. The
 * builder is a process whose threads are the stages and what goes on beside them; each runtime is
 * a process of its own, named after its step.
 */
#ifndef BUILDER_CLI_BUILD_TRACE_H
#define BUILDER_CLI_BUILD_TRACE_H

#include "builder/build/timeline.h"
#include "lib/error.h"

/** Make the file, with an empty trace: what a build that is killed leaves. */
int build_trace_open(const char *path, struct error *err);

/** failure: what the build ends with; NULL = it succeeded. */
int build_trace_write(const struct timeline *timeline, const char *path,
		      const struct error *failure, struct error *err);

#endif
