/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder export: the root file system of an image as one tar archive. */
#include "builder/cli/archive-file.h"
#include "builder/cli/cli.h"
#include "builder/cli/pull-image.h"
#include "builder/image/image.h"
#include "builder/image/output-flat.h"
#include "lib/cleanup.h"

struct export_source {
	struct store *store;
	const char *name;
};

static int write_image(void *context, int fd, struct error *err)
{
	const struct export_source *source = context;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret = image_load(source->store, source->name, &image, err);

	if (ret == 0)
		ret = pull_lazy_layers(source->store, &image, err);
	return ret < 0 ? ret : output_tar(source->store, &image, fd, err);
}

static int run_export(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct archive_arguments arguments = { NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	struct export_source source = { .store = &store };
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = archive_check_output(cli, arguments.output);
	if (ret == 0)
		ret = cli_open_store(cli, true, &store);
	if (ret < 0)
		return ret;
	source.name = words.arguments[0];
	return archive_write(arguments.output, write_image, &source, &cli->err);
}

const struct command_spec export_command = {
	.name = "export",
	.arguments = "IMAGE",
	.options = archive_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_export,
	.summary = "write an image's root file system as a tar archive",
};
