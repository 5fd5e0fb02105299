/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs on existing containers share. */
#ifndef RUNTIME_LIFECYCLE_VERBS_H
#define RUNTIME_LIFECYCLE_VERBS_H

#include "runtime/lifecycle/record.h"

/** How long a verb waits for another one's lock. */
#define VERB_LOCK_WAIT_MS 10000

/**
 * Hooks of an existing container, from its saved configuration: poststart of one that runs, or
 * poststop. A signal on signal_fd (-EBADF = none) ends them.
 */
int verb_run_hooks(int dirfd, const struct record *record, enum hook_kind kind, int signal_fd,
		   struct error *err);
/** delete.c: end whatever lives, remove cgroup and state, run the poststop hooks. */
int verb_destroy(const struct runtime_globals *globals, int dirfd, const struct record *record,
		 struct cgroup *cgroup, struct error *err);

#endif
