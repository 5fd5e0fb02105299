/* SPDX-License-Identifier: Apache-2.0 */
/* gc: argv to container_gc; prints the ids of what it found. */
#include "lib/cleanup.h"
#include "runtime/cli/cli.h"

struct gc_args {
	bool dry_run;
};

static const struct option_spec gc_options[] = {
	OPT_BOOL(0, "dry-run", struct gc_args, dry_run, "only print what would be removed"), OPT_END
};

static int cmd_gc(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_strv struct strv found = STRV_INIT;
	struct gc_args args = { false };
	struct option_result result;
	struct cli *cli = globals;
	int ret = cli_parse(cli, command, argc, argv, &args, &result);

	if (ret < 0)
		return ret;
	ret = container_gc(cli_globals(cli), !args.dry_run, &found, &cli->err);
	for (size_t i = 0; i < found.count; i++)
		puts(found.items[i]);
	return ret;
}

const struct command_spec gc_command = {
	.name = "gc",
	.arguments = "",
	.options = gc_options,
	.run = cmd_gc,
	.summary = "remove what killed commands left of half-made containers",
};
