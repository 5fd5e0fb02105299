/* SPDX-License-Identifier: Apache-2.0 */
/* process.rlimits: numbers for prlimit(2), each resource once. */
#include "lib/table.h"
#include "runtime/plan/compile.h"

int compile_rlimits(const struct oci_process *process, struct plan *plan, struct error *err)
{
	struct plan_rlimit *limits;
	size_t count = process->rlimits.count;

	limits = arena_alloc(&plan->arena, count * sizeof(*limits));
	for (size_t i = 0; i < count; i++) {
		const struct oci_rlimit *config = &process->rlimits.items[i];

		limits[i].resource = config->type;
		limits[i].name = table_name(oci_rlimit_names, config->type);
		limits[i].limit.rlim_cur = config->soft;
		limits[i].limit.rlim_max = config->hard;
		for (size_t j = 0; j < i; j++)
			if (limits[j].resource == config->type)
				return error_pointer(err,
						     error_invalid(err, "rlimit %s is listed twice",
								   limits[i].name),
						     "/process/rlimits/%zu", i);
		if (config->soft > config->hard)
			return error_pointer(
				err,
				error_invalid(err, "soft limit of %s is above its hard limit",
					      limits[i].name),
				"/process/rlimits/%zu", i);
	}
	plan->process.rlimits = limits;
	plan->process.rlimit_count = count;
	return 0;
}
