/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions that change the image's configuration only, one function each, called by plan.c
 * through its table. Each leaves an entry in the history, but ONBUILD.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/build/graph.h"
#include "builder/build/plan-history.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/signals.h"
#include "lib/strbuf.h"

static struct image_defaults *defaults_of(struct plan_context *plan)
{
	return plan->stage->config->config;
}

/* A list of the configuration from arguments; empty is [], not absent. */
static struct json_strings make_list(struct plan_context *plan, const char *const *items,
				     size_t count)
{
	struct json_strings list = { .count = count };

	list.items = arena_alloc(&plan->graph->arena, (count + 1) * sizeof(*list.items));
	for (size_t i = 0; i < count; i++)
		list.items[i] = arena_strdup(&plan->graph->arena, items[i]);
	return list;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sets of names (ports, volumes) are written sorted, each once. */
static void add_to_set(struct plan_context *plan, struct json_strings *set,
		       const char *const *names, size_t count)
{
	struct json_strings list = *set;
	size_t kept = 0;

	list.items = arena_alloc(&plan->graph->arena, (set->count + count + 1) * sizeof(char *));
	if (set->count)
		memcpy(list.items, set->items, set->count * sizeof(char *));
	for (size_t i = 0; i < count; i++)
		list.items[list.count++] = arena_strdup(&plan->graph->arena, names[i]);
	qsort(list.items, list.count, sizeof(*list.items), compare_texts);
	for (size_t i = 0; i < list.count; i++)
		if (i + 1 == list.count || strcmp(list.items[i], list.items[i + 1]) != 0)
			list.items[kept++] = list.items[i];
	list.items[kept] = NULL;
	list.count = kept;
	*set = list;
}

/* "NAME k=v k=v" */
static void add_pairs_history(struct plan_context *plan, const struct instruction *instruction)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, instruction_spec(instruction)->name);
	for (size_t i = 0; i < instruction->arg_count; i += 2)
		strbuf_addf(&text, " %s=%s", instruction->args[i], instruction->args[i + 1]);
	(void)plan_history(plan, strbuf_text(&text), true);
}

int plan_env(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	struct json_strings *env = &defaults_of(plan)->env;

	(void)err;
	for (size_t i = 0; i < instruction->arg_count; i += 2) {
		const char *name = instruction->args[i];
		char *pair =
			arena_printf(&plan->graph->arena, "%s=%s", name, instruction->args[i + 1]);
		size_t size = strlen(name), at = 0;

		while (at < env->count &&
		       (strncmp(env->items[at], name, size) != 0 || env->items[at][size] != '='))
			at++;
		if (at < env->count)
			env->items[at] = pair;
		else
			json_strings_add(env, &plan->graph->arena, pair);
		scope_set_env(&plan->stage->scope, name, instruction->args[i + 1]);
	}
	add_pairs_history(plan, instruction);
	return 0;
}

int plan_label(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	(void)err;
	for (size_t i = 0; i < instruction->arg_count; i += 2)
		json_map_set(&defaults_of(plan)->labels, &plan->graph->arena, instruction->args[i],
			     instruction->args[i + 1]);
	add_pairs_history(plan, instruction);
	return 0;
}

int plan_arg(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, "ARG");
	for (size_t i = 0; i < instruction->arg_count; i += 2) {
		const char *name = instruction->args[i], *value;
		int ret = scope_declare(&plan->stage->scope, name, instruction->args[i + 1], &value,
					err);

		if (ret < 0)
			return ret;
		strbuf_addf(&text, " %s%s%s", name, value ? "=" : "", value ? value : "");
	}
	(void)plan_history(plan, strbuf_text(&text), true);
	return 0;
}

