/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause and resume: the container's cgroup is frozen and thawed. No lock is taken: a verb that
 * waits for a frozen process may hold it, and resume is what helps then.
 */
#include <errno.h>

#include "lib/cleanup.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/record.h"
#include "runtime/texts.h"

static int freeze(const struct record *record, bool frozen, struct error *err)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	int ret;

	record_cgroup(record, &cgroup);
	ret = cgroup_open(&cgroup, err);
	if (ret == 0 && cgroup.fd < 0 && *cgroup.path)
		ret = -ENODEV;
	else if (ret == 0)
		ret = cgroup_freeze(&cgroup, frozen, err);
	if (ret == -ENODEV) /* a delete was quicker */
		ret = error_set(err, ERROR_STATE, 0, TEXT_NOT_RUNNING);
	return error_phase(err, ret, PHASE_CGROUP);
}

int container_pause(const struct runtime_globals *globals, const char *id, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct record record;
	enum container_status status;
	int ret = record_read(globals, id, &arena, &record, err);

	if (ret < 0)
		return ret;
	status = record_status(globals, &record);
	if (status != CONTAINER_RUNNING && status != CONTAINER_CREATED)
		return error_set(err, ERROR_STATE, 0, TEXT_NOT_RUNNING);
	return freeze(&record, true, err);
}

int container_resume(const struct runtime_globals *globals, const char *id, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct record record;
	int ret = record_read(globals, id, &arena, &record, err);

	if (ret < 0)
		return ret;
	if (record_status(globals, &record) != CONTAINER_PAUSED)
		return error_set(err, ERROR_STATE, 0, TEXT_NOT_PAUSED);
	return freeze(&record, false, err);
}
