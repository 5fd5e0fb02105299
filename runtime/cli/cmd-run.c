/* SPDX-License-Identifier: Apache-2.0 */
/* run: argv to container_run. The exit status is the container's. */
#include "lib/cleanup.h"
#include "runtime/cli/cli.h"
#include "runtime/texts.h"

/* clang-format off */
static const struct option_spec run_options[] = {
	{ OPTION_INCLUDE, 0, NULL, 0, NULL, NULL, 0, create_options },
	OPT_BOOL('d', "detach", struct container_create_options, detach,
		 "return when the process has started"),
	OPT_BOOL(0, "keep", struct container_create_options, keep,
		 "do not delete the container when its process has ended"),
	OPT_END
};
/* clang-format on */

static int cmd_run(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct container_create_options options = { 0 };
	struct option_result result;
	struct cli *cli = globals;
	int ret, status = 0;

	ret = cli_parse(cli, command, argc, argv, &options, &result);
	if (ret < 0)
		return ret;
	ret = create_prepare(cli, result.arguments[0], &options);
	if (ret == 0)
		ret = container_run(cli_globals(cli), result.arguments[0], &options, &status,
				    &cli->err);
	if (ret < 0)
		return error_prefix(&cli->err, ret, TEXT_RUN_FAILED);
	return status;
}

const struct command_spec run_command = {
	.name = "run",
	.arguments = "CONTAINER-ID",
	.options = run_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_run,
	.summary = "make a container, start it, wait for it and delete it",
	.description = "The exit status is that of the container's process, 128+N when signal N\n"
		       "killed it.",
};