const char *const *plan_command(struct plan_context *plan, const struct instruction *instruction,
				size_t first, size_t *out_count)
{
	static const char *const default_shell[] = { "/bin/sh", "-c" };
	const struct json_strings *shell = &defaults_of(plan)->shell;
	const char *const *prefix =
		shell->count ? (const char *const *)shell->items : default_shell;
	size_t prefix_count = shell->count ? shell->count : ARRAY_SIZE(default_shell);
	size_t count = instruction->arg_count - first;
	const char **args;

	if (instruction->json)
		prefix_count = 0;
	args = arena_alloc(&plan->graph->arena, (prefix_count + count + 1) * sizeof(*args));
	if (prefix_count)
		memcpy(args, prefix, prefix_count * sizeof(*args));
	if (count)
		memcpy(args + prefix_count, instruction->args + first, count * sizeof(*args));
	*out_count = prefix_count + count;
	return args;
}

/* CMD and ENTRYPOINT. */
static void set_command(struct plan_context *plan, const struct instruction *instruction,
			struct json_strings *list)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t count;
	const char *const *args = plan_command(plan, instruction, 0, &count);

	/* an empty list clears what was inherited, and the member is left out */
	*list = count ? make_list(plan, args, count) : (struct json_strings){ 0 };
	strbuf_addf(&text, "%s ", instruction_spec(instruction)->name);
	history_add_quoted(&text, args, count);
	(void)plan_history(plan, strbuf_text(&text), true);
}

int plan_cmd(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	(void)err;
	set_command(plan, instruction, &defaults_of(plan)->cmd);
	defaults_of(plan)->args_escaped = true;
	plan->stage->command_set = true;
	return 0;
}

int plan_entrypoint(struct plan_context *plan, const struct instruction *instruction,
		    struct error *err)
{
	(void)err;
	set_command(plan, instruction, &defaults_of(plan)->entrypoint);
	if (!plan->stage->command_set) /* the base's CMD was meant for the base's ENTRYPOINT */
		defaults_of(plan)->cmd = (struct json_strings){ 0 };
	return 0;
}

int plan_shell(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	(void)err;
	defaults_of(plan)->shell = make_list(plan, instruction->args, instruction->arg_count);
	strbuf_adds(&text, "SHELL ");
	history_add_list(&text, instruction->args, instruction->arg_count);
	(void)plan_history(plan, strbuf_text(&text), true);
	return 0;
}

/* -- EXPOSE --------------------------------------------------------------------------------------
 */

static int parse_port(const char *text, const char *whole, uint32_t *out, struct error *err)
{
	if (number_parse_u32(text, out) < 0 || *out > 65535)
		return error_invalid(err, "invalid containerPort: %s", whole);
	return 0;
}

/* "[[ip:]host:]port[-port][/protocol]": the container's ports are what counts. */
static int expose_one(const char *text, struct strv *written, struct error *err)
{
	cleanup_free char *spec = xstrdup(text), *protocol = NULL;
	char *slash = strchr(spec, '/'), *colon, *first, *dash;
	uint32_t from, to;
	int ret;

	if (slash)
		*slash = '\0';
	protocol = xstrdup(slash && slash[1] ? slash + 1 : "tcp");
	for (char *p = protocol; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 &&
	    strcmp(protocol, "sctp") != 0)
		return error_invalid(err, "invalid proto: %s", protocol);
	colon = strrchr(spec, ':');
	first = colon ? colon + 1 : spec;
	dash = strchr(first, '-');
	if (dash)
		*dash = '\0';
	ret = parse_port(first, text, &from, err);
	to = from;
	if (ret == 0 && dash)
		ret = parse_port(dash + 1, text, &to, err);
	if (ret == 0 && to < from)
		ret = error_invalid(err, "invalid range of ports: %s", text);
	for (uint32_t port = from; ret == 0 && port <= to; port++) {
		cleanup_free char *name = xasprintf("%u/%s", port, protocol);

		strv_add(written, name);
	}
	return ret;
}

int plan_expose(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strv struct strv written = STRV_INIT;
	int ret = 0;

	for (size_t i = 0; i < instruction->arg_count && ret == 0; i++)
		ret = expose_one(instruction->args[i], &written, err);
	if (ret < 0)
		return ret;
	if (written.count)
		add_to_set(plan, &defaults_of(plan)->exposed_ports,
			   (const char *const *)written.items, written.count);
	strbuf_adds(&text, "EXPOSE ");
	history_add_list(&text, (const char *const *)written.items, written.count);
	(void)plan_history(plan, strbuf_text(&text), true);
	return 0;
}

