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

/** salvage.c: what is left to know of a container whose state is broken (-EBADMSG of
 *  record_read_at). */
struct salvage {
	struct record record; /* of its strings only the id is surely there */
	bool is_certain;      /* that the cgroup in it is this container's; else there is none */
};
int salvage_read(int dirfd, const char *id, struct arena *arena, struct salvage *out,
		 struct error *err);
/** Is it certain that nothing of it runs? Else ERROR_STATE. cgroup is that of the record, opened.
 */
int salvage_check(const struct salvage *salvage, const struct cgroup *cgroup, struct error *err);
/** End and remove what is certainly its own, and its folder. What may be left is a warning that
 *  begins with the reason. */
int salvage_delete(const struct runtime_globals *globals, int dirfd, const struct salvage *salvage,
		   const char *reason, struct error *err);

#endif
