/* SPDX-License-Identifier: Apache-2.0 */
/* create: argv to container_create. Its option table is also run's. */
#include "runtime/cli/cli.h"

#include "lib/cleanup.h"
#include "runtime/texts.h"

/* clang-format off */
const struct option_spec create_options[] = {
	OPT_STRING('b', "bundle", struct container_create_options, bundle, "DIR",
		   "the bundle: config.json and what it names (default: the working directory)"),
	OPT_STRING('f', "config", struct container_create_options, config, "FILE",
		   "read this instead of the bundle's config.json"),
	OPT_STRING(0, "console-socket", struct container_create_options, console_socket, "PATH",
		   "unix socket that is sent the master of the container's terminal"),
	OPT_STRING(0, "pidfd-socket", struct container_create_options, pidfd_socket, "PATH",
		   "unix socket that is sent a pidfd of the container's process"),
	OPT_STRING(0, "pid-file", struct container_create_options, pid_file, "FILE",
		   "write the process id to this file"),
	OPT_BOOL(0, "no-pivot", struct container_create_options, no_pivot,
		 "move the root instead of pivot_root(2), for a root on a ramdisk"),
	OPT_BOOL(0, "no-new-keyring", struct container_create_options, no_new_keyring,
		 "keep the caller's session keyring"),
	OPT_U64(0, "preserve-fds", struct container_create_options, preserve_fds, "N",
		"pass N more file descriptors (3 and up) to the container"),
	OPT_ACCEPTED(0, "no-subreaper", NULL, "we are never the reaper of the container's orphans"),
	OPT_END
};
/* clang-format on */

int create_prepare(struct cli *cli, const char *id, struct container_create_options *options)
{
	const char **paths[] = { &options->bundle, &options->config, &options->console_socket,
				 &options->pidfd_socket, &options->pid_file };
	int ret = cli_check_id(cli, id);

	if (!options->bundle)
		options->bundle = ".";
	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(paths); i++)
		ret = cli_resolve_path(cli, paths[i]);
	return ret < 0 ? ret : cli_prepare_root(cli);
}

static int cmd_create(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct container_create_options options = { 0 };
	struct option_result result;
	struct cli *cli = globals;
	int ret;

	ret = cli_parse(cli, command, argc, argv, &options, &result);
	if (ret < 0)
		return ret;
	ret = create_prepare(cli, result.arguments[0], &options);
	if (ret == 0)
		ret = container_create(cli_globals(cli), result.arguments[0], &options, &cli->err);
	return error_prefix(&cli->err, ret, TEXT_CREATE_FAILED);
}

const struct command_spec create_command = {
	.name = "create",
	.arguments = "CONTAINER-ID",
	.options = create_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_create,
	.summary = "make a container from a bundle, ready to start",
	.description =
		"Everything of config.json is set up but the process itself, which waits for\n"
		"\"start\". What config.json says afterwards has no effect on the container.",
};
