/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Planning the instructions that make layers: RUN, COPY, ADD, WORKDIR. What a step will do is
 * decided here completely; its functions in step-*.c only do it.
 */
#include <string.h>

#include "builder/build/chmod.h"
#include "builder/build/graph.h"
#include "builder/build/plan-history.h"
#include "builder/build/run-step.h"
#include "builder/build/step-kinds.h"
#include "builder/dockerfile/words.h"
#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "lib/table.h"

static const char *const *keep_list(struct plan_context *plan, const struct strv *list)
{
	const char **items = arena_alloc(&plan->graph->arena, (list->count + 1) * sizeof(*items));

	for (size_t i = 0; i < list->count; i++)
		items[i] = arena_strdup(&plan->graph->arena, list->items[i]);
	return items;
}

/* -- RUN -----------------------------------------------------------------------------------------
 */

/* The variables of ENV and ARG, but for those that are the builder's own. */
static void set_environment(struct plan_context *plan, struct step_run *run)
{
	const struct strv *values = &plan->stage->scope.values;
	cleanup_strv struct strv env = STRV_INIT;

	for (size_t i = 0; i < values->count; i++) {
		cleanup_free char *name =
			xstrndup(values->items[i], strcspn(values->items[i], "="));

		if (!scope_is_private(name))
			strv_add(&env, values->items[i]);
	}
	run->env_count = env.count;
	run->env = keep_list(plan, &env);
}

/* Proxy variables, in both cases, unless the Dockerfile has its own. */
static void add_proxies(struct plan_context *plan, const struct strv *given, struct strv *out)
{
	for (size_t i = 0; i < given->count; i++) {
		size_t size = strcspn(given->items[i], "=");
		cleanup_free char *name = xstrndup(given->items[i], size);

		if (!scope_is_proxy(name))
			continue;
		for (int lower = 0; lower < 2; lower++) {
			for (char *p = name; *p; p++)
				if (*p != '_')
					*p = (char)(lower ? *p | 32 : *p & ~32);
			if (!scope_lookup(&plan->stage->scope, name))
				strv_env_set(out, name, given->items[i] + size + 1);
		}
	}
}

/* Those of the host, over them those of the command line. */
static void set_proxies(struct plan_context *plan, struct step_run *run)
{
	const struct graph_options *options = plan->graph->options;
	cleanup_strv struct strv proxies = STRV_INIT;

	add_proxies(plan, options->proxies, &proxies);
	add_proxies(plan, options->build_args, &proxies);
	run->proxies = keep_list(plan, &proxies);
}

/* "RUN [|N k=v ...] args # buildkit": all declared ARGs with the values that the command sees. */
static char *run_history(struct plan_context *plan, const struct step_run *run)
{
	struct scope *scope = &plan->stage->scope;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, "RUN");
	if (scope->declared.count)
		strbuf_addf(&text, " |%zu", scope->declared.count);
	for (size_t i = 0; i < scope->declared.count; i++) {
		const char *value = scope_lookup(scope, scope->declared.items[i]);

		strbuf_addf(&text, " %s=%s", scope->declared.items[i], value ? value : "");
	}
	for (size_t i = 0; i < run->arg_count; i++)
		strbuf_addf(&text, " %s", run->args[i]);
	strbuf_adds(&text, " # buildkit");
	return strbuf_take(&text);
}

/* A lone here-document is the command itself (or, with "#!", a program); else the shell reads it.
 */
static void apply_heredocs(struct plan_context *plan, struct instruction *instruction,
			   struct step_run *run)
{
	struct arena *arena = &plan->graph->arena;
	const struct heredoc *first = &instruction->heredocs[0];
	cleanup_strbuf struct strbuf full = STRBUF_INIT;
	struct step_script *script;

	if (!instruction->heredoc_count)
		return;
	instruction->args = arena_alloc(arena, 2 * sizeof(*instruction->args));
	if (!first->alone) {
		strbuf_adds(&full, plan->raw->args[0]);
		for (size_t i = 0; i < instruction->heredoc_count; i++)
			strbuf_addf(&full, "\n%s%s", instruction->heredocs[i].raw,
				    instruction->heredocs[i].name);
		instruction->args[0] = arena_strdup(arena, strbuf_text(&full));
		return;
	}
	instruction->args[0] = first->body;
	if (strncmp(first->body, "#!", 2) != 0)
		return;
	script = arena_alloc(arena, sizeof(*script));
	script->target = arena_printf(arena, "/dev/pipes/%s", first->name);
	script->body = first->body;
	instruction->args[0] = script->target;
	run->script = script;
}

/* A Dockerfile may have less than the command line grants, never more. */
static int choose_network(const struct plan_context *plan, const struct instruction *instruction,
			  enum run_network *network, struct error *err)
{
	const char *wanted = instruction_flag(instruction, "network");

	bool host = wanted && strcmp(wanted, "host") == 0;

