/* SPDX-License-Identifier: Apache-2.0 */
/* See walk.h. Triggers of a stage run where another stage starts from it, at the line of FROM. */
#include "builder/dockerfile/walk.h"

#include <string.h>

#include "builder/dockerfile/expand.h"
#include "lib/cleanup.h"

#define MISSING_MAX 1000 /* names that one instruction misses */

struct walker {
	struct dockerfile *dockerfile;
	const struct stages *stages;
	const struct walk_options *options;
	struct walk_stage *states; /* by index */
	struct source_range *where;
};

/* The lookup of a walked stage: names without a value are noted, each once. */
static const char *lookup(void *context, const char *name)
{
	struct walk_stage *stage = context;
	const char *value = scope_lookup(&stage->scope, name);

	if (!value && stage->missing.count < MISSING_MAX && !strv_contains(&stage->missing, name))
		strv_add(&stage->missing, name);
	return value;
}

/* What the instruction means for those that follow; ARGs were declared when they were expanded. */
static void update(struct walk_stage *stage, const struct instruction *raw,
		   const struct instruction *expanded)
{
	stage->last[raw->kind] = raw;
	switch (raw->kind) {
	case INST_ENV:
		for (size_t i = 0; i < expanded->arg_count; i += 2)
			scope_set_env(&stage->scope, expanded->args[i], expanded->args[i + 1]);
		break;
	case INST_SHELL:
		stage->has_shell = true;
		break;
	case INST_WORKDIR:
		stage->workdir_set = true;
		break;
	case INST_USER:
		stage->user = expanded->args[0];
		stage->user_unknown = stage->missing.count && !stage->base_known;
		break;
	default:
		break;
	}
}

/* ARG a=1 b=$a: unlike ENV, each sees the one before. */
static int expand_declaring(struct walk_stage *stage, const struct expand *expand,
			    const struct instruction *arg, struct arena *arena,
			    struct instruction *out, struct error *err)
{
	const char **args = arena_alloc(arena, (arg->arg_count + 1) * sizeof(*args));
	int ret = 0;

	*out = *arg;
	out->args = args;
	for (size_t i = 0; i < arg->arg_count && ret == 0; i += 2) {
		cleanup_free char *word = NULL;
		const char *value;

		args[i] = arg->args[i];
		if (arg->args[i + 1])
			ret = expand_word(expand, arg->args[i + 1], &word, err);
		if (word)
			args[i + 1] = arena_strdup(arena, word);
		if (ret == 0)
			ret = scope_declare(&stage->scope, arg->args[i], arg->args[i + 1], &value,
					    err);
	}
	return ret;
}

static int walk_instruction(struct walker *walker, struct walk_stage *stage,
			    const struct instruction *raw, struct error *err)
{
	struct expand expand = { stage->scope.escape, false, lookup, stage };
	const struct walk_options *options = walker->options;
	struct arena *arena = &walker->dockerfile->arena;
	struct instruction expanded;
	int ret;

	strv_done(&stage->missing);
	*walker->where = instruction_range(raw, &raw->keyword);
	if (raw->kind == INST_ARG)
		ret = expand_declaring(stage, &expand, raw, arena, &expanded, err);
	else
		ret = instruction_expand(raw, &expand, arena, &expanded, err);
	if (options->hooks->variables)
		options->hooks->variables(options->context, stage, raw);
	if (ret == 0)
		ret = instruction_check(&expanded, err);
	if (ret < 0 && !stage->base_known)
		return 0; /* perhaps the image has the variable */
	if (ret < 0)
		return ret;
	if (options->hooks->instruction)
		options->hooks->instruction(options->context, stage, raw, &expanded);
	update(stage, raw, &expanded);
	return 0;
}

/* The ONBUILD instructions of the stage that this one starts from. */
static int walk_triggers(struct walker *walker, struct walk_stage *state, struct error *err)
{
	const struct stage *parent = state->stage->parent;
	int ret = 0;

	for (size_t i = 0; parent && i < parent->body_count && ret == 0; i++) {
		struct instruction *trigger;

		if (!parent->body[i].nested)
			continue;
		trigger = arena_alloc(&walker->dockerfile->arena, sizeof(*trigger));
		*trigger = *parent->body[i].nested;
		trigger->range = state->stage->from->range;
		trigger->pieces = NULL;
		trigger->piece_count = 0;
		ret = walk_instruction(walker, state, trigger, err);
	}
	return ret;
}

static void begin_from_stage(struct walker *walker, struct walk_stage *state)
{
	const struct walk_stage *parent = &walker->states[state->stage->parent->index];

	scope_copy(&parent->scope, &state->scope);
	state->base = parent->base;
	state->base_known = parent->base_known;
	state->has_shell = parent->has_shell;
	state->workdir_set = parent->workdir_set;
	state->user = parent->user;
	state->user_unknown = parent->user_unknown;
}

static void begin_from_image(struct walker *walker, struct walk_stage *state)
{
	const struct walk_options *options = walker->options;
	const char *base = state->stage->base;
	struct walk_base *found = &state->base;

	if (strcmp(base, "scratch") == 0)
		state->base_known = true;
	else if (options->find_base)
		state->base_known = options->find_base(options->base_context, base, found);
	state->has_shell = found->has_shell;
	state->user = found->user && *found->user ? found->user : NULL;
	for (size_t i = 0; i < found->env_count; i++) {
		cleanup_free char *name = xstrndup(found->env[i], strcspn(found->env[i], "="));

		if (strchr(found->env[i], '='))
			scope_set_env(&state->scope, name, strchr(found->env[i], '=') + 1);
	}
	if (!scope_lookup(&state->scope, "PATH"))
		scope_set_env(&state->scope, "PATH", SCOPE_DEFAULT_PATH);
}

static int walk_stage(struct walker *walker, struct walk_stage *state, struct error *err)
{
	const struct walk_hooks *hooks = walker->options->hooks;
	int ret;

	state->scope.escape = walker->dockerfile->directives.escape;
	state->scope.build_args = walker->options->build_args;
	state->scope.globals = &walker->stages->globals;
	if (state->stage->parent)
		begin_from_stage(walker, state);
	else
		begin_from_image(walker, state);
	if (hooks->begin)
		hooks->begin(walker->options->context, state);
	ret = walk_triggers(walker, state, err);
	for (size_t i = 0; i < state->stage->body_count && ret == 0; i++)
		ret = walk_instruction(walker, state, &state->stage->body[i], err);
	if (ret == 0 && hooks->end)
		hooks->end(walker->options->context, state);
	return ret;
}

static bool is_wanted(const struct walker *walker, const struct stage *stage)
{
	const struct stages *stages = walker->stages;

	for (size_t i = 0; i < stages->order_count; i++)
		if (stages->order[i] == stage)
			return true;
	return walker->options->all;
}

int walk_stages(struct dockerfile *dockerfile, const struct stages *stages,
		const struct walk_options *options, struct source_range *where, struct error *err)
{
	struct walker walker = { dockerfile, stages, options, NULL, where };
	int ret = 0;

	walker.states = arena_alloc(&dockerfile->arena, stages->count * sizeof(*walker.states));
	for (size_t i = 0; i < stages->count && ret == 0; i++) {
		walker.states[i].stage = &stages->items[i];
		if (is_wanted(&walker, &stages->items[i]))
			ret = walk_stage(&walker, &walker.states[i], err);
	}
	for (size_t i = 0; i < stages->count; i++) {
		scope_done(&walker.states[i].scope);
		strv_done(&walker.states[i].missing);
	}
	return ret;
}
