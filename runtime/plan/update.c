/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of `update`: the same table of resources as for a new container, read for the members
 * that change, and the device program of the rules as they are then.
 */
#include <string.h>

#include "runtime/plan/compile.h"
#include "spec/resources.h"

static bool same_program(const struct plan_cgroup *a, const struct plan_cgroup *b)
{
	size_t length = a->device_program_length;

	return length == b->device_program_length &&
	       (!length || memcmp(a->device_program, b->device_program,
				  length * sizeof(*a->device_program)) == 0);
}

/* A list that decides as the one before is no change: the program that is attached may be one that
 * somebody else has put in place of ours, and has a reason. */
static int compile_devices_change(const struct compiler *c, const struct oci_resources *before,
				  const struct oci_resources *change, struct plan_update *out,
				  struct error *err)
{
	struct plan_cgroup old;
	int ret = compile_device_program(c, change, err); /* errors have its places */

	if (ret == 0)
		ret = compile_device_program(c, before, err);
	old = c->plan->cgroup;
	if (ret == 0)
		ret = compile_device_program(c, out->resources, err);
	out->changes_devices = ret == 0 && !same_program(&old, &c->plan->cgroup);
	return ret;
}

static void compile_usage_check(const struct oci_resources *change, struct plan_update *out)
{
	const struct oci_memory *after = out->resources->memory, *memory = change->memory;

	if (!memory || !after->check_before_update)
		return;
	out->checks_usage = true;
	out->memory_limit = memory->has_limit ? memory->limit : 0;
	out->swap = memory->has_swap ? memory->swap : 0;
}

static int compile_change(const struct oci_resources *before, struct oci_resources *change,
			  struct compiler *compiler, struct arena *arena, struct plan_update *out,
			  struct error *err)
{
	static const struct oci_linux empty;
	struct plan *plan = compiler->plan;
	int ret;

	plan->arena = *arena;
	compiler->lin = &empty;
	compiler->is_update = true;
	*out = (struct plan_update){ .changes_devices = false };
	resources_drop_unset(change);
	resources_complete(change, before, &plan->arena);
	out->resources = resources_merge(before, change, &plan->arena);
	ret = compile_resources(compiler, change, err);
	if (ret == 0 && change->devices.count)
		ret = compile_devices_change(compiler, before, change, out, err);
	compile_usage_check(change, out);
	out->cgroup = plan->cgroup;
	*arena = plan->arena; /* all that was allocated is the caller's */
	return ret < 0 ? compile_failed(err, ret, "/linux/resources") : 0;
}

int plan_compile_update(const struct oci_resources *before, struct oci_resources *change,
			bool rootless, struct arena *arena, struct plan_update *out,
			struct error *err)
{
	static const struct oci_resources none;
	struct plan plan = { .rootless = rootless };
	struct compiler compiler = { .plan = &plan };

	return compile_change(before ? before : &none, change, &compiler, arena, out, err);
}

int plan_compile_recorded(struct oci_resources *recorded, bool rootless, struct arena *arena,
			  struct plan_update *out, struct error *err)
{
	static const struct oci_resources none;
	struct plan plan = { .rootless = rootless };
	struct compiler compiler = { .plan = &plan, .is_known = true };

	return compile_change(&none, recorded, &compiler, arena, out, err);
}
