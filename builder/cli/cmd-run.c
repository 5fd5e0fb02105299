/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder run and create: a new container of an image, started or not. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "builder/cli/container-args.h"
#include "builder/cli/pull-image.h"
#include "builder/cli/registry-args.h"
#include "builder/cli/run-options.h"
#include "builder/cli/sandbox-options.h"
#include "builder/container/container.h"
#include "builder/image/platform.h"
#include "builder/registry/short-names.h"
#include "builder/registry/source.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"

struct run_arguments {
	bool quiet, remove, interactive, terminal, detach, read_only, init, publish_all;
	struct strv env, env_files, label_files, volumes, mounts, tmpfs, volumes_from, ports, links,
		labels;
	const char *cwd, *user, *name, *entrypoint, *hostname, *network, *runtime, *pull, *platform;
	const char *stop_signal, *stop_timeout, *detach_keys, *restart, *id_file;
	struct sandbox_args sandbox;
	struct run_option_args settings;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec create_options[] = {
	OPT_BOOL(0, "rm", struct run_arguments, remove, "remove the container when it has ended"),
	OPT_BOOL('i', "interactive", struct run_arguments, interactive, "give it our standard input"),
	OPT_BOOL('t', "tty", struct run_arguments, terminal, "give it a terminal"),
	OPT_STRV('e', "env", struct run_arguments, env, "NAME[=VALUE]",
		 "set a variable; without a value, take ours"),
	OPT_STRV(0, "env-file", struct run_arguments, env_files, "FILE", "set the variables of a file's lines"),
	OPT_STRV('v', "volume", struct run_arguments, volumes, "[SOURCE:]TARGET[:OPTIONS]",
		 "mount a folder or file of the host, or a volume of the store"),
	OPT_STRV(0, "mount", struct run_arguments, mounts, "type=bind|volume|tmpfs,source=SOURCE,target=TARGET",
		 "the same in words"),
	OPT_STRV(0, "tmpfs", struct run_arguments, tmpfs, "TARGET[:OPTIONS]", "mount an empty file system in memory"),
	OPT_STRV(0, "volumes-from", struct run_arguments, volumes_from, "CONTAINER[:ro]",
		 "mount what another container has mounted"),
	OPT_STRING('w', "workdir", struct run_arguments, cwd, "DIR", "start in this folder"),
	OPT_STRING('u', "user", struct run_arguments, user, "USER[:GROUP]",
		   "run as this user of the image, by name or number"),
	OPT_STRING(0, "name", struct run_arguments, name, "NAME", "name the container (default: two words)"),
	OPT_STRING(0, "cidfile", struct run_arguments, id_file, "FILE", "write the container's id to this new file"),
	OPT_STRV('l', "label", struct run_arguments, labels, "NAME[=VALUE]", "label the container"),
	OPT_STRV(0, "label-file", struct run_arguments, label_files, "FILE", "with the labels of a file's lines"),
	OPT_BOOL('q', "quiet", struct run_arguments, quiet, "do not tell what is pulled"),
	OPT_STRING(0, "entrypoint", struct run_arguments, entrypoint, "PROGRAM",
		   "instead of the image's; \"\" = none"),
	OPT_BOOL(0, "init", struct run_arguments, init, "a first process that passes on signals and reaps"),
	OPT_BOOL(0, "read-only", struct run_arguments, read_only, "mount the root file system read-only"),
	OPT_STRING('h', "hostname", struct run_arguments, hostname, "NAME",
		   "the container's hostname (default: the first 12 digits of its id)"),
	OPT_STRING(0, "network", struct run_arguments, network, "bridge|host|none|container:NAME",
		   "an address of its own (default), the host's network, none but lo, or another's"),
	OPT_STRV('p', "publish", struct run_arguments, ports, "[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]",
		 "a port of the host that leads to one of the container"),
	OPT_BOOL('P', "publish-all", struct run_arguments, publish_all,
		 "publish what the image exposes, at ports that are free"),
	OPT_STRV(0, "link", struct run_arguments, links, "NAME[:ALIAS]",
		 "a line for /etc/hosts with another container's address"),
	OPT_STRING(0, "stop-signal", struct run_arguments, stop_signal, "SIGNAL",
		   "what stop sends (default: the image's, else TERM)"),
	OPT_STRING(0, "stop-timeout", struct run_arguments, stop_timeout, "SECONDS",
		   "how long stop waits before it kills (default: 10)"),
	OPT_STRING(0, "detach-keys", struct run_arguments, detach_keys, "KEYS",
		   "keys that end the attachment, not the container (default: ctrl-p,ctrl-q)"),
	OPT_STRING(0, "restart", struct run_arguments, restart, "no", "there is nobody to start it again"),
	OPT_INCLUDE(struct run_arguments, sandbox, sandbox_options),
	OPT_INCLUDE(struct run_arguments, settings, run_option_table),
	OPT_OPTIONAL(0, "pull", struct run_arguments, pull, "missing|always|newer|never",
		     "when the image is pulled (default: missing; --pull alone: always)"),
	OPT_STRING(0, "platform", struct run_arguments, platform, "OS/ARCH[/VARIANT]",
		   "of an image of several platforms (default: this machine's)"),
	OPT_INCLUDE(struct run_arguments, registry, registry_option_table),
	OPT_STRING(0, "runtime", struct run_arguments, runtime, "PROGRAM",
		   "the OCI runtime to use (default: orlop-runtime)"),
	OPT_END
};

static const struct option_spec run_options[] = {
	OPT_BOOL('d', "detach", struct run_arguments, detach, "in the background; print its id"),
	{ OPTION_INCLUDE, 0, NULL, 0, NULL, NULL, 0, create_options },
	OPT_END
};
/* clang-format on */

/* word becomes the name that was pulled, unless it says the same. */
static int pull(struct cli *cli, const struct pull_image *pull, const char **word, bool missing)
{
	cleanup_strbuf struct strbuf familiar = STRBUF_INIT, full = STRBUF_INIT, told = STRBUF_INIT;
	struct reference reference, name;
	int ret = reference_parse(*word, &reference, &cli->err);

	if (ret < 0)
		return ret;
	reference_familiar(&reference, true, &familiar);
	if (missing && pull->out)
		fprintf(pull->out, "Unable to find image '%s' locally\n", strbuf_text(&familiar));
	ret = pull_image_first(pull, *word, &name, &cli->err);
	if (ret < 0)
		return ret;
	reference_full(&reference, &told);
	reference_full(&name, &full);
	if (strcmp(strbuf_text(&told), strbuf_text(&full)) != 0)
		*word = arena_strdup(&cli->arena, strbuf_text(&full));
	return 0;
}

/* What the word stands for and the store has; -ENOENT: nothing. The word itself counts first. */
static int load(struct cli *cli, const struct pull_image *from, const char **word,
		struct image *out)
{
	cleanup_strv struct strv names = STRV_INIT;
	int ret = image_load_for(from->store, *word, from->platform, out, &cli->err);

