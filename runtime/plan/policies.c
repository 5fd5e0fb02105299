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

static int compile_scheduler(const struct compiler *c, const struct oci_scheduler *config,
			     const char *pointer, struct error *err)
{
	if (!config)
		return 0;
	if (!config->has_policy)
		return error_pointer(err, error_invalid(err, "scheduler policy is required"),
				     "%s/scheduler", pointer);
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
	return 0;
}

static int compile_cpus(const char *list, const char *pointer, const char *member,
			struct arena *arena, struct bitlist *out, struct error *err)
{
	struct bitlist cpus;

	if (!list || !*list)
		return 0;
	if (bitlist_parse(list, OCI_CPUS_MAX, arena, &cpus) < 0 || !cpus.count)
		return error_pointer(err,
				     error_invalid(err, "\"%s\" is not a list of CPUs below %d",
						   list, OCI_CPUS_MAX),
				     "%s/execCPUAffinity/%s", pointer, member);
	*out = cpus;
	return 0;
}

int compile_policies(const struct compiler *c, const struct oci_process *config,
		     const char *pointer, struct error *err)
{
	const struct oci_cpu_affinity *affinity = config->exec_cpu_affinity;
	const struct oci_io_priority *io = config->io_priority;
	struct plan_process *process = &c->plan->process;
	int ret = compile_scheduler(c, config->scheduler, pointer, err);

	if (ret == 0 && affinity)
		ret = compile_cpus(affinity->initial, pointer, "initial", &c->plan->arena,
				   &process->initial_cpus, err);
	if (ret == 0 && affinity)
		ret = compile_cpus(affinity->final, pointer, "final", &c->plan->arena,
				   &process->final_cpus, err);
	if (ret == 0 && io && io->has_class) {
		process->has_io_priority = true;
		process->io_priority = io->class << PLAN_IO_CLASS_SHIFT | io->priority;
	}
	return ret;
}

int compile_personality(const struct compiler *c, struct error *err)
{
	const struct oci_personality *personality = c->lin->personality;

	if (!personality)
		return 0;
	if (personality->flags.count)
		return error_pointer(err,
				     error_invalid(err, "personality flag \"%s\" is unknown",
						   personality->flags.items[0]),
				     "/linux/personality/flags");
	c->plan->has_personality = true;
	c->plan->personality = personality->domain;
	return 0;
}

int compile_memory_policy(const struct compiler *c, struct error *err)
{
	const struct oci_memory_policy *policy = c->lin->memory_policy;
	struct bitlist nodes = { 0 };

	if (!policy || !policy->has_mode)
		return 0;
	if (policy->nodes &&
	    bitlist_parse(policy->nodes, OCI_NODES_MAX, &c->plan->arena, &nodes) < 0)
		return error_pointer(
			err,
			error_invalid(err, "invalid memory policy node: \"%s\"", policy->nodes),
			"/linux/memoryPolicy/nodes");
	c->plan->memory_policy = table_name(oci_memory_policy_names, policy->mode);
	c->plan->memory_mode = policy->mode | (int)policy->flags;
	c->plan->memory_nodes = nodes;
	return 0;
}
