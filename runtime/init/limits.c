/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rlimits and the OOM score. init still needs a few fds itself, so a RLIMIT_NOFILE below that is
 * only set in the last moment; everything else is set while the rights to raise are still there.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "lib/io.h"
#include "runtime/init/init.h"

#define OWN_FDS 64

static int set_limit(pid_t pid, const struct plan_rlimit *limit, struct error *err)
{
	if (prlimit(pid, (__rlimit_resource_t)limit->resource, &limit->limit, NULL) < 0)
		return error_errno(err, errno, "set %s to %llu:%llu", limit->name,
				   (unsigned long long)limit->limit.rlim_cur,
				   (unsigned long long)limit->limit.rlim_max);
	return 0;
}

static bool is_too_small(const struct plan_rlimit *limit)
{
	return limit->resource == RLIMIT_NOFILE && limit->limit.rlim_cur < OWN_FDS;
}

int limits_set(const struct plan_process *process, pid_t pid, struct error *err)
{
	for (size_t i = 0; i < process->rlimit_count; i++) {
		struct plan_rlimit limit = process->rlimits[i];
		int ret;

		if (is_too_small(&limit)) {
			if (limit.limit.rlim_max < OWN_FDS)
				continue; /* lowering is allowed at any time */
			limit.limit.rlim_cur = OWN_FDS;
		}
		ret = set_limit(pid, &limit, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int limits_apply(struct init *init, struct error *err)
{
	return limits_set(&init->plan->process, 0, err);
}

int limits_apply_files(struct init *init, struct error *err)
{
	const struct plan_process *process = &init->plan->process;
	int ret = 0;

	for (size_t i = 0; i < process->rlimit_count && ret == 0; i++)
		if (is_too_small(&process->rlimits[i]))
			ret = set_limit(0, &process->rlimits[i], err);
	return ret;
}

int limits_write_oom_score(int dirfd, const struct plan_process *process, struct error *err)
{
	char text[16];
	int ret;

	if (!process->has_oom_score_adj)
		return 0;
	(void)snprintf(text, sizeof(text), "%d", process->oom_score_adj);
	ret = io_write_kernel_file(dirfd, "oom_score_adj", text, err);
	return error_pointer(err, error_prefix(err, ret, "set the OOM score to %s", text),
			     "/process/oomScoreAdj");
}

/* Early: a process that is not dumpable, and not of the host's root, may not open its own file. */
int limits_set_oom_score(struct init *init, struct error *err)
{
	return limits_write_oom_score(init->self_fd, &init->plan->process, err);
}
