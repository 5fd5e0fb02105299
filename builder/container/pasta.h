/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network namespace connected by the program pasta, for who may make no bridge on the host: what
 * is sent there leaves through sockets of pasta's, and published ports are sockets of its own. One
 * pasta a namespace, which outlives us. All of them give the same address, which is nobody else's
 * business: containers reach each other by published ports, or share a namespace.
 */
#ifndef BUILDER_CONTAINER_PASTA_H
#define BUILDER_CONTAINER_PASTA_H

#include <stddef.h>

#include "builder/container/network.h"
#include "lib/error.h"

#define PASTA_ADDRESS "10.0.2.100"
#define PASTA_GATEWAY "10.0.2.2"

/**
 * Connect; it is ready then. path: "PATH.pid" is where it is remembered, "PATH.netns" is needed for
 * the moment. pasta_stop in any case, also after a failure.
 */
int pasta_start(int netns_fd, const char *path, const struct network_port *ports, size_t port_count,
		struct error *err);
/** End the one of this path, if it is there, and forget it. Its ports are free then. */
void pasta_stop(const char *path);

#endif
