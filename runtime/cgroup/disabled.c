/* SPDX-License-Identifier: Apache-2.0 */
/* The driver for a container without a cgroup of its own. */
#include "lib/alloc.h"
#include "runtime/cgroup/driver.h"

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

const struct cgroup_driver cgroup_disabled_driver = {
	.name = "disabled",
	.locate = disabled_locate,
};
