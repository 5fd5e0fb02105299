/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of the process section, for config.json and for the documents of exec. Where callers or
 * test suites match on runc's words, the words are runc's.
 */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>

#include "lib/bitlist.h"
#include "lib/cleanup.h"
#include "spec/config-check.h"

static void rule_cwd(const struct oci_process *process, struct check *check)
{
	if (!process->cwd || !*process->cwd)
		rule_broken(check, "/process/cwd", "Cwd property must not be empty");
	else if (*process->cwd != '/')
		rule_broken(check, "/process/cwd", "Cwd must be an absolute path");
}

static void rule_args(const struct oci_process *process, struct check *check)
{
	if (!process->args.count)
		rule_broken(check, "/process/args", "args must not be empty");
}

static void rule_env(const struct oci_process *process, struct check *check)
{
	for (size_t i = 0; i < process->env.count; i++) {
		const char *entry = process->env.items[i];

		if (!strchr(entry, '='))
			rule_broken_at(check, "/process/env", i, "",
				       "invalid environment variable \"%s\": missing '='", entry);
		else if (*entry == '=')
			rule_broken_at(check, "/process/env", i, "",
				       "invalid environment variable \"%s\": name cannot be empty",
				       entry);
	}
}

/* 2^32-1 means "leave it" to setuid(2) and its family. */
static void rule_user(const struct oci_process *process, struct check *check)
{
	const struct oci_user *user = &process->user;

	if (user->uid == UINT32_MAX)
		rule_broken(check, "/process/user/uid", "%u is not a user", user->uid);
	if (user->gid == UINT32_MAX)
		rule_broken(check, "/process/user/gid", "%u is not a group", user->gid);
	if (user->has_umask && user->umask > 0777)
		rule_broken(check, "/process/user/umask", "%u is above 511 (0777)", user->umask);
	for (size_t i = 0; i < user->additional_gids.count; i++) {
		if (user->additional_gids.items[i] == UINT32_MAX)
			rule_broken_at(check, "/process/user/additionalGids", i, "",
				       "%u is not a group", UINT32_MAX);
	}
}

static void rule_rlimits(const struct oci_process *process, struct check *check)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < process->rlimits.count; i++) {
		const struct oci_rlimit *rlimit = &process->rlimits.items[i];
		uint64_t bit = UINT64_C(1) << rlimit->type;

		if (seen & bit)
			rule_broken_at(check, "/process/rlimits", i, "/type",
				       "duplicated rlimit %s",
				       table_name(oci_rlimit_names, rlimit->type));
		seen |= bit;
		if (rlimit->soft > rlimit->hard)
			rule_broken_at(check, "/process/rlimits", i, "/soft",
				       "soft limit %llu is above the hard limit %llu",
				       (unsigned long long)rlimit->soft,
				       (unsigned long long)rlimit->hard);
	}
}

static void rule_oom_score(const struct oci_process *process, struct check *check)
{
	if (process->oom_score_adj < -1000 || process->oom_score_adj > 1000)
		rule_broken(check, "/process/oomScoreAdj", "%d is not from -1000 to 1000",
			    process->oom_score_adj);
}

/* ioprio_set(2) */
static void rule_io_priority(const struct oci_process *process, struct check *check)
{
	static const char pointer[] = "/process/ioPriority/priority";
	const struct oci_io_priority *io = process->io_priority;
	enum { NONE = 0 };

	if (!io)
		return;
	if (!io->has_class)
		rule_broken(check, "/process/ioPriority", "property \"class\" is missing");
	if (io->priority < 0 || io->priority > 7)
		rule_broken(check, pointer, "%d is not from 0 to 7", io->priority);
	else if (io->has_class && io->class == NONE && io->priority)
		rule_broken(check, pointer, "IOPRIO_CLASS_NONE has no priority");
}

