/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-runtime: global options, then one verb. The only place that prints errors: into the log,
 * and in plain words on stderr, from where callers show them to their users.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/proc.h"
#include "lib/signals.h"
#include "lib/table.h"
#include "lib/trace.h"
#include "runtime/cli/cli.h"
#include "runtime/cli/hints.h"
#include "runtime/cli/log-target.h"
#include "runtime/lifecycle/seal.h"
#include "runtime/plan/seccomp.h"
#include "spec/config.h"

/* clang-format off */
static const struct command_spec *const commands[] = {
	&checkpoint_command, &cli_completion_command, &create_command, &delete_command, &events_command, &exec_command, &explain_command, &features_command,
	&gc_command, &info_command, &kill_command, &list_command, &mounts_command, &pause_command, &ps_command, &restore_command, &resume_command, &run_command,
	&spec_command, &start_command, &state_command, &update_command, &validate_command, &wait_command, NULL,
};

static const struct option_spec global_options[] = {
	OPT_STRING(0, "root", struct runtime_cli, root, "DIR",
		   "where the state of containers lies (default: /run/orlop-runtime, without "
		   "privilege $XDG_RUNTIME_DIR/orlop-runtime)"),
	OPT_STRING(0, "log", struct runtime_cli, log, "FILE", "append errors and warnings to this file (file:PATH), or tell journald:NAME or "
		   "syslog:NAME"),
	OPT_STRING(0, "log-format", struct runtime_cli, log_format, "text|json", "form of the log"),
	OPT_STRING(0, "log-level", struct runtime_cli, cli.log_level, "LEVEL",
		   "error, warning, info or debug (default: error with --log, else warning)"),
	OPT_BOOL(0, "debug", struct runtime_cli, cli.debug, "the same as --log-level debug"),
	OPT_STRING(0, "trace", struct runtime_cli, trace, "FILE",
		   "write what took how long, in the trace-event format of Chrome and Perfetto"),
	OPT_BOOL(0, "systemd-cgroup", struct runtime_cli, systemd_cgroup,
		 "the same as --cgroup-manager systemd"),
	OPT_STRING(0, "cgroup-manager", struct runtime_cli, cgroup_manager, "MANAGER",
		   "cgroupfs, systemd or disabled (default: cgroupfs)"),
	OPT_STRING(0, "rootless", struct runtime_cli, rootless, "true|false|auto",
		   "whether to do without privilege (default: auto)"),
	OPT_BOOL('v', "version", struct runtime_cli, cli.version, "print the version"),
	OPT_BOOL('V', NULL, struct runtime_cli, cli.version, "the same, as crun has it"),
	OPT_END
};

static const struct command_spec program_spec = {
	.name = CLI_NAME,
	.arguments = "COMMAND",
	.options = global_options,
	.arguments_max = -1,
	.stop_at_argument = true,
	.summary = "run containers by the OCI runtime specification",
};

static const struct name_value log_formats[] = {
	{ "text", LOG_FORMAT_TEXT }, { "json", LOG_FORMAT_JSON }, { NULL, 0 },
};

static const struct name_value cgroup_managers[] = {
	{ "cgroupfs", CGROUP_FS }, { "systemd", CGROUP_SYSTEMD }, { "disabled", CGROUP_DISABLED },
	{ NULL, 0 },
};

/* Verbs that enter namespaces of a container with this very executable: see seal.h. */
static const char *const sealed_verbs[] = { "create", "run", "exec", "mounts", NULL };

/* Their callers decode stdout and stderr as one text: no warnings there. */
static const char *const quiet_verbs[] = { "state", "list", "ps", "features", "events", NULL };
/* clang-format on */

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/*
 * Sealing comes before any input is looked at, parsing included; a word that is no verb but looks
 * like one costs half a millisecond and nothing else. A failure is for the verb to report, where
 * its caller looks.
 */
static void seal(struct cli *cli, int argc, char **argv)
{
	struct runtime_cli *runtime = runtime_cli(cli);

	for (int i = 1; i < argc; i++) {
		if (!is_one_of(argv[i], sealed_verbs))
			continue;
		if (seal_self(argv, &runtime->unsealed) < 0)
			runtime->globals.unsealed = &runtime->unsealed;
		return;
	}
}

/* -- the global options, resolved ----------------------------------------------------------------
 */

static int setup_log(struct cli *cli, const char *verb)
{
	struct runtime_cli *runtime = runtime_cli(cli);
	bool is_quiet = runtime->log || (verb && is_one_of(verb, quiet_verbs));
	enum log_level level = is_quiet ? LOG_ERROR : LOG_WARNING;
	int choice = runtime->log ? LOG_FORMAT_TEXT : LOG_FORMAT_PLAIN;
	enum log_format format;
	const char *name = NULL;
	int ret = cli_choose_log_level(cli, &level);

	if (ret == 0)
		ret = cli_choose(cli, "log-format", log_formats, runtime->log_format, &choice);
	format = (enum log_format)choice;
	if (ret == 0 && runtime->log && *runtime->log)
		ret = log_target_open(runtime->log, &runtime->log_fd, &format, &name, &cli->err);
	if (ret < 0)
		return ret;
	log_setup(runtime->log_fd >= 0 ? runtime->log_fd : STDERR_FILENO, format, level, name);
	return 0;
}

