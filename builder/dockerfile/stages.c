/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From instructions to stages, called by cmd-build.c before anything is planned. FROM sees the
 * global ARGs only; --from may use the stage's ARGs as well (buildah does, BuildKit refuses).
 */
#include "builder/dockerfile/stages.h"

#include <string.h>
#include <strings.h>

#include "builder/context/context.h"
#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/run-mount.h"
#include "builder/dockerfile/scope.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/table.h"

struct resolver {
	struct dockerfile *dockerfile;
	struct arena *arena;
	const struct stages_options *options;
	struct stages *stages;
	struct scope *scopes; /* of the stages that were read */
	struct stage **chain; /* room for as many as there are stages */
};

/* -- global variables ----------------------------------------------------------------------------
 */

/* BUILDPLATFORM ... TARGETVARIANT from "os/architecture[/variant]". */
static void add_platform(struct strv *globals, const char *prefix, const char *platform)
{
	static const char *const parts[] = { "OS", "ARCH", "VARIANT" };
	cleanup_strv struct strv pieces = STRV_INIT;

	strv_split(&pieces, platform, '/');
	strv_addf(globals, "%sPLATFORM=%s", prefix, platform);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		strv_addf(globals, "%s%s=%s", prefix, parts[i],
			  i < pieces.count ? pieces.items[i] : "");
	strv_addf(globals, "%sOSVERSION=", prefix);
}

void stages_platform_args(struct strv *out, const char *platform, const char *host)
{
	add_platform(out, "BUILD", host ? host : platform);
	add_platform(out, "TARGET", platform);
}

/* What TARGETSTAGE is: the name that was asked for, else the last stage's, if it has one. */
static const char *target_name(const struct resolver *resolver)
{
	const struct dockerfile *dockerfile = resolver->dockerfile;

	if (resolver->options->target)
		return resolver->options->target;
	for (size_t i = dockerfile->count; i > 0; i--) {
		const struct instruction *last = &dockerfile->instructions[i - 1];

		if (last->kind == INST_FROM)
			return last->arg_count == 3
				       ? stages_lower_case(resolver->arena, last->args[2])
				       : "default";
	}
	return "default";
}

static void add_predefined(struct resolver *resolver)
{
	const struct stages_options *options = resolver->options;
	struct strv *globals = &resolver->stages->globals;

	stages_platform_args(globals, options->platform, options->host);
	strv_addf(globals, "TARGETSTAGE=%s", target_name(resolver));
	for (size_t i = 0; i < globals->count; i++) {
		cleanup_free char *name =
			xstrndup(globals->items[i], strcspn(globals->items[i], "="));
		const char *given = strv_env_get(options->build_args, name);

		if (given)
			strv_env_set(globals, name, given);
	}
}

/* The ARGs before the first FROM. */
static int read_globals(struct resolver *resolver, size_t *first_from, struct error *err)
{
	const struct dockerfile *dockerfile = resolver->dockerfile;
	struct stages *stages = resolver->stages;
	cleanup_scope struct scope scope = { .escape = dockerfile->directives.escape,
					     .build_args = resolver->options->build_args,
					     .globals = &stages->globals };
	size_t i;
	int ret = 0;

	add_predefined(resolver);
	strv_add_all(&scope.values, strv_items(&stages->globals));
	for (i = 0; dockerfile->instructions[i].kind != INST_FROM && ret == 0; i++) {
		const struct instruction *arg = &dockerfile->instructions[i];

		for (size_t j = 0; j < arg->arg_count && ret == 0; j += 2) {
			const char *value;

			stages->where = instruction_range(arg, &arg->arg_spans[j + 1]);
			ret = scope_declare(&scope, arg->args[j], arg->args[j + 1], &value, err);
			if (ret == 0 && value)
				strv_env_set(&stages->globals, arg->args[j], value);
		}
	}
	*first_from = i;
	return ret;
}

/* -- stages --------------------------------------------------------------------------------------
 */

static struct stage *find_by_name(const struct stages *stages, const char *name, size_t before)
{
	for (size_t i = before; i > 0; i--) /* of two with one name the later one counts */
		if (stages->items[i - 1].name && strcasecmp(stages->items[i - 1].name, name) == 0)
			return &stages->items[i - 1];
	return NULL;
}

int stages_find(const struct stages *stages, const char *name, struct stage **out,
		struct error *err)
{
	uint64_t index;

