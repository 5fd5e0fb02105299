/* SPDX-License-Identifier: Apache-2.0 */
/* start: argv to container_start. */
#include "runtime/cli/cli.h"

static const struct option_spec start_options[] = { OPT_END };

static int cmd_start(const struct command_spec *command, int argc, char **argv, void *globals)
{
	return cli_call(globals, command, argc, argv, container_start);
}

const struct command_spec start_command = {
	.name = "start",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = start_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_start,
	.summary = "start the process of a container that was created",
};
