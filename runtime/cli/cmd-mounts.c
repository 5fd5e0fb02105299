/* SPDX-License-Identifier: Apache-2.0 */
/* mounts: argv to container_add_mounts and container_remove_mounts. */
#include <string.h>

#include "lib/cleanup.h"
#include "runtime/cli/cli.h"

static const struct option_spec mounts_options[] = { OPT_END };

static const struct {
	const char *word;
	int (*call)(const struct runtime_globals *globals, const char *id, const char *file,
		    struct error *err);
} actions[] = { { "add", container_add_mounts }, { "remove", container_remove_mounts } };

static int cmd_mounts(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct option_result result;
	struct cli *cli = globals;
	const char *file;
	int ret = cli_parse(cli, command, argc, argv, NULL, &result);

	if (ret == 0)
		ret = cli_check_id(cli, result.arguments[1]);
	if (ret < 0)
		return ret;
	file = result.arguments[2];
	if (strcmp(file, "-") != 0)
		ret = cli_resolve_path(cli, &file);
	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(actions); i++)
		if (strcmp(result.arguments[0], actions[i].word) == 0)
			return actions[i].call(cli_globals(cli), result.arguments[1], file,
					       &cli->err);
	return ret < 0 ? ret
		       : error_invalid(&cli->err, "\"%s\" is neither \"add\" nor \"remove\"",
				       result.arguments[0]);
}

const struct command_spec mounts_command = {
	.name = "mounts",
	.arguments = "add|remove CONTAINER-ID FILE",
	.options = mounts_options,
	.arguments_min = 3,
	.arguments_max = 3,
	.run = cmd_mounts,
	.summary = "add mounts to a running container, or remove some",
	.description =
		"FILE is an array of mounts as in config.json, \"-\" is stdin. To remove one\n"
		"only its destination counts.",
};
