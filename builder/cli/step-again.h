/* SPDX-License-Identifier: Apache-2.0 */
/* What `rerun` and `shell BUILD#N` share: a step of an earlier build, and what it is lent. */
#ifndef BUILDER_CLI_STEP_AGAIN_H
#define BUILDER_CLI_STEP_AGAIN_H

#include <stdbool.h>

#include "builder/cli/cli.h"
#include "builder/cli/sandbox-options.h"
#include "lib/strv.h"

struct step_again {
	const char *step; /* BUILD#N or BUILD:STAGE/N */
	const struct strv *secrets, *volumes;
	const struct sandbox_args *sandbox;
	const char *runtime;
	bool shell; /* a shell there instead of its command */
	const char *shell_program;
};

/** The exit status of what has run there; negative: it could not, see cli->err. */
int step_again(struct cli *cli, const struct step_again *again);

#endif
