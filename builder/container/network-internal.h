/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of network.h have in common. */
#ifndef BUILDER_CONTAINER_NETWORK_INTERNAL_H
#define BUILDER_CONTAINER_NETWORK_INTERNAL_H

#include "builder/container/network.h"

#define NETWORK_BRIDGE "orlop0"

/** A name in the folder of what is remembered; owned. */
char *network_path(const char *name);

/* -- addresses (network-address.c) --------------------------------------------------------------
 */

/** The one that the bridge has, or one that the host routes nowhere: 10.SUBNET.0.0/16. */
int network_choose_subnet(unsigned int *out, struct error *err);
/** The first free address, and the bridge's own, into network; it is taken as long as its file is
 *  there. */
int network_take_address(struct network *network, unsigned int subnet, struct error *err);
void network_release_address(const char *address);

/* -- netavark.c ---------------------------------------------------------------------------------
 */

bool netavark_is_installed(void);
/** Does it have the name server that it starts for a bridge? */
bool netavark_has_dns(void);

/** What netavark is told of a network whose addresses are known; owned. */
char *netavark_describe(const struct network *network, const char *name, unsigned int subnet,
			const struct network_port *ports, size_t port_count);
/** verb: "setup" or "teardown". */
int netavark_run(const struct store *store, const char *verb, const char *input, int netns_fd,
		 struct error *err);

#endif
