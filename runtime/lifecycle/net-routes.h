/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes through a network device. The kernel forgets them when the device goes down, the
 * host's default route among them: a create that fails after it has moved a device has to bring
 * back these, too.
 */
#ifndef RUNTIME_LIFECYCLE_NET_ROUTES_H
#define RUNTIME_LIFECYCLE_NET_ROUTES_H

#include "lib/netlink.h"

struct net_route;

struct net_routes {
	struct net_route *items; /* owned */
	size_t count;
};

/**
 * The routes of both families, in all tables, that lead through this device alone and that an
 * administrator or a daemon has set: the kernel makes its own again with the addresses, and a
 * router announces its own again.
 */
int net_routes_read(struct netlink *netlink, int index, const char *name, struct net_routes *out,
		    struct error *err);
/** Set them again, through the device that now has this index. Stops at the first refusal. */
int net_routes_restore(struct netlink *netlink, int index, const struct net_routes *routes,
		       struct error *err);
void net_routes_done(struct net_routes *routes);

#endif
