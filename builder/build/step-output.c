/* SPDX-License-Identifier: Apache-2.0 */
/* Called by step-run.c with what it reads from a command. */
#include "builder/build/step-output.h"

#define WAITING_MAX ((size_t)16 << 10)

static void pass(struct step_output *output, int stream, const char *data, size_t size)
{
	/* a progress bar ends its line with \r */
	bool ends = data[size - 1] == '\n' || data[size - 1] == '\r';

	engine_event(output->engine, EVENT_OUTPUT, output->engine->running, data, size);
	output->open = ends ? 0 : stream;
}

static void release(struct step_output *output, int stream)
{
	if (!output->waiting.size)
		return;
	pass(output, stream, output->waiting.data, output->waiting.size);
	strbuf_truncate(&output->waiting, 0);
}

void step_output_add(struct step_output *output, enum run_stream stream, const char *data,
		     size_t size)
{
	int other = stream == RUN_STDOUT ? RUN_STDERR : RUN_STDOUT;

	if (!size)
		return;
	if (output->open == other) {
		strbuf_add(&output->waiting, data, size);
		if (output->waiting.size > WAITING_MAX)
			release(output, (int)stream);
		return;
	}
	pass(output, (int)stream, data, size);
	if (!output->open)
		release(output, other);
}

void step_output_end(struct step_output *output)
{
	release(output, 0);
}
