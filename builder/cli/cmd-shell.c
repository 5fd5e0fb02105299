/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder shell: look around in an image, or where a step of a build has worked. A shell
 * instead of the command, our terminal or standard input, and nothing of it kept.
 */
#include <string.h>
#include <unistd.h>

#include "builder/build/journal-find.h"
#include "builder/build/runtime-exec.h"
#include "builder/cli/cli.h"
#include "builder/cli/container-args.h"
#include "builder/cli/sandbox-options.h"
#include "builder/cli/step-again.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "lib/strv.h"

struct shell_arguments {
	struct strv env, volumes, secrets;
	const char *cwd, *user, *shell, *runtime;
	struct sandbox_args sandbox;
};

/* clang-format off */
static const struct option_spec shell_options[] = {
	OPT_STRV('e', "env", struct shell_arguments, env, "NAME[=VALUE]",
		 "set a variable; without a value, take ours"),
	OPT_STRV('v', "volume", struct shell_arguments, volumes, "SOURCE:TARGET[:ro]",
		 "mount a folder or file of the host"),
	OPT_STRV(0, "secret", struct shell_arguments, secrets, "id=ID[,src=FILE|,env=NAME]",
		 "a secret that the step mounts: the builder keeps none"),
	OPT_STRING('w', "workdir", struct shell_arguments, cwd, "DIR", "start in this folder"),
	OPT_STRING('u', "user", struct shell_arguments, user, "USER[:GROUP]",
		   "be this user of the image, by name or number"),
	OPT_STRING(0, "shell", struct shell_arguments, shell, "PROGRAM",
		   "the shell (default: the image's SHELL, else /bin/sh)"),
	OPT_INCLUDE(struct shell_arguments, sandbox, sandbox_options),
	OPT_STRING(0, "runtime", struct shell_arguments, runtime, "PROGRAM",
		   "the OCI runtime to use (default: orlop-runtime)"),
	OPT_END
};
/* clang-format on */

/* What RUN would take for a shell, without the last word, which would ask for a command ("-c"). */
static int find_shell(struct cli *cli, struct store *store, const char *name, struct strv *out)
{
	cleanup_image struct image image = { .config = NULL };
	const struct image_defaults *config;
	int ret = image_load(store, name, &image, &cli->err);

	if (ret < 0)
		return ret;
	config = image.config->config;
	for (size_t i = 0; config && i + 1 < config->shell.count; i++)
		strv_add(out, config->shell.items[i]);
	if (!out->count)
		strv_add(out, "/bin/sh");
	return 0;
}

static int run_shell(struct cli *cli, const struct shell_arguments *arguments, const char *name)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_container struct container container = CONTAINER_INIT;
	/* before we enter a mount namespace, as for run */
	cleanup_free char *runtime = runtime_find(arguments->runtime);
	cleanup_free char *program = cli_program_path();
	cleanup_sandbox struct sandbox sandbox = { .hosts = NULL };
	cleanup_strv struct strv words = STRV_INIT;
	const struct container_start start = {
		.program = program, .attach = true, .interactive = true, .detach_keys = ""
	};
	struct container_options options = {
		.image = name,
		.user = arguments->user,
		.cwd = arguments->cwd,
		.entrypoint = "",
		.runtime = runtime,
		.env = &arguments->env,
		.mounts = { .volumes = &arguments->volumes },
		.network = "host",
		.sandbox = &sandbox,
		.hosts = &arguments->sandbox.hosts,
		.remove = true,
		.interactive = true,
		.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
	};
	int status = 0;
	int ret = sandbox_parse(&arguments->sandbox, &cli->arena, &sandbox, &cli->err);

	if (ret == 0)
		ret = cli_open_store(cli, true, &store);
	if (arguments->shell)
		strv_add(&words, arguments->shell);
	else if (ret == 0)
		ret = find_shell(cli, &store, name, &words);
	options.args = strv_items(&words);
	if (ret == 0)
		ret = container_create(&store, &options, &container, &cli->err);
	if (ret == 0)
		ret = container_start(&container, &start, &status, &cli->err);
	return ret < 0 ? ret : status;
}

/* Variables, mounts, folder and user are the step's: that is what it is for. */
static int enter_step(struct cli *cli, const struct shell_arguments *arguments, const char *word)
{
	if (arguments->env.count || arguments->cwd || arguments->user)
		return error_invalid(&cli->err, "-e, -w and -u are for images: a step has its own");
	return step_again(cli, &(struct step_again){ .step = word,
						     .secrets = &arguments->secrets,
						     .volumes = &arguments->volumes,
						     .sandbox = &arguments->sandbox,
						     .runtime = arguments->runtime,
						     .shell = true,
						     .shell_program = arguments->shell });
}

static int cmd_shell(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct shell_arguments arguments = { 0 };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret;

	cli->failure_status = CLI_RUN_FAILED;
	ret = cli_parse(cli, command, argc, argv, &arguments, &words);
	if (ret == 0)
		ret = (journal_names_step(words.arguments[0]) ? enter_step : run_shell)(
			cli, &arguments, words.arguments[0]);
	options_done(shell_options, &arguments);
	return ret;
}

const struct command_spec shell_command = {
	.name = "shell",
	.arguments = "IMAGE|BUILD#N",
	.options = shell_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_shell,
	.summary = "look around in an image, or where a step of a build has worked",
};
