/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder stop, kill, wait and rename: what takes a container that exists and says little. */
#include <errno.h>
#include <stdio.h>

#include "builder/cli/container-args.h"
#include "lib/cleanup.h"

struct stop_arguments {
	const char *time, *signal;
};

/* clang-format off */
static const struct option_spec stop_options[] = {
	OPT_STRING('t', "time", struct stop_arguments, time, "SECONDS",
		   "how long to wait before it is killed (default: the container's own, 10)"),
	OPT_STRING(0, "timeout", struct stop_arguments, time, "SECONDS", "the same"),
	OPT_STRING('s', "signal", struct stop_arguments, signal, "SIGNAL",
		   "what asks it to end (default: the container's own, TERM)"),
	OPT_END
};

static const struct option_spec kill_options[] = {
	OPT_STRING('s', "signal", struct stop_arguments, signal, "SIGNAL", "by name or number (default: KILL)"),
	OPT_END
};

static const struct option_spec no_options[] = { OPT_END };
/* clang-format on */

struct stopping {
	int seconds;
	const char *signal; /* NULL = the container's own */
};

static int stop_one(struct store *store, const char *word, void *context, struct error *err)
{
	const struct stopping *stopping = context;
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	int ret = container_record_find(store, word, &record, err);

	if (ret == 0 && stopping->signal)
		record.stop_signal = stopping->signal; /* of this time: the record is not written */
	if (ret == 0)
		ret = container_stop(store, &record, stopping->seconds, err);
	if (ret == 0)
		puts(word);
	return ret;
}

static int run_stop(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct stop_arguments arguments = { NULL, NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	struct stopping stopping = { .seconds = -1 };
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	stopping.signal = arguments.signal;
	if (ret == 0)
		ret = cli_parse_seconds(cli, "--time", arguments.time, &stopping.seconds);
	if (ret == 0 && stopping.signal)
		ret = cli_check_signal(cli, stopping.signal);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	return ret < 0 ? ret
		       : cli_each_container(cli, &store, words.arguments, stop_one, &stopping);
}

static int kill_one(struct store *store, const char *word, void *context, struct error *err)
{
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	struct container_state state;
	int ret = container_record_find(store, word, &record, err);

	if (ret == 0)
		ret = container_require_up(store, &record, &state, err);
	if (ret == 0)
		ret = container_kill(&record, context, err);
	if (ret == 0)
		puts(word);
	return ret;
}

static int run_kill(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct stop_arguments arguments = { NULL, "KILL" };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_check_signal(cli, arguments.signal);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	return ret < 0 ? ret
		       : cli_each_container(cli, &store, words.arguments, kill_one,
					    (char *)arguments.signal);
}

static int wait_one(struct store *store, const char *word, void *context, struct error *err)
{
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	struct container_state state = { .exit_status = 0 };
	cleanup_close int client_fd = -EBADF;
	int ret = container_record_find(store, word, &record, err);

	(void)context;
	if (ret == 0)
		client_fd = container_lock_client(store, record.id);
	if (ret == 0)
		ret = container_wait(store, record.id, -1, &state, err);
	if (ret < 0)
		return ret;
	printf("%d\n", state.exit_status);
	return 0;
}

static int run_wait(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	return ret < 0 ? ret : cli_each_container(cli, &store, words.arguments, wait_one, NULL);
}

static int run_rename(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_container struct container container = CONTAINER_INIT;
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = container_open(&store, words.arguments[0], &container, &cli->err);
	return ret < 0 ? ret
		       : container_rename(&store, &container.record, words.arguments[1], &cli->err);
}

const struct command_spec stop_command = {
	.name = "stop",
	.arguments = "CONTAINER...",
	.options = stop_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_stop,
	.summary = "end containers: by their stop signal, then by force",
	.candidates = "ps --format {{.Names}}",
};

const struct command_spec kill_command = {
	.name = "kill",
	.arguments = "CONTAINER...",
	.options = kill_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_kill,
	.summary = "send containers a signal",
	.candidates = "ps --format {{.Names}}",
};

const struct command_spec wait_command = {
	.name = "wait",
	.arguments = "CONTAINER...",
	.options = no_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_wait,
	.summary = "wait until containers have ended, and print their exit statuses",
	.candidates = "ps --format {{.Names}}",
};

const struct command_spec rename_command = {
	.name = "rename",
	.arguments = "CONTAINER NAME",
	.options = no_options,
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_rename,
	.summary = "give a container another name",
	.candidates = "ps -a --format {{.Names}}",
};
