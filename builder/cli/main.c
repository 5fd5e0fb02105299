/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder: global options, then one verb. The only place that prints errors. Progress and
 * messages are on stderr; stdout has results only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/cli/cli.h"
#include "lib/cleanup.h"
#include "lib/completion.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/table.h"

static const struct option_spec completion_options[] = { OPT_END };
static int cmd_completion(const struct command_spec *command, int argc, char **argv, void *globals);

static const struct command_spec completion_command = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.options = completion_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_completion,
	.summary = "print the completion script for a shell",
};

/* clang-format off */
static const struct command_spec *const commands[] = {
	&build_command,
	&completion_command,
	&export_command,
	&history_command,
	&images_command,
	&import_command,
	&inspect_command,
	&parse_command,
	&rmi_command,
	&run_command,
	&save_command,
	&shell_command,
	&tag_command,
	NULL,
};

static const struct option_spec global_options[] = {
	OPT_STRING(0, "store", struct cli, store, "DIR",
		   "where images, layers and the build cache lie (default: ORLOP_STORE, "
		   "/var/lib/orlop, without privilege $XDG_DATA_HOME/orlop)"),
	OPT_STRING(0, "log-level", struct cli, log_level, "LEVEL",
		   "error, warning, info or debug (default: warning)"),
	OPT_BOOL('D', "debug", struct cli, debug, "the same as --log-level debug"),
	OPT_BOOL('v', "version", struct cli, version, "print the version"),
	OPT_END
};

static const struct command_spec program = {
	.name = CLI_NAME,
	.arguments = "COMMAND",
	.options = global_options,
	.arguments_max = -1,
	.stop_at_argument = true,
	.summary = "build, keep and run images",
};

static const struct name_value log_levels[] = {
	{ "error", LOG_ERROR }, { "warning", LOG_WARNING }, { "info", LOG_INFO },
	{ "debug", LOG_DEBUG }, { NULL, 0 },
};
/* clang-format on */

/* Here because it is about the tables of this file. */
static int cmd_completion(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct option_result result;
	struct cli *cli = globals;
	int ret;

	ret = cli_parse(cli, command, argc, argv, NULL, &result);
	if (ret == 0)
		ret = completion_write(stdout, result.arguments[0], &program, commands, &cli->err);
	return ret;
}

static int setup_log(struct cli *cli)
{
	enum log_level level = LOG_WARNING;

	if (cli->log_level) {
		const struct name_value *named = table_find(log_levels, cli->log_level);

		if (!named) {
			cli->usage = &program;
			return error_set(&cli->err, ERROR_USAGE, 0, "invalid log-level: %s",
					 cli->log_level);
		}
		level = (enum log_level)named->value;
	}
	log_setup(STDERR_FILENO, LOG_FORMAT_PLAIN, cli->debug ? LOG_DEBUG : level, NULL);
	return 0;
}

static int unknown_command(struct cli *cli, const char *name, const char *suggestion)
{
	int ret = error_set(&cli->err, ERROR_USAGE, 0, "unknown command \"%s\"", name);

	cli->usage = &program;
	return suggestion ? error_suffix(&cli->err, ret, " (did you mean \"%s\"?)", suggestion)
			  : ret;
}

static int run_verb(struct cli *cli, const struct option_result *words)
{
	const struct command_spec *command;
	const char *suggestion = NULL;

	if (words->help) {
		options_print_program_help(stdout, &program, commands);
		return 0;
	}
	if (cli->version) {
		printf("%s version %s\ncommit: %s\n", CLI_NAME, ORLOP_VERSION, ORLOP_COMMIT);
		return 0;
	}
	if (words->count == 0) {
		cli->usage = &program;
		return error_set(&cli->err, ERROR_USAGE, 0, "a command is needed");
	}
	command = command_find(commands, words->arguments[0], &suggestion);
	if (!command)
		return unknown_command(cli, words->arguments[0], suggestion);
	return command->run(command, words->count - 1, words->arguments + 1, cli);
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct option_result words = { 0 };
	int ret = options_parse(&program, argc - 1, argv + 1, cli, &words, &cli->err);

	if (ret < 0) {
		cli->usage = &program;
		return ret;
	}
	ret = setup_log(cli);
	return ret < 0 ? ret : run_verb(cli, &words);
}

static int fail(const struct cli *cli)
{
	char text[sizeof(cli->err.msg) + 256];

	fprintf(stderr, "%s: %s\n", CLI_NAME, error_text(&cli->err, text, sizeof(text)));
	if (cli->usage) {
		fprintf(stderr, "See \"%s%s%s --help\".\n", CLI_NAME,
			cli->usage == &program ? "" : " ",
			cli->usage == &program ? "" : cli->usage->name);
		return CLI_USAGE;
	}
	return cli->err.code == ERROR_CANCELLED ? CLI_INTERRUPTED : cli->failure_status;
}

int main(int argc, char **argv)
{
	struct cli cli = { .failure_status = CLI_FAILED };
	int ret = fd_open_standard(&cli.err);

	if (ret == 0) {
		umask(0);
		ret = run(&cli, argc, argv);
	}
	if (cli.helped)
		ret = 0;
	if (ret >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		ret = error_errno(&cli.err, errno, "write to stdout");
	if (ret < 0)
		ret = fail(&cli);
	arena_done(&cli.arena);
	return ret;
}
