/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder pull: an image from a registry into the store. */
#include <stdio.h>
#include <string.h>

#include "builder/cli/cli.h"
#include "builder/cli/pull-image.h"
#include "builder/cli/registry-args.h"
#include "builder/image/platform.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

struct pull_arguments {
	bool quiet, all;
	const char *platform;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec pull_options[] = {
	OPT_BOOL('q', "quiet", struct pull_arguments, quiet, "print the image's name only"),
	OPT_BOOL('a', "all-platforms", struct pull_arguments, all, "of all platforms that it has"),
	OPT_STRING(0, "platform", struct pull_arguments, platform, "OS/ARCH[/VARIANT]",
		   "of this platform (default: this machine's)"),
	OPT_INCLUDE(struct pull_arguments, registry, registry_option_table),
	OPT_END
};
/* clang-format on */

static int do_pull(struct cli *cli, const struct pull_arguments *arguments, const char *word)
{
	cleanup_registry struct registry *registry = NULL;
	cleanup_store struct store store = STORE_INIT;
	cleanup_free char *host = xasprintf("linux/%s", platform_host_architecture());
	cleanup_free char *platform = NULL;
	cleanup_strbuf struct strbuf full = STRBUF_INIT;
	struct pull_image pull = { .store = &store,
				   .all = arguments->all,
				   .out = arguments->quiet ? NULL : stderr };
	struct reference name;
	int ret = reference_parse(word, &name, &cli->err);

	if (ret == 0 && arguments->platform)
		ret = platform_normalize(arguments->platform, host, &platform, &cli->err);
	if (ret < 0) {
		cli->err.code = ERROR_USAGE;
		return ret;
	}
	ret = registry_args_open(&arguments->registry, -EBADF, &registry, &cli->err);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	pull.registry = registry;
	pull.platform = platform;
	if (pull.out && !strpbrk(strrchr(word, '/') ? strrchr(word, '/') : word, ":@"))
		fprintf(pull.out, "Using default tag: latest\n");
	ret = pull_image_first(&pull, word, &name, &cli->err);
	if (ret < 0)
		return ret;
	reference_full(&name, &full);
	puts(strbuf_text(&full));
	return 0;
}

static int run_pull(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct pull_arguments arguments = { 0 };
	struct option_result words = { 0 };
	int ret = cli_parse(globals, command, argc, argv, &arguments, &words);

	return ret < 0 ? ret : do_pull(globals, &arguments, words.arguments[0]);
}

const struct command_spec pull_command = {
	.name = "pull",
	.arguments = "IMAGE",
	.options = pull_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_pull,
	.summary = "get an image from a registry",
};
