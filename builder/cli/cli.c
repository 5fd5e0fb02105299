/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the verbs. Nothing here prints but --help. */
#include "builder/cli/cli.h"

#include <errno.h>

#include "builder/container/leftovers.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"

int cli_parse(struct cli *cli, const struct command_spec *command, int argc, char **argv,
	      void *base, struct option_result *result)
{
	int ret = options_parse(command, argc, argv, base, result, &cli->err);

	if (ret < 0) {
		cli->usage = command;
		return ret;
	}
	if (result->help) {
		options_print_help(stdout, CLI_NAME, command);
		cli->helped = true;
		return -ECANCELED;
	}
	return 0;
}

int cli_parse_name(struct cli *cli, const struct command_spec *command, const char *text,
		   struct reference *out)
{
	int ret = reference_parse(text, out, &cli->err);

	if (ret == 0 && out->digest.text[0])
		ret = error_invalid(&cli->err, "\"%s\": a name cannot have a digest here", text);
	if (ret < 0) {
		cli->usage = command;
		cli->err.code = ERROR_USAGE;
	}
	return ret;
}

int cli_open_store(struct cli *cli, bool mounts, struct store *out)
{
	cleanup_free char *path = store_default_path(cli->store);
	int ret = 0;

	if (!path) /* relative to a folder that is gone */
		return error_errno(&cli->err, errno, "find the store: the working directory");
	if (mounts)
		ret = snapshot_namespace_enter(&cli->err);
	if (ret == 0)
		ret = store_open(path, out, &cli->err);
	if (ret == 0)
		out->bury = leftovers_end;
	return ret;
}
