/* SPDX-License-Identifier: Apache-2.0 */
/* Another process in a container that runs. */
#ifndef BUILDER_CONTAINER_EXEC_H
#define BUILDER_CONTAINER_EXEC_H

#include <stdbool.h>

#include "builder/container/record.h"
#include "lib/error.h"
#include "lib/strv.h"

struct container_exec {
	char *const *args;
	const char *user;	/* NULL = the container's */
	const char *cwd;	/* NULL = the container's */
	const struct strv *env; /* K=V, or K: from our environment */
	bool interactive, terminal, detach;
	const char *detach_keys; /* with a terminal and our input; NULL or "" = none */
};

/** Execute it by the runtime; *out_status is its own (126, 127: it could not be executed, the
 *  runtime has said why), 0 at once with detach. */
int container_exec(struct store *store, const struct container_record *record,
		   const struct container_exec *exec, int *out_status, struct error *err);

#endif
