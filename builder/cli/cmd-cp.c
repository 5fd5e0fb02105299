/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder cp: files from a container to the host, or the other way. */
#include <string.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "builder/container/files.h"
#include "lib/cleanup.h"

struct cp_arguments {
	bool archive, follow;
};

/* clang-format off */
static const struct option_spec cp_options[] = {
	OPT_BOOL('a', "archive", struct cp_arguments, archive, "keep owners"),
	OPT_BOOL('L', "follow-link", struct cp_arguments, follow, "copy what a symlink leads to, by the symlink's name"),
	OPT_ACCEPTED('q', "quiet", NULL, "nothing is said anyway"),
	OPT_END
};
/* clang-format on */

/* "CONTAINER:PATH": the name; NULL = a path of the host ("/a:b", "./a:b", "-"). */
static char *container_of(struct cli *cli, const char *word, const char **path)
{
	const char *colon = strchr(word, ':');

	*path = word;
	if (*word == '/' || *word == '.' || !colon || colon == word)
		return NULL;
	*path = colon + 1;
	return arena_strndup(&cli->arena, word, (size_t)(colon - word));
}

static int copy(struct cli *cli, struct store *store, const struct cp_arguments *arguments,
		const struct file_place *from, const struct file_place *to)
{
	const bool into = to->root_fd >= 0;
	const struct file_copy options = { .archive = arguments->archive,
					   .follow = arguments->follow,
					   .uid = into ? 0 : geteuid(),
					   .gid = into ? 0 : getegid() };

	if (into && strcmp(from->path, "-") == 0)
		return files_read_tar(store, STDIN_FILENO, to, &cli->err);
	if (!into && strcmp(to->path, "-") == 0)
		return files_write_tar(store, &options, from, STDOUT_FILENO, &cli->err);
	return files_copy(&options, from, to, &cli->err);
}

static int copy_with(struct cli *cli, const struct cp_arguments *arguments, char **words)
{
	struct file_place from = { .root_fd = -EBADF }, to = { .root_fd = -EBADF };
	const char *source = container_of(cli, words[0], &from.path);
	const char *target = container_of(cli, words[1], &to.path);
	cleanup_store struct store store = STORE_INIT;
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_close int root_fd = -EBADF;
	int ret;

	if (!source == !target)
		return error_set(&cli->err, ERROR_USAGE, 0,
				 "one of the two must be CONTAINER:PATH, the other a path of the "
				 "host or -");
	if (!*from.path || !*to.path)
		return error_set(&cli->err, ERROR_USAGE, 0, "a path is missing");
	ret = cli_open_store(cli, true, &store);
	if (ret == 0)
		ret = container_open(&store, source ? source : target, &container, &cli->err);
	if (ret < 0)
		return ret;
	root_fd = container_open_root(&container, &cli->err);
	if (root_fd < 0)
		return root_fd;
	*(source ? &from.root_fd : &to.root_fd) = root_fd;
	return copy(cli, &store, arguments, &from, &to);
}

static int run_cp(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct cp_arguments arguments = { false };
	struct option_result words = { 0 };
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	return ret < 0 ? ret : copy_with(cli, &arguments, words.arguments);
}

const struct command_spec cp_command = {
	.name = "cp",
	.arguments = "CONTAINER:PATH PATH|- | PATH|- CONTAINER:PATH",
	.options = cp_options,
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_cp,
	.summary = "copy files from a container to the host, or the other way",
};
