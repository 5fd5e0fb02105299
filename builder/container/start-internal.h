/* SPDX-License-Identifier: Apache-2.0 */
/* What start.c and start-namespaces.c have in common. */
#ifndef BUILDER_CONTAINER_START_INTERNAL_H
#define BUILDER_CONTAINER_START_INTERNAL_H

#include "builder/build/step-cgroup.h"
#include "builder/container/container.h"
#include "builder/container/network.h"

/* One start on its way. */
struct starting {
	struct container *container;
	const struct container_start *how;
	struct container_record *record; /* the container's */
	struct runtime runtime;
	struct network network;
	struct step_cgroup cgroup;
	int client_fd; /* locked as long as somebody waits for the end */
};

/** Connect its network, join the namespaces that are another container's, write hosts and
 *  resolv.conf. */
int start_connect(struct starting *starting, struct error *err);
/** The container is made: what only that needed goes from our mount namespace. */
void start_release(struct starting *starting);

#endif
