/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-runtime: global options, then one verb. The only place that prints errors: into the log,
 * and in plain words on stderr, from where callers show them to their users.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/completion.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/table.h"
#include "lib/trace.h"
#include "runtime/cli/cli.h"
#include "runtime/lifecycle/seal.h"
#include "runtime/plan/seccomp.h"
#include "spec/config.h"

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
	&completion_command, &create_command, &delete_command, &exec_command, &explain_command, &features_command,
	&kill_command, &list_command, &run_command, &spec_command, &start_command, &state_command,
	&validate_command, NULL,
};

static const struct option_spec global_options[] = {
	OPT_STRING(0, "root", struct cli, root, "DIR",
		   "where the state of containers lies (default: /run/orlop-runtime, without "
		   "privilege $XDG_RUNTIME_DIR/orlop-runtime)"),
	OPT_STRING(0, "log", struct cli, log, "FILE", "append errors and warnings to this file"),
	OPT_STRING(0, "log-format", struct cli, log_format, "text|json", "form of the log"),
	OPT_STRING(0, "log-level", struct cli, log_level, "LEVEL",
		   "error, warning, info or debug (default: error with --log, else warning)"),
	OPT_BOOL(0, "debug", struct cli, debug, "the same as --log-level debug"),
	OPT_STRING(0, "trace", struct cli, trace, "FILE",
		   "write what took how long, in the trace-event format of Chrome and Perfetto"),
	OPT_BOOL(0, "systemd-cgroup", struct cli, systemd_cgroup,
		 "the same as --cgroup-manager systemd"),
	OPT_STRING(0, "cgroup-manager", struct cli, cgroup_manager, "MANAGER",
		   "cgroupfs, systemd or disabled (default: cgroupfs)"),
	OPT_STRING(0, "rootless", struct cli, rootless, "true|false|auto",
		   "whether to do without privilege (default: auto)"),
	OPT_BOOL('v', "version", struct cli, version, "print the version"),
	OPT_END
};

static const struct command_spec program = {
	.name = CLI_NAME,
	.arguments = "COMMAND",
	.options = global_options,
	.arguments_max = -1,
	.stop_at_argument = true,
	.summary = "run containers by the OCI runtime specification",
};

static const struct name_value log_levels[] = {
	{ "error", LOG_ERROR }, { "warning", LOG_WARNING }, { "info", LOG_INFO },
	{ "debug", LOG_DEBUG }, { NULL, 0 },
};

static const struct name_value log_formats[] = {
	{ "text", LOG_FORMAT_TEXT }, { "json", LOG_FORMAT_JSON }, { NULL, 0 },
};

static const struct name_value cgroup_managers[] = {
	{ "cgroupfs", CGROUP_FS }, { "systemd", CGROUP_SYSTEMD }, { "disabled", CGROUP_DISABLED },
	{ NULL, 0 },
};

/* Verbs that enter namespaces of a container with this very executable: see seal.h. */
static const char *const sealed_verbs[] = { "create", "run", "exec", NULL };

/* Their callers decode stdout and stderr as one text: no warnings there. */
static const char *const quiet_verbs[] = { "state", "list", "features", NULL };
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
 * like one costs half a millisecond and nothing else.
 */
static int seal(int argc, char **argv, struct error *err)
{
	for (int i = 1; i < argc; i++)
		if (is_one_of(argv[i], sealed_verbs))
			return seal_self(argv, err);
	return 0;
}

/* -- the global options, resolved
 * ---------------------------------------------------------------------- */

