/* SPDX-License-Identifier: Apache-2.0 */
/* pause and resume: argv to container_pause and container_resume. */
#include "runtime/cli/cli.h"

static const struct option_spec no_options[] = { OPT_END };

static int cmd_pause(const struct command_spec *command, int argc, char **argv, void *globals)
{
	return cli_call(globals, command, argc, argv, container_pause);
}

static int cmd_resume(const struct command_spec *command, int argc, char **argv, void *globals)
{
	return cli_call(globals, command, argc, argv, container_resume);
}

const struct command_spec pause_command = {
	.name = "pause",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = no_options,
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