	if (host && *network == RUN_NETWORK_BRIDGE && plan->graph->options->entitlements->host)
		*network = RUN_NETWORK_HOST;
	if (host && *network != RUN_NETWORK_HOST)
		return error_invalid(err, "RUN --network=host is refused by build --network %s",
				     table_name(run_networks, *network));
	if (wanted && strcmp(wanted, "none") == 0)
		*network = RUN_NETWORK_NONE;
	return 0;
}

/* What reaches the host has to be granted on the command line. */
static int choose_security(struct plan_context *plan, const struct instruction *instruction,
			   struct step_run *run, struct error *err)
{
	const char *wanted = instruction_flag(instruction, "security");

	run->insecure = wanted && strcmp(wanted, "insecure") == 0;
	if (run->insecure && !plan->graph->options->entitlements->insecure)
		return error_invalid(err, "security.insecure is not allowed "
					  "(build --allow security.insecure)");
	return 0;
}

int plan_run(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	const struct image_defaults *defaults = plan->stage->config->config;
	struct instruction command = *instruction;
	struct step_run run = { .network = plan->graph->options->network };
	cleanup_free char *created_by = NULL, *cwd = NULL;
	int ret = choose_network(plan, instruction, &run.network, err);

	if (ret < 0)
		return ret;
	ret = choose_security(plan, instruction, &run, err);
	if (ret < 0)
		return ret;
	apply_heredocs(plan, &command, &run);
	if (run.script && strchr(run.script->target + strlen("/dev/pipes/"), '/'))
		return error_invalid(err, "\"%s\" is no file name", instruction->heredocs[0].name);
	run.args = plan_command(plan, &command, 0, &run.arg_count);
	set_environment(plan, &run);
	set_proxies(plan, &run);
	cwd = path_join("/", defaults->working_dir ? defaults->working_dir : "");
	run.cwd = arena_strdup(&plan->graph->arena, cwd);
	run.user = defaults->user ? defaults->user : "";
	run.hostname = strv_env_get(plan->graph->options->build_args, "BUILDKIT_SANDBOX_HOSTNAME");
	ret = plan_mounts(plan, instruction, &run, err);
	if (ret == 0)
		ret = plan_devices(plan, instruction, &run, err);
	if (ret < 0)
		return ret;
	created_by = run_history(plan, &run);
	plan_step(plan, &step_kind_run, created_by)->run = run;
	return 0;
}

/* -- COPY and ADD --------------------------------------------------------------------------------
 */

static bool names_folder(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return !*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0;
}

static char *copy_history(const struct instruction *instruction, const struct step_copy *copy)
{
	static const char *const flags[] = { "chown", "chmod" };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, instruction_spec(instruction)->name);
	if (instruction_flag_is_set(instruction, "parents"))
		strbuf_adds(&text, " --parents");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		const char *value = instruction_flag(instruction, flags[i]);

		if (value)
			strbuf_addf(&text, " --%s=%s", flags[i], value);
	}
	for (size_t i = 0; i < copy->item_count; i++)
		strbuf_addf(&text, " %s%s", copy->items[i].body ? "<<" : "",
			    copy->items[i].body ? copy->items[i].path : instruction->args[i]);
	strbuf_addf(&text, " %s # buildkit", instruction->args[copy->item_count]);
	return strbuf_take(&text);
}

/* ADD: what is not a path of the context. */
static int set_remote(struct plan_context *plan, const struct instruction *instruction,
		      struct copy_item *item, struct error *err)
{
	const char *checksum = instruction_flag(instruction, "checksum");
	struct arena *arena = &plan->graph->arena;
	struct location location;
	int ret;

	ret = location_parse(item->path, false, arena, &location, err);
	if (ret < 0 || location.kind == LOCATION_FOLDER)
		return ret;
	if (instruction->kind != INST_ADD)
		return error_invalid(err, "source can't be a %s for COPY",
				     location.kind == LOCATION_GIT ? "git ref" : "URL");
	item->remote = arena_alloc(arena, sizeof(*item->remote));
	ret = remote_plan(&location, checksum, instruction_flag_is_set(instruction, "keep-git-dir"),
			  arena, item->remote, err);
	if (ret == 0 && plan->graph->options->pins)
		ret = pins_hold_remote(plan->graph->options->pins, item->remote, err);
	return ret;
}

static int check_checksum(const struct instruction *instruction, const struct step_copy *copy,
			  struct error *err)
{
	if (!instruction_flag(instruction, "checksum"))
		return 0;
	if (copy->item_count != 1)
		return error_invalid(err, "checksum can't be specified for multiple sources");
	if (!copy->items[0].remote)
		return error_invalid(err, "checksum requires HTTP(S) or Git sources");
	return 0;
}

/*
 * --parents: the path is kept below the destination, from the "/./" in it if there is one. That is
 * a copy of the folder in front, of which only what the rest names is taken.
 */
