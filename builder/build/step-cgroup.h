/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cgroup around each step's own, made by the builder: the runtime removes the container's group
 * with the container, but OOM kills are counted in every ancestor too, and ours is still there.
 * Without root it is made in the cgroup that was given to the user. Where none can be made (none
 * was given, no cgroup v2) a step simply runs without.
 */
#ifndef BUILDER_BUILD_STEP_CGROUP_H
#define BUILDER_BUILD_STEP_CGROUP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct step_cgroup {
	int parent_fd; /* the folder that holds it; -EBADF = there is none */
	char *name;    /* owned */
	char *path;    /* for config.json's cgroupsPath: "PARENT/NAME/ID"; NULL = none; owned */
};

#define STEP_CGROUP_INIT                                                                           \
	{                                                                                          \
		.parent_fd = -EBADF                                                                \
	}

/** Make PARENT/step-ID (parent NULL = "/orlop", of a user in his group); never fails: without one,
 * path stays NULL. */
void step_cgroup_make(const char *parent, const char *id, struct step_cgroup *out);

/** Kill what runs in the groups PARENT/step-PREFIX... that a killed builder left, and remove them.
 */
void step_cgroup_sweep(const char *parent, const char *prefix);

/** Was a process in it killed for lack of memory? */
bool step_cgroup_oom_killed(const struct step_cgroup *cgroup);

/** Leave it as it is, to be swept. */
void step_cgroup_leave(struct step_cgroup *cgroup);
/** Remove it; what the runtime may have left below is killed and removed too. */
void step_cgroup_remove(struct step_cgroup *cgroup);
#define cleanup_step_cgroup __attribute__((cleanup(step_cgroup_remove)))

#endif
