/* SPDX-License-Identifier: Apache-2.0 */
/* --change of import and commit: one function an instruction. */
#include "builder/cli/image-change.h"

#include <string.h>

#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/instructions.h"
#include "builder/dockerfile/parse.h"
#include "lib/cleanup.h"
#include "lib/path.h"

struct change {
	struct image_defaults *defaults;
	struct arena *arena;
	const struct instruction *instruction;
};

static void set_strings(struct change *change, struct json_strings *out)
{
	const struct instruction *instruction = change->instruction;

	*out = (struct json_strings){ .items = arena_alloc(change->arena, sizeof(char *)) };
	if (!instruction->json) {
		json_strings_add(out, change->arena, "/bin/sh");
		json_strings_add(out, change->arena, "-c");
	}
	for (size_t i = 0; i < instruction->arg_count; i++)
		json_strings_add(out, change->arena, instruction->args[i]);
}

static void change_cmd(struct change *change)
{
	set_strings(change, &change->defaults->cmd);
}

static void change_entrypoint(struct change *change)
{
	set_strings(change, &change->defaults->entrypoint);
}

static void change_env(struct change *change)
{
	const struct instruction *instruction = change->instruction;
	struct json_strings *env = &change->defaults->env;

	for (size_t i = 0; i + 1 < instruction->arg_count; i += 2) {
		char *pair = arena_printf(change->arena, "%s=%s", instruction->args[i],
					  instruction->args[i + 1]);
		size_t name = strlen(instruction->args[i]) + 1, k = 0;

		while (k < env->count && strncmp(env->items[k], pair, name) != 0)
			k++;
		if (k < env->count)
			env->items[k] = pair;
		else
			json_strings_add(env, change->arena, pair);
	}
}

static void change_label(struct change *change)
{
	const struct instruction *instruction = change->instruction;

	for (size_t i = 0; i + 1 < instruction->arg_count; i += 2)
		json_map_set(&change->defaults->labels, change->arena, instruction->args[i],
			     instruction->args[i + 1]);
}

static void add_names(struct change *change, struct json_strings *set, const char *suffix)
{
	for (size_t i = 0; i < change->instruction->arg_count; i++) {
		const char *name = change->instruction->args[i];
		const char *full =
			arena_printf(change->arena, "%s%s", name, strchr(name, '/') ? "" : suffix);

		if (!json_strings_contain(set, full))
			json_strings_add(set, change->arena, full);
	}
}

static void change_expose(struct change *change)
{
	add_names(change, &change->defaults->exposed_ports, "/tcp");
}

static void change_volume(struct change *change)
{
	add_names(change, &change->defaults->volumes, "");
}

static void change_user(struct change *change)
{
	change->defaults->user = change->instruction->args[0];
}

static void change_stopsignal(struct change *change)
{
	change->defaults->stop_signal = change->instruction->args[0];
}

static void change_workdir(struct change *change)
{
	const char *old = change->defaults->working_dir;
	cleanup_free char *path = path_join(old ? old : "/", change->instruction->args[0]);

	change->defaults->working_dir = arena_strdup(change->arena, path);
}

/* clang-format off */
static void (*const change_table[INST_COUNT])(struct change *change) = {
	[INST_CMD]        = change_cmd,
	[INST_ENTRYPOINT] = change_entrypoint,
	[INST_ENV]        = change_env,
	[INST_EXPOSE]     = change_expose,
	[INST_LABEL]      = change_label,
	[INST_STOPSIGNAL] = change_stopsignal,
	[INST_USER]       = change_user,
	[INST_VOLUME]     = change_volume,
	[INST_WORKDIR]    = change_workdir,
};
/* clang-format on */

static const char *lookup_env(void *context, const char *name)
{
	const struct json_strings *env = context;
	size_t size = strlen(name);

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], name, size) == 0 && env->items[i][size] == '=')
			return env->items[i] + size + 1;
	return NULL;
}

int image_change(const char *text, struct image_defaults *defaults, struct arena *arena,
		 struct error *err)
{
	const struct expand expand = { .escape = '\\',
				       .lookup = lookup_env,
				       .context = &defaults->env };
	struct instruction raw = { 0 }, instruction = { 0 };
	struct change change = { defaults, arena, &instruction };
	int ret = dockerfile_parse_trigger(text, arena, &raw, err);

	if (ret == 0)
		ret = instruction_expand(&raw, &expand, arena, &instruction, err);
	if (ret == 0 && !change_table[raw.kind])
		ret = error_invalid(err, "%s cannot be used here", instruction_spec(&raw)->name);
	if (ret < 0)
		return error_prefix(err, ret, "--change \"%s\"", text);
	change_table[raw.kind](&change);
	return 0;
}
