/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of the command line share: the global options and how to fail. */
#ifndef RUNTIME_CLI_CLI_H
#define RUNTIME_CLI_CLI_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/options.h"
#include "runtime/lifecycle/container.h"

#define CLI_NAME "orlop-runtime"

/** Lives on main's stack; every verb gets it as its `globals`. */
struct cli {
	/* as given */
	const char *root, *log, *log_format, *log_level, *trace, *cgroup_manager, *rootless;
	bool debug, systemd_cgroup, version;

	/* what the container calls get */
	struct runtime_globals globals;
	bool root_is_xdg;   /* below $XDG_RUNTIME_DIR: ours to make */
	mode_t umask;	    /* the caller's; ours is 0 */
	struct arena arena; /* what must live as long as the program */

	/* how it ended */
	bool helped;			  /* --help was printed: exit 0 */
	int failure_status;		  /* of a failure of our own: 1, exec 255 */
	const struct command_spec *usage; /* whose command line was wrong */
	struct error err;
};

/**
 * Parse the arguments of a verb into base. Negative when the verb must end at once: on failure
 * (cli->err) and after --help (cli->helped). A verb returns its exit status, or negative with
 * cli->err set.
 */
int cli_parse(struct cli *cli, const struct command_spec *command, int argc, char **argv,
	      void *base, struct option_result *result);

/** [A-Za-z0-9_+.-]+, neither "." nor "..", short enough for file names made from it. */
int cli_check_id(struct cli *cli, const char *id);

/** A path option, made absolute by the caller's working directory; NULL stays NULL. */
int cli_resolve_path(struct cli *cli, const char **path);

/** Before a container is made: the state directory below $XDG_RUNTIME_DIR is 0700 and sticky, so
 *  that cleaners of temporary files leave it alone. */
int cli_prepare_root(struct cli *cli);

extern const struct option_spec create_options[]; /* of create; run has them too */
/** Makes the paths of create and run absolute and gives the bundle its default. */
int create_options_resolve(struct cli *cli, struct container_create_options *options);

extern const struct command_spec create_command, start_command, state_command, kill_command,
	delete_command, run_command, exec_command, list_command, spec_command, features_command,
	explain_command, validate_command;

#endif
