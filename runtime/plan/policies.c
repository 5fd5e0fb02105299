/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the kernel is to treat the processes of the container: CPU scheduling, I/O priority, CPU
 * affinity, memory policy, personality. The container's own process and those of exec have all of
 * it alike.
 */
#include "lib/table.h"
#include "runtime/plan/compile.h"

static bool cpus_are_limited(const struct oci_linux *lin)
{
	const struct oci_cpu *cpu = lin->resources ? lin->resources->cpu : NULL;

	return cpu && cpu->cpus && *cpu->cpus;
}

static void compile_scheduler(const struct compiler *c, const struct oci_scheduler *config)
{
	if (!config || !config->has_policy)
		return;
	c->plan->process.scheduler = (struct plan_scheduler){
		.policy = table_name(oci_scheduler_policy_names, config->policy),
		.number = (uint32_t)config->policy,
		.priority = (uint32_t)config->priority,
		.nice = config->nice,
		.flags = config->flags,
		.runtime = config->runtime,
		.deadline = config->deadline,
		.period = config->period,
		.cpus_limited = cpus_are_limited(c->lin),
	};
}

static void compile_bits(const char *list, size_t max, struct arena *arena, struct bitlist *out)
{
	struct bitlist bits;

	if (list && *list && bitlist_parse(list, max, arena, &bits) == 0)
		*out = bits;
}

void compile_policies(const struct compiler *c, const struct oci_process *config)
{
	const struct oci_cpu_affinity *affinity = config->exec_cpu_affinity;
	const struct oci_io_priority *io = config->io_priority;
	struct plan_process *process = &c->plan->process;

	compile_scheduler(c, config->scheduler);
	if (affinity) {
		compile_bits(affinity->initial, OCI_CPUS_MAX, &c->plan->arena,
			     &process->initial_cpus);
		compile_bits(affinity->final, OCI_CPUS_MAX, &c->plan->arena, &process->final_cpus);
	}
	if (io && io->has_class) {
		process->has_io_priority = true;
		process->io_priority = io->class << PLAN_IO_CLASS_SHIFT | io->priority;
	}
}

int compile_personality(const struct compiler *c, struct error *err)
{
	const struct oci_personality *personality = c->lin->personality;

	(void)err; /* for the table: rules have seen all that can be wrong */
	if (!personality)
		return 0;
	c->plan->has_personality = true;
	c->plan->personality = personality->domain;
	return 0;
}

int compile_memory_policy(const struct compiler *c, struct error *err)
{
	const struct oci_memory_policy *policy = c->lin->memory_policy;

	(void)err; /* as above */
	if (!policy || !policy->has_mode)
		return 0;
	c->plan->memory_policy = table_name(oci_memory_policy_names, policy->mode);
	c->plan->memory_mode = policy->mode | (int)policy->flags;
	compile_bits(policy->nodes, OCI_NODES_MAX, &c->plan->arena, &c->plan->memory_nodes);
	return 0;
}
