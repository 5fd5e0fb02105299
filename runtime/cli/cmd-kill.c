/* SPDX-License-Identifier: Apache-2.0 */
/* kill: argv to container_kill; signals by name or number. */
#include <string.h>

#include "lib/signals.h"
#include "runtime/cli/cli.h"

struct kill_args {
	bool all, regex;
	int signal;
};

/* --all is deprecated in runc, but the shims of containerd and podman still send it. */
static const struct option_spec kill_options[] = {
	{ OPTION_BOOL, 'a', "all", offsetof(struct kill_args, all), NULL,
	  "send the signal to every process of the container", OPTION_HIDDEN, NULL },
	OPT_BOOL('r', "regex", struct kill_args, regex,
		 "every container whose id matches the regular expression"),
	OPT_END
};

static int kill_one(const struct runtime_globals *globals, const char *id, const void *args,
		    struct error *err)
{
	const struct kill_args *kill = args;

	return container_kill(globals, id, kill->signal, kill->all, err);
}

static int cmd_kill(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct kill_args args = { .all = false };
	struct option_result result;
	struct cli *cli = globals;
	const char *name;
	int ret;

	ret = cli_parse(cli, command, argc, argv, &args, &result);
	if (ret < 0)
		return ret;
	name = result.count > 1 ? result.arguments[1] : "TERM";
	/* 0 is none: it asks whether there is somebody to send one to, kill(2) */
	args.signal = strcmp(name, "0") == 0 ? 0 : signal_parse(name);
	if (args.signal < 0)
		return error_invalid(&cli->err, "unknown signal \"%s\"", name);
	if (args.regex)
		return cli_each_match(cli, result.arguments[0], kill_one, &args);
	ret = cli_check_id(cli, result.arguments[0]);
	return ret < 0 ? ret : kill_one(cli_globals(cli), result.arguments[0], &args, &cli->err);
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