/* sched(7): 0 < runtime <= deadline <= period; no period means that of the deadlines. */
static void deadline_check(const struct oci_scheduler *scheduler, struct check *check)
{
	static const char pointer[] = "/process/scheduler";
	uint64_t period = scheduler->period ? scheduler->period : scheduler->deadline;

	if (!scheduler->runtime || !scheduler->deadline)
		rule_broken(check, pointer, "SCHED_DEADLINE needs runtime and deadline");
	else if (scheduler->runtime > scheduler->deadline || scheduler->deadline > period)
		rule_broken(check, pointer, "not runtime <= deadline <= period");
}

/*
 * sched(7): each policy has parameters of its own; those of another one are a mistake. But for
 * nice: engines send it with any policy, and the kernel keeps it for later.
 */
static void rule_scheduler(const struct oci_process *process, struct check *check)
{
	enum { FIFO = 1, RR = 2, DEADLINE = 6 };
	const struct oci_scheduler *scheduler = process->scheduler;
	bool real_time, deadline, keeps;
	const char *policy;

	if (!scheduler)
		return;
	if (!scheduler->has_policy) {
		rule_broken(check, "/process/scheduler", "scheduler policy is required");
		return;
	}
	policy = table_name(oci_scheduler_policy_names, scheduler->policy);
	real_time = scheduler->policy == FIFO || scheduler->policy == RR;
	deadline = scheduler->policy == DEADLINE;
	keeps = scheduler->flags & (SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS);
	if (scheduler->nice < -20 || scheduler->nice > 19)
		rule_broken(check, "/process/scheduler/nice", "%d is not from -20 to 19",
			    scheduler->nice);
	if (!real_time && scheduler->priority)
		rule_broken(check, "/process/scheduler/priority", "%s has no priority", policy);
	if (real_time && !keeps && (scheduler->priority < 1 || scheduler->priority > 99))
		rule_broken(check, "/process/scheduler/priority",
			    "%d is not from 1 to 99, as %s needs", scheduler->priority, policy);
	if (!deadline && (scheduler->runtime || scheduler->deadline || scheduler->period))
		rule_broken(check, "/process/scheduler", "%s has no runtime, deadline and period",
			    policy);
	if (deadline && !keeps)
		deadline_check(scheduler, check);
}

static void cpu_list_check(const char *list, const char *pointer, struct check *check)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct bitlist cpus;
	int ret;

	if (!list || !*list)
		return;
	ret = bitlist_parse(list, OCI_CPUS_MAX, &arena, &cpus);
	if (ret == -ERANGE)
		rule_broken(check, pointer, "a CPU of \"%s\" is not below %d", list, OCI_CPUS_MAX);
	else if (ret < 0 || !cpus.count)
		rule_broken(check, pointer, "\"%s\" is not a list of CPUs", list);
}

static void rule_cpu_affinity(const struct oci_process *process, struct check *check)
{
	const struct oci_cpu_affinity *affinity = process->exec_cpu_affinity;

	if (!affinity)
		return;
	cpu_list_check(affinity->initial, "/process/execCPUAffinity/initial", check);
	cpu_list_check(affinity->final, "/process/execCPUAffinity/final", check);
}

/* clang-format off */
static const struct {
	const char *name;
	void (*run)(const struct oci_process *process, struct check *check);
} process_rules[] = {
	{ "process-cwd",           rule_cwd },
	{ "process-args",          rule_args },
	{ "process-env",           rule_env },
	{ "process-user",          rule_user },
	{ "process-rlimits",       rule_rlimits },
	{ "process-oom-score-adj", rule_oom_score },
	{ "process-io-priority",   rule_io_priority },
	{ "process-scheduler",     rule_scheduler },
	{ "process-cpu-affinity",  rule_cpu_affinity },
};
/* clang-format on */

void process_rules_run(const struct oci_process *process, struct check *check)
{
	for (size_t i = 0; i < ARRAY_SIZE(process_rules); i++) {
		check->rule = process_rules[i].name;
		process_rules[i].run(process, check);
	}
}

int process_check(const struct oci_process *process, struct error *err)
{
	cleanup_findings struct findings findings = { .limit = 1 };
	struct check check = { .findings = &findings };

	process_rules_run(process, &check);
	return findings.count ? finding_error(&findings.items[0], err) : 0;
}
