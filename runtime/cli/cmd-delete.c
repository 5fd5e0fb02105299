/* SPDX-License-Identifier: Apache-2.0 */
/* delete: argv to container_delete. */
#include "runtime/cli/cli.h"

struct delete_args {
	bool force, regex;
};

static const struct option_spec delete_options[] = {
	OPT_BOOL('f', "force", struct delete_args, force,
		 "kill the container first; one that does not exist is fine"),
	OPT_BOOL('r', "regex", struct delete_args, regex,
		 "every container whose id matches the regular expression"),
	OPT_END
};

static int delete_one(const struct runtime_globals *globals, const char *id, const void *args,
		      struct error *err)
{
	const struct delete_args *delete = args;

	return container_delete(globals, id, delete->force, err);
}

static int cmd_delete(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct delete_args args = { false };
	struct option_result result;
	struct cli *cli = globals;
	int ret;

	ret = cli_parse(cli, command, argc, argv, &args, &result);
	if (ret < 0)
		return ret;
	if (args.regex)
		return cli_each_match(cli, result.arguments[0], delete_one, &args);
	ret = cli_check_id(cli, result.arguments[0]);
	return ret < 0 ? ret : delete_one(cli_globals(cli), result.arguments[0], &args, &cli->err);
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
