/* SPDX-License-Identifier: Apache-2.0 */
/* process.rlimits: numbers for prlimit(2), each resource once. */
#include "lib/table.h"
#include "runtime/plan/compile.h"

void compile_rlimits(const struct compiler *c, const struct oci_process *process)
{
	size_t count = process->rlimits.count;
	struct plan_rlimit *limits = arena_alloc(&c->plan->arena, count * sizeof(*limits));

	for (size_t i = 0; i < count; i++) {
		const struct oci_rlimit *config = &process->rlimits.items[i];

		limits[i] = (struct plan_rlimit){
			.resource = config->type,
			.name = table_name(oci_rlimit_names, config->type),
			.limit = { .rlim_cur = config->soft, .rlim_max = config->hard },
			.index = i,
		};
	}
	c->plan->process.rlimits = limits;
	c->plan->process.rlimit_count = count;
}
