/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder export: the root file system of an image as one tar archive. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/cli/cli.h"
#include "builder/image/image.h"
#include "builder/image/layer.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"

struct export_arguments {
	const char *output;
};

/* clang-format off */
static const struct option_spec export_options[] = {
	OPT_STRING('o', "output", struct export_arguments, output, "FILE",
		   "write there instead of standard output"),
	OPT_END
};
/* clang-format on */

static int write_image(struct store *store, const char *name, int fd, struct error *err)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int mount_fd = -EBADF;
	cleanup_close int root_fd = -EBADF;
	int ret = image_load(store, name, &image, err);

	if (ret == 0)
		ret = image_trees(store, &image, &trees, err);
	if (ret == 0)
		ret = snapshot_mount(store, &trees, NULL, 0, &mount_fd, err);
	if (ret < 0)
		return ret;
	root_fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_errno(err, errno, "open the root of \"%s\"", name);
	return layer_write_flat(store, root_fd, fd, err);
}

/* Beside the target, renamed when it is complete: a failure leaves no half archive. */
static int write_file(struct store *store, const char *name, const char *output, struct error *err)
{
	cleanup_free char *part = xasprintf("%s.part-%d", output, (int)getpid());
	struct stat st;
	/* what is there and no file (/dev/null, a pipe) is written to as it is */
	bool direct = stat(output, &st) == 0 && !S_ISREG(st.st_mode);
	cleanup_close int fd = direct ? open(output, O_WRONLY | O_CLOEXEC)
				      : open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "open \"%s\"", direct ? output : part);
	ret = write_image(store, name, fd, err);
	if (direct)
		return ret;
	if (ret == 0 && rename(part, output) < 0)
		ret = error_errno(err, errno, "rename \"%s\" to \"%s\"", part, output);
	if (ret < 0)
		(void)unlink(part); /* best effort: the error is told */
	return ret;
}

static int run_export(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct export_arguments arguments = { NULL };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);
	bool to_stdout = !arguments.output || strcmp(arguments.output, "-") == 0;

	if (ret < 0)
		return ret;
	if (to_stdout && isatty(STDOUT_FILENO)) {
		cli->usage = command;
		return error_set(&cli->err, ERROR_USAGE, 0,
				 "an archive is not for a terminal: use -o FILE or a pipe");
	}
	ret = cli_open_store(cli, true, &store);
	if (ret < 0)
		return ret;
	return to_stdout ? write_image(&store, words.arguments[0], STDOUT_FILENO, &cli->err)
			 : write_file(&store, words.arguments[0], arguments.output, &cli->err);
}

const struct command_spec export_command = {
	.name = "export",
	.arguments = "IMAGE",
	.options = export_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_export,
	.summary = "write an image's root file system as a tar archive",
};
