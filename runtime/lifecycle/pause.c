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

/* Before the status is asked: who lives then has this cgroup. By its path it would be that of a
 * container that was made in the meantime, under the same id. */
static int open_cgroup(const struct record *record, struct cgroup *cgroup, struct error *err)
{
	int ret;

	record_cgroup(record, cgroup);
	ret = cgroup_open(cgroup, err);
	return ret == 0 && cgroup->fd < 0 && *cgroup->path ? -ENODEV : ret;
}

/* A delete was quicker: what is gone does not run. */
static int finish(const struct record *record, int ret, struct error *err)
{
	if (ret == -ENODEV || (ret < 0 && !record_is_alive(record)))
		ret = error_set(err, ERROR_STATE, 0, TEXT_NOT_RUNNING);
	return error_phase(err, ret, PHASE_CGROUP);
}

/* A failure leaves the container as it was, so what can be known is asked before. */
static int freeze_and_reclaim(const struct cgroup *cgroup, uint64_t *out_reclaimed,
			      struct error *err)
{
	int ret = out_reclaimed ? cgroup_check_reclaim(cgroup, err) : 0;

	if (ret == 0)
		ret = cgroup_freeze(cgroup, true, err);
	if (ret < 0 || !out_reclaimed)
		return ret;
	ret = cgroup_reclaim(cgroup, out_reclaimed, err);
	if (ret < 0)
		(void)cgroup_freeze(cgroup, false, NULL); /* why it failed is what counts */
	return ret;
}

int container_pause(const struct runtime_globals *globals, const char *id, uint64_t *out_reclaimed,
		    struct error *err)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct record record;
	enum container_status status;
	int ret = record_read(globals, id, &arena, &record, err);

	if (ret < 0)
		return ret;
	ret = open_cgroup(&record, &cgroup, err);
	status = record_status(globals, &record);
	if (status != CONTAINER_RUNNING && status != CONTAINER_CREATED)
		return error_set(err, ERROR_STATE, 0, TEXT_NOT_RUNNING);
	if (ret == 0)
		ret = freeze_and_reclaim(&cgroup, out_reclaimed, err);
	return finish(&record, ret, err);
}

int container_resume(const struct runtime_globals *globals, const char *id, struct error *err)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct record record;
	int ret = record_read(globals, id, &arena, &record, err);

	if (ret < 0)
		return ret;
	ret = open_cgroup(&record, &cgroup, err);
	if (record_status(globals, &record) != CONTAINER_PAUSED)
		return error_set(err, ERROR_STATE, 0, TEXT_NOT_PAUSED);
	if (ret == 0)
		ret = cgroup_freeze(&cgroup, false, err);
	return finish(&record, ret, err);
}
