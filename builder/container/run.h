/* SPDX-License-Identifier: Apache-2.0 */
/* `run`: a container of an image, copy-on-write, in the foreground. */
#ifndef BUILDER_CONTAINER_RUN_H
#define BUILDER_CONTAINER_RUN_H

#include <stdbool.h>

#include "builder/build/run-step.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

struct run_options {
	const char *image;
	const char *platform;	    /* normal form; NULL = this machine's */
	char *const *args;	    /* after the image; may be empty */
	const char *name;	    /* NULL = none */
	const char *user;	    /* NULL = the image's */
	const char *cwd;	    /* NULL = the image's */
	const char *entrypoint;	    /* NULL = the image's; "" = none */
	const char *hostname;	    /* NULL = the first 12 digits of the id */
	const char *runtime;	    /* NULL = ours */
	const struct strv *env;	    /* K=V, or K: from our environment */
	const struct strv *volumes; /* SRC:DST[:ro|rw] */
	enum run_network network;
	const struct network_port *ports; /* published on the host; of a bridge */
	size_t port_count;
	const struct sandbox *sandbox; /* NULL = nothing but the defaults */
	bool remove;		       /* --rm */
	bool interactive, terminal;
};

/**
 * Make the container, run it to its end, say how it ended. 0: *out_status is the container's own
 * exit status (126, 127: its command could not be executed; the runtime has said why). Negative: it
 * could not be made (125 for main).
 */
int container_run(struct store *store, const struct run_options *options, int *out_status,
		  struct error *err);

#endif
