/* SPDX-License-Identifier: Apache-2.0 */
/* See source-date.h. Called by cmd-build.c when the stages are known and nothing is planned yet. */
#include "builder/cli/source-date.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/number.h"

#define NAME "SOURCE_DATE_EPOCH"

/* What is asked for; "" = nothing. */
static const char *wanted(const struct build_options *options, const struct stages *stages)
{
	const char *text = strv_env_get(&options->build_args, NAME);

	if (!text)
		text = strv_env_get(&stages->globals, NAME);
	return text ? text : "";
}

struct named_context *source_date_context(const struct build_options *options,
					  const struct stages *stages)
{
	const char *text = wanted(options, stages);

	if (!*text || strcmp(text, "context") == 0)
		return NULL;
	return named_contexts_find(&options->contexts, text);
}

static int bad_date(const struct stages *stages, const char *text, struct error *err)
{
	struct stage *stage = NULL;

	if (stages_find(stages, text, &stage, NULL) == 0 && stage)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 NAME ": the time of the stage \"%s\" is not supported yet: give "
				      "a number, \"context\" or the name of a --build-context",
				 text);
	return error_invalid(err,
			     NAME ": \"%s\" is not a number of seconds (0 to %" PRId64
				  ", the end of the year 9999)",
			     text, CLOCK_SECONDS_MAX);
}

static bool is_date(int64_t seconds)
{
	return seconds >= 0 && seconds <= CLOCK_SECONDS_MAX;
}

/* A context may have a time that no image can say: it has none then. */
static int64_t time_of(const struct context *context)
{
	return is_date(context->time) ? context->time : CONTEXT_NO_TIME;
}

/* The time of a context, or CONTEXT_NO_TIME. */
static int read_text(const struct build_options *options, const struct stages *stages,
		     const struct context *main_context, int64_t *out, struct error *err)
{
	const char *text = wanted(options, stages);
	const struct named_context *named = source_date_context(options, stages);

	*out = CONTEXT_NO_TIME;
	if (!*text)
		return 0;
	if (number_parse_i64(text, out) == 0)
		return is_date(*out) ? 0 : bad_date(stages, text, err);
	*out = CONTEXT_NO_TIME;
	if (strcmp(text, "context") == 0)
		*out = time_of(main_context);
	else if (named)
		*out = time_of(&named->context);
	else
		return bad_date(stages, text, err);
	return 0;
}

/* --timestamp, which is stronger: all files have it, and no ARG says so. */
static int read_timestamp(struct build_options *options, struct error *err)
{
	struct graph_options *graph = &options->graph;
	const char *text = options->args.timestamp;

	if (number_parse_i64(text, &graph->now) < 0 || !is_date(graph->now))
		return error_set(err, ERROR_USAGE, 0,
				 "--timestamp: \"%s\" is not a number of seconds (0 to %" PRId64
				 ", the end of the year 9999)",
				 text, CLOCK_SECONDS_MAX);
	if (strv_env_get(&options->build_args, NAME))
		return error_set(err, ERROR_USAGE, 0,
				 "--timestamp and " NAME " cannot be used together");
	graph->dated = true;
	graph->layer_times = (struct time_rule){ TIME_SET, graph->now };
	return 0;
}

/* Where nobody says a time, a clean checkout has one: that of its commit. An empty value says that
 * it is not wanted. */
static bool is_open(const struct build_options *options, const struct stages *stages)
{
	return !strv_env_get(&options->build_args, NAME) && !strv_env_get(&stages->globals, NAME);
}

static int rewrite(struct build_options *options, struct error *err)
{
	bool asked = options->args.rewrite_timestamp;

	for (size_t i = 0; i < options->output_count; i++)
		asked |= options->outputs[i].rewrite_timestamp;
	if (!asked)
		return 0;
	if (!options->graph.dated)
		return error_set(err, ERROR_USAGE, 0,
				 "there is no time to rewrite the files' to: set " NAME
				 " or --timestamp (a clean git checkout has one)");
	options->graph.layer_times = (struct time_rule){ TIME_CLAMP, options->graph.now };
	return 0;
}

/* What ARG gives in a stage. */
static void set_argument(struct build_options *options, struct stages *stages, int64_t seconds)
{
	char number[24] = "";

	if (seconds != CONTEXT_NO_TIME)
		snprintf(number, sizeof(number), "%" PRId64, seconds);
	if (strv_env_get(&options->build_args, NAME))
		strv_env_set(&options->build_args, NAME, number);
	else if (strv_env_get(&stages->globals, NAME))
		strv_env_set(&stages->globals, NAME, number);
}

bool source_date_asks_commit(const struct build_options *options, const struct stages *stages)
{
	if (options->pinned.is_set)
		return true; /* to be compared */
	return !options->args.timestamp &&
	       (is_open(options, stages) || strcmp(wanted(options, stages), "context") == 0);
}

/* An image that is built again has the time that it had, whatever the context is now. */
static int read_pinned(struct build_options *options, struct stages *stages,
		       const struct context *main_context, struct error *err)
{
	const struct pinned_time *pinned = &options->pinned;
	struct graph_options *graph = &options->graph;

	graph->now = pinned->now;
	graph->dated = pinned->dated;
	if (pinned->may_be_commit && main_context->is_commit && main_context->time == pinned->now)
		graph->dated = true;
	if (pinned->commit_times || (graph->dated && !pinned->dated))
		graph->copy_times = (struct time_rule){ TIME_SET, pinned->now };
	if (options->args.timestamp)
		graph->layer_times = (struct time_rule){ TIME_SET, pinned->now };
	if (strcmp(wanted(options, stages), "") != 0)
		set_argument(options, stages, pinned->now);
	if (options->args.timestamp || !options->args.rewrite_timestamp)
		return 0;
	graph->dated = true;
	return rewrite(options, err);
}

int source_date_read(struct build_options *options, struct stages *stages,
		     const struct context *main_context, struct error *err)
{
	struct graph_options *graph = &options->graph;
	bool open = is_open(options, stages);
	int64_t seconds;
	int ret;

	if (options->pinned.is_set)
		return read_pinned(options, stages, main_context, err);
	if (options->args.timestamp)
		return read_timestamp(options, err);
	ret = read_text(options, stages, main_context, &seconds, err);
	if (ret < 0)
		return ret;
	set_argument(options, stages, seconds);
	if (open && main_context->is_commit && is_date(main_context->time)) {
		seconds = main_context->time;
		/* a cache in the image is of its layers as the steps have made them */
		if (!options->engine.inline_cache)
			graph->copy_times = (struct time_rule){ TIME_SET, seconds };
	}
	graph->dated = seconds != CONTEXT_NO_TIME;
	graph->now = graph->dated ? seconds : time(NULL);
	return rewrite(options, err);
}
