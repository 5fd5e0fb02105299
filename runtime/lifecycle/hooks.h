/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks of config.json: programs that get the container's state on their standard input. */
#ifndef RUNTIME_LIFECYCLE_HOOKS_H
#define RUNTIME_LIFECYCLE_HOOKS_H

#include "lib/error.h"
#include "runtime/plan/plan.h"
#include "spec/state.h"

/** Where and when. */
struct hook_place {
	const struct oci_state *state; /* on their standard input */
	const char *cwd;	       /* NULL = ours */
	int signal_fd;		       /* a signal on it kills the hook; -EBADF = none */
	const int *output; /* HOOK_STREAMS fds that hooks_open_output opened; NULL = open them */
};

/**
 * Run all hooks of this kind, in order, and stop at the first that fails: its output is in the
 * message. poststop goes on, with a warning in the log. ERROR_CANCELLED after a signal.
 */
int hooks_run(const struct plan *plan, enum hook_kind kind, const struct hook_place *place,
	      struct error *err);

/** The files that hooks append their output to; -EBADF where the plan has none. */
int hooks_open_output(const struct plan *plan, int fds[HOOK_STREAMS], struct error *err);
/** The hooks that run on the container side, where those files cannot be reached. */
bool hooks_run_inside(const struct plan *plan);

#endif
