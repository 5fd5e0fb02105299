/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder diff: what a container has changed. */
#include <stdio.h>

#include "builder/cli/cli.h"
#include "builder/container/changes.h"
#include "lib/cleanup.h"

static const struct option_spec diff_options[] = { OPT_END };

static int print_change(void *context, char kind, const char *path, struct error *err)
{
	(void)context;
	(void)err;
	printf("%c %s\n", kind, path);
	return 0;
}

static int run_diff(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct option_result words = { 0 };
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	cleanup_store struct store store = STORE_INIT;
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = container_record_find(&store, words.arguments[0], &record, &cli->err);
	return ret < 0 ? ret : container_changes(&store, &record, print_change, NULL, &cli->err);
}

const struct command_spec diff_command = {
	.name = "diff",
	.arguments = "CONTAINER",
	.options = diff_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_diff,
	.summary = "show what a container has changed on top of its image",
	.candidates = "ps -a --format {{.Names}}",
};
