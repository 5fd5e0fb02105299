/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever answers the system calls that a seccomp filter reports (SCMP_ACT_NOTIFY). */
#ifndef RUNTIME_LIFECYCLE_AGENT_H
#define RUNTIME_LIFECYCLE_AGENT_H

#include "runtime/lifecycle/launch.h"
#include "spec/state.h"

/**
 * Take the filter's listener, of SYNC_LISTENER or SYNC_LISTENER_NUMBER, to the agent: a connection
 * of its own and one message, the ContainerProcessState of the specification with the fd. state is
 * the container's. The process goes on when this is done. Closes message's fd.
 */
int agent_serve(struct launch *launch, const struct oci_state *state,
		const struct sync_message *message, struct error *err);

#endif
