/* SPDX-License-Identifier: Apache-2.0 */
/* How a container is: never stored, found out by the runtime, by conmon's files and by the record.
 */
#ifndef BUILDER_CONTAINER_STATE_H
#define BUILDER_CONTAINER_STATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "builder/container/record.h"
#include "lib/clock.h"
#include "lib/table.h"

enum container_status {
	CONTAINER_CREATED, /* never started, or the start failed */
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_EXITED,
};

/** Their names: "created", "running", ... */
extern const struct name_value container_statuses[];

struct container_state {
	enum container_status status;
	pid_t pid;			/* of its first process, when it runs; else 0 */
	int exit_status;		/* when it has exited; 255: nobody was there to see how */
	char finished[CLOCK_TEXT_SIZE]; /* "" = not known */
};

void container_state_get(struct store *store, const struct container_record *record,
			 struct container_state *out);

/** Running or paused. */
static inline bool container_is_up(const struct container_state *state)
{
	return state->status == CONTAINER_RUNNING || state->status == CONTAINER_PAUSED;
}

/** It runs, or ERROR_STATE in docker's words. */
int container_require_up(struct store *store, const struct container_record *record,
			 struct container_state *out, struct error *err);

/**
 * Whoever cleans up after a container waits for those who want to know how it ended: for as long as
 * the fd is open. Negative = it is gone.
 */
int container_lock_client(struct store *store, const char *id);
void container_wait_clients(struct store *store, const char *id);

/**
 * Wait until it runs no more, for at most timeout_ms (-1 = for ever). 1 = it has ended and *out
 * says how; 0 = it still runs. A container that is removed meanwhile has ended, too
 * (with 255).
 */
int container_wait(struct store *store, const char *id, int timeout_ms, struct container_state *out,
		   struct error *err);

#endif
