/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder rerun: the command of a RUN once more, on the files that it found then. */
#include "builder/cli/step-again.h"

struct rerun_arguments {
	struct strv volumes, secrets;
	const char *runtime;
	struct sandbox_args sandbox;
};

/* clang-format off */
static const struct option_spec rerun_options[] = {
	OPT_STRV('v', "volume", struct rerun_arguments, volumes, "SOURCE:TARGET[:ro]",
		 "mount a folder or file of the host, as for the build"),
	OPT_STRV(0, "secret", struct rerun_arguments, secrets, "id=ID[,src=FILE|,env=NAME]",
		 "a secret that the step mounts: the builder keeps none"),
	OPT_INCLUDE(struct rerun_arguments, sandbox, sandbox_options),
	OPT_STRING(0, "runtime", struct rerun_arguments, runtime, "PROGRAM",
		   "the OCI runtime to use (default: orlop-runtime)"),
	OPT_END
};
/* clang-format on */

static int cmd_rerun(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct rerun_arguments arguments = { .runtime = NULL };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret;

	cli->failure_status = CLI_RUN_FAILED;
	ret = cli_parse(cli, command, argc, argv, &arguments, &words);
	if (ret == 0)
		ret = step_again(cli, &(struct step_again){ .step = words.arguments[0],
							    .secrets = &arguments.secrets,
							    .volumes = &arguments.volumes,
							    .sandbox = &arguments.sandbox,
							    .runtime = arguments.runtime });
	options_done(rerun_options, &arguments);
	return ret;
}

const struct command_spec rerun_command = {
	.name = "rerun",
	.arguments = "BUILD#N",
	.options = rerun_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_rerun,
	.summary = "run the command of a step of an earlier build again",
};
