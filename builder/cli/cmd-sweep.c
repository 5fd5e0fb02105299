/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder sweep: end what killed builders left running, and remove what they left behind.
 * Every session does so when it is alone; this one waits for its turn. A builder that runs steps
 * has it started when it dies (container/leftovers.h).
 */
#include <errno.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "lib/cleanup.h"

/* clang-format off */
static const struct option_spec sweep_options[] = { OPT_END };
/* clang-format on */

static int run_sweep(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_free char *path = NULL;
	int ret = cli_parse(cli, command, argc, argv, NULL, &words);

	if (ret < 0)
		return ret;
	path = store_default_path(((struct builder_cli *)cli)->store);
	if (path && access(path, F_OK) < 0 && errno == ENOENT)
		return 0; /* nobody has left anything, and none is made */
	ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	store.patient = true;
	return store_session(&store, &cli->err);
}

const struct command_spec sweep_command = {
	.name = "sweep",
	.arguments = "",
	.options = sweep_options,
	.arguments_max = 0,
	.run = run_sweep,
	.summary = "end and remove what killed builders left",
};