static void split_at_pivot(struct arena *arena, struct copy_item *item)
{
	const char *pivot = strstr(item->path, "/./");
	cleanup_free char *pattern = path_join("/", pivot ? pivot + 2 : item->path);

	item->include = pattern[1] ? arena_strdup(arena, pattern + 1) : NULL;
	item->path = pivot ? arena_strndup(arena, item->path, (size_t)(pivot - item->path)) : "/";
	if (!*item->path)
		item->path = "/";
}

static int set_items(struct plan_context *plan, const struct instruction *instruction,
		     struct step_copy *copy, struct error *err)
{
	size_t count = instruction->arg_count - 1;
	struct copy_item *items = arena_alloc(&plan->graph->arena, count * sizeof(*items));
	int ret = 0;

	for (size_t i = 0; i < count; i++) {
		items[i].path = instruction->args[i];
		if (instruction_flag_is_set(instruction, "parents"))
			split_at_pivot(&plan->graph->arena, &items[i]);
	}
	for (size_t i = 0; i < instruction->heredoc_count; i++) {
		const struct heredoc *heredoc = &instruction->heredocs[i];

		if (strchr(heredoc->name, '/') || strcmp(heredoc->name, "..") == 0 ||
		    strcmp(heredoc->name, ".") == 0)
			return error_invalid(err, "\"%s\" is no file name", heredoc->name);
		items[heredoc->arg] = (struct copy_item){ heredoc->name, heredoc->body };
	}
	for (size_t i = 0; i < count && ret == 0; i++)
		if (!items[i].body)
			ret = set_remote(plan, instruction, &items[i], err);
	copy->items = items;
	copy->item_count = count;
	return ret < 0 ? ret : check_checksum(instruction, copy, err);
}

static void set_excludes(struct plan_context *plan, const struct instruction *instruction,
			 struct step_copy *copy)
{
	const char **excludes =
		arena_alloc(&plan->graph->arena, (instruction->flag_count + 1) * sizeof(*excludes));

	for (size_t i = 0; i < instruction->flag_count; i++)
		if (strcmp(instruction->flags[i].spec->name, "exclude") == 0)
			excludes[copy->exclude_count++] = instruction->flags[i].value;
	copy->excludes = excludes;
}

int plan_copy(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	const struct image_defaults *defaults = plan->stage->config->config;
	const char *target = instruction->args[instruction->arg_count - 1];
	const char *from = instruction_flag(instruction, "from");
	const char *unpack = instruction_flag(instruction, "unpack");
	struct step_copy copy = { .chown = instruction_flag(instruction, "chown"),
				  .chmod = instruction_flag(instruction, "chmod") };
	cleanup_free char *created_by = NULL, *base = NULL, *path = NULL;
	struct step *step;
	struct chmod chmod;
	int ret = set_items(plan, instruction, &copy, err);

	if (ret == 0 && copy.chmod)
		ret = chmod_parse(copy.chmod, &chmod, err); /* a bad one is found before any step */
	if (ret < 0)
		return ret;
	created_by = copy_history(instruction, &copy);
	base = path_join("/", defaults->working_dir ? defaults->working_dir : "");
	path = path_join(base, target);
	copy.target = arena_printf(&plan->graph->arena, "%s%s", path,
				   names_folder(target) && path[1] ? "/" : "");
	copy.unpack = instruction->kind == INST_ADD && !(unpack && strcmp(unpack, "false") == 0);
	copy.unpack_remote = copy.unpack && unpack;
	copy.link = instruction_flag_is_set(instruction, "link");
	set_excludes(plan, instruction, &copy);
	if (from)
		ret = plan_source(plan, from, &copy.from, err);
	if (ret < 0)
		return ret;
	step = plan_step(plan, &step_kind_copy, created_by);
	step->copy = copy;
	step->independent = copy.link;
	return 0;
}

/* -- WORKDIR -------------------------------------------------------------------------------------
 */

int plan_workdir(struct plan_context *plan, const struct instruction *instruction,
		 struct error *err)
{
	struct image_defaults *defaults = plan->stage->config->config;
	cleanup_free char *base =
		path_join("/", defaults->working_dir ? defaults->working_dir : "");
	const char *given = instruction->args[0];
	cleanup_free char *path = path_join(base, given);
	/* an absolute path is shown as it was written; those who enter it clean it */
	const char *shown = *given == '/' ? given : path;
	cleanup_free char *created_by = xasprintf("WORKDIR %s", shown);
	struct step_workdir workdir = { .user = defaults->user ? defaults->user : "" };

	(void)err;
	workdir.path = arena_strdup(&plan->graph->arena, path);
	defaults->working_dir = arena_strdup(&plan->graph->arena, shown);
	if (path[1])
		plan_step(plan, &step_kind_workdir, created_by)->workdir = workdir;
	else
		(void)plan_history(plan, created_by, true);
	return 0;
}
