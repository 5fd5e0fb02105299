/* SPDX-License-Identifier: Apache-2.0 */
/* A container in the making: shared by create and run. */
#ifndef RUNTIME_LIFECYCLE_CREATE_H
#define RUNTIME_LIFECYCLE_CREATE_H

#include "runtime/lifecycle/console.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/launch.h"
#include "runtime/lifecycle/mounts.h"
#include "runtime/lifecycle/net-devices.h"
#include "runtime/lifecycle/record.h"
#include "runtime/lifecycle/resctrl.h"
#include "spec/config.h"

struct creation {
	const struct runtime_globals *globals;
	const char *id;
	const struct container_create_options *options;
	const struct container_criu_options *criu; /* restore; NULL = no */
	const struct creation_step *steps;
	bool run;      /* no fifo: the payload is executed at COMMIT */
	bool detached; /* create, run --detach */

	struct arena arena; /* config and strings of the record */
	struct strbuf config_text;
	struct oci_config *config;
	struct plan plan;
	struct record record;
	struct oci_state state;
	struct cgroup cgroup;
	struct launch launch;
	struct net_devices net_devices;
	struct resctrl resctrl;
	struct mount_service mounts;
	int dirfd;     /* ROOT/ID, locked */
	int stop_fd;   /* what asks us to stop */
	int signal_fd; /* in the foreground: what the process gets */
	struct console console;
	bool begun; /* things outside of the state folder may exist */
	bool pid_file_written;
	unsigned int listen_fds;
	struct notify notify;  /* of run, which serves it itself */
	uint64_t preserve_fds; /* those included */
};

/** Everything up to COMMIT; on failure all of it is undone. creation_done in either case. */
int creation_make(struct creation *creation, const struct runtime_globals *globals, const char *id,
		  const struct container_create_options *options, bool run,
		  const struct container_criu_options *criu, struct error *err);
/** run.c: it runs: stay with it until it ends, unless it is detached, and then clean up. */
int creation_stay(struct creation *creation, int *out_status, struct error *err);
/** restore.c: the step that has criu make the processes. */
int restore_processes(struct creation *creation, struct error *err);
/** Undo what creation_make made; for a run that fails behind COMMIT. */
void creation_undo(struct creation *creation);
/** It has succeeded: what was only kept for undoing goes. */
void creation_keep(struct creation *creation);
void creation_done(struct creation *creation);
#define cleanup_creation __attribute__((cleanup(creation_done)))

#endif
