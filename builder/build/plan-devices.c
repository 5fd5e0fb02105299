/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Planning RUN --device: which devices of the CDI files it gets. All of it is known before the
 * first step: a device that is missing, or that nobody granted, stops the build at once.
 */
#include "builder/build/graph.h"
#include "builder/dockerfile/instructions.h"
#include "builder/dockerfile/run-device.h"
#include "lib/cleanup.h"

#include <string.h>

static const struct cdi *open_cdi(struct graph *graph)
{
	if (!graph->cdi) {
		graph->cdi = arena_alloc(&graph->arena, sizeof(*graph->cdi));
		cdi_load(graph->options->cdi_folders, graph->cdi);
	}
	return graph->cdi;
}

static int check_allowed(const struct graph *graph, const struct strv *found, const char *wanted,
			 struct error *err)
{
	for (size_t i = 0; i < found->count; i++) {
		const char *name = found->items[i];

		if (!cdi_is_auto_allowed(graph->cdi, name) &&
		    !entitlements_allow_device(graph->options->entitlements, name, wanted))
			return error_invalid(err,
					     "the device \"%s\" is not allowed (build --allow "
					     "device=%s)",
					     name, name);
	}
	return 0;
}

static int plan_device(struct plan_context *plan, const char *text, struct strv *names,
		       struct error *err)
{
	struct graph *graph = plan->graph;
	cleanup_strv struct strv found = STRV_INIT;
	struct run_device device;
	struct error why = ERROR_INIT;
	const char *name;
	int ret = run_device_parse(text, &graph->arena, &device, err);

	if (ret < 0)
		return ret;
	name = entitlements_device(graph->options->entitlements, device.name);
	ret = cdi_find(open_cdi(graph), name, &found, &why);
	if (ret < 0 && (device.required || why.code != ERROR_NOT_FOUND)) {
		if (err)
			*err = why;
		return ret;
	}
	ret = check_allowed(graph, &found, device.name, err);
	for (size_t i = 0; i < found.count && ret == 0; i++)
		if (!strv_contains(names, found.items[i]))
			strv_add(names, found.items[i]);
	return ret;
}

int plan_devices(struct plan_context *plan, const struct instruction *instruction,
		 struct step_run *run, struct error *err)
{
	struct arena *arena = &plan->graph->arena;
	cleanup_strv struct strv names = STRV_INIT;
	struct container_edits *edits;
	const char **items;
	int ret = 0;

	for (size_t i = 0; i < instruction->flag_count && ret == 0; i++) {
		const struct instruction_flag *flag = &instruction->flags[i];

		if (strcmp(flag->spec->name, "device") == 0)
			ret = plan_device(plan, flag->value, &names, err);
		ret = error_prefix(err, ret, "--device=%s", flag->value);
	}
	if (ret < 0 || !names.count)
		return ret;
	edits = arena_alloc(arena, sizeof(*edits));
	ret = cdi_edits(plan->graph->cdi, &names, arena, edits, err);
	items = arena_alloc(arena, names.count * sizeof(*items));
	for (size_t i = 0; i < names.count; i++)
		items[i] = arena_strdup(arena, names.items[i]);
	run->edits = edits;
	run->devices = items;
	run->device_count = names.count;
	return ret;
}
