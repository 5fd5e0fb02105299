/* SPDX-License-Identifier: Apache-2.0 */
/* What the builder's verbs share: the global options, the store, and how to fail. */
#ifndef BUILDER_CLI_CLI_H
#define BUILDER_CLI_CLI_H

#include <stdbool.h>

#include "builder/image/store.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/options.h"

#define CLI_NAME "orlop-builder"

/** Exit statuses that are not the container's own (docs/exit-codes.md). */
enum cli_status {
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_RUN_FAILED = 125,  /* `run` could not make the container */
	CLI_INTERRUPTED = 130, /* any verb, after SIGINT or SIGTERM */
};

/** Lives on main's stack; every verb gets it as its `globals`. */
struct cli {
	/* as given */
	const char *store; /* NULL: ORLOP_STORE or the default */
	const char *log_level;
	bool debug, version;

	struct arena arena; /* what must live as long as the program */

	/* how it ended */
	bool helped;			  /* --help was printed: exit 0 */
	int failure_status;		  /* of a failure of our own */
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

/** Parse an argument that must be NAME[:TAG]: usage error otherwise, also with a digest. */
int cli_parse_name(struct cli *cli, const struct command_spec *command, const char *text,
		   struct reference *out);

/** Open the store. With mounts, enter an own mount namespace first: call before any thread. */
int cli_open_store(struct cli *cli, bool mounts, struct store *out);

extern const struct command_spec build_command, export_command, history_command, images_command,
	import_command, inspect_command, parse_command, rmi_command, run_command, save_command, shell_command, tag_command;

#endif
