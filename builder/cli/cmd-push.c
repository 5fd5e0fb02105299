/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder push: an image of the store to a registry. */
#include <stdio.h>

#include "builder/cli/cli.h"
#include "builder/cli/push-image.h"
#include "builder/cli/registry-args.h"
#include "builder/image/platform.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

struct push_arguments {
	bool quiet, all;
	const char *platform, *compression, *level;
	bool force;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec push_options[] = {
	OPT_BOOL('q', "quiet", struct push_arguments, quiet, "print the pushed name only"),
	OPT_BOOL('a', "all-platforms", struct push_arguments, all, "all platforms that it has"),
	OPT_STRING(0, "platform", struct push_arguments, platform, "OS/ARCH[/VARIANT]",
		   "of an image of several platforms (default: this machine's)"),
	OPT_STRING(0, "compression", struct push_arguments, compression, "gzip|zstd|uncompressed",
		   "of layers that were built here (default: gzip)"),
	OPT_STRING(0, "compression-level", struct push_arguments, level, "N", "its level"),
	OPT_BOOL(0, "force-compression", struct push_arguments, force,
		 "also of layers that came compressed otherwise"),
	OPT_INCLUDE(struct push_arguments, registry, registry_option_table),
	OPT_END
};
/* clang-format on */

/* As push-image.h says it. */
static int read_arguments(struct cli *cli, const struct push_arguments *arguments,
			  struct push_how *out, struct compression *compression)
{
	int ret =
		compression_parse(arguments->compression, arguments->level, compression, &cli->err);

	if (ret == 0 && arguments->all && (arguments->compression || arguments->force))
		ret = error_set(&cli->err, ERROR_USAGE, 0,
				"--all-platforms sends what there is: no --compression");
	*out = (struct push_how){ .all = arguments->all,
				  .recompress = arguments->force,
				  .out = arguments->quiet ? NULL : stderr };
	if (arguments->compression || arguments->level || arguments->force)
		out->compression = compression;
	return ret;
}

static int do_push(struct cli *cli, const struct push_arguments *arguments, const char *word,
		   const struct reference *name)
{
	cleanup_registry struct registry *registry = NULL;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_store struct store store = STORE_INIT;
	cleanup_free char *host = platform_host(), *platform = NULL;
	struct compression compression;
	struct push_result result;
	struct push_how how;
	int ret = read_arguments(cli, arguments, &how, &compression);

	if (ret == 0 && arguments->platform)
		ret = platform_normalize(arguments->platform, host, &platform, &cli->err);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = image_load_for(&store, word, platform, &image, &cli->err);
	if (ret == 0)
		ret = registry_args_open(&arguments->registry, -EBADF, &registry, &cli->err);
	if (ret < 0)
		return ret;
	how.store = &store;
	how.registry = registry;
	ret = push_named(&how, &image, name, &result, &cli->err);
	if (ret == 0)
		printf("%s@%s\n", name->name, result.digest.text);
	return ret;
}

static int run_push(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct push_arguments arguments = { 0 };
	struct option_result words = { 0 };
	struct reference name;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_parse_name(cli, words.arguments[words.count - 1], &name);
	return ret < 0 ? ret : do_push(cli, &arguments, words.arguments[0], &name);
}

const struct command_spec push_command = {
	.name = "push",
	.arguments = "IMAGE [NAME[:TAG]]",
	.options = push_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_push,
	.summary = "send an image to a registry",
};
