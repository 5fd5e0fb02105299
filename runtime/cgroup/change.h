/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of limits as a whole: all that can be known beforehand is looked at before the first
 * write, and what was there is remembered, so that a refusal in the middle leaves nothing changed.
 */
#ifndef RUNTIME_CGROUP_CHANGE_H
#define RUNTIME_CGROUP_CHANGE_H

#include "runtime/cgroup/cgroup.h"

struct limit_change;

struct device_change {
	int before, after; /* programs; -EBADF = none */
	bool done;
};

struct cgroup_change {
	const struct cgroup *cgroup;
	const struct plan_update *plan;
	struct limit_change *limits; /* in the order of the plan */
	size_t *order;		     /* in which they were written: indices of limits */
	size_t count, written;
	struct device_change devices;
};

#define CGROUP_CHANGE_INIT                                                                         \
	{                                                                                          \
		.devices = {.before = -EBADF, .after = -EBADF }                                    \
	}

/**
 * Is everything there that the plan needs (controllers, files, a device program that the kernel
 * takes, memory for the usage), and what is set now? Borrows cgroup, which is open, and plan.
 */
int cgroup_change_prepare(const struct cgroup *cgroup, const struct plan_update *plan,
			  struct cgroup_change *out, struct error *err);
/** Write it; after a failure everything is as it was. */
int cgroup_change_apply(struct cgroup_change *change, struct error *err);
/** Take back what was applied. */
void cgroup_change_undo(struct cgroup_change *change);
void cgroup_change_done(struct cgroup_change *change);

#endif