	*out = NULL;
	if (named_contexts_find(stages->contexts, name))
		return 0;
	*out = find_by_name(stages, name, stages->count);
	if (*out || number_parse_u64(name, &index) < 0)
		return 0;
	if (index >= stages->count)
		return error_invalid(err, "stage index %s is out of range: there are %zu stages",
				     name, stages->count);
	*out = &stages->items[index];
	return 0;
}

static int expand_global(struct resolver *resolver, const char *text, const char **out,
			 struct error *err)
{
	struct expand expand = { resolver->dockerfile->directives.escape, false, expand_lookup_strv,
				 &resolver->stages->globals };
	cleanup_free char *word = NULL;
	int ret = expand_word(&expand, text, &word, err);

	if (ret == 0)
		*out = arena_strdup(resolver->arena, word);
	return ret;
}

char *stages_lower_case(struct arena *arena, const char *text)
{
	char *lower = arena_strdup(arena, text);

	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	return lower;
}

static int read_platform(struct resolver *resolver, const struct instruction *from,
			 const char *text, const char **out, struct error *err)
{
	cleanup_free char *normal = NULL;
	const struct stages_options *options = resolver->options;
	const char *word;
	int ret;

	resolver->stages->where = instruction_range(from, &from->flags[0].span);
	ret = expand_global(resolver, text, &word, err);
	if (ret == 0 && !*word)
		return error_invalid(err, "empty platform value from expression %s", text);
	if (ret == 0)
		ret = platform_normalize(word, options->host ? options->host : options->platform,
					 &normal, err);
	if (ret == 0)
		*out = arena_strdup(resolver->arena, normal);
	return ret;
}

static int read_from(struct resolver *resolver, const struct instruction *from, struct stage *stage,
		     struct error *err)
{
	const char *platform = instruction_flag(from, "platform");
	int ret = expand_global(resolver, from->args[0], &stage->base, err);

	if (ret == 0 && platform && *platform)
		ret = read_platform(resolver, from, platform, &stage->platform, err);
	if (ret < 0)
		return ret;
	if (!*stage->base)
		return error_invalid(err, "base name (%s) should not be blank", from->args[0]);
	stage->from = from;
	if (!named_contexts_find(resolver->options->contexts, stage->base))
		stage->parent = find_by_name(resolver->stages, stage->base, stage->index);
	if (from->arg_count == 3) {
		stage->name = stages_lower_case(resolver->arena, from->args[2]);
		resolver->stages->where = instruction_range(from, &from->arg_spans[2]);
		if (!instruction_stage_name_is_valid(stage->name))
			return error_invalid(err,
					     "invalid name for build stage: \"%s\", name can't "
					     "start with a number or contain symbols",
					     from->args[2]);
	}
	return 0;
}

static int read_stages(struct resolver *resolver, size_t first, struct error *err)
{
	struct dockerfile *dockerfile = resolver->dockerfile;
	struct stages *stages = resolver->stages;
	size_t count = 0;

	for (size_t i = first; i < dockerfile->count; i++)
		count += dockerfile->instructions[i].kind == INST_FROM;
	if (count > STAGES_MAX)
		return error_invalid(err, "more than %d stages", STAGES_MAX);
	stages->items = arena_alloc(resolver->arena, count * sizeof(*stages->items));
	for (size_t i = first; i < dockerfile->count; i++) {
		const struct instruction *instruction = &dockerfile->instructions[i];
		struct stage *stage;
		int ret;

		if (instruction->kind != INST_FROM) {
			stages->items[stages->count - 1].body_count++;
			continue;
		}
		stage = &stages->items[stages->count];
		stages->reached = instruction;
		stage->index = stages->count;
		stage->body = instruction + 1;
		stages->where = instruction_range(instruction, &instruction->arg_spans[0]);
		ret = read_from(resolver, instruction, stage, err);
		if (ret < 0)
			return ret;
		stages->count++;
	}
	return 0;
}

/* -- what a stage needs --------------------------------------------------------------------------
 */

/* name is a stage, or an image or context, which needs nothing. */
static int add_need(struct resolver *resolver, struct stage *stage, const char *name,
		    struct error *err)
{
	struct stage *need;
	int ret = stages_find(resolver->stages, name, &need, err);

	if (ret < 0 || !need)
		return ret;
	for (size_t i = 0; i < stage->need_count; i++)
		if (stage->needs[i] == need)
			return 0;
	stage->needs[stage->need_count++] = need;
	return 0;
}

/* The stage that a flag names, if it does; NULL also where a variable of the base image is needed
 * to know: the planner finds it then. */
