/* SPDX-License-Identifier: Apache-2.0 */
/* See build-warnings.h. */
#include "builder/cli/build-warnings.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/table.h"

void build_warn_unused(const struct dockerfile *dockerfile, const struct stages *stages)
{
	for (size_t i = 0; i < stages->unused.count; i++) {
		struct suggestion near = { .word = stages->unused.items[i] };

		for (size_t j = 0; j < dockerfile->count; j++) {
			const struct instruction *arg = &dockerfile->instructions[j];

			for (size_t k = 0; arg->kind == INST_ARG && k < arg->arg_count; k += 2)
				suggestion_consider(&near, arg->args[k]);
		}
		log_warning("no ARG takes the build arg \"%s\"%s%s%s", near.word,
			    near.best ? " (did you mean \"" : "", near.best ? near.best : "",
			    near.best ? "\"?)" : "");
	}
}

void build_warn_syntax(const struct dockerfile *dockerfile, const struct build_options *options)
{
	const char *syntax = strv_env_get(&options->build_args, "BUILDKIT_SYNTAX");

	if (!syntax)
		syntax = dockerfile->directives.syntax;
	if (syntax && !dockerfile_syntax_is_known(syntax))
		log_warning("the Dockerfile asks for the syntax \"%s\"; it is read as "
			    "docker/dockerfile",
			    syntax);
}

void build_warn_stages(const struct graph *graph, const struct build_options *options)
{
	const struct strv *stages = &options->no_cache_stages;

	for (size_t i = 0; i < stages->count; i++) {
		struct suggestion near = { .word = stages->items[i] };
		bool found = false;

		for (size_t j = 0; j < graph->order_count && !found; j++) {
			const struct graph_stage *stage = graph->order[j];
			char number[24];

			snprintf(number, sizeof(number), "%zu", stage->stage->index);
			found = strcmp(stage->label, near.word) == 0 ||
				strcmp(number, near.word) == 0;
			suggestion_consider(&near, stage->label);
		}
		if (!found)
			log_warning("--no-cache-filter: the build has no stage \"%s\"%s%s%s",
				    near.word, near.best ? " (did you mean \"" : "",
				    near.best ? near.best : "", near.best ? "\"?)" : "");
	}
}
