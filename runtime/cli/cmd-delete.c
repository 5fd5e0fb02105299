/* SPDX-License-Identifier: Apache-2.0 */
/* delete: argv to container_delete. */
#include "runtime/cli/cli.h"

struct delete_args {
	bool force;
};

static const struct option_spec delete_options[] = {
	OPT_BOOL('f', "force", struct delete_args, force,
		 "kill the container first; one that does not exist is fine"),
	OPT_END
};

static int cmd_delete(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct delete_args args = { false };
	struct option_result result;
	struct cli *cli = globals;
	int ret;

	ret = cli_parse_id(cli, command, argc, argv, &args, &result);
	if (ret < 0)
		return ret;
	return container_delete(cli_globals(cli), result.arguments[0], args.force, &cli->err);
}

const struct command_spec delete_command = {
	.name = "delete",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = delete_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_delete,
	.summary = "delete a container that has stopped, and all that was made for it",
};