/* -- HEALTHCHECK ---------------------------------------------------------------------------------
 */

/* A flag that instruction_check has validated; absent is 0. */
static int64_t health_duration(const struct instruction *instruction, const char *flag)
{
	const char *text = instruction_flag(instruction, flag);
	uint64_t value = 0;

	if (text)
		(void)number_parse_duration(text, &value); /* checked by the parser */
	return (int64_t)value;
}

int plan_healthcheck(struct plan_context *plan, const struct instruction *instruction,
		     struct error *err)
{
	struct arena *arena = &plan->graph->arena;
	struct image_healthcheck *health = arena_alloc(arena, sizeof(*health));
	const char *retries = instruction_flag(instruction, "retries");
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	(void)err;
	if (strcasecmp(instruction->args[0], "NONE") == 0)
		json_strings_add(&health->test, arena, "NONE");
	else
		json_strings_add(&health->test, arena, instruction->json ? "CMD" : "CMD-SHELL");
	for (size_t i = 1; i < instruction->arg_count; i++)
		json_strings_add(&health->test, arena, instruction->args[i]);
	if (instruction->arg_count > 1) { /* NONE has no use for them */
		health->interval = health_duration(instruction, "interval");
		health->timeout = health_duration(instruction, "timeout");
		health->start_period = health_duration(instruction, "start-period");
		health->start_interval = health_duration(instruction, "start-interval");
	}
	if (retries && instruction->arg_count > 1)
		(void)number_parse_i64(retries + (*retries == '+'),
				       &health->retries); /* checked by the parser */
	defaults_of(plan)->healthcheck = health;
	strbuf_adds(&text, "HEALTHCHECK ");
	history_add_health(&text, health);
	(void)plan_history(plan, strbuf_text(&text), true);
	return 0;
}

/* -- one value each ------------------------------------------------------------------------------
 */

/* "NAME value" */
static const char *set_value(struct plan_context *plan, const struct instruction *instruction)
{
	cleanup_free char *text =
		xasprintf("%s %s", instruction_spec(instruction)->name, instruction->args[0]);

	(void)plan_history(plan, text, true);
	return arena_strdup(&plan->graph->arena, instruction->args[0]);
}

int plan_maintainer(struct plan_context *plan, const struct instruction *instruction,
		    struct error *err)
{
	(void)err;
	plan->stage->config->author = set_value(plan, instruction);
	return 0;
}

int plan_user(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	const char *user = set_value(plan, instruction);

	(void)err;
	defaults_of(plan)->user = *user ? user : NULL; /* no name is root, whatever the base has */
	return 0;
}

int plan_stopsignal(struct plan_context *plan, const struct instruction *instruction,
		    struct error *err)
{
	int number;

	if (signal_parse(instruction->args[0]) < 0 &&
	    (number_parse_int(instruction->args[0], &number) < 0 || number == 0))
		return error_invalid(err, "invalid signal: %s", instruction->args[0]);
	defaults_of(plan)->stop_signal = set_value(plan, instruction);
	return 0;
}

int plan_volume(struct plan_context *plan, const struct instruction *instruction, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	(void)err;
	add_to_set(plan, &defaults_of(plan)->volumes, instruction->args, instruction->arg_count);
	strbuf_adds(&text, "VOLUME ");
	history_add_list(&text, instruction->args, instruction->arg_count);
	(void)plan_history(plan, strbuf_text(&text), true);
	return 0;
}

/* Kept as text, with the bodies of its here-documents; expanded when it triggers. */
int plan_onbuild(struct plan_context *plan, const struct instruction *instruction,
		 struct error *err)
{
	const struct instruction *nested = instruction->nested;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	(void)err;
	strbuf_adds(&text, nested->text);
	for (size_t i = 0; i < nested->heredoc_count; i++)
		strbuf_addf(&text, "\n%s%s", nested->heredocs[i].raw, nested->heredocs[i].name);
	json_strings_add(&defaults_of(plan)->on_build, &plan->graph->arena, strbuf_text(&text));
	return 0;
}
