/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint and restore: argv to container_checkpoint and container_restore. */
#include "lib/cleanup.h"
#include "runtime/cli/cli.h"
#include "runtime/texts.h"

#define IMAGE_PATH "checkpoint"

/* clang-format off */
/* Of both verbs. */
static const struct option_spec criu_options[] = {
	OPT_STRING(0, "image-path", struct container_criu_options, image_path, "DIR",
		   "where the images are (default: ./" IMAGE_PATH ")"),
	OPT_STRING(0, "work-path", struct container_criu_options, work_path, "DIR",
		   "where criu writes its log (default: the one of the images)"),
	OPT_BOOL(0, "tcp-established", struct container_criu_options, tcp_established,
		 "also established TCP connections"),
	OPT_BOOL(0, "ext-unix-sk", struct container_criu_options, ext_unix_sk,
		 "also unix sockets that end outside of the container"),
	OPT_BOOL(0, "shell-job", struct container_criu_options, shell_job,
		 "also processes on the caller's terminal"),
	OPT_BOOL(0, "file-locks", struct container_criu_options, file_locks, "also file locks"),
	OPT_BOOL(0, "lazy-pages", struct container_criu_options, lazy_pages,
		 "memory follows when it is touched, by userfaultfd(2)"),
	OPT_BOOL(0, "auto-dedup", struct container_criu_options, auto_dedup,
		 "drop memory from older images that newer ones have"),
	OPT_STRV(0, "empty-ns", struct container_criu_options, empty_ns, "network",
		 "leave this namespace empty"),
	OPT_STRING(0, "manage-cgroups-mode", struct container_criu_options, manage_cgroups_mode,
		   "MODE", "soft, full, strict or ignore: what becomes of cgroups"),
	OPT_STRING(0, "network-lock", struct container_criu_options, network_lock, "METHOD",
		   "iptables, nftables or skip: how packets are held up meanwhile"),
	OPT_END
};

static const struct option_spec checkpoint_options[] = {
	OPT_INCLUDE(struct container_criu_options, image_path, criu_options),
	OPT_STRING(0, "parent-path", struct container_criu_options, parent_path, "DIR",
		   "images of a pre-dump, relative to --image-path"),
	OPT_BOOL(0, "leave-running", struct container_criu_options, leave_running,
		 "let the container go on afterwards"),
	OPT_BOOL(0, "pre-dump", struct container_criu_options, pre_dump,
		 "write its memory alone and let it go on"),
	OPT_BOOL(0, "tcp-skip-in-flight", struct container_criu_options, tcp_skip_in_flight,
		 "leave out TCP connections that are not established yet"),
	OPT_BOOL(0, "link-remap", struct container_criu_options, link_remap,
		 "also open files that have been deleted but have other names"),
	OPT_STRING(0, "page-server", struct container_criu_options, page_server, "ADDRESS:PORT",
		   "send the memory to this page server of criu"),
	OPT_STRING(0, "status-fd", struct container_criu_options, status_fd, "FD",
		   "write a NUL byte to it when lazy pages can be asked for"),
	OPT_END
};

struct restore_args {
	struct container_create_options create;
	struct container_criu_options criu;
};

static const struct option_spec restore_options[] = {
	OPT_STRING('b', "bundle", struct restore_args, create.bundle, "DIR",
		   "the bundle: config.json and what it names (default: the working directory)"),
	OPT_STRING('f', "config", struct restore_args, create.config, "FILE",
		   "read this instead of the bundle's config.json"),
	OPT_STRING(0, "console-socket", struct restore_args, create.console_socket, "PATH",
		   "unix socket that is sent the master of the container's terminal"),
	OPT_STRING(0, "pidfd-socket", struct restore_args, create.pidfd_socket, "PATH",
		   "unix socket that is sent a pidfd of the container's process"),
	OPT_STRING(0, "pid-file", struct restore_args, create.pid_file, "FILE",
		   "write the process id to this file"),
	OPT_BOOL('d', "detach", struct restore_args, create.detach,
		 "return when the processes go on"),
	OPT_BOOL(0, "keep", struct restore_args, create.keep,
		 "do not delete the container when its process has ended"),
	OPT_ACCEPTED(0, "no-subreaper", NULL, "we are never the reaper of the container's orphans"),
	OPT_ACCEPTED(0, "no-pivot", NULL, "criu decides how it enters the root"),
	OPT_INCLUDE(struct restore_args, criu, criu_options),
	OPT_BOOL(0, "tcp-close", struct restore_args, criu.tcp_close,
		 "restore TCP connections as closed ones"),
	OPT_STRING(0, "lsm-profile", struct restore_args, criu.lsm_profile, "TYPE:NAME",
		   "another profile: apparmor:NAME or selinux:LABEL"),
	OPT_STRING(0, "lsm-mount-context", struct restore_args, criu.lsm_mount_context, "CONTEXT",
		   "another SELinux context of the mounts"),
	OPT_END
};
/* clang-format on */

static int resolve(struct cli *cli, struct container_criu_options *options)
{
	int ret;

	if (!options->image_path)
		options->image_path = IMAGE_PATH;
	ret = cli_resolve_path(cli, &options->image_path);
	return ret < 0 ? ret : cli_resolve_path(cli, &options->work_path);
}

static int cmd_checkpoint(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct container_criu_options options = { .image_path = NULL };
	struct option_result result;
	struct cli *cli = globals;
	int ret = cli_parse_id(cli, command, argc, argv, &options, &result);

	if (ret == 0)
		ret = resolve(cli, &options);
	if (ret == 0)
		ret = container_checkpoint(cli_globals(cli), result.arguments[0], &options,
					   &cli->err);
	options_done(command->options, &options);
	return ret;
}

static int restore(struct cli *cli, const char *id, struct restore_args *args, int *out_status)
{
	int ret = create_prepare(cli, id, &args->create);

	if (ret == 0)
		ret = resolve(cli, &args->criu);
	if (ret == 0)
		ret = container_restore(cli_globals(cli), id, &args->create, &args->criu,
					out_status, &cli->err);
	return error_prefix(&cli->err, ret, TEXT_RESTORE_FAILED);
}

static int cmd_restore(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct restore_args args = { .create = { .bundle = NULL } };
	struct option_result result;
	struct cli *cli = globals;
	int status = 0, ret = cli_parse(cli, command, argc, argv, &args, &result);

	if (ret == 0)
		ret = restore(cli, result.arguments[0], &args, &status);
	options_done(command->options, &args);
	return ret < 0 ? ret : status;
}

const struct command_spec checkpoint_command = {
	.name = "checkpoint",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = checkpoint_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_checkpoint,
	.summary = "write the processes of a container to files, with criu(8)",
	.description = "The container is deleted then, unless --leave-running or --pre-dump is\n"
		       "given.",
};

const struct command_spec restore_command = {
	.name = "restore",
	.arguments = "CONTAINER-ID",
	.options = restore_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_restore,
	.summary = "make a container of what checkpoint has written",
	.description =
		"Unless it is detached, it is waited for and deleted, and the exit status is\n"
		"that of the container's process, as with run.",
};
