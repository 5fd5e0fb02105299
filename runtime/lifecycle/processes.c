/* SPDX-License-Identifier: Apache-2.0 */
/* ps: all processes of a container are those of its cgroup and of what it made below. */
#include <stdlib.h>

#include "lib/cleanup.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/record.h"

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int container_pids(const struct runtime_globals *globals, const char *id, pid_t **out,
		   size_t *out_count, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	struct record record;
	int ret = record_read(globals, id, &arena, &record, err);

	if (ret < 0)
		return ret;
	if (!record.cgroup_path || !*record.cgroup_path)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "container \"%s\" has no cgroup that would know its processes",
				 id);
	record_cgroup(&record, &cgroup);
	ret = cgroup_open(&cgroup, err);
	if (ret == 0)
		ret = cgroup_pids(&cgroup, out, out_count, err);
	if (ret == 0 && *out_count)
		qsort(*out, *out_count, sizeof(**out), compare_pids);
	return ret;
}

bool container_has_pid(const pid_t *pids, size_t count, pid_t pid)
{
	return count && bsearch(&pid, pids, count, sizeof(pid), compare_pids);
}
