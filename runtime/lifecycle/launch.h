/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the container's process, be it init or an additional one: clone3, the joiner where the
 * plan needs one, id maps, and the host's end of the talk with it.
 */
#ifndef RUNTIME_LIFECYCLE_LAUNCH_H
#define RUNTIME_LIFECYCLE_LAUNCH_H

#include <sys/types.h>

#include "lib/error.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/init/init.h"

struct launch {
	struct init_args args;
	struct sync host;  /* our end */
	struct sync child; /* theirs; closed here once they have it */
	pid_t pid;	   /* 0 = none */
	int pidfd;
	pid_t joiner;		     /* 0 = none (any more) */
	int signal_fd;		     /* borrowed: a signal on it cancels; -EBADF = none */
	const struct cgroup *cgroup; /* borrowed: its memory.events explain a death ... */
	int64_t oom_kills;	     /* ... by what is new in them */
};

/** --preserve-fds: are 3 and so many more open, and not by us? More would collide with our own. */
int launch_check_preserved(uint64_t count, struct error *err);
#define LAUNCH_PRESERVED_MAX 2048

/** Fills in what is not known yet with "none". */
void launch_init(struct launch *launch, const struct plan *plan, const struct oci_state *state);

/** Up to and including the clone3 and the id maps; the process then waits for GO. */
int launch_start(struct launch *launch, struct error *err);
int launch_go(struct launch *launch, struct error *err);

/** The next message. The end of the stream becomes an error that says how the process died. */
int launch_receive(struct launch *launch, struct sync_message *out, struct error *err);
/** Send one. When the process is gone already, its own message or its death is the error. */
int launch_send(struct launch *launch, enum sync_type type, int value, int fd, struct error *err);
/** After COMMIT: 0 when the exec has happened, else what went wrong. */
int launch_wait_exec(struct launch *launch, struct error *err);

/** Kill what was started and reap it; closes everything. */
void launch_abort(struct launch *launch);
/** Closes everything; the process lives on. */
void launch_done(struct launch *launch);

/** idmap.c: write the maps of pid's new user namespace. */
int idmap_write(const struct plan_idmaps *map, bool rootless, pid_t pid, struct error *err);
/** Maps that config.json gives for a joined user namespace must be the ones that pid has there. */
int idmap_check(const struct plan *plan, pid_t pid, struct error *err);

#endif
