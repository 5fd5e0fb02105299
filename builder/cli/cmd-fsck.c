/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder fsck: is everything in the store what its name says? */
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/image/fsck.h"
#include "lib/cleanup.h"
#include "lib/log.h"

struct fsck_arguments {
	bool repair;
};

/* clang-format off */
static const struct option_spec fsck_options[] = {
	OPT_BOOL(0, "repair", struct fsck_arguments, repair,
		 "remove what is damaged and can be made again by a build"),
	OPT_END
};
/* clang-format on */

static void show(void *context, const char *name)
{
	(void)context;
	log_debug("looking at %s", name);
}

static void print(const struct fsck *fsck, bool repaired)
{
	for (size_t i = 0; i < fsck->count; i++)
		printf("%s: %s%s\n", fsck->items[i].name, fsck->items[i].text,
		       fsck->items[i].repair == FSCK_NONE ? ""
		       : repaired			  ? ": removed"
							  : " (--repair removes it)");
	fprintf(stderr, "%zu blobs, %zu layers, %zu images, %zu records of steps: %zu problem%s\n",
		fsck->blobs, fsck->layers, fsck->images, fsck->records, fsck->count,
		fsck->count == 1 ? "" : "s");
}

static int run_fsck(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct fsck_arguments arguments = { false };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_fsck struct fsck fsck = { .progress = show };
	size_t left = 0;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = fsck_run(&store, &fsck, &cli->err);
	if (ret < 0)
		return ret;
	left = fsck.count;
	if (arguments.repair)
		ret = fsck_repair(&store, &fsck, &left, &cli->err);
	print(&fsck, arguments.repair && ret == 0);
	if (ret < 0)
		return ret;
	return left ? CLI_FAILED : 0;
}

const struct command_spec fsck_command = {
	.name = "fsck",
	.arguments = "",
	.options = fsck_options,
	.arguments_max = 0,
	.run = run_fsck,
	.summary = "check all that is in the store",
};