static int setup_log(struct cli *cli, const char *verb, int *out_fd)
{
	enum log_level level = cli->log ? LOG_ERROR : LOG_WARNING;
	const struct name_value *named;
	int format = LOG_FORMAT_PLAIN;

	if (!cli->log && verb && is_one_of(verb, quiet_verbs))
		level = LOG_ERROR;
	if (cli->log_level) {
		named = table_find(log_levels, cli->log_level);
		if (!named)
			return error_invalid(&cli->err, "invalid log-level: %s", cli->log_level);
		level = (enum log_level)named->value;
	}
	if (cli->debug)
		level = LOG_DEBUG;
	if (cli->log)
		format = LOG_FORMAT_TEXT;
	if (cli->log_format) {
		named = table_find(log_formats, cli->log_format);
		if (!named)
			return error_invalid(&cli->err, "invalid log-format: %s", cli->log_format);
		format = (int)named->value;
	}
	if (cli->log && *cli->log) {
		*out_fd = open(cli->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
		if (*out_fd < 0)
			return error_errno(&cli->err, errno, "open log \"%s\"", cli->log);
	}
	log_setup(*out_fd >= 0 ? *out_fd : STDERR_FILENO, (enum log_format)format, level, NULL);
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

static int setup_root(struct cli *cli, bool privileged)
{
	bool is_xdg;
	int ret;

	cli->globals.seccomp_cache = runtime_directory(cli, privileged, CLI_NAME "-cache", &is_xdg);
	if (cli->root && *cli->root) {
		ret = cli_resolve_path(cli, &cli->root);
		if (ret < 0)
			return ret;
		if (strcmp(cli->root, "/") == 0)
			return error_invalid(&cli->err, "\"/\" cannot be the --root of containers");
		cli->globals.root = cli->root;
		return 0;
	}
	cli->globals.root_is_default = true;
	cli->globals.root = runtime_directory(cli, privileged, CLI_NAME, &cli->root_is_xdg);
	return 0;
}

static int setup_trace(struct cli *cli)
{
	int ret = cli_resolve_path(cli, &cli->trace);

	return ret < 0 ? ret : trace_open(cli->trace, CLI_NAME, &cli->err);
}

/* What the verb did stays done, whatever becomes of the trace. */
static void end_trace(const struct cli *cli, bool failed)
{
	struct error err = ERROR_INIT;
	char text[sizeof(err.msg) + 256];

	if (trace_close(failed ? &cli->err : NULL, &err) < 0)
		log_warning("%s", error_text(&err, text, sizeof(text)));
}

static int setup_globals(struct cli *cli)
{
	const char *manager = cli->cgroup_manager ? cli->cgroup_manager : "cgroupfs";
	const struct name_value *named = table_find(cgroup_managers, manager);
	const char *rootless = cli->rootless ? cli->rootless : "auto";
	bool privileged = proc_is_privileged();

	if (!named)
		return error_invalid(&cli->err, "invalid cgroup-manager: %s", manager);
	cli->globals.cgroup_manager = (enum cgroup_manager)named->value;
	if (cli->systemd_cgroup && !cli->cgroup_manager)
		cli->globals.cgroup_manager = CGROUP_SYSTEMD;
	if (strcmp(rootless, "auto") == 0)
		cli->globals.rootless = !privileged;
	else if (strcmp(rootless, "true") == 0 || strcmp(rootless, "false") == 0)
		cli->globals.rootless = *rootless == 't';
	else
		return error_invalid(&cli->err, "invalid --rootless: %s", rootless);
	cli->globals.debug = cli->debug;
	cli->globals.resctrl = getenv("ORLOP_RESCTRL"); /* for tests; the mounted one otherwise */
	return setup_root(cli, privileged);
}

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

/* -- doing and failing
 * ----------------------------------------------------------------------------------- */

/* Engines take the last line with the word "version" for ours: there is only one. */
static void print_version(struct cli *cli)
{
	printf("%s version %s\ncommit: %s\nspec: %s\nlibseccomp: %s\n", CLI_NAME, ORLOP_VERSION,
	       ORLOP_COMMIT, OCI_RUNTIME_VERSION, seccomp_library_version(&cli->arena));
}

static int usage(struct cli *cli, const char *format, const char *a, const char *b)
	__attribute__((format(printf, 2, 0)));

static int usage(struct cli *cli, const char *format, const char *a, const char *b)
{
	cli->usage = &program;
	return error_set(&cli->err, ERROR_USAGE, 0, format, a, b);
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
		print_version(cli);
		return 0;
	}
	if (words->count == 0)
		return usage(cli, "a command is needed%s%s", "", "");
	command = command_find(commands, words->arguments[0], &suggestion);
	if (!command && suggestion)
		return usage(cli, "unknown command \"%s\" (did you mean \"%s\"?)",
			     words->arguments[0], suggestion);
	if (!command)
		return usage(cli, "unknown command \"%s\"%s", words->arguments[0], "");
	return command->run(command, words->count - 1, words->arguments + 1, cli);
}

static int run(struct cli *cli, int argc, char **argv, int *log_fd)
{
	struct option_result words = { 0 };
	int ret, log_ret;

	ret = options_parse(&program, argc - 1, argv + 1, cli, &words, &cli->err);
	if (ret < 0)
		cli->usage = &program;
	/* also after a wrong command line: the caller may look for the reason in its log only */
	log_ret = ret < 0 && cli->log == NULL
			  ? 0
			  : setup_log(cli, words.count ? words.arguments[0] : NULL, log_fd);
	if (ret < 0 || log_ret < 0)
		return ret < 0 ? ret : log_ret;
	ret = setup_globals(cli);
	if (ret == 0 && cli->trace)
		ret = setup_trace(cli);
	if (ret < 0)
		return ret;
	return run_verb(cli, &words);
}

static void print_usage(const struct cli *cli)
{
	puts("Incorrect Usage.\n");
	if (cli->usage == &program)
		options_print_program_help(stdout, &program, commands);
	else
		options_print_help(stdout, CLI_NAME, cli->usage);
}

/* Exactly one line in the log; the same message in plain on stderr when the log is a file. */
static int fail(struct cli *cli, bool log_is_file)
{
	char text[sizeof(cli->err.msg) + 256];

	if (cli->usage) {
		print_usage(cli);
		(void)error_prefix(&cli->err, -EINVAL, CLI_NAME);
	}
	log_error_value(&cli->err);
	if (log_is_file)
		fprintf(stderr, "%s\n", error_text(&cli->err, text, sizeof(text)));
	return cli->usage ? EXIT_FAILURE : cli->failure_status;
}

int main(int argc, char **argv)
{
	struct cli cli = { .failure_status = EXIT_FAILURE };
	struct error unsealed = ERROR_INIT;
	cleanup_close int log = -EBADF;
	int ret;

	/* sealing first: it reads nothing, and its own fds are gone with the exec. A failure is for
	 * the verb to report, where its caller looks. */
	if (seal(argc, argv, &unsealed) < 0)
		cli.globals.unsealed = &unsealed;
	ret = fd_open_standard(&cli.err);
	if (ret == 0) {
		cli.umask = umask(0);
		ret = run(&cli, argc, argv, &log);
	}
	if (cli.helped)
		ret = 0;
	if (ret >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		ret = error_errno(&cli.err, errno, "write to stdout");
	end_trace(&cli, ret < 0);
	if (ret < 0)
		ret = fail(&cli, log >= 0);
	arena_done(&cli.arena);
	return ret;
}
