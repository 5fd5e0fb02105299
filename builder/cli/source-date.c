/* SPDX-License-Identifier: Apache-2.0 */
/* See source-date.h. Called by cmd-build.c when the stages are known and nothing is planned yet. */
#include "builder/cli/source-date.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "lib/cleanup.h"
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
	return error_invalid(err, NAME ": \"%s\" is not a number of seconds", text);
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
		return *out < 0 ? bad_date(stages, text, err) : 0;
	*out = CONTEXT_NO_TIME;
	if (strcmp(text, "context") == 0)
		*out = main_context->time;
	else if (named)
		*out = named->context.time;
	else
		return bad_date(stages, text, err);
	return 0;
}

int source_date_read(struct build_options *options, struct stages *stages,
		     const struct context *main_context, struct error *err)
{
	bool given = strv_env_get(&options->build_args, NAME) != NULL;
	char number[24] = "";
	int64_t seconds;
	int ret = read_text(options, stages, main_context, &seconds, err);

	if (ret < 0)
		return ret;
	if (seconds != CONTEXT_NO_TIME)
		snprintf(number, sizeof(number), "%" PRId64, seconds);
	if (given)
		strv_env_set(&options->build_args, NAME, number);
	else if (strv_env_get(&stages->globals, NAME))
		strv_env_set(&stages->globals, NAME, number);
	options->graph.now = seconds != CONTEXT_NO_TIME ? seconds : time(NULL);
	return 0;
}
