/* SPDX-License-Identifier: Apache-2.0 */
/* pause and resume: argv to container_pause and container_resume. */
#include <stdio.h>

#include "runtime/cli/cli.h"

struct pause_args {
	bool reclaim;
};

static const struct option_spec pause_options[] = {
	OPT_BOOL(0, "reclaim", struct pause_args, reclaim,
		 "take back what memory the kernel can, and print how many bytes that were"),
	OPT_END
};
static const struct option_spec no_options[] = { OPT_END };

static int cmd_pause(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct pause_args args = { .reclaim = false };
	struct option_result result;
	struct cli *cli = globals;
	uint64_t bytes = 0;
	int ret = cli_parse_id(cli, command, argc, argv, &args, &result);

	if (ret == 0)
		ret = container_pause(cli_globals(cli), result.arguments[0],
				      args.reclaim ? &bytes : NULL, &cli->err);
	if (ret == 0 && args.reclaim)
		printf("%llu\n", (unsigned long long)bytes);
	return ret;
}

static int cmd_resume(const struct command_spec *command, int argc, char **argv, void *globals)
{
	return cli_call(globals, command, argc, argv, container_resume);
}

const struct command_spec pause_command = {
	.name = "pause",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = pause_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_pause,
	.summary = "stop all processes of a container where they are",
};

const struct command_spec resume_command = {
	.name = "resume",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = no_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_resume,
	.summary = "let the processes of a paused container go on",
};
