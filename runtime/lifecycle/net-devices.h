/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.netDevices: moves network devices of the host into the container's network namespace, each
 * with its permanent addresses. A delete does not bring them back: what becomes of them with their
 * namespace is the kernel's business. A create that fails does.
 */
#ifndef RUNTIME_LIFECYCLE_NET_DEVICES_H
#define RUNTIME_LIFECYCLE_NET_DEVICES_H

#include "lib/netlink.h"
#include "runtime/plan/plan.h"

struct net_device_move;

struct net_devices {
	struct netlink host, container; /* a socket in each namespace */
	int host_fd, container_fd;	/* the namespaces themselves */
	struct net_device_move *moves;	/* owned */
	size_t count;
};
#define NET_DEVICES_INIT                                                                           \
	{                                                                                          \
		.host = NETLINK_INIT, .container = NETLINK_INIT, .host_fd = -EBADF,                \
		.container_fd = -EBADF                                                             \
	}

/** All of the plan's devices into the network namespace at this path. */
int net_devices_move(struct net_devices *devices, const struct plan *plan, const char *namespace,
		     struct error *err);
/** Back again, with name, addresses, state and routes, as far as that is possible. */
void net_devices_return(struct net_devices *devices);
void net_devices_done(struct net_devices *devices);

#endif
