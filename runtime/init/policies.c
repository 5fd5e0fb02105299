/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the kernel treats the process: CPU affinity, scheduling policy, I/O priority, memory policy,
 * personality. In a user namespace some of it is only for the host side: see the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/syscalls.h"
#include "runtime/init/init.h"
#include "runtime/texts.h"
#include "spec/config.h"

/* -- CPU affinity -- */

static int set_cpus(const struct bitlist *cpus)
{
	/* by hand: cpu_set_t ends at 1024 CPUs */
	return syscall(SYS_sched_setaffinity, 0, cpus->size, cpus->words) < 0 ? -errno : 0;
}

static int set_configured_cpus(const struct bitlist *cpus, const char *member, struct error *err)
{
	int ret = cpus->words ? set_cpus(cpus) : 0;

	if (ret == 0)
		return 0;
	ret = error_errno(err, -ret, "set the CPU affinity of execCPUAffinity.%s", member);
	return error_pointer(err, ret, "/process/execCPUAffinity/%s", member);
}

int policies_enter_initial_cpus(const struct plan_process *process, struct error *err)
{
	return set_configured_cpus(&process->initial_cpus, "initial", err);
}

/*
 * The CPUs that our caller happened to be bound to are none of the container's business: its cgroup
 * decides, which cuts what we ask for down to what it has.
 */
static void forget_inherited_cpus(void)
{
	unsigned long words[OCI_CPUS_MAX / 8 / sizeof(long)];
	const struct bitlist all = { .words = words, .size = sizeof(words) };
	int ret;

	memset(words, 0xff, sizeof(words));
	ret = set_cpus(&all);
	if (ret < 0) /* some sandboxes refuse it; nothing that was asked for is lost */
		log_debug("the inherited CPU affinity stays: %s", strerror(-ret));
}

int policies_set_cpus(struct init *init, struct error *err)
{
	const struct plan_process *process = &init->plan->process;

	if (init->args->container_fd < 0 ||
	    (!process->initial_cpus.words && !process->final_cpus.words)) {
		forget_inherited_cpus();
		return 0;
	}
	return set_configured_cpus(&process->final_cpus, "final", err);
}

/* -- scheduling -- */

static int set_scheduler(const struct plan_scheduler *scheduler, pid_t pid, struct error *err)
{
	struct sys_sched_attr attr = {
		.size = sizeof(attr),
		.policy = scheduler->number,
		.flags = scheduler->flags,
		.nice = scheduler->nice,
		.priority = scheduler->priority,
		.runtime = scheduler->runtime,
		.deadline = scheduler->deadline,
		.period = scheduler->period,
	};
	int ret;

	if (!scheduler->policy || syscall(SYS_sched_setattr, pid, &attr, 0) == 0)
		return 0;
	if (errno == EPERM && scheduler->cpus_limited)
		ret = error_set(err, ERROR_INVALID, EPERM, TEXT_SCHEDULER_CPUS);
	else
		ret = error_errno(err, errno, "set the scheduler %s", scheduler->policy);
	return error_pointer(err, ret, "/process/scheduler");
}

static int set_io_priority(const struct plan_process *process, pid_t pid, struct error *err)
{
	const int which_process = 1; /* IOPRIO_WHO_PROCESS */

	if (!process->has_io_priority ||
	    syscall(SYS_ioprio_set, which_process, pid, process->io_priority) == 0)
		return 0;
	return error_pointer(err, error_errno(err, errno, "set the I/O priority"),
			     "/process/ioPriority");
}

static int set_priorities(const struct plan_process *process, pid_t pid, struct error *err)
{
	int ret = set_io_priority(process, pid, err);

	return ret < 0 ? ret : set_scheduler(&process->scheduler, pid, err);
}

int policies_apply(struct init *init, struct error *err)
{
	return set_priorities(&init->plan->process, 0, err);
}

/* -- memory, personality -- */

int policies_set_memory(struct init *init, struct error *err)
{
	const struct plan *plan = init->plan;
	/* the kernel counts one less */
	unsigned long bits = plan->memory_nodes.words ? plan->memory_nodes.size * 8 + 1 : 0;
	int ret;

	if (syscall(SYS_set_mempolicy, plan->memory_mode, plan->memory_nodes.words, bits) == 0)
		return 0;
	ret = error_errno(err, errno, "set the memory policy %s", plan->memory_policy);
	return error_pointer(err, ret, "/linux/memoryPolicy");
}

int policies_set_personality(struct init *init, struct error *err)
{
	if (personality(init->plan->personality) < 0)
		return error_pointer(err, error_errno(err, errno, "set the personality"),
				     "/linux/personality");
	return 0;
}

/* -- from outside -- */

bool policies_need_host(const struct init_args *args)
{
	if (args->container_fd >= 0)
		return args->container_flags & CLONE_NEWUSER;
	return args->plan->namespaces[NS_USER].mode != NS_INHERIT;
}

static int write_oom_score(const struct plan_process *process, pid_t pid, struct error *err)
{
	cleanup_close int dir = -EBADF;
	char path[32];

	if (!process->has_oom_score_adj)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, errno, "open \"%s\"", path);
	return limits_write_oom_score(dir, process, err);
}

int policies_set_from_outside(const struct init_args *args, pid_t pid, struct error *err)
{
	const struct plan_process *process = &args->plan->process;
	int ret;

	if (!policies_need_host(args))
		return 0;
	ret = limits_set(process, pid, err);
	/* without privilege the process itself has done what can be done */
	if (ret < 0 || args->plan->rootless)
		return ret;
	ret = set_priorities(process, pid, err);
	return ret < 0 ? ret : write_oom_score(process, pid, err);
}
