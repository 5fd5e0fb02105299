/* SPDX-License-Identifier: Apache-2.0 */
/* process.rlimits: numbers for prlimit(2), each resource once. */
#include "lib/table.h"
#include "runtime/plan/compile.h"

static int check(const struct plan_rlimit *limits, size_t count, const struct plan_rlimit *next,
		 struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (limits[i].resource == next->resource)
			return error_invalid(err, "rlimit %s is listed twice", next->name);
	if (next->limit.rlim_cur > next->limit.rlim_max)
		return error_invalid(err, "soft limit of %s is above its hard limit", next->name);
	return 0;
}

int compile_rlimits(const struct compiler *c, const struct oci_process *process, struct error *err)
{
	size_t listed = process->rlimits.count, count = 0;
	struct plan_rlimit *limits = arena_alloc(&c->plan->arena, listed * sizeof(*limits));
	int ret = 0;

	for (size_t i = 0; i < listed && ret == 0; i++) {
		const struct oci_rlimit *config = &process->rlimits.items[i];

		limits[count] = (struct plan_rlimit){
			.resource = config->type,
			.name = table_name(oci_rlimit_names, config->type),
			.limit = { .rlim_cur = config->soft, .rlim_max = config->hard },
			.index = i,
		};
		ret = check(limits, count, &limits[count], err);
		if (ret == 0)
			count++;
		else
			ret = compile_go_on(c, error_pointer(err, ret, "/process/rlimits/%zu", i),
					    err);
	}
	c->plan->process.rlimits = limits;
	c->plan->process.rlimit_count = count;
	return ret;
}
