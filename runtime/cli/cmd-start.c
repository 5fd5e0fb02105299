/* SPDX-License-Identifier: Apache-2.0 */
/* start: argv to container_start. */
#include "runtime/cli/cli.h"

static const struct option_spec start_options[] = { OPT_END };

static int cmd_start(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct option_result result;
	struct cli *cli = globals;
	int ret;

	ret = cli_parse_id(cli, command, argc, argv, NULL, &result);
	if (ret < 0)
		return ret;
	return container_start(cli_globals(cli), result.arguments[0], &cli->err);
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
