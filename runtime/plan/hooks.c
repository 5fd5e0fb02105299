/* SPDX-License-Identifier: Apache-2.0 */
/* hooks: what to execute at each of the six points, argv and environment exactly as given. */
#include "lib/cleanup.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/compile.h"

const char *const hook_names[HOOK_COUNT] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
};

static void hook_compile(struct arena *arena, const struct oci_hook *config, struct plan_hook *hook)
{
	static char *const none[] = { NULL };
	char **argv = arena_alloc(arena, 2 * sizeof(*argv));

	argv[0] = arena_strdup(arena, config->path);
	hook->path = config->path;
	hook->argv = config->args.count ? config->args.items : argv;
	hook->env = config->env.items ? config->env.items : none;
	hook->timeout = config->has_timeout ? config->timeout : 0;
}

/* Where the output goes, by annotation; relative to the bundle, where the hooks run, too. */
static void compile_output(const struct compiler *c)
{
	static const char *const names[HOOK_STREAMS] = { ANNOTATION_HOOKS_STDOUT,
							 ANNOTATION_HOOKS_STDERR };

	for (size_t i = 0; i < HOOK_STREAMS; i++) {
		const char *path = json_map_get(&c->config->annotations, names[i]);

		if (path && *path)
			c->plan->hook_output[i] = *path == '/'
							  ? path
							  : arena_printf(&c->plan->arena, "%s/%s",
									 c->plan->bundle, path);
	}
}

static void compile_list(const struct compiler *c, enum hook_kind kind,
			 const struct oci_hook_list *list)
{
	struct plan_hook *items = arena_alloc(&c->plan->arena, list->count * sizeof(*items));

	for (size_t i = 0; i < list->count; i++) {
		items[i].index = i;
		hook_compile(&c->plan->arena, &list->items[i], &items[i]);
	}
	c->plan->hooks[kind] = (struct plan_hooks){ items, list->count };
}

int compile_hooks(const struct compiler *c, struct error *err)
{
	(void)err; /* for the table: rules have seen all that can be wrong */
	const struct oci_hooks *hooks = c->config->hooks;
	const struct oci_hook_list *lists[HOOK_COUNT];

	if (!hooks)
		return 0;
	compile_output(c);
	lists[HOOK_PRESTART] = &hooks->prestart;
	lists[HOOK_CREATE_RUNTIME] = &hooks->create_runtime;
	lists[HOOK_CREATE_CONTAINER] = &hooks->create_container;
	lists[HOOK_START_CONTAINER] = &hooks->start_container;
	lists[HOOK_POSTSTART] = &hooks->poststart;
	lists[HOOK_POSTSTOP] = &hooks->poststop;
	for (size_t kind = 0; kind < HOOK_COUNT; kind++)
		compile_list(c, kind, lists[kind]);
	return 0;
}
