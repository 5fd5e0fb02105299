/* SPDX-License-Identifier: Apache-2.0 */
/* wait: argv to container_wait; prints how the container ended. */
#include <stdio.h>

#include "lib/cleanup.h"
#include "runtime/cli/cli.h"
#include "runtime/lifecycle/exit-record.h"

struct wait_args {
	const char *format;
};

static const struct option_spec wait_options[] = { OPT_STRING('f', "format", struct wait_args,
							      format, "text|json",
							      "the exit status alone, or all that "
							      "is known (default: text)"),
						   OPT_END };

static int cmd_wait(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct wait_args args = { .format = NULL };
	struct option_result result;
	struct exit_record record;
	struct cli *cli = globals;
	bool json;
	int ret = cli_parse_id(cli, command, argc, argv, &args, &result);

	if (ret == 0)
		ret = cli_choose_json(cli, "format option", "text", args.format, &json);
	if (ret == 0)
		ret = container_wait(cli_globals(cli), result.arguments[0], &cli->arena, &record,
				     &cli->err);
	if (ret < 0)
		return ret;
	if (json)
		exit_record_print(&record, JSON_COMPACT, &text);
	else
		strbuf_addf(&text, "%d", record.status);
	puts(strbuf_text(&text));
	return 0;
}

const struct command_spec wait_command = {
	.name = "wait",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = wait_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_wait,
	.summary = "wait until a container has ended, and print its exit status",
};
