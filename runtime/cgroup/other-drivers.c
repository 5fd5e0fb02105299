/* SPDX-License-Identifier: Apache-2.0 */
/* The managers that make no folder themselves: systemd, and none at all. */
#include "lib/alloc.h"
#include "runtime/cgroup/driver.h"
#include "runtime/texts.h"

static int systemd_locate(const struct plan *plan, struct cgroup *cgroup, struct error *err)
{
	(void)plan;
	(void)cgroup;
	return error_set(err, ERROR_UNSUPPORTED, 0, "the systemd cgroup manager is " TEXT_NOT_YET);
}

static int disabled_locate(const struct plan *plan, struct cgroup *cgroup, struct error *err)
{
	if (plan->cgroup.write_count) /* device rules alone come with every configuration */
		return error_pointer(err,
				     error_set(err, ERROR_INVALID, 0,
					       "limits need a cgroup, but cgroups are disabled"),
				     "/linux/resources");
	cgroup->path = xstrdup("");
	return 0;
}

static int nothing_to_prepare(struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	(void)cgroup;
	(void)plan;
	(void)err;
	return 0;
}

static int nothing_to_adopt(struct cgroup *cgroup, pid_t pid, struct error *err)
{
	(void)cgroup;
	(void)pid;
	(void)err;
	return 0;
}

const struct cgroup_driver cgroup_systemd_driver = {
	.name = "systemd",
	.locate = systemd_locate,
	.prepare = nothing_to_prepare,
	.adopt = nothing_to_adopt,
};

const struct cgroup_driver cgroup_disabled_driver = {
	.name = "disabled",
	.locate = disabled_locate,
	.prepare = nothing_to_prepare,
	.adopt = nothing_to_adopt,
};
