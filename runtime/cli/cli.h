/* SPDX-License-Identifier: Apache-2.0 */
/* What the runtime's verbs share besides lib/cli.h: its global options, ids, paths. */
#ifndef RUNTIME_CLI_CLI_H
#define RUNTIME_CLI_CLI_H

#include <stdbool.h>

#include "lib/cli.h"
#include "runtime/lifecycle/container.h"

#define CLI_NAME "orlop-runtime"

/** Lives on main's stack; the verbs get its first member. */
struct runtime_cli {
	struct cli cli;

	/* as given */
	const char *root, *log, *log_format, *trace, *cgroup_manager, *rootless;
	bool systemd_cgroup;

	struct runtime_globals globals;
	bool root_is_xdg; /* below $XDG_RUNTIME_DIR: ours to make */
	int log_fd;	  /* -EBADF = stderr */
	struct error unsealed;
};

/** The whole of what a verb got a part of. */
static inline struct runtime_cli *runtime_cli(struct cli *cli)
{
	return (struct runtime_cli *)cli;
}

/** What the container calls get. */
static inline const struct runtime_globals *cli_globals(struct cli *cli)
{
	return &runtime_cli(cli)->globals;
}

/** cli_parse and cli_check_id: the verbs whose first argument is a container. */
int cli_parse_id(struct cli *cli, const struct command_spec *command, int argc, char **argv,
		 void *base, struct option_result *result);

/** [A-Za-z0-9_+.-]+, neither "." nor "..", short enough for file names made from it. */
int cli_check_id(struct cli *cli, const char *id);

/** A verb whose whole command line is the container. */
int cli_call(struct cli *cli, const struct command_spec *command, int argc, char **argv,
	     int (*call)(const struct runtime_globals *globals, const char *id, struct error *err));

typedef int cli_container_fn(const struct runtime_globals *globals, const char *id,
			     const void *args, struct error *err);
/**
 * Do it to every container whose id matches the regular expression, also after a failure: the first
 * one is the error, the others are warnings. None that matches is no error.
 */
int cli_each_match(struct cli *cli, const char *pattern, cli_container_fn *fn, const void *args);

/** A path option, made absolute by the caller's working directory; NULL stays NULL. */
int cli_resolve_path(struct cli *cli, const char **path);

/** Before a container is made: the state directory below $XDG_RUNTIME_DIR is 0700 and sticky, so
 *  that cleaners of temporary files leave it alone. */
int cli_prepare_root(struct cli *cli);

extern const struct option_spec create_options[]; /* of create; run has them too */
/** What create and run do first: the id is checked, paths become absolute, the bundle gets its
 *  default, the state directory is there. */
int create_prepare(struct cli *cli, const char *id, struct container_create_options *options);

extern const struct command_spec create_command, start_command, state_command, kill_command,
	delete_command, run_command, exec_command, list_command, spec_command, features_command,
	explain_command, gc_command, validate_command, pause_command, ps_command, resume_command,
	update_command, wait_command, events_command, info_command, checkpoint_command,
	restore_command, mounts_command;

#endif