	if (ret != -ENOENT)
		return ret;
	if (short_names_list(from->registry, *word, &names, NULL) < 0)
		return ret;
	for (size_t i = 0; ret == -ENOENT && i < names.count; i++) {
		ret = image_load_for(from->store, names.items[i], from->platform, out, NULL);
		if (ret == 0)
			*word = arena_strdup(&cli->arena, names.items[i]);
	}
	return ret;
}

/* The image and its layers, as --pull says. */
static int have_image(struct cli *cli, const struct run_arguments *arguments, struct store *store,
		      const char **word, const char *platform)
{
	cleanup_registry struct registry *registry = NULL;
	struct pull_image from = { .store = store,
				   .platform = platform,
				   .out = arguments->quiet ? NULL : stderr };
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int policy = PULL_MISSING;
	int ret = cli_choose(cli, "--pull", pull_policies, arguments->pull, &policy);

	if (ret == 0)
		ret = registry_args_open(&arguments->registry, -EBADF, &registry, &cli->err);
	if (ret < 0)
		return ret;
	from.registry = registry;
	if (policy == PULL_ALWAYS || policy == PULL_NEWER) {
		ret = pull(cli, &from, word, false);
		if (ret == 0 || policy == PULL_ALWAYS)
			return ret;
	}
	ret = load(cli, &from, word, &image);
	if (ret == -ENOENT && policy == PULL_MISSING)
		return pull(cli, &from, word, true);
	/* of an image that was only built upon the layers may not have come yet; one that has lost
	 * them is not replaced by what a registry has under its name */
	return ret < 0 ? ret : pull_layers(store, registry, &image, NULL, &cli->err);
}

/* With the daemon there is no one to do it. */
static int check_restart(struct cli *cli, const char *policy)
{
	if (!policy || strcmp(policy, "no") == 0)
		return 0;
	return error_set(&cli->err, ERROR_USAGE, 0,
			 "--restart %s: there is no daemon that could start a container again; "
			 "use a systemd unit around \"run\", or podman or dockerd with "
			 "orlop-runtime under them",
			 policy);
}

/* What the command line says. env, labels, platform and sandbox live as long as the options. */
static int read_options(struct cli *cli, const struct run_arguments *arguments, struct strv *env,
			struct strv *labels, struct sandbox *sandbox, struct container_options *out)
{
	cleanup_free char *host = xasprintf("linux/%s", platform_host_architecture());
	const char *network = getenv("ORLOP_NETWORK");
	int ret = check_restart(cli, arguments->restart);

