/* SPDX-License-Identifier: Apache-2.0 */
/* What verify takes for the time of an image and of each of its steps, so that they are what they
 * were. */
#include <string.h>

#include "builder/cli/format.h"
#include "builder/cli/verify-internal.h"

static bool is_dated_here(const struct build_args *args, const struct strv *build_args)
{
	return args->timestamp || args->epoch || strv_env_get(build_args, "SOURCE_DATE_EPOCH");
}

/* A record says all; without one the image says when, and the options whether that is to be said
 * everywhere. */
void verify_pin_time(struct verify *verify)
{
	const struct journal_request *request = verify->origin.request;
	struct build_options *options = &verify->build.options;
	struct pinned_time *pinned = &options->pinned;
	time_t created;

	if (verify->origin.kind == VERIFY_JOURNAL) {
		pinned->is_set =
			!is_dated_here(&verify->given.build, &verify->given.build.build_args);
		pinned->now = request->time;
		pinned->dated = request->dated;
		pinned->commit_times = request->commit_times;
		return;
	}
	if (is_dated_here(&options->args, &options->build_args) || !verify->image.config->created ||
	    !parse_time(verify->image.config->created, &created))
		return;
	*pinned = (struct pinned_time){ .is_set = true, .now = created, .may_be_commit = true };
}

/* What the image's history says of the layers that it has. */
static void pin_by_history(const struct verify *verify, struct step *step)
{
	const struct image_config *config = verify->image.config;
	const char *text = step->history < config->history.count
				   ? config->history.items[step->history].created
				   : NULL;
	time_t created;

	if (text && parse_time(text, &created))
		step->now = created;
}

/* The steps of other stages are in no image. */
static void pin_by_record(const struct verify *verify, struct step *step)
{
	const struct journal_request *request = verify->origin.request;

	for (size_t i = 0; i < request->times.count; i++) {
		const struct journal_time *time = &request->times.items[i];

		if (time->number == step->number && strcmp(time->stage, step->stage->label) == 0)
			step->now = time->time;
	}
}

/* Where nobody has dated the image, each of its steps has the time at which it was made first. */
void verify_pin_steps(struct verify *verify)
{
	const struct graph *graph = &verify->build.graph;

	if (graph->options->dated || !verify->build.options.pinned.is_set)
		return;
	for (size_t i = 0; verify->origin.kind == VERIFY_JOURNAL && i < graph->order_count; i++)
		for (size_t j = 0; j < graph->order[i]->step_count; j++)
			pin_by_record(verify, graph->order[i]->steps[j]);
	/* stronger: the record of a build for several platforms has the times of one */
	for (const struct graph_stage *stage = graph->target; stage; stage = stage->parent)
		for (size_t i = 0; i < stage->step_count; i++)
			pin_by_history(verify, stage->steps[i]);
}
