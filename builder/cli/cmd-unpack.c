/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder unpack: an image as a bundle, rootfs and config.json, for any OCI runtime. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "builder/cli/pull-image.h"
#include "builder/image/bundle.h"
#include "builder/image/output-flat.h"
#include "builder/image/platform.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"

struct unpack_arguments {
	const char *platform;
};

/* clang-format off */
static const struct option_spec unpack_arguments_table[] = {
	OPT_STRING(0, "platform", struct unpack_arguments, platform, "OS/ARCH[/VARIANT]",
		   "of an image of several platforms (default: this machine's)"),
	OPT_END
};
/* clang-format on */

static int write_bundle(struct store *store, const struct image *image,
			const struct bundle_owner *owner, const char *bundle, struct error *err)
{
	const struct output_folder_options options = { .keep_owners = owner->is_root };
	cleanup_free char *rootfs = xasprintf("%s/rootfs", bundle);
	cleanup_free char *path = xasprintf("%s/config.json", bundle);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int root_fd = -EBADF;
	int ret = output_folder(store, image, rootfs, &options, err);

	if (ret < 0)
		return ret;
	root_fd = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_errno(err, errno, "open \"%s\"", rootfs);
	ret = bundle_config(image, root_fd, owner, &text, err);
	return ret < 0 ? ret
		       : io_replace_file(AT_FDCWD, path, text.data, text.size, 0644, IO_NO_SYNC,
					 err);
}

/* In a folder beside it that gets the name when all is there. */
static int make_bundle(struct store *store, const struct image *image,
		       const struct bundle_owner *owner, const char *bundle, struct error *err)
{
	cleanup_free char *part = xasprintf("%s.part-%d", bundle, (int)getpid());
	int ret;

	if (mkdir(part, 0700) < 0)
		return error_errno(err, errno, "make folder \"%s\"", part);
	ret = write_bundle(store, image, owner, part, err);
	if (ret == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, bundle, RENAME_NOREPLACE) < 0)
		ret = error_errno(err, errno, "rename \"%s\" to \"%s\"", part, bundle);
	if (ret < 0)
		(void)path_remove_tree(AT_FDCWD, part, NULL); /* the error is told */
	return ret;
}

static int unpack(struct cli *cli, const struct unpack_arguments *arguments, const char *name,
		  const char *word)
{
	cleanup_free char *host = platform_host(), *platform = NULL, *bundle = path_clean(word);
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_store struct store store = STORE_INIT;
	const struct rootless *rootless = &((struct builder_cli *)cli)->rootless;
	struct bundle_owner owner;
	int ret = 0;

	if (arguments->platform)
		ret = platform_normalize(arguments->platform, host, &platform, &cli->err);
	if (ret == 0 && access(bundle, F_OK) == 0)
		ret = error_set(&cli->err, ERROR_EXISTS, EEXIST, "make folder \"%s\"", bundle);
	if (ret == 0)
		ret = cli_open_store(cli, true, &store);
	if (ret == 0)
		ret = image_load_for(&store, name, platform, &image, &cli->err);
	if (ret == 0)
		ret = pull_lazy_layers(&store, &image, &cli->err);
	owner = (struct bundle_owner){ !rootless->entered, rootless->uid, rootless->gid };
	return ret < 0 ? ret : make_bundle(&store, &image, &owner, bundle, &cli->err);
}

static int run_unpack(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct unpack_arguments arguments = { 0 };
	struct option_result words = { 0 };
	int ret = cli_parse(globals, command, argc, argv, &arguments, &words);

	return ret < 0 ? ret : unpack(globals, &arguments, words.arguments[0], words.arguments[1]);
}

const struct command_spec unpack_command = {
	.name = "unpack",
	.arguments = "IMAGE BUNDLE",
	.options = unpack_arguments_table,
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_unpack,
	.summary = "make a bundle of an image: a root file system and a config.json",
};