	if (ret == 0)
		ret = lines_files_read("--env-file", &arguments->env_files, env, &cli->err);
	strv_add_all(env, arguments->env.items);
	if (ret == 0)
		ret = lines_files_read("--label-file", &arguments->label_files, labels, &cli->err);
	strv_add_all(labels, arguments->labels.items);
	if (ret == 0 && arguments->platform) {
		char *platform = NULL;

		ret = platform_normalize(arguments->platform, host, &platform, &cli->err);
		out->platform = platform ? arena_strdup(&cli->arena, platform) : NULL;
		free(platform);
	}
	if (ret == 0)
		ret = sandbox_parse(&arguments->sandbox, &cli->arena, sandbox, &cli->err);
	if (ret == 0)
		ret = run_options_parse(&arguments->settings, &cli->arena, sandbox, &cli->err);
	out->name = arguments->name;
	out->user = arguments->user;
	out->cwd = arguments->cwd;
	out->entrypoint = arguments->entrypoint;
	out->hostname = arguments->hostname;
	out->env = env;
	out->mounts = (struct mount_words){ .volumes = &arguments->volumes,
					    .mounts = &arguments->mounts,
					    .tmpfs = &arguments->tmpfs,
					    .from = &arguments->volumes_from };
	out->network = network && *network ? network : "bridge";
	if (arguments->ports.count || arguments->publish_all || arguments->network)
		out->network = arguments->network ? arguments->network : "bridge";
	out->ports = &arguments->ports;
	out->publish_all = arguments->publish_all;
	out->links = &arguments->links;
	out->labels = labels;
	out->sandbox = sandbox;
	out->hosts = &arguments->sandbox.hosts;
	out->stop_signal = arguments->stop_signal;
	out->stop_timeout = arguments->stop_timeout;
	out->detach_keys = arguments->detach_keys;
	out->remove = arguments->remove;
	out->interactive = arguments->interactive;
	out->terminal = arguments->terminal;
	out->read_only = arguments->read_only;
	out->init = arguments->init;
	return ret;
}

/* One that is there is another container's. */
static int check_id_file(struct cli *cli, const char *path)
{
	if (!path || io_is_in_place(path) || access(path, F_OK) < 0)
		return 0;
	return error_set(&cli->err, ERROR_EXISTS, 0,
			 "--cidfile: \"%s\" is there already: another container's id may be in it; "
			 "remove it, or name another file",
			 path);
}

/* A container whose id nobody gets to know is not left behind. */
static int write_id_file(struct cli *cli, const char *path, struct container *container)
{
	const char *id = container->record.id;
	int ret = path ? io_write_result(path, id, strlen(id), &cli->err) : 0;

	if (ret < 0)
		(void)container_delete(container, true, true, NULL); /* the first error counts */
	return error_prefix(&cli->err, ret, "--cidfile");
}

static int create(struct cli *cli, const struct run_arguments *arguments, struct store *store,
		  char **words, bool foreground, struct container *out)
{
	/* before we enter a mount namespace: from there, in a chroot, our own path reads wrong */
	cleanup_free char *runtime = runtime_find(arguments->runtime);
	cleanup_sandbox struct sandbox sandbox = { .hosts = NULL };
	cleanup_strv struct strv env = STRV_INIT, labels = STRV_INIT;
	struct container_options options = {
		.image = words[0], .args = words + 1, .runtime = runtime, .foreground = foreground
	};
	int ret = read_options(cli, arguments, &env, &labels, &sandbox, &options);

	if (ret == 0)
		ret = check_id_file(cli, arguments->id_file);
	if (ret == 0)
		ret = cli_open_store(cli, true, store);
	if (ret == 0)
		ret = have_image(cli, arguments, store, &options.image, options.platform);
	if (ret == 0)
		ret = container_create(store, &options, out, &cli->err);
	return ret < 0 ? ret : write_id_file(cli, arguments->id_file, out);
}

static int run_with(struct cli *cli, const struct run_arguments *arguments, char **words)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_free char *program = cli_program_path();
	const struct container_start start = { .program = program,
					       .attach = !arguments->detach,
					       .interactive = arguments->interactive };
	int status = 0, ret;

