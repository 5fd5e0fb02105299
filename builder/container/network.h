/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network namespace with an address of its own on a bridge, by the program netavark, which
 * podman has too: a veth pair, an address, the rules of the firewall, published ports; its
 * aardvark-dns resolves the names of the containers there. The bridge is ours alone ("orlop0").
 * Without root it is the program pasta (pasta.h). All that is remembered is in the folder "network"
 * of run_folder:
 *
 *	ID.json         what netavark was told, or "pasta"; locked while its owner lives
 *	ID.pid          which pasta it is
 *	addresses/A     an address that is taken; its content is the ID
 *	netavark/       netavark's own (--config)
 *
 * What a killed owner left is torn down by the next one, with the same words to netavark.
 */
#ifndef BUILDER_CONTAINER_NETWORK_H
#define BUILDER_CONTAINER_NETWORK_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/build/run-step.h"
#include "builder/image/store.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"

/** --publish */
struct network_port {
	const char *host_address; /* "" = all */
	uint16_t host, container;
	const char *protocol; /* tcp, udp, sctp */
};

/** tcp, udp or sctp? */
bool network_is_protocol(const char *text);

/** "[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]", all in arena; a usage error names the option. */
int network_ports_parse(const struct strv *texts, struct arena *arena, struct network_port **out,
			size_t *out_count, struct error *err);

struct network {
	struct store *store;
	char *id;
	int netns_fd;
	int record_fd; /* of ID.json, locked; -EBADF = nothing to tear down */
	char *input;   /* what netavark is told */
	char *address, *gateway, *path;
	struct run_netns netns; /* for the container: borrowed from here */
};

#define NETWORK_INIT                                                                               \
	{                                                                                          \
		.netns_fd = -EBADF, .record_fd = -EBADF                                            \
	}

/**
 * Make a namespace and connect it. store: of the session, whose mount namespace was entered. name:
 * what others on the bridge call it. network_down in any case, also after a failure.
 */
int network_up(struct network *network, struct store *store, const char *id, const char *name,
	       const struct network_port *ports, size_t port_count, struct error *err);
/** Disconnect and forget; what cannot be torn down is said in a warning. */
void network_down(struct network *network);
#define cleanup_network __attribute__((cleanup(network_down)))

/** Wait for a program that makes connections; other fibers run meanwhile. */
int network_wait_program(pid_t pid, int pidfd, const char *program, int *out_status,
			 struct error *err);

/** Leave it as it is to whoever has record_fd now: it counts as live as long as that is open. */
void network_leave(struct network *network);
/** Tear down what was left to an owner that has ended. netns_path: where it was attached; used when
 *  it still is, in our mount namespace. Waits for an owner that is about to end. */
void network_end(struct store *store, const char *id, const char *netns_path);

/** Tear down what owners left that are no more. */
void network_sweep(struct store *store);

#endif
