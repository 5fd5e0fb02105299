/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs on existing containers share. */
#ifndef RUNTIME_LIFECYCLE_VERBS_H
#define RUNTIME_LIFECYCLE_VERBS_H

#include "runtime/lifecycle/record.h"

/** How long a verb waits for another one's lock. */
#define VERB_LOCK_WAIT_MS 10000

/** Hooks of an existing container, from its saved configuration. */
int verb_run_hooks(int dirfd, const struct record *record, enum hook_kind kind,
		   enum container_status status, pid_t pid, struct error *err);
/** start.c: run the poststart hooks; when one fails the container is killed. */
int verb_poststart(int dirfd, const struct record *record, int pidfd, struct error *err);
/** delete.c: end whatever lives, remove cgroup and state, run the poststop hooks. */
int verb_destroy(const struct runtime_globals *globals, int dirfd, const struct record *record,
		 struct cgroup *cgroup, struct error *err);

#endif