	if (arguments->terminal && arguments->interactive && !arguments->detach &&
	    !isatty(STDIN_FILENO))
		return error_invalid(&cli->err, "-t and -i need a terminal on standard input");
	ret = create(cli, arguments, &store, words, !arguments->detach, &container);
	if (ret == 0)
		ret = container_start(&container, &start, &status, &cli->err);
	if (ret == 0 && arguments->detach && status == 0)
		puts(container.record.id);
	return ret < 0 ? ret : status;
}

static int create_with(struct cli *cli, const struct run_arguments *arguments, char **words)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_container struct container container = CONTAINER_INIT;
	int ret = create(cli, arguments, &store, words, false, &container);

	if (ret == 0)
		puts(container.record.id);
	return ret;
}

static int parse(struct cli *cli, const struct command_spec *command, int argc, char **argv,
		 int (*with)(struct cli *cli, const struct run_arguments *arguments, char **words))
{
	struct run_arguments arguments = { 0 };
	struct option_result words = { 0 };
	int ret;

	cli->failure_status = CLI_RUN_FAILED;
	ret = cli_parse(cli, command, argc, argv, &arguments, &words);
	if (ret == 0)
		ret = with(cli, &arguments, words.arguments);
	options_done(command->options, &arguments);
	return ret;
}

static int run_run(const struct command_spec *command, int argc, char **argv, void *globals)
{
	return parse(globals, command, argc, argv, run_with);
}

static int run_create(const struct command_spec *command, int argc, char **argv, void *globals)
{
	return parse(globals, command, argc, argv, create_with);
}

const struct command_spec run_command = {
	.name = "run",
	.arguments = "IMAGE [COMMAND [ARG...]]",
	.options = run_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.stop_at_argument = true,
	.run = run_run,
	.summary = "run a command in a new container of an image",
	.description = "The container sees the image through a copy-on-write layer of its own. Its "
		       "exit status is\n"
		       "the command's own; 126 and 127 say that the command could not be executed "
		       "or was not\n"
		       "found, 125 that the container could not be made.",
};

const struct command_spec create_command = {
	.name = "create",
	.arguments = "IMAGE [COMMAND [ARG...]]",
	.options = create_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.stop_at_argument = true,
	.run = run_create,
	.summary = "make a container of an image, to be started later",
};
