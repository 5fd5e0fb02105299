/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket for a RUN step whose connections go to the SSH agent of the person who builds: bytes
 * both ways, in a thread of its own, so that the step's user needs no right to the agent's socket.
 */
#ifndef BUILDER_BUILD_SSH_FORWARD_H
#define BUILDER_BUILD_SSH_FORWARD_H

#include <sys/types.h>

#include "lib/error.h"

struct ssh_forward_options {
	const char *path;  /* of the socket to make; any length */
	const char *agent; /* the agent's own */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct ssh_forward;

int ssh_forward_start(const struct ssh_forward_options *options, struct ssh_forward **out,
		      struct error *err);
/** Ends its connections, too. */
void ssh_forward_stop(struct ssh_forward *forward);

#endif
