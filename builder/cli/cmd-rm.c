/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder rm, and cleanup, which conmon calls. */
#include <stdio.h>

#include "builder/cli/container-args.h"
#include "builder/container/host-mount.h"
#include "lib/cleanup.h"

struct rm_arguments {
	bool force, volumes;
};

/* clang-format off */
static const struct option_spec rm_options[] = {
	OPT_BOOL('f', "force", struct rm_arguments, force, "kill what runs; what is not there is no error"),
	OPT_BOOL('v', "volumes", struct rm_arguments, volumes, "also the volumes without a name that it alone has"),
	OPT_END
};

static const struct option_spec cleanup_options[] = { OPT_END };
/* clang-format on */

static int remove_one(struct store *store, const char *word, void *context, struct error *err)
{
	const struct rm_arguments *arguments = context;
	cleanup_container struct container container = CONTAINER_INIT;
	struct error why = ERROR_INIT;
	int ret = container_open(store, word, &container, &why);

	if (ret < 0 && arguments->force && why.code == ERROR_NOT_FOUND)
		return 0;
	if (ret == 0 && !arguments->force && host_mount_is_there(store, container.record.id))
		ret = error_set(&why, ERROR_STATE, 0,
				"container %s is mounted: umount it first, or remove it by force",
				container.record.name);
	if (ret == 0)
		ret = container_delete(&container, arguments->force, arguments->volumes, &why);
	if (ret == 0)
		puts(word);
	else if (err)
		*err = why;
	return ret;
}

static int run_rm(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct rm_arguments arguments = { false, false };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_open_store(cli, true, &store);
	return ret < 0 ? ret
		       : cli_each_container(cli, &store, words.arguments, remove_one, &arguments);
}

const struct command_spec rm_command = {
	.name = "rm",
	.arguments = "CONTAINER...",
	.options = rm_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_rm,
	.summary = "remove containers",
	.candidates = "ps -a --format {{.Names}}",
};

static int clean_one(struct store *store, const char *word, void *context, struct error *err)
{
	(void)context;
	return container_cleanup(store, word, err);
}

static int run_cleanup(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret == 0)
		ret = cli_open_store(cli, true, &store);
	return ret < 0 ? ret : cli_each_container(cli, &store, words.arguments, clean_one, NULL);
}

const struct command_spec cleanup_command = {
	.name = "cleanup",
	.arguments = "CONTAINER-ID...",
	.options = cleanup_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_cleanup,
	.summary = "take away what containers that have ended left on the host",
	.description = "conmon executes this when a container has ended.",
};
