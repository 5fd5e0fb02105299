/* SPDX-License-Identifier: Apache-2.0 */
/* See outline.h; called by `build --call`. Descriptions are the comments right above ARG and FROM
 * that begin with the name. */
#include "builder/dockerfile/outline.h"

#include <stdlib.h>
#include <string.h>

#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/run-mount.h"
#include "builder/dockerfile/source-json.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

#define ARG_DEPTH_MAX 100

/* Something that a build may be given. */
struct parameter {
	const char *name, *description, *value; /* NULL = none */
	bool required;
	struct source_range range;
};

struct parameters {
	struct parameter *items;
	size_t count, capacity;
};

struct outline {
	struct dockerfile *dockerfile;
	const struct stages *stages;
	const struct strv *build_args;
	struct parameters args, secrets, agents;
	int depth; /* of ARGs that use one another */
};

/* What the comments above an instruction say of name, NULL = nothing. */
static const char *description_of(const struct instruction *instruction, const char *name)
{
	const char *const *comments = instruction->comments;
	size_t size = strlen(name);

	for (; comments && *comments; comments++)
		if (strncmp(*comments, name, size) == 0 && (*comments)[size] == ' ')
			return *comments + size + 1 + strspn(*comments + size + 1, " \t");
	return NULL;
}

/* Add, or replace the one of that name. */
static void put(struct parameters *list, const struct parameter *parameter)
{
	size_t at = 0;

	while (at < list->count && strcmp(list->items[at].name, parameter->name) != 0)
		at++;
	if (at == list->count) {
		ARRAY_GROW(list->items, list->count, list->capacity);
		list->count++;
	}
	list->items[at] = *parameter;
}

/* -- global ARGs ---------------------------------------------------------------------------------
 */

/* The instruction before the first FROM that declares name; *arg = where in it. */
static const struct instruction *find_global(const struct outline *outline, const char *name,
					     size_t *arg)
{
	const struct instruction *found = NULL;

	for (size_t i = 0; outline->dockerfile->instructions[i].kind != INST_FROM; i++) {
		const struct instruction *instruction = &outline->dockerfile->instructions[i];

		for (size_t j = 0; j < instruction->arg_count; j += 2) {
			if (strcmp(instruction->args[j], name) != 0)
				continue;
			found = instruction;
			*arg = j;
		}
	}
	return found;
}

static void put_global(struct outline *outline, const char *name);

/* The lookup that takes note of the global ARGs in a text. */
static const char *lookup(void *context, const char *name)
{
	struct outline *outline = context;

	put_global(outline, name);
	return strv_env_get(&outline->stages->globals, name);
}

static void put_used(struct outline *outline, const char *text)
{
	struct expand expand = { outline->dockerfile->directives.escape, false, lookup, outline };
	cleanup_free char *word = NULL;

	if (text)
		(void)expand_word(&expand, text, &word, NULL); /* for the sake of the lookups */
}

static void put_global(struct outline *outline, const char *name)
{
	size_t arg = 0;
	const struct instruction *global = find_global(outline, name, &arg);
	struct parameter parameter;

	for (size_t i = 0; i < outline->args.count; i++)
		if (strcmp(outline->args.items[i].name, name) == 0)
			return; /* also where one ARG uses itself */
	if (!global || outline->depth == ARG_DEPTH_MAX)
		return;
	parameter = (struct parameter){
		.name = global->args[arg],
		.description = description_of(global, name),
		.value = strv_env_get(&outline->stages->globals, name),
		.range = global->range,
	};
	put(&outline->args, &parameter);
	outline->depth++;
	put_used(outline, global->args[arg + 1]);
	outline->depth--;
}

/* -- instructions --------------------------------------------------------------------------------
 */