static const char *from_of(struct resolver *resolver, struct scope *scope,
			   const struct instruction_flag *flag)
{
	struct expand expand = { scope->escape, false, scope_lookup, scope };
	cleanup_free char *word = NULL;
	const char *from = NULL;

	if (strcmp(flag->spec->name, "mount") == 0) {
		(void)run_mount_from(flag->value, &expand, resolver->arena, &from, NULL);
		return from;
	}
	if (strcmp(flag->spec->name, "from") != 0 ||
	    expand_word(&expand, flag->value, &word, NULL) < 0)
		return NULL;
	return arena_strdup(resolver->arena, word);
}

static int add_needs(struct resolver *resolver, struct stage *stage, struct scope *scope,
		     const struct instruction *instruction, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < instruction->flag_count && ret == 0; i++) {
		const struct instruction_flag *flag = &instruction->flags[i];
		const char *from = from_of(resolver, scope, flag);

		resolver->stages->where = instruction_range(instruction, &flag->span);
		if (from)
			ret = add_need(resolver, stage, from, err);
	}
	return ret;
}

/* Variables change. What the base image's variables do to them is not known here, so a failure says
 * nothing yet. */
static void read_variables(struct scope *scope, const struct instruction *instruction)
{
	for (size_t i = 0; i < instruction->arg_count; i += 2) {
		const char *name = instruction->args[i], *text = instruction->args[i + 1], *value;
		cleanup_free char *word = NULL;

		if (instruction->kind == INST_ARG)
			(void)scope_declare(scope, name, text, &value, NULL);
		else if (scope_expand(scope, text, &word, NULL) == 0)
			scope_set_env(scope, name, word);
	}
}

static int read_needs(struct resolver *resolver, struct stage *stage, struct error *err)
{
	struct scope *scope = &resolver->scopes[stage->index];
	size_t flag_count = 0;
	int ret = 0;

	scope->escape = resolver->dockerfile->directives.escape;
	scope->build_args = resolver->options->build_args;
	scope->globals = &resolver->stages->globals;
	if (stage->parent)
		scope_copy(&resolver->scopes[stage->parent->index], scope);
	for (size_t i = 0; i < stage->body_count; i++)
		flag_count += stage->body[i].flag_count;
	stage->needs = arena_alloc(resolver->arena, flag_count * sizeof(struct stage *));
	for (size_t i = 0; i < stage->body_count && ret == 0; i++)
		if (stage->body[i].kind == INST_ARG || stage->body[i].kind == INST_ENV)
			read_variables(scope, &stage->body[i]);
		else
			ret = add_needs(resolver, stage, scope, &stage->body[i], err);
	return ret;
}

/* Read a stage after those it starts from, whose variables it inherits. */
static int read_with_parents(struct resolver *resolver, struct stage *stage, struct error *err)
{
	size_t depth = 0;
	int ret = 0;

	for (; stage && !stage->needs; stage = stage->parent)
		resolver->chain[depth++] = stage;
	while (depth && ret == 0)
		ret = read_needs(resolver, resolver->chain[--depth], err);
	return ret;
}

/* Build args that nobody declares: a warning later, with the nearest declared name. */
static void find_unused(struct resolver *resolver)
{
	const struct dockerfile *dockerfile = resolver->dockerfile;
	const struct strv *given = resolver->options->build_args;
	cleanup_strv struct strv declared = STRV_INIT;

	for (size_t i = 0; i < dockerfile->count; i++) {
		const struct instruction *arg = &dockerfile->instructions[i];

		arg = arg->nested ? arg->nested : arg;
		for (size_t j = 0; arg->kind == INST_ARG && j < arg->arg_count; j += 2)
			strv_add(&declared, arg->args[j]);
	}
	for (size_t i = 0; i < given->count; i++) {
		cleanup_free char *name = xstrndup(given->items[i], strcspn(given->items[i], "="));

		if (!strv_contains(&declared, name) &&
		    !strv_env_get(&resolver->stages->globals, name) && !scope_is_proxy(name) &&
		    strncmp(name, "BUILDKIT_", 9) != 0 && strcmp(name, "SOURCE_DATE_EPOCH") != 0)
			strv_add(&resolver->stages->unused, name);
	}
}

/* -- order ---------------------------------------------------------------------------------------
 */

enum visit { VISIT_NOT, VISIT_RUNNING, VISIT_DONE };

static struct stage *next_to_visit(const struct stage *stage, const enum visit *visits)
{
	if (stage->parent && visits[stage->parent->index] != VISIT_DONE)
		return stage->parent;
	for (size_t i = 0; i < stage->need_count; i++)
		if (visits[stage->needs[i]->index] != VISIT_DONE)
			return stage->needs[i];
	return NULL;
}

