/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: the program, its environment, identity and limits, for the container's own process and
 * for those of exec. What a process lacks and exec inherits is merged by plan.c beforehand.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/compile.h"

struct env_entry {
	char *text;
	size_t name_length, index;
	bool shadowed; /* a later entry has the same name */
};

static int env_compare(const void *a, const void *b)
{
	const struct env_entry *x = a, *y = b;
	size_t shorter = x->name_length < y->name_length ? x->name_length : y->name_length;
	int order = memcmp(x->text, y->text, shorter);

	if (order)
		return order;
	if (x->name_length != y->name_length)
		return x->name_length < y->name_length ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int env_index_compare(const void *a, const void *b)
{
	const struct env_entry *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static void env_mark_shadowed(struct env_entry *entries, size_t count)
{
	qsort(entries, count, sizeof(*entries), env_compare);
	for (size_t i = 0; i + 1 < count; i++)
		entries[i].shadowed =
			entries[i].name_length == entries[i + 1].name_length &&
			memcmp(entries[i].text, entries[i + 1].text, entries[i].name_length) == 0;
	qsort(entries, count, sizeof(*entries), env_index_compare);
}

/* Each name once, the last value wins; sorting keeps a hostile list of 10^6 entries cheap. */
static void compile_env(const struct compiler *c, const struct json_strings *env)
{
	cleanup_free struct env_entry *entries = NULL;
	size_t count = 0, used = 0;
	char **out;

	entries = xreallocarray(NULL, env->count + 1, sizeof(*entries));
	for (size_t i = 0; i < env->count; i++) {
		entries[count++] =
			(struct env_entry){ env->items[i], strcspn(env->items[i], "="), i, false };
	}
	env_mark_shadowed(entries, count);
	out = arena_alloc(&c->plan->arena, (count + 1) * sizeof(*out));
	for (size_t i = 0; i < count; i++)
		if (!entries[i].shadowed)
			out[used++] = entries[i].text;
	c->plan->process.env = out;
}

static bool id_is_mapped(uint32_t id, const struct plan_idmap *map, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (id >= map[i].inside && id - map[i].inside < map[i].size)
			return true;
	return false;
}

/* The kernel would say EINVAL much later. The maps of a joined user namespace need not be known. */
static int check_mapped(const struct plan *plan, const char *pointer, struct error *err)
{
	const struct plan_process *process = &plan->process;

	if (!plan->uid_map_count || !plan->gid_map_count)
		return 0;
	if (!id_is_mapped(process->uid, plan->uid_map, plan->uid_map_count))
		return error_pointer(err,
				     error_invalid(err,
						   "uid %u is not mapped in the user namespace",
						   process->uid),
				     "%s/user/uid", pointer);
	if (!id_is_mapped(process->gid, plan->gid_map, plan->gid_map_count))
		return error_pointer(err,
				     error_invalid(err,
						   "gid %u is not mapped in the user namespace",
						   process->gid),
				     "%s/user/gid", pointer);
	for (size_t i = 0; !process->keep_groups && i < process->group_count; i++)
		if (!id_is_mapped(process->groups[i], plan->gid_map, plan->gid_map_count))
			return error_pointer(
				err,
				error_invalid(err, "group %u is not mapped in the user namespace",
					      process->groups[i]),
				"%s/user/additionalGids/%zu", pointer, i);
	return 0;
}

static int compile_user(const struct oci_user *user, const char *pointer, struct plan *plan,
			struct error *err)
{
	struct plan_process *process = &plan->process;

	process->uid = user->uid;
	process->gid = user->gid;
	process->umask = user->has_umask ? user->umask : 022;
	process->groups = user->additional_gids.items;
	process->group_count = user->additional_gids.count;
	return check_mapped(plan, pointer, err);
}

static void compile_program(const struct compiler *c, const struct oci_process *config)
{
	struct plan_process *process = &c->plan->process;

	process->args = config->args.items;
	process->cwd = config->cwd;
	process->terminal = config->terminal;
	if (config->terminal && config->console_size) {
		process->console_width = config->console_size->width;
		process->console_height = config->console_size->height;
	}
	compile_env(c, &config->env);
}

/* podman's keep-groups: groups by which the caller may read files are lost otherwise, because a
 * user namespace cannot name them. */
static int compile_keep_groups(const struct compiler *c, struct error *err)
{
	const char *value = json_map_get(&c->config->annotations, ANNOTATION_KEEP_GROUPS);

	if (!value || strcmp(value, "0") == 0)
		return 0;
	if (strcmp(value, "1") != 0)
		return error_pointer(err, error_invalid(err, "\"%s\" is not 0 or 1", value),
				     "/annotations/" ANNOTATION_KEEP_GROUPS);
	c->plan->process.keep_groups = true;
	return 0;
}

int compile_process(const struct compiler *c, const struct oci_process *config, const char *pointer,
		    struct error *err)
{
	struct plan *plan = c->plan;
	int ret = compile_go_on(c, compile_keep_groups(c, err), err);

	if (ret == 0)
		ret = compile_go_on(c, compile_user(&config->user, pointer, plan, err), err);
	if (ret < 0)
		return ret;
	compile_program(c, config);
	compile_rlimits(c, config);
	compile_policies(c, config);
	plan->process.has_oom_score_adj = config->has_oom_score_adj;
	plan->process.oom_score_adj = config->oom_score_adj;
	plan->process.no_new_privileges = config->no_new_privileges;
	return compile_capabilities(config->capabilities, plan, err);
}
