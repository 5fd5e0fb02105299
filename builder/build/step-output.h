/* SPDX-License-Identifier: Apache-2.0 */
/* What a step says, on two streams that are shown as one text. */
#ifndef BUILDER_BUILD_STEP_OUTPUT_H
#define BUILDER_BUILD_STEP_OUTPUT_H

#include "builder/build/engine.h"
#include "builder/build/run-step.h"
#include "lib/strbuf.h"

struct step_output {
	struct engine *engine;
	int open;	       /* the stream in the middle of a line; 0: none is */
	struct strbuf waiting; /* what the other one says meanwhile */
};

static inline void step_output_done(struct step_output *output)
{
	strbuf_done(&output->waiting);
}
#define cleanup_step_output __attribute__((cleanup(step_output_done)))

/**
 * Pass data of a stream on as EVENT_OUTPUT. A line that one stream has begun ("+ " of a shell's
 * trace) it goes on with alone: the other one waits, for so long as what it says is little.
 */
void step_output_add(struct step_output *output, enum run_stream stream, const char *data,
		     size_t size);

/** The command has ended: pass on what still waits. */
void step_output_end(struct step_output *output);

#endif