/* Depth first, with a stack of our own: a chain of stages may be long. Only what is visited is
 * read, so a mistake in a stage that nobody needs stops nothing. */
static int visit_stage(struct resolver *resolver, struct stage *start, enum visit *visits,
		       struct error *err)
{
	struct stages *stages = resolver->stages;
	struct stage **stack = arena_alloc(resolver->arena, (stages->count + 1) * sizeof(*stack));
	size_t depth = 0;
	int ret = 0;

	for (struct stage *next = start; next;) {
		if (visits[next->index] == VISIT_RUNNING) {
			stages->where = stack[depth - 1]->from->range;
			return error_invalid(err, "circular dependency detected on stage: %s",
					     next->name ? next->name : next->base);
		}
		visits[next->index] = VISIT_RUNNING;
		stack[depth++] = next;
		ret = read_with_parents(resolver, next, err);
		if (ret < 0)
			return ret;
		while (depth && !(next = next_to_visit(stack[depth - 1], visits))) {
			visits[stack[depth - 1]->index] = VISIT_DONE;
			stages->order[stages->order_count++] = stack[--depth];
		}
		if (!depth)
			next = NULL;
	}
	return 0;
}

static int order_stages(struct resolver *resolver, struct error *err)
{
	struct stages *stages = resolver->stages;
	enum visit *visits = arena_alloc(resolver->arena, stages->count * sizeof(*visits));
	int ret;

	stages->order = arena_alloc(resolver->arena, stages->count * sizeof(*stages->order));
	resolver->scopes = arena_alloc(resolver->arena, stages->count * sizeof(*resolver->scopes));
	resolver->chain = arena_alloc(resolver->arena, stages->count * sizeof(*resolver->chain));
	ret = visit_stage(resolver, stages->target, visits, err);
	for (size_t i = 0; i < stages->count; i++)
		scope_done(&resolver->scopes[i]);
	return ret;
}

const char *stages_nearest(const struct stages *stages, const char *name)
{
	struct suggestion near = { .word = name };

	for (size_t i = 0; i < stages->count; i++)
		if (stages->items[i].name)
			suggestion_consider(&near, stages->items[i].name);
	return near.best;
}

static int choose_target(struct resolver *resolver, struct error *err)
{
	struct stages *stages = resolver->stages;
	const char *name = resolver->options->target;
	const char *near;
	int ret;

	stages->target = &stages->items[stages->count - 1];
	if (!name)
		return 0;
	stages->where = stages->target->from->range;
	ret = stages_find(stages, name, &stages->target, err);
	if (ret < 0 || stages->target)
		return ret;
	near = stages_nearest(stages, name);
	ret = error_set(err, ERROR_NOT_FOUND, 0, "target stage \"%s\" could not be found", name);
	return near ? error_suffix(err, ret, " (did you mean %s?)", near) : ret;
}

int stages_resolve(struct dockerfile *dockerfile, const struct stages_options *options,
		   struct stages *out, struct error *err)
{
	struct resolver resolver = { dockerfile, &dockerfile->arena, options, out, NULL, NULL };
	size_t first;
	int ret;

	*out = (struct stages){ .contexts = options->contexts };
	ret = read_globals(&resolver, &first, err);
	if (ret == 0)
		ret = read_stages(&resolver, first, err);
	if (ret == 0)
		ret = choose_target(&resolver, err);
	if (ret == 0)
		ret = order_stages(&resolver, err);
	if (ret == 0)
		find_unused(&resolver);
	out->resolved = ret == 0;
	return source_prefix(&dockerfile->source, &out->where, ret, err);
}

void stages_done(struct stages *stages)
{
	strv_done(&stages->globals);
	strv_done(&stages->unused);
}

void stages_print(const struct stages *stages, FILE *out)
{
	for (size_t i = 0; i < stages->count; i++) {
		const struct stage *stage = &stages->items[i];

		fprintf(out, "stage %zu %s: from %s %s", i, stage->name ? stage->name : "-",
			stage->parent ? "stage" : "image", stage->base);
		if (stage->platform)
			fprintf(out, " platform %s", stage->platform);
		for (size_t j = 0; j < stage->need_count; j++)
			fprintf(out, "%s %zu", j ? "," : " needs", stage->needs[j]->index);
		fprintf(out, "%s\n", stage == stages->target ? " (target)" : "");
	}
	fputs("order:", out);
	for (size_t i = 0; i < stages->order_count; i++)
		fprintf(out, " %zu", stages->order[i]->index);
	fputc('\n', out);
}