static void put_args(struct outline *outline, const struct instruction *raw,
		     const struct instruction *expanded)
{
	for (size_t i = 0; i < raw->arg_count; i += 2) {
		const char *name = raw->args[i];
		const char *given = strv_env_get(outline->build_args, name);
		struct parameter parameter = {
			.name = name,
			.description = description_of(raw, name),
			.value = given ? given : expanded->args[i + 1],
			.range = raw->range,
		};
		size_t arg;

		if (!raw->args[i + 1] && find_global(outline, name, &arg))
			put_global(outline, name);
		else
			put(&outline->args, &parameter);
	}
}

static const char *secret_name(const struct run_mount *mount)
{
	const char *slash = mount->target ? strrchr(mount->target, '/') : NULL;

	if (mount->id || mount->source)
		return mount->id ? mount->id : mount->source;
	return slash ? slash + 1 : mount->target;
}

static void put_mounts(struct outline *outline, const struct instruction *run)
{
	for (size_t i = 0; i < run->mount_count; i++) {
		const struct run_mount *mount = &run->mounts[i];
		bool secret = mount->type == RUN_MOUNT_SECRET;
		struct parameter parameter = { .required = mount->required, .range = run->range };

		if (!secret && mount->type != RUN_MOUNT_SSH)
			continue;
		parameter.name = secret ? secret_name(mount) : mount->id ? mount->id : "default";
		put(secret ? &outline->secrets : &outline->agents, &parameter);
	}
}

static void look_at_instruction(void *context, struct walk_stage *stage,
				const struct instruction *raw, const struct instruction *expanded)
{
	(void)stage;
	if (raw->kind == INST_ARG)
		put_args(context, raw, expanded);
	if (raw->kind == INST_RUN)
		put_mounts(context, expanded);
}

static void look_at_stage(void *context, struct walk_stage *stage)
{
	const struct instruction *from = stage->stage->from;

	put_used(context, from->args[0]);
	for (size_t i = 0; i < from->flag_count; i++)
		put_used(context, from->flags[i].value);
}

/* -- output --------------------------------------------------------------------------------------
 */

static int column_width(const struct parameters *list, const char *title, bool values)
{
	size_t width = strlen(title);

	for (size_t i = 0; i < list->count; i++) {
		const char *text = values ? list->items[i].value : list->items[i].name;

		if (text && strlen(text) > width)
			width = strlen(text);
	}
	return (int)width + 3;
}

static void print_args(const struct parameters *args, FILE *out)
{
	int name = column_width(args, "BUILD ARG", false),
	    value = column_width(args, "VALUE", true);

	if (!args->count)
		return;
	fprintf(out, "%-*s%-*sDESCRIPTION\n", name, "BUILD ARG", value, "VALUE");
	for (size_t i = 0; i < args->count; i++)
		fprintf(out, "%-*s%-*s%s\n", name, args->items[i].name, value,
			args->items[i].value ? args->items[i].value : "",
			args->items[i].description ? args->items[i].description : "");
	fputc('\n', out);
}

static void print_required(const struct parameters *list, const char *title, FILE *out)
{
	int name = column_width(list, title, false);

	if (!list->count)
		return;
	fprintf(out, "%-*sREQUIRED\n", name, title);
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%-*s%s\n", name, list->items[i].name,
			list->items[i].required ? "true" : "");
	fputc('\n', out);
}

static const char *stage_description(const struct stage *stage)
{
	return stage->name ? description_of(stage->from, stage->name) : NULL;
}

static void print_text(const struct outline *outline, FILE *out)
{
	const struct stage *target = outline->stages->target;
	const char *description = stage_description(target);

	if (description)
		fprintf(out, "TARGET:      %s\nDESCRIPTION: %s\n\n", target->name, description);
	else if (target->name)
		fprintf(out, "TARGET: %s\n\n", target->name);
	print_args(&outline->args, out);
	print_required(&outline->secrets, "SECRET", out);
	print_required(&outline->agents, "SSH", out);
}

static void write_text(struct json_writer *json, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	json_key(json, key);
	json_string(json, text);
}

static void write_flag(struct json_writer *json, const char *key, bool set)
{
	if (!set)
		return;
	json_key(json, key);
	json_bool(json, true);
}

