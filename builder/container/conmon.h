/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers under conmon, the monitor that podman and CRI-O use: it owns the terminal (by the
 * runtime's --console-socket), writes the log and the exit file, and outlives us. We are its
 * foreground client.
 */
#ifndef BUILDER_CONTAINER_CONMON_H
#define BUILDER_CONTAINER_CONMON_H

#include <stdbool.h>

#include "builder/build/runtime-exec.h"
#include "lib/error.h"

struct conmon_run {
	const struct runtime *runtime; /* program: an absolute path */
	const char *bundle;	       /* absolute; conmon's files go there too */
	const char *id, *name;
	bool terminal;	  /* -t */
	bool interactive; /* -i: our stdin goes in */
};

/**
 * Start conmon, attach, start the container, move bytes until it ends; our terminal is raw
 * meanwhile and restored on every way out. *out_status as a shell gives it. The container is
 * deleted from the runtime.
 */
int conmon_run_attached(const struct conmon_run *run, int *out_status, struct error *err);

#endif
