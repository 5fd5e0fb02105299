/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder push: an image of the store to a registry. */
#include <stdio.h>
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/registry-args.h"
#include "builder/image/image-index.h"
#include "builder/image/platform.h"
#include "builder/registry/push.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

struct push_arguments {
	bool quiet, all;
	const char *platform;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec push_options[] = {
	OPT_BOOL('q', "quiet", struct push_arguments, quiet, "print the pushed name only"),
	OPT_BOOL('a', "all-platforms", struct push_arguments, all, "all platforms that it has"),
	OPT_STRING(0, "platform", struct push_arguments, platform, "OS/ARCH[/VARIANT]",
		   "of an image of several platforms (default: this machine's)"),
	OPT_INCLUDE(struct push_arguments, registry, registry_option_table),
	OPT_END
};
/* clang-format on */

static void tell_layer(void *context, const char *digest, bool was_there)
{
	(void)context;
	fprintf(stderr, "%.12s: %s\n", digest + strlen("sha256:"),
		was_there ? "Layer already exists" : "Pushed");
}

static int send_image(struct cli *cli, struct store *store, const struct push_arguments *arguments,
		      const char *word, const char *platform, const struct reference *name)
{
	static const struct push_events shown = { .layer = tell_layer }, silent = { NULL, NULL };
	const struct push_events *events = arguments->quiet ? &silent : &shown;
	cleanup_registry struct registry *registry = NULL;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	struct push_result result;
	int ret = image_load_for(store, word, platform, &image, &cli->err);

	if (ret == 0)
		ret = registry_args_open(&arguments->registry, -EBADF, &registry, &cli->err);
	if (ret < 0)
		return ret;
	if (!arguments->quiet)
		fprintf(stderr, "The push refers to repository [%s]\n", name->name);
	if (arguments->all && media_type_is_index(image.top.media_type))
		ret = push_index(store, registry, &image.top, name, events, &result, &cli->err);
	else
		ret = push_image(store, registry, &image, name, events, &result, &cli->err);
	if (ret < 0)
		return ret;
	if (!arguments->quiet)
		fprintf(stderr, "%s: digest: %s size: %llu\n", name->tag, result.digest.text,
			(unsigned long long)result.size);
	printf("%s@%s\n", name->name, result.digest.text);
	return 0;
}

static int run_push(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct push_arguments arguments = { 0 };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_free char *host = platform_host(), *platform = NULL;
	struct reference name;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = cli_parse_name(cli, words.arguments[words.count - 1], &name);
	if (ret == 0 && arguments.platform)
		ret = platform_normalize(arguments.platform, host, &platform, &cli->err);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	return ret < 0 ? ret
		       : send_image(cli, &store, &arguments, words.arguments[0], platform, &name);
}

const struct command_spec push_command = {
	.name = "push",
	.arguments = "IMAGE [NAME[:TAG]]",
	.options = push_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_push,
	.summary = "send an image to a registry",
};
