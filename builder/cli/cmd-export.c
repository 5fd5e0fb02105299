/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder export: the root file system of a container or an image as one tar archive. */
#include <errno.h>
#include <fcntl.h>

#include "builder/cli/archive-file.h"
#include "builder/cli/cli.h"
#include "builder/cli/pull-image.h"
#include "builder/container/record.h"
#include "builder/image/image.h"
#include "builder/image/layer.h"
#include "builder/image/output-flat.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"

struct export_source {
	struct store *store;
	const char *name;
};

/* The image's trees and its own layer: no mounts, and nothing that was made for them. */
static int write_container(const struct export_source *source, int fd, struct error *err)
{
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int mount_fd = -EBADF;
	cleanup_close int root_fd = -EBADF;
	int ret = container_record_find(source->store, source->name, &record, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < record.trees.count; i++)
		strv_add(&trees, record.trees.items[i]);
	strv_addf(&trees, "containers/%s/layer/upper", record.id);
	ret = snapshot_mount(source->store, &trees, NULL, 0, &mount_fd, err);
	if (ret < 0)
		return ret;
	root_fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_errno(err, errno, "open the root of \"%s\"", source->name);
	return layer_write_flat(source->store, root_fd, fd, err);
}

static int write_root(void *context, int fd, struct error *err)
{
	const struct export_source *source = context;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int ret;

	if (container_exists(source->store, source->name))
		return write_container(source, fd, err);
	ret = image_load(source->store, source->name, &image, err);
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