/* Below /run, without privilege below $XDG_RUNTIME_DIR (empty is the same as unset). */
static const char *runtime_directory(struct cli *cli, bool privileged, const char *name,
				     bool *out_is_xdg)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	*out_is_xdg = !privileged && xdg && *xdg == '/';
	return arena_printf(&cli->arena, "%s/%s", *out_is_xdg ? xdg : "/run", name);
}

static int setup_root(struct runtime_cli *runtime, bool privileged)
{
	struct runtime_globals *globals = &runtime->globals;
	struct cli *cli = &runtime->cli;
	bool is_xdg;
	int ret;

	globals->seccomp_cache = runtime_directory(cli, privileged, CLI_NAME "-cache", &is_xdg);
	if (runtime->root && *runtime->root) {
		ret = cli_resolve_path(cli, &runtime->root);
		if (ret < 0)
			return ret;
		if (strcmp(runtime->root, "/") == 0)
			return error_invalid(&cli->err, "\"/\" cannot be the --root of containers");
		globals->root = runtime->root;
		return 0;
	}
	globals->root_is_default = true;
	globals->root = runtime_directory(cli, privileged, CLI_NAME, &runtime->root_is_xdg);
	return 0;
}

static int setup_trace(struct runtime_cli *runtime)
{
	int ret = cli_resolve_path(&runtime->cli, &runtime->trace);

	if (ret == 0 && runtime->trace)
		ret = trace_open(runtime->trace, CLI_NAME, &runtime->cli.err);
	return ret;
}

static int setup(struct cli *cli)
{
	enum { AUTO = -1 };
	static const struct name_value rootless_words[] = {
		{ "true", true },
		{ "false", false },
		{ "auto", AUTO },
		{ NULL, 0 },
	};
	struct runtime_cli *runtime = runtime_cli(cli);
	struct runtime_globals *globals = &runtime->globals;
	int manager = runtime->systemd_cgroup ? CGROUP_SYSTEMD : CGROUP_FS;
	int rootless = AUTO, ret;
	bool privileged = proc_is_privileged();

	ret = cli_choose(cli, "cgroup-manager", cgroup_managers, runtime->cgroup_manager, &manager);
	if (ret == 0)
		ret = cli_choose(cli, "--rootless", rootless_words, runtime->rootless, &rootless);
	if (ret < 0)
		return ret;
	globals->cgroup_manager = (enum cgroup_manager)manager;
	globals->rootless = rootless == AUTO ? !privileged : rootless;
	globals->debug = cli->debug;
	globals->resctrl = getenv("ORLOP_RESCTRL"); /* for tests; the mounted one otherwise */
	ret = setup_root(runtime, privileged);
	return ret < 0 ? ret : setup_trace(runtime);
}

/* -- doing and failing ---------------------------------------------------------------------------
 */

/* Engines take the last line with the word "version" for ours: there is only one. */
static void print_version(struct cli *cli)
{
	printf("%s version %s\ncommit: %s\nspec: %s\nlibseccomp: %s\n", CLI_NAME, ORLOP_VERSION,
	       ORLOP_COMMIT, OCI_RUNTIME_VERSION, seccomp_library_version(&cli->arena));
}

/* What the verb did stays done, whatever becomes of the trace. */
static void end_trace(struct cli *cli, bool failed)
{
	struct error err = ERROR_INIT;
	char text[sizeof(err.msg) + 256];

	if (trace_close(failed ? &cli->err : NULL, &err) < 0)
		log_warning("%s", error_text(&err, text, sizeof(text)));
}

static void print_usage(const struct cli *cli)
{
	puts("Incorrect Usage.\n");
	if (cli->command == cli->program->spec)
		options_print_program_help(stdout, cli->command, cli->program->commands, NULL);
	else
		options_print_help(stdout, CLI_NAME, cli->command);
}

/* Exactly one line in the log; the same message in plain on stderr when the log is a file. */
static int fail(struct cli *cli)
{
	bool is_usage = cli->err.code == ERROR_USAGE;
	char text[sizeof(cli->err.msg) + 256];

	if (is_usage) {
		print_usage(cli);
		(void)error_prefix(&cli->err, -EINVAL, CLI_NAME);
	}
	log_error_value(&cli->err, hint_for(&cli->err));
	if (runtime_cli(cli)->log_fd >= 0)
		fprintf(stderr, "%s\n", error_text(&cli->err, text, sizeof(text)));
	return is_usage ? EXIT_FAILURE : cli->failure_status;
}

static const struct cli_program program = {
	.spec = &program_spec,
	.commands = commands,
	.choice_code = ERROR_INVALID,
	.print_version = print_version,
	.begin = seal,
	.setup_log = setup_log,
	.setup = setup,
	.end = end_trace,
	.fail = fail,
};

int main(int argc, char **argv)
{
	struct runtime_cli runtime = {
		.cli = { .program = &program, .failure_status = EXIT_FAILURE }, .log_fd = -EBADF
	};
	int status;

	/* what a caller gave us to write to can lose its reader at any moment: an error, which
	 * undoes what was begun, and for a line of the log not even that. What we execute starts
	 * without (lib/spawn.c, init) */
	signal_ignore(SIGPIPE);
	status = cli_main(&runtime.cli, argc, argv);
	cleanup_close_fd(&runtime.log_fd);
	return status;
}
