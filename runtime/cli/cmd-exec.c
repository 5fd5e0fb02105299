/* SPDX-License-Identifier: Apache-2.0 */
/* exec: argv to container_exec. A failure of ours is 255, so that it is not the command's. */
#include "lib/cleanup.h"
#include "runtime/cli/cli.h"
#include "runtime/texts.h"

#define EXEC_FAILURE 255

/* clang-format off */
static const struct option_spec exec_options[] = {
	OPT_STRING(0, "console-socket", struct container_exec_options, console_socket, "PATH",
		   "unix socket that is sent the master of the process's terminal"),
	OPT_STRING(0, "pidfd-socket", struct container_exec_options, pidfd_socket, "PATH",
		   "unix socket that is sent a pidfd of the process"),
	OPT_STRING(0, "cwd", struct container_exec_options, cwd, "DIR",
		   "working directory in the container"),
	OPT_STRV('e', "env", struct container_exec_options, env, "NAME=VALUE",
		 "add to the environment"),
	OPT_BOOL('t', "tty", struct container_exec_options, terminal,
		 "give the process a terminal"),
	OPT_STRING('u', "user", struct container_exec_options, user, "UID[:GID]",
		   "run as this user and group"),
	OPT_STRV('g', "additional-gids", struct container_exec_options, additional_gids, "GID",
		 "be also a member of this group"),
	OPT_STRING('p', "process", struct container_exec_options, process_file, "FILE",
		   "read the whole process from this file"),
	OPT_BOOL('d', "detach", struct container_exec_options, detach,
		 "return when the process has started"),
	OPT_STRING(0, "pid-file", struct container_exec_options, pid_file, "FILE",
		   "write the process id to this file"),
	OPT_STRING(0, "process-label", struct container_exec_options, process_label, "LABEL",
		   "SELinux label of the process"),
	OPT_STRING(0, "apparmor", struct container_exec_options, apparmor, "PROFILE",
		   "AppArmor profile of the process"),
	OPT_BOOL(0, "no-new-privs", struct container_exec_options, no_new_privileges,
		 "let the process gain no privileges by execve(2)"),
	OPT_STRV('c', "cap", struct container_exec_options, caps, "CAPABILITY",
		 "add a capability"),
	OPT_U64(0, "preserve-fds", struct container_exec_options, preserve_fds, "N",
		"pass N more file descriptors (3 and up) to the process"),
	OPT_STRV(0, "cgroup", struct container_exec_options, cgroup, "PATH",
		 "run in this cgroup below the container's own"),
	OPT_BOOL(0, "ignore-paused", struct container_exec_options, ignore_paused,
		 "also exec in a paused container"),
	OPT_END
};
/* clang-format on */

static int exec(struct cli *cli, const struct option_result *result,
		struct container_exec_options *options, int *out_status)
{
	const char **paths[] = { &options->process_file, &options->console_socket,
				 &options->pidfd_socket, &options->pid_file };
	int ret;

	ret = cli_check_id(cli, result->arguments[0]);
	if (ret < 0)
		return ret;
	if (!options->process_file && result->count < 2)
		return error_invalid(&cli->err, TEXT_EXEC_EMPTY);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		ret = cli_resolve_path(cli, paths[i]);
		if (ret < 0)
			return ret;
	}
	options->args = result->arguments + 1;
	return container_exec(cli_globals(cli), result->arguments[0], options, out_status,
			      &cli->err);
}

static int cmd_exec(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct container_exec_options options = { 0 };
	struct option_result result;
	struct cli *cli = globals;
	int ret, status = 0;

	ret = cli_parse(cli, command, argc, argv, &options, &result);
	if (ret == 0) {
		cli->failure_status = EXEC_FAILURE;
		ret = exec(cli, &result, &options, &status);
		ret = error_prefix(&cli->err, ret, TEXT_EXEC_FAILED);
	}
	options_done(command->options, &options);
	return ret < 0 ? ret : status;
}

const struct command_spec exec_command = {
	.name = "exec",
	.arguments = "CONTAINER-ID [COMMAND [ARG...]]",
	.candidates = "list -q",
	.options = exec_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.stop_at_argument = true,
	.run = cmd_exec,
	.summary = "execute another process in a running container",
	.description =
		"Without --process the process is the one of the container's config.json with\n"
		"COMMAND as its arguments. The exit status is that of the process, 128+N when\n"
		"signal N killed it, and 255 when it could not be started.",
};
