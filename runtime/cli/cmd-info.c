/* SPDX-License-Identifier: Apache-2.0 */
/* info: this program and this host, for people and for their reports of faults. */
#include <stdio.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/tty.h"
#include "runtime/cli/cli.h"
#include "runtime/lifecycle/facts.h"

struct info_args {
	const char *format;
};

static const struct option_spec info_options[] = { OPT_STRING('f', "format", struct info_args,
							      format, "text|json",
							      "form of the output (default: text)"),
						   OPT_END };

static int cmd_info(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_view struct view view = { .count = 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct info_args args = { .format = NULL };
	struct option_result result;
	struct cli *cli = globals;
	bool json;
	int ret = cli_parse(cli, command, argc, argv, &args, &result);

	if (ret == 0)
		ret = cli_choose_json(cli, "format option", "text", args.format, &json);
	if (ret < 0)
		return ret;
	facts_view(cli_globals(cli), &view);
	if (json)
		view_write_json(&view, &text);
	else
		view_write_text(&view, tty_has_color(STDOUT_FILENO), &text);
	fputs(strbuf_text(&text), stdout);
	return 0;
}

const struct command_spec info_command = {
	.name = "info",
	.arguments = "",
	.options = info_options,
	.run = cmd_info,
	.summary = "show what this program and this host have",
};
