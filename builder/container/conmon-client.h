/* SPDX-License-Identifier: Apache-2.0 */
/* A client of what conmon looks after: its terminal or its streams on ours, until its end or until
 * somebody types the keys that detach. */
#ifndef BUILDER_CONTAINER_CONMON_CLIENT_H
#define BUILDER_CONTAINER_CONMON_CLIENT_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/strbuf.h"

/** What a client can do about that. */
struct conmon_target {
	int (*start)(void *context, struct error *err);
	void (*kill)(void *context, int signal); /* what we are sent is passed on */
};

struct conmon_client {
	const struct conmon_target *target;
	void *context;	    /* of target */
	const char *bundle; /* absolute; where conmon's sockets are */
	bool terminal;
	bool interactive;	 /* our stdin goes in */
	bool start;		 /* once connected, start it */
	const char *detach_keys; /* as people write them; NULL = the default, "" = none */
};

/**
 * Move bytes between us and it until it ends or somebody types the detach keys; our terminal is
 * raw meanwhile and restored on every way out.
 */
int conmon_attach(const struct conmon_client *client, bool *out_detached, struct error *err);

/** "ctrl-p,ctrl-q", "a,b": the bytes; a usage error for anything else. Owned. */
int conmon_parse_keys(const char *text, struct strbuf *out, struct error *err);

#endif
