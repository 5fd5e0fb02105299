/* SPDX-License-Identifier: Apache-2.0 */
/* spec: writes a config.json to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/cli/cli.h"
#include "spec/config.h"

struct spec_args {
	const char *bundle, *config;
	bool rootless;
};

static const struct option_spec spec_options[] = {
	OPT_STRING('b', "bundle", struct spec_args, bundle, "DIR",
		   "write config.json here (default: the working directory)"),
	OPT_STRING('f', "config", struct spec_args, config, "NAME",
		   "the name of the file there (default: config.json)"),
	OPT_STRING(0, "file", struct spec_args, config, "NAME", "the same, as crun has it"),
	OPT_BOOL(0, "rootless", struct spec_args, rootless,
		 "for a user without privilege: with a user namespace"),
	OPT_END
};

static int write_new_file(struct cli *cli, const struct spec_args *args, const struct strbuf *text)
{
	cleanup_close int dirfd = open(args->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = -EBADF;
	int ret;

	if (dirfd < 0)
		return error_errno(&cli->err, errno, "open \"%s\"", args->bundle);
	fd = openat(dirfd, args->config, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0666 & ~cli->umask);
	if (fd < 0 && errno == EEXIST)
		return error_set(&cli->err, ERROR_EXISTS, 0, "File %s exists. Remove it first",
				 args->config);
	if (fd < 0)
		return error_errno(&cli->err, errno, "create \"%s/%s\"", args->bundle,
				   args->config);
	ret = io_write_all(fd, text->data, text->size);
	if (ret < 0) {
		(void)unlinkat(dirfd, args->config, 0); /* half a document helps nobody */
		return error_errno(&cli->err, -ret, "write \"%s/%s\"", args->bundle, args->config);
	}
	return 0;
}

static int cmd_spec(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct spec_args args = { .bundle = ".", .config = "config.json" };
	const struct oci_config *config;
	struct option_result result;
	struct cli *cli = globals;
	int ret;

	ret = cli_parse(cli, command, argc, argv, &args, &result);
	if (ret < 0)
		return ret;
	config = args.rootless ? config_default_rootless(&cli->arena, geteuid(), getegid())
			       : config_default(&cli->arena);
	config_write(config, JSON_INDENT_TAB, &text);
	strbuf_addc(&text, '\n');
	return write_new_file(cli, &args, &text);
}

const struct command_spec spec_command = {
	.name = "spec",
	.arguments = "",
	.options = spec_options,
	.run = cmd_spec,
	.summary = "write a config.json to begin with",
	.description =
		"It runs a shell on a terminal in the usual sandbox. A config.json that exists is\n"
		"never replaced.",
};
