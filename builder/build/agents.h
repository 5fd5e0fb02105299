/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build --ssh: the SSH agents that RUN --mount=type=ssh asks for. One that runs already, or key
 * files: then an ssh-agent of the build's own has them, from the first step that needs it until the
 * build ends.
 */
#ifndef BUILDER_BUILD_AGENTS_H
#define BUILDER_BUILD_AGENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "builder/loop/fiber.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strv.h"

struct store;

struct agent {
	const char *id;
	const char *socket;	 /* of one that runs; NULL = there are keys */
	const char *const *keys; /* files */
	size_t key_count;

	/* of agents.c: our own */
	pid_t pid; /* 0 = not started */
	char *own_socket;
	bool opening; /* by another branch of the build */
	struct fiber_queue waiting;
};

/** "ID[=SOCKET|KEY[,KEY...]]"; without, $SSH_AUTH_SOCK. All are looked at. */
int agents_parse(const struct strv *texts, struct arena *arena, struct agent **out,
		 size_t *out_count, struct error *err);
/** Ends those that were started. */
void agents_stop(struct agent *agents, size_t count);

/** NULL = there is none of that id. */
struct agent *agent_find(struct agent *agents, size_t count, const char *id);
/** Its socket (of any length), started if need be; other branches run on meanwhile, and the store's
 *  stop_fd ends the wait. */
int agent_open(struct agent *agent, struct store *store, const char **out_socket,
	       struct error *err);

#endif
