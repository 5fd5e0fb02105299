/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder: global options, then one verb. The only place that prints errors. Progress and
 * messages are on stderr; stdout has results only.
 */
#include <stdio.h>
#include <unistd.h>

#include "builder/cli/cli.h"

/* clang-format off */
static const struct command_spec *const commands[] = {
	&attach_command,
	&build_command,
	&cleanup_command,
	&cli_completion_command,
	&commit_command,
	&copy_command,
	&cp_command,
	&create_command,
	&diff_command,
	&du_command,
	&exec_command,
	&export_command,
	&fsck_command,
	&history_command,
	&images_command,
	&import_command,
	&info_command,
	&inspect_command,
	&kill_command,
	&load_command,
	&login_command,
	&logout_command,
	&logs_command,
	&mount_command,
	&parse_command,
	&port_command,
	&prune_command,
	&ps_command,
	&pull_command,
	&push_command,
	&rename_command,
	&rerun_command,
	&restart_command,
	&rm_command,
	&rmi_command,
	&run_command,
	&save_command,
	&search_command,
	&shell_command,
	&start_command,
	&stop_command,
	&sweep_command,
	&tag_command,
	&tags_command,
	&top_command,
	&umount_command,
	&unpack_command,
	&unshare_command,
	&verify_command,
	&version_command,
	&wait_command,
	NULL,
};

static const struct option_spec global_options[] = {
	OPT_STRING(0, "store", struct builder_cli, store, "DIR",
		   "where images, layers and the build cache lie (default: ORLOP_STORE, "
		   "/var/lib/orlop, without privilege $XDG_DATA_HOME/orlop)"),
	OPT_STRING(0, "log-level", struct builder_cli, cli.log_level, "LEVEL",
		   "error, warning, info or debug (default: warning)"),
	OPT_BOOL('D', "debug", struct builder_cli, cli.debug, "the same as --log-level debug"),
	OPT_BOOL('v', "version", struct builder_cli, cli.version, "print the version"),
	OPT_END
};

static const struct command_spec program_spec = {
	.name = CLI_NAME,
	.arguments = "COMMAND",
	.options = global_options,
	.arguments_max = -1,
	.stop_at_argument = true,
	.summary = "build, keep and run images",
};
/* clang-format on */

static int setup_log(struct cli *cli, const char *verb)
{
	enum log_level level = LOG_WARNING;
	int ret = cli_choose_log_level(cli, &level);

	(void)verb; /* all verbs warn alike */
	log_setup(STDERR_FILENO, LOG_FORMAT_PLAIN, level, NULL);
	return ret;
}

static void print_version(struct cli *cli)
{
	(void)cli;
	printf("%s version %s\ncommit: %s\n", CLI_NAME, ORLOP_VERSION, ORLOP_COMMIT);
}

static int fail(struct cli *cli)
{
	bool is_verb = cli->command != cli->program->spec;
	char text[sizeof(cli->err.msg) + 256];

	fprintf(stderr, "%s: %s\n", CLI_NAME, error_text(&cli->err, text, sizeof(text)));
	if (cli->err.code == ERROR_USAGE) {
		fprintf(stderr, "See \"%s%s%s --help\".\n", CLI_NAME, is_verb ? " " : "",
			is_verb ? cli->command->name : "");
		return CLI_USAGE;
	}
	return cli->err.code == ERROR_CANCELLED ? CLI_INTERRUPTED : cli->failure_status;
}

static const struct cli_program program = {
	.spec = &program_spec,
	.commands = commands,
	.groups = cli_groups,
	.choice_code = ERROR_USAGE,
	.print_version = print_version,
	.setup_log = setup_log,
	.fail = fail,
};

int main(int argc, char **argv)
{
	struct builder_cli builder = { .cli = { .program = &program,
						.failure_status = CLI_FAILED } };

	return cli_main(&builder.cli, argc, argv);
}
