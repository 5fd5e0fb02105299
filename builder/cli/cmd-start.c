/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder start, restart and attach. */
#include <stdio.h>
#include <unistd.h>

#include "builder/cli/container-args.h"
#include "lib/cleanup.h"

struct start_arguments {
	bool attach, interactive, no_stdin;
	const char *detach_keys, *time, *signal;
};

/* clang-format off */
static const struct option_spec start_options[] = {
	OPT_BOOL('a', "attach", struct start_arguments, attach, "wait for its end, with its output"),
	OPT_BOOL('i', "interactive", struct start_arguments, interactive, "give it our standard input"),
	OPT_STRING(0, "detach-keys", struct start_arguments, detach_keys, "KEYS", "as for run"),
	OPT_END
};

static const struct option_spec attach_options[] = {
	OPT_BOOL(0, "no-stdin", struct start_arguments, no_stdin, "do not give it our standard input"),
	OPT_STRING(0, "detach-keys", struct start_arguments, detach_keys, "KEYS", "as for run"),
	OPT_END
};

static const struct option_spec restart_options[] = {
	OPT_STRING('t', "time", struct start_arguments, time, "SECONDS", "as for stop"),
	OPT_STRING(0, "timeout", struct start_arguments, time, "SECONDS", "the same"),
	OPT_STRING('s', "signal", struct start_arguments, signal, "SIGNAL", "as for stop"),
	OPT_END
};
/* clang-format on */

struct start_context {
	struct container_start how;
	/* of a restart, as for container_stop; NULL = the container's own */
	int seconds;
	const char *signal;
	bool restart;
	int status;
};

/* The signal is of this time: the record is written anew by who relocks it. */
static int stop_first(struct store *store, struct container *container,
		      const struct start_context *start, struct error *err)
{
	int ret;

	if (start->signal)
		container->record.stop_signal = start->signal;
	/* whoever sees its end locks it */
	container_unlock(container);
	ret = container_stop(store, &container->record, start->seconds, err);
	return ret < 0 ? ret : container_relock(container, err);
}

static int start_one(struct store *store, const char *word, void *context, struct error *err)
{
	struct start_context *start = context;
	cleanup_container struct container container = CONTAINER_INIT;
	struct container_state state;
	int ret = container_open(store, word, &container, err);

	if (ret == 0 && start->restart)
		ret = stop_first(store, &container, start, err);
	if (ret < 0)
		return ret;
	container_state_get(store, &container.record, &state);
	if (container_is_up(&state) && !start->how.attach) {
		puts(word);
		return 0;
	}
	if (container_is_up(&state))
		return container_attach(&container, &start->how, &start->status, err);
	ret = container_end(&container, NULL, err); /* of the last time */
	if (ret == 0)
		ret = container_start(&container, &start->how, &start->status, err);
	if (ret == 0 && !start->how.attach && start->status == 0)
		puts(word);
	return ret;
}

static int check_terminal(struct cli *cli, const struct start_context *context)
{
	if (context->how.attach && context->how.interactive && !isatty(STDIN_FILENO) &&
	    isatty(STDOUT_FILENO))
		return error_invalid(&cli->err, "-i needs a terminal on standard input, too");
	return 0;
}

static int start_all(struct cli *cli, const struct start_arguments *arguments, char **words,
		     bool restart)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_free char *program = cli_program_path();
	struct start_context context = {
		.how = { .program = program,
			 .attach = arguments->attach || arguments->interactive,
			 .interactive = arguments->interactive,
			 .detach_keys = arguments->detach_keys },
		.signal = arguments->signal,
		.restart = restart,
	};
	int ret = cli_parse_seconds(cli, "--time", arguments->time, &context.seconds);

	if (ret == 0 && context.signal)
		ret = cli_check_signal(cli, context.signal);
	if (ret == 0 && context.how.attach && words[1])
		ret = error_set(&cli->err, ERROR_USAGE, 0, "--attach is for one container");
	if (ret == 0)
		ret = check_terminal(cli, &context);
	if (ret == 0)
		ret = cli_open_store(cli, true, &store);
	if (ret == 0)
		ret = cli_each_container(cli, &store, words, start_one, &context);
	return ret < 0 ? ret : context.status;
}

static int run_start(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct start_arguments arguments = { .attach = false };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	return ret < 0 ? ret
		       : start_all(cli, &arguments, words.arguments, command == &restart_command);
}

static int attach_one(struct cli *cli, const struct start_arguments *arguments, const char *word)
{
	const struct container_start how = { .interactive = !arguments->no_stdin,
					     .detach_keys = arguments->detach_keys };
	cleanup_store struct store store = STORE_INIT;
	cleanup_container struct container container = CONTAINER_INIT;
	int status = 0, ret = cli_open_store(cli, true, &store);

	if (ret == 0)
		ret = container_open(&store, word, &container, &cli->err);
	if (ret == 0)
		ret = container_attach(&container, &how, &status, &cli->err);
	return ret < 0 ? ret : status;
}

static int run_attach(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct start_arguments arguments = { .attach = true };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	return ret < 0 ? ret : attach_one(cli, &arguments, words.arguments[0]);
}

const struct command_spec start_command = {
	.name = "start",
	.arguments = "CONTAINER...",
	.options = start_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_start,
	.summary = "start containers that do not run",
	.candidates = "ps -a --format {{.Names}}",
};

const struct command_spec restart_command = {
	.name = "restart",
	.arguments = "CONTAINER...",
	.options = restart_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_start,
	.summary = "stop containers and start them again",
	.candidates = "ps -a --format {{.Names}}",
};

const struct command_spec attach_command = {
	.name = "attach",
	.arguments = "CONTAINER",
	.options = attach_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_attach,
	.summary = "connect our terminal to a container that runs",
	.candidates = "ps --format {{.Names}}",
};
