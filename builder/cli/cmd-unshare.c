/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder unshare: a command where the builder of a user without root works. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "lib/alloc.h"

static const struct option_spec unshare_options[] = { OPT_END };

static int run_unshare(const struct command_spec *command, int argc, char **argv, void *globals)
{
	const char *shell = getenv("SHELL");
	char *words[] = { (char *)(shell && *shell ? shell : "/bin/sh"), NULL };
	struct builder_cli *builder = globals;
	struct option_result result = { 0 };
	struct error *err = &builder->cli.err;
	int ret = cli_parse(&builder->cli, command, argc, argv, NULL, &result);
	char *const *run = result.count ? result.arguments : words;

	if (ret == 0)
		ret = rootless_enter(&builder->rootless, err);
	if (ret < 0)
		return ret;
	(void)umask(builder->cli.umask);
	execvp(run[0], run);
	ret = error_errno(err, errno, "execute \"%s\"", run[0]);
	builder->cli.failure_status = ret == -ENOENT ? 127 : 126;
	return ret;
}

const struct command_spec unshare_command = {
	.name = "unshare",
	.arguments = "[COMMAND [ARGUMENT...]]",
	.options = unshare_options,
	.arguments_max = -1,
	.stop_at_argument = true,
	.run = run_unshare,
	.summary = "run a command, or a shell, in the user namespace of who is not root",
};
