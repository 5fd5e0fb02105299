/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs by what they are about, as docker and podman have them, too: one table. */
#include "builder/cli/cli.h"

/* clang-format off */
static const struct group_word image_words[] = {
	{ "build",   &build_command,   NULL },
	{ "history", &history_command, NULL },
	{ "import",  &import_command,  NULL },
	{ "inspect", &inspect_command, "--type=image" },
	{ "list",    &images_command,  NULL },
	{ "load",    &load_command,    NULL },
	{ "ls",      &images_command,  NULL },
	{ "mount",   &mount_command,   NULL },
	{ "prune",   &prune_command,   "--filter=type=image" },
	{ "pull",    &pull_command,    NULL },
	{ "push",    &push_command,    NULL },
	{ "rm",      &rmi_command,     NULL },
	{ "save",    &save_command,    NULL },
	{ "tag",     &tag_command,     NULL },
	{ "tags",    &tags_command,    NULL },
	{ "umount",  &umount_command,  NULL },
	{ NULL, NULL, NULL },
};

static const struct group_word builder_words[] = {
	{ "build", &build_command, NULL },
	{ "prune", &prune_command, "--filter=type=step" },
	{ NULL, NULL, NULL },
};

static const struct group_word system_words[] = {
	{ "df",    &du_command,    NULL },
	{ "info",  &info_command,  NULL },
	{ "prune", &prune_command, NULL },
	{ NULL, NULL, NULL },
};

static const struct group_word manifest_words[] = {
	{ "add",      &manifest_create_command,   "--amend" },
	{ "annotate", &manifest_annotate_command, NULL },
	{ "create",   &manifest_create_command,   NULL },
	{ "inspect",  &manifest_inspect_command,  NULL },
	{ "push",     &manifest_push_command,     NULL },
	{ "rm",       &manifest_rm_command,       NULL },
	{ NULL, NULL, NULL },
};

static const struct group_word container_words[] = {
	{ "attach",  &attach_command,  NULL },
	{ "cleanup", &cleanup_command, NULL },
	{ "commit",  &commit_command,  NULL },
	{ "cp",      &cp_command,      NULL },
	{ "create",  &create_command,  NULL },
	{ "diff",    &diff_command,    NULL },
	{ "exec",    &exec_command,    NULL },
	{ "export",  &export_command,  NULL },
	{ "inspect", &inspect_command, "--type=container" },
	{ "kill",    &kill_command,    NULL },
	{ "list",    &ps_command,      NULL },
	{ "logs",    &logs_command,    NULL },
	{ "ls",      &ps_command,      NULL },
	{ "mount",   &mount_command,   NULL },
	{ "port",    &port_command,    NULL },
	{ "prune",   &container_prune_command, NULL },
	{ "ps",      &ps_command,      NULL },
	{ "rename",  &rename_command,  NULL },
	{ "restart", &restart_command, NULL },
	{ "rm",      &rm_command,      NULL },
	{ "run",     &run_command,     NULL },
	{ "start",   &start_command,   NULL },
	{ "stop",    &stop_command,    NULL },
	{ "top",     &top_command,     NULL },
	{ "umount",  &umount_command,  NULL },
	{ "wait",    &wait_command,    NULL },
	{ NULL, NULL, NULL },
};

static const struct group_word volume_words[] = {
	{ "create",  &volume_create_command,  NULL },
	{ "inspect", &volume_inspect_command, NULL },
	{ "list",    &volume_ls_command,      NULL },
	{ "ls",      &volume_ls_command,      NULL },
	{ "prune",   &volume_prune_command,   NULL },
	{ "rm",      &volume_rm_command,      NULL },
	{ NULL, NULL, NULL },
};

static const struct command_group builder_group = { "builder", "the cache of builds", builder_words };
static const struct command_group container_group = { "container", "containers by their verbs", container_words };
static const struct command_group image_group = { "image", "images by their verbs", image_words };
static const struct command_group manifest_group = { "manifest", "images of several platforms", manifest_words };
static const struct command_group system_group = { "system", "the whole store", system_words };
static const struct command_group volume_group = { "volume", "folders that outlive containers", volume_words };

const struct command_group *const cli_groups[] = {
	&builder_group,
	&container_group,
	&image_group,
	&manifest_group,
	&system_group,
	&volume_group,
	NULL,
};
/* clang-format on */
