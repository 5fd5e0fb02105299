/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder top: the processes of a container, in the host's numbers. */
#include <stdio.h>

#include "builder/build/runtime-exec.h"
#include "builder/cli/container-args.h"
#include "lib/cleanup.h"

static const struct option_spec top_options[] = { OPT_END };

/* The runtime knows which they are, ps(1) of the host how to show them. */
static int show(struct cli *cli, const struct container_record *record, char **options)
{
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	cleanup_strv struct strv words = STRV_INIT;
	cleanup_strbuf struct strbuf output = STRBUF_INIT;
	int ret;

	strv_add(&words, "ps");
	strv_add(&words, record->id);
	for (; *options; options++)
		strv_add(&words, *options);
	ret = runtime_output(&runtime, strv_items(&words), &output, &cli->err);
	if (ret == 0)
		fputs(strbuf_text(&output), stdout);
	return error_prefix(&cli->err, ret, "container %s", record->name);
}

static int run_top(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret == 0)
		ret = cli_find_running(cli, words.arguments[0], &record);
	return ret < 0 ? ret : show(cli, &record, words.arguments + 1);
}

const struct command_spec top_command = {
	.name = "top",
	.arguments = "CONTAINER [PS-OPTION...]",
	.options = top_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.stop_at_argument = true,
	.run = run_top,
	.summary = "list the processes of a container",
	.candidates = "ps --format {{.Names}}",
};
