/* SPDX-License-Identifier: Apache-2.0 */
/* What the files store*.c share. */
#ifndef BUILDER_IMAGE_STORE_INTERNAL_H
#define BUILDER_IMAGE_STORE_INTERNAL_H

#include "builder/image/store.h"

/** No early sync is to be told of any more. */
void store_sync_done(struct store *store);

/** Shared: look something up and hold it, without a collection in between. Exclusive: collect.
 *  Also keeps this process's threads apart. */
int store_lock(struct store *store, int operation, struct error *err);
void store_unlock(struct store *store);

/** Name the time for which all that was written and not synced is there: store->boot. */
void store_read_boot(struct store *store);
/** Of the session that last looked for what was not synced: that time. */
#define STORE_BOOT_NAME "boot"
/** A sync has failed: no provisional record of this boot is one any more, and the next session
 * looks for what nothing leads to. The store is given by an fd, for any thread. */
void store_distrust(int store_fd, const char *boot);
/** Has a sync of ours failed? Then what we make may not be recorded, either. */
bool store_is_distrusted(const struct store *store);

/** Remove what the session has made and not published, and its lease. */
void store_session_end(struct store *store);

/** A name for a new file or folder of the session ("tmp/SESSION/N"); starts the session. */
int store_scratch_name(struct store *store, char out_name[STORE_NAME_SIZE], struct error *err);

/** Write a file into scratch; to be published or renamed. */
int store_scratch_file(struct store *store, const void *data, size_t size,
		       char out_name[STORE_NAME_SIZE], struct error *err);

/** Append a line to the lease unless it has it; the lock is held. */
int store_hold_line(struct store *store, const char *line, struct error *err);

/** store_ref_list that fails for a damaged ref: what it needs is not known. */
int store_ref_list_all(struct store *store, struct store_refs *out, struct error *err);

/** store_collect with the exclusive lock held, in a session. */
int store_collect_locked(struct store *store, store_reach_fn reach, struct store_collected *out,
			 struct error *err);

/** Remove a step's lock ("steps/KEY.lock") that nobody holds: its builder was killed. */
void store_step_lock_sweep(struct store *store, const char *name);

/** Is the process of this lease alive? (Its flock is held.) */
bool store_lease_is_live(struct store *store, const char *session);

#endif
