/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder run: a container of an image in the foreground. */
#include <stdio.h>
#include <string.h>

#include "builder/build/runtime-exec.h"
#include "builder/cli/cli.h"
#include "builder/cli/pull-image.h"
#include "builder/cli/registry-args.h"
#include "builder/cli/sandbox-options.h"
#include "builder/container/network.h"
#include "builder/container/run.h"
#include "builder/image/platform.h"
#include "builder/registry/source.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

struct run_arguments {
	bool remove, interactive, terminal;
	struct strv env, volumes, ports;
	const char *cwd, *user, *name, *entrypoint, *hostname, *network, *runtime, *pull, *platform;
	struct sandbox_args sandbox;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec run_options[] = {
	OPT_BOOL(0, "rm", struct run_arguments, remove, "remove the container when it has ended"),
	OPT_BOOL('i', "interactive", struct run_arguments, interactive, "give it our standard input"),
	OPT_BOOL('t', "tty", struct run_arguments, terminal, "give it a terminal"),
	OPT_STRV('e', "env", struct run_arguments, env, "NAME[=VALUE]",
		 "set a variable; without a value, take ours"),
	OPT_STRV('v', "volume", struct run_arguments, volumes, "SOURCE:TARGET[:ro]",
		 "mount a folder or file of the host"),
	OPT_STRING('w', "workdir", struct run_arguments, cwd, "DIR", "start in this folder"),
	OPT_STRING('u', "user", struct run_arguments, user, "USER[:GROUP]",
		   "run as this user of the image, by name or number"),
	OPT_STRING(0, "name", struct run_arguments, name, "NAME", "name the container"),
	OPT_STRING(0, "entrypoint", struct run_arguments, entrypoint, "PROGRAM",
		   "instead of the image's; \"\" = none"),
	OPT_STRING('h', "hostname", struct run_arguments, hostname, "NAME",
		   "the container's hostname (default: the first 12 digits of its id)"),
	OPT_STRING(0, "network", struct run_arguments, network, "host|none|bridge",
		   "the host's network (default), none but lo, or an address of its own"),
	OPT_STRV('p', "publish", struct run_arguments, ports, "[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]",
		 "a port of the host that leads to one of the container; it is on the bridge then"),
	OPT_INCLUDE(struct run_arguments, sandbox, sandbox_options),
	OPT_OPTIONAL(0, "pull", struct run_arguments, pull, "missing|always|newer|never",
		     "when the image is pulled (default: missing; --pull alone: always)"),
	OPT_STRING(0, "platform", struct run_arguments, platform, "OS/ARCH[/VARIANT]",
		   "of an image of several platforms (default: this machine's)"),
	OPT_INCLUDE(struct run_arguments, registry, registry_option_table),
	OPT_STRING(0, "runtime", struct run_arguments, runtime, "PROGRAM",
		   "the OCI runtime to use (default: orlop-runtime)"),
	OPT_END
};
/* clang-format on */

static int pull(struct cli *cli, const struct pull_image *pull, const char *name, bool missing)
{
	cleanup_strbuf struct strbuf familiar = STRBUF_INIT;
	struct reference reference;
	int ret = reference_parse(name, &reference, &cli->err);

	if (ret < 0)
		return ret;
	reference_familiar(&reference, true, &familiar);
	if (missing)
		fprintf(stderr, "Unable to find image '%s' locally\n", strbuf_text(&familiar));
	return pull_image(pull, &reference, &cli->err);
}

/* The image and its layers, as --pull says. */
static int have_image(struct cli *cli, const struct run_arguments *arguments, struct store *store,
		      const char *name, const char *platform)
{
	cleanup_registry struct registry *registry = NULL;
	struct pull_image from = { .store = store, .platform = platform, .out = stderr };
	cleanup_image struct image image = { .arena = ARENA_INIT };
	int policy = PULL_MISSING;
	int ret = cli_choose(cli, "--pull", pull_policies, arguments->pull, &policy);

	if (ret == 0)
		ret = registry_args_open(&arguments->registry, -EBADF, &registry, &cli->err);
	if (ret < 0)
		return ret;
	from.registry = registry;
	if (policy == PULL_ALWAYS || policy == PULL_NEWER) {
		ret = pull(cli, &from, name, false);
		if (ret == 0 || policy == PULL_ALWAYS)
			return ret;
	}
	ret = image_load_for(store, name, platform, &image, &cli->err);
	if (ret == -ENOENT && policy == PULL_MISSING)
		return pull(cli, &from, name, true);
	/* of an image that was only built upon the layers may not have come yet; one that has lost
	 * them is not replaced by what a registry has under its name */
	return ret < 0 ? ret : pull_layers(store, registry, &image, NULL, &cli->err);
}

static int run_with(struct cli *cli, const struct run_arguments *arguments, char **words)
{
	cleanup_store struct store store = STORE_INIT;
	/* before we enter a mount namespace: from there, in a chroot, our own path reads wrong */
	cleanup_free char *runtime = runtime_find(arguments->runtime);
	cleanup_sandbox struct sandbox sandbox = { .hosts = NULL };
	struct run_options options = {
		.image = words[0],
		.args = words + 1,
		.name = arguments->name,
		.user = arguments->user,
		.cwd = arguments->cwd,
		.entrypoint = arguments->entrypoint,
		.hostname = arguments->hostname,
		.runtime = runtime,
		.env = &arguments->env,
		.volumes = &arguments->volumes,
		.sandbox = &sandbox,
		.remove = arguments->remove,
		.interactive = arguments->interactive,
		.terminal = arguments->terminal,
	};
	cleanup_free char *host = xasprintf("linux/%s", platform_host_architecture());
	cleanup_free char *platform = NULL;
	int status = 0;
	int network = arguments->ports.count ? RUN_NETWORK_BRIDGE : RUN_NETWORK_HOST;
	struct network_port *ports = NULL;
	int ret = cli_choose(cli, "--network", run_networks, arguments->network, &network);

	if (ret == 0)
		ret = network_ports_parse(&arguments->ports, &cli->arena, &ports,
					  &options.port_count, &cli->err);
	options.network = (enum run_network)network;
	options.ports = ports;
	if (ret == 0 && options.port_count && options.network != RUN_NETWORK_BRIDGE)
		ret = error_set(&cli->err, ERROR_USAGE, 0,
				"--publish is for --network bridge: there is no other address");
	if (ret == 0 && arguments->platform)
		ret = platform_normalize(arguments->platform, host, &platform, &cli->err);
	options.platform = platform;
	if (ret == 0)
		ret = sandbox_parse(&arguments->sandbox, &cli->arena, &sandbox, &cli->err);
	if (ret == 0)
		ret = cli_open_store(cli, true, &store);
	if (ret == 0)
		ret = have_image(cli, arguments, &store, words[0], platform);
	if (ret == 0)
		ret = container_run(&store, &options, &status, &cli->err);
	return ret < 0 ? ret : status;
}

static int run_run(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct run_arguments arguments = { 0 };
	struct option_result words = { 0 };
	struct cli *cli = globals;
	int ret;

	cli->failure_status = CLI_RUN_FAILED;
	ret = cli_parse(cli, command, argc, argv, &arguments, &words);
	if (ret == 0)
		ret = run_with(cli, &arguments, words.arguments);
	options_done(run_options, &arguments);
	return ret;
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
