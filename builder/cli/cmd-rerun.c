/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder rerun: the command of a RUN once more, on the files that it found then. */
#include "builder/build/journal-find.h"
#include "builder/build/run-again.h"
#include "builder/build/runtime-exec.h"
#include "builder/build/secrets.h"
#include "builder/cli/cli.h"
#include "lib/cleanup.h"

struct rerun_arguments {
	struct strv secrets;
	const char *runtime;
};

/* clang-format off */
static const struct option_spec rerun_options[] = {
	OPT_STRV(0, "secret", struct rerun_arguments, secrets, "id=ID[,src=FILE|,env=NAME]",
		 "a secret that the step mounts: the builder keeps none"),
	OPT_STRING(0, "runtime", struct rerun_arguments, runtime, "PROGRAM",
		   "the OCI runtime to use (default: orlop-runtime)"),
	OPT_END
};
/* clang-format on */

static int rerun(struct cli *cli, const struct rerun_arguments *arguments, const char *word)
{
	cleanup_store struct store store = STORE_INIT;
	/* before we enter a mount namespace, as for run */
	cleanup_free char *runtime = runtime_find(arguments->runtime);
	struct run_again_options options = { .runtime = runtime };
	struct secret *secrets = NULL;
	uint64_t build = 0, event = 0;
	int status = 0;
	int ret = secrets_parse(&arguments->secrets, &cli->arena, &secrets, &options.secret_count,
				&cli->err);

	options.secrets = secrets;
	if (ret == 0)
		ret = cli_open_store(cli, true, &store);
	if (ret == 0)
		ret = journal_find_step(&store, word, &build, &event, &cli->err);
	if (ret == 0)
		ret = run_again(&store, build, event, &options, &status, &cli->err);
	return ret < 0 ? ret : status;
}

static int cmd_rerun(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct rerun_arguments arguments = { .runtime = NULL };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret;

	cli->failure_status = CLI_RUN_FAILED;
	ret = cli_parse(cli, command, argc, argv, &arguments, &words);
	if (ret == 0)
		ret = rerun(cli, &arguments, words.arguments[0]);
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
