/* SPDX-License-Identifier: Apache-2.0 */
/* What the builder's verbs share besides lib/cli.h: the store, names, exit statuses. */
#ifndef BUILDER_CLI_CLI_H
#define BUILDER_CLI_CLI_H

#include <stdbool.h>

#include "builder/cli/rootless.h"
#include "builder/image/store.h"
#include "lib/cli.h"

#define CLI_NAME "orlop-builder"

/** Exit statuses that are not the container's own (docs/exit-codes.md). */
enum cli_status {
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_RUN_FAILED = 125,  /* `run` could not make the container */
	CLI_INTERRUPTED = 130, /* any verb, after SIGINT or SIGTERM */
};

/** Lives on main's stack; the verbs get its first member. */
struct builder_cli {
	struct cli cli;
	const char *store; /* NULL: ORLOP_STORE or the default */
	struct rootless rootless;
};

/** Parse an argument that must be NAME[:TAG|@DIGEST]: usage error otherwise. */
int cli_parse_reference(struct cli *cli, const char *text, struct reference *out);

/** Parse an argument that must be NAME[:TAG]: usage error otherwise, also with a digest. */
int cli_parse_name(struct cli *cli, const char *text, struct reference *out);
/** The same of a word within an argument. */
int cli_read_name(const char *text, struct reference *out, struct error *err);

/** Open the store: without root in a user namespace, with mounts in an own mount namespace. Call
 *  before any thread. */
int cli_open_store(struct cli *cli, bool mounts, struct store *out);

extern const struct command_spec build_command, copy_command, du_command, export_command,
	fsck_command, history_command, images_command, import_command, info_command,
	inspect_command, load_command, login_command, logout_command, logs_command, parse_command,
	prune_command, pull_command, push_command, rerun_command, rmi_command, run_command,
	save_command, shell_command, sweep_command, tag_command, unpack_command, verify_command,
	version_command;
extern const struct command_spec manifest_create_command, manifest_annotate_command,
	manifest_push_command, manifest_inspect_command, manifest_rm_command;

extern const struct command_spec attach_command, cleanup_command, create_command, exec_command,
	kill_command, ps_command, rename_command, restart_command, rm_command, start_command,
	stop_command, wait_command, commit_command, cp_command, diff_command, port_command,
	top_command, container_prune_command, mount_command, umount_command, tags_command,
	search_command, unshare_command;
extern const struct command_spec volume_create_command, volume_ls_command, volume_inspect_command,
	volume_rm_command, volume_prune_command;

/** The other way to say them: "image ls", "system df" (groups.c). */
extern const struct command_group *const cli_groups[];

#endif
