/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder tag: one more name for an image. */
#include "builder/cli/cli.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"

/* clang-format off */
static const struct option_spec tag_options[] = { OPT_END };
/* clang-format on */

static int run_tag(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct option_result words = { 0 };
	struct reference name;
	cleanup_store struct store store = STORE_INIT;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret == 0)
		ret = cli_parse_name(cli, words.arguments[1], &name);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = image_load(&store, words.arguments[0], &image, &cli->err);
	if (ret == 0)
		ret = store_ref_set(&store, &name, &image.top, &cli->err);
	return ret;
}

const struct command_spec tag_command = {
	.name = "tag",
	.arguments = "IMAGE NAME[:TAG]",
	.options = tag_options,
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_tag,
	.summary = "give an image another name",
};