static void write_list(struct json_writer *json, const char *key, const struct parameters *list)
{
	if (!list->count)
		return;
	json_key(json, key);
	json_begin_array(json);
	for (size_t i = 0; i < list->count; i++) {
		const struct parameter *parameter = &list->items[i];

		json_begin_object(json);
		write_text(json, "name", parameter->name);
		write_text(json, "description", parameter->description);
		write_text(json, "value", parameter->value);
		write_flag(json, "required", parameter->required);
		source_write_location(json, &parameter->range);
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_sources(struct json_writer *json, const struct dockerfile *dockerfile)
{
	json_key(json, "sources");
	json_begin_array(json);
	source_write_base64(json, &dockerfile->source);
	json_end_array(json);
}

static void print_json(const struct outline *outline, FILE *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer json = { .out = &text, .style = JSON_INDENT_2 };
	const struct stage *target = outline->stages->target;

	json_begin_object(&json);
	write_text(&json, "name", target->name);
	write_text(&json, "description", stage_description(target));
	write_list(&json, "args", &outline->args);
	write_list(&json, "secrets", &outline->secrets);
	write_list(&json, "ssh", &outline->agents);
	write_sources(&json, outline->dockerfile);
	json_end_object(&json);
	fprintf(out, "%s\n", strbuf_text(&text));
}

int outline_print(struct dockerfile *dockerfile, const struct stages *stages,
		  const struct walk_options *walk, bool json, FILE *out, struct source_range *where,
		  struct error *err)
{
	static const struct walk_hooks hooks = { .begin = look_at_stage,
						 .instruction = look_at_instruction };
	struct outline outline = { dockerfile, stages, walk->build_args, .args = { NULL, 0, 0 } };
	struct walk_options options = *walk;
	int ret;

	options.hooks = &hooks;
	options.context = &outline;
	ret = walk_stages(dockerfile, stages, &options, where, err);
	if (ret == 0)
		(json ? print_json : print_text)(&outline, out);
	free(outline.args.items);
	free(outline.secrets.items);
	free(outline.agents.items);
	return ret;
}

/* -- targets -------------------------------------------------------------------------------------
 */

static void print_targets(const struct stages *stages, FILE *out)
{
	cleanup_strv struct strv names = STRV_INIT;
	size_t width = strlen("TARGET");

	for (size_t i = 0; i < stages->count; i++) {
		const struct stage *stage = &stages->items[i];
		bool last = i + 1 == stages->count;

		strv_addf(&names, "%s%s%s", stage->name ? stage->name : "",
			  stage->name && last ? " " : "", last ? "(default)" : "");
		if (strlen(names.items[i]) > width)
			width = strlen(names.items[i]);
	}
	fprintf(out, "%-*s DESCRIPTION\n", (int)width, "TARGET");
	for (size_t i = 0; i < stages->count; i++) {
		const char *description = stage_description(&stages->items[i]);

		fprintf(out, "%-*s %s\n", (int)width, names.items[i],
			description ? description : "");
	}
}

static void write_target(struct json_writer *json, const struct stage *stage, bool last)
{
	json_begin_object(json);
	write_text(json, "name", stage->name);
	write_flag(json, "default", last);
	write_text(json, "description", stage_description(stage));
	write_text(json, "base", stage->from->args[0]);
	write_text(json, "platform", instruction_flag(stage->from, "platform"));
	source_write_location(json, &stage->from->range);
	json_end_object(json);
}

void targets_print(const struct dockerfile *dockerfile, const struct stages *stages, bool as_json,
		   FILE *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer json = { .out = &text, .style = JSON_INDENT_2 };

	if (!as_json) {
		print_targets(stages, out);
		return;
	}
	json_begin_object(&json);
	json_key(&json, "targets");
	json_begin_array(&json);
	for (size_t i = 0; i < stages->count; i++)
		write_target(&json, &stages->items[i], i + 1 == stages->count);
	json_end_array(&json);
	write_sources(&json, dockerfile);
	json_end_object(&json);
	fprintf(out, "%s\n", strbuf_text(&text));
}
