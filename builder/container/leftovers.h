/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a builder that was killed leaves running. A session writes into its lease which runtime it
 * uses and which container it runs; steps carry the session in their id. The next session that
 * finds the lease without its owner ends all of that.
 */
#ifndef BUILDER_CONTAINER_LEFTOVERS_H
#define BUILDER_CONTAINER_LEFTOVERS_H

#include "builder/container/record.h"
#include "builder/image/store.h"

/* the notes in a lease */
#define LEFTOVER_RUNTIME "runtime"     /* the program */
#define LEFTOVER_CGROUP "cgroup"       /* the parent of their cgroups, where it was chosen */
#define LEFTOVER_CONTAINER "container" /* the id of the container of "run" */
#define LEFTOVER_REMOVE "remove"       /* its id again: the record goes with it (--rm) */
#define LEFTOVER_KEPT "kept"	       /* its id again: it has a monitor of its own now */

/** Write down that the session makes or runs this container: it is ended, should the session die.
 */
int leftovers_note(struct store *store, const struct container_record *record, struct error *err);

/** End the steps and the container of a dead session: a store_bury_fn. */
void leftovers_end(struct store *store, const char *session);

/**
 * From now on what the session runs is ended as soon as it dies, however it does: another process
 * waits for that until the store is closed. The first call counts; failing only means that the next
 * session has to do it.
 */
void leftovers_guard(struct store *store);

#endif
