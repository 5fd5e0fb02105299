/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks of config.json: programs that get the container's state on their standard input. */
#ifndef RUNTIME_LIFECYCLE_HOOKS_H
#define RUNTIME_LIFECYCLE_HOOKS_H

#include "lib/error.h"
#include "runtime/plan/plan.h"
#include "spec/state.h"

/**
 * Run all hooks of this kind, in order, with state on stdin, in the folder cwd (NULL = ours). Stops
 * at the first that fails: its output is in the message. signal_fd
 * (-EBADF = none) is watched meanwhile: a signal on it kills the hook, ERROR_CANCELLED.
 */
int hooks_run(const struct plan *plan, enum hook_kind kind, const struct oci_state *state,
	      const char *cwd, int signal_fd, struct error *err);

#endif
