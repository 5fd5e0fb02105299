/* SPDX-License-Identifier: Apache-2.0 */
/* kill: argv to container_kill; signals by name or number. */
#include "lib/signals.h"
#include "runtime/cli/cli.h"

struct kill_args {
	bool all;
};

/* --all is deprecated in runc, but the shims of containerd and podman still send it. */
static const struct option_spec kill_options[] = {
	{ OPTION_BOOL, 'a', "all", offsetof(struct kill_args, all), NULL,
	  "send the signal to every process of the container", OPTION_HIDDEN, NULL },
	OPT_END
};

static int cmd_kill(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct kill_args args = { false };
	struct option_result result;
	struct cli *cli = globals;
	const char *name;
	int ret, number;

	ret = cli_parse_id(cli, command, argc, argv, &args, &result);
	if (ret < 0)
		return ret;
	name = result.count > 1 ? result.arguments[1] : "TERM";
	number = signal_parse(name);
	if (number < 0)
		return error_invalid(&cli->err, "unknown signal \"%s\"", name);
	return container_kill(cli_globals(cli), result.arguments[0], number, args.all, &cli->err);
}

const struct command_spec kill_command = {
	.name = "kill",
	.arguments = "CONTAINER-ID [SIGNAL]",
	.candidates = "list -q",
	.options = kill_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.stop_at_argument = true,
	.run = cmd_kill,
	.summary = "send a signal to the process of a container (default: TERM)",
};
