/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder export: the root file system of a container or an image as one tar archive. */
#include <errno.h>

#include "builder/cli/archive-file.h"
#include "builder/cli/cli.h"
#include "builder/cli/root-view.h"
#include "builder/image/layer.h"
#include "builder/image/output-flat.h"
#include "lib/cleanup.h"

struct export_source {
	struct store *store;
	const char *name;
};

static int write_root(void *context, int fd, struct error *err)
{
	const struct export_source *source = context;
	cleanup_root_view struct root_view view = ROOT_VIEW_INIT;
	cleanup_close int root_fd = -EBADF;
	int ret = root_view_open(source->store, source->name, &view, err);

	if (ret < 0)
		return ret;
	/* of an image the headers of its layers say more than the trees of a rootless store */
	if (!*view.container.record.id)
		return output_tar(source->store, &view.image, fd, err);
	root_fd = root_view_mount(&view, source->store, err);
	return root_fd < 0 ? root_fd : layer_write_flat(source->store, root_fd, NULL, fd, err);
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
	return archive_write(arguments.output, write_root, &source, &cli->err);
}

const struct command_spec export_command = {
	.name = "export",
	.arguments = "CONTAINER|IMAGE",
	.options = archive_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_export,
	.summary = "write the root file system of a container or an image as a tar archive",
};
