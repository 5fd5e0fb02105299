/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder exec: another command in a container that runs. */
#include <unistd.h>

#include "builder/cli/container-args.h"
#include "builder/container/exec.h"
#include "lib/cleanup.h"

struct exec_arguments {
	bool interactive, terminal, detach;
	struct strv env, env_files;
	const char *cwd, *user, *detach_keys;
};

/* clang-format off */
static const struct option_spec exec_options[] = {
	OPT_BOOL('i', "interactive", struct exec_arguments, interactive, "give it our standard input"),
	OPT_BOOL('t', "tty", struct exec_arguments, terminal, "give it a terminal"),
	OPT_BOOL('d', "detach", struct exec_arguments, detach, "in the background, without its output"),
	OPT_STRV('e', "env", struct exec_arguments, env, "NAME[=VALUE]",
		 "set a variable; without a value, take ours"),
	OPT_STRV(0, "env-file", struct exec_arguments, env_files, "FILE", "set the variables of a file's lines"),
	OPT_STRING('w', "workdir", struct exec_arguments, cwd, "DIR", "start in this folder"),
	OPT_STRING('u', "user", struct exec_arguments, user, "USER[:GROUP]", "as this user of the container"),
	OPT_STRING(0, "detach-keys", struct exec_arguments, detach_keys, "KEYS",
		   "with -i and -t: keys that end the attachment, not the command (default: none)"),
	OPT_END
};
/* clang-format on */

static int exec_in(struct cli *cli, const struct exec_arguments *arguments, char **words)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	cleanup_strv struct strv env = STRV_INIT;
	const struct container_exec exec = {
		.args = words + 1,
		.user = arguments->user,
		.cwd = arguments->cwd,
		.env = &env,
		.interactive = arguments->interactive,
		.terminal = arguments->terminal && !arguments->detach,
		.detach = arguments->detach,
		.detach_keys = arguments->detach_keys,
	};
	int status = 0,
	    ret = lines_files_read("--env-file", &arguments->env_files, &env, &cli->err);

	strv_add_all(&env, arguments->env.items);
	if (ret == 0 && exec.terminal && exec.interactive && !isatty(STDIN_FILENO))
		ret = error_invalid(&cli->err, "-t and -i need a terminal on standard input");
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = container_record_find(&store, words[0], &record, &cli->err);
	if (ret == 0)
		ret = container_exec(&store, &record, &exec, &status, &cli->err);
	return ret < 0 ? ret : status;
}

static int run_exec(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct exec_arguments arguments = { .detach = false };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret;

	cli->failure_status = CLI_RUN_FAILED;
	ret = cli_parse(cli, command, argc, argv, &arguments, &words);
	if (ret == 0)
		ret = exec_in(cli, &arguments, words.arguments);
	options_done(exec_options, &arguments);
	return ret;
}

const struct command_spec exec_command = {
	.name = "exec",
	.arguments = "CONTAINER COMMAND [ARG...]",
	.options = exec_options,
	.arguments_min = 2,
	.arguments_max = -1,
	.stop_at_argument = true,
	.run = run_exec,
	.summary = "run another command in a container",
	.candidates = "ps --format {{.Names}}",
};
