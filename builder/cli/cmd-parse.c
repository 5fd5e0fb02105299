/* SPDX-License-Identifier: Apache-2.0 */
/* parse: a Dockerfile as this builder reads it, as JSON or as canonical text. Looks at no image and
 * no context. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "builder/context/context.h"
#include "builder/dockerfile/ast.h"
#include "builder/image/image.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"
#include "lib/io.h"

struct parse_args {
	struct strv build_args;
	const char *target, *platform;
	bool ast, graph, canonical;
};

/* clang-format off */
static const struct option_spec parse_options[] = {
	OPT_BOOL(0, "ast", struct parse_args, ast,
		 "the instructions with their places as JSON (the default)"),
	OPT_BOOL(0, "graph", struct parse_args, graph, "the stages and what each needs as JSON"),
	OPT_BOOL(0, "canonical", struct parse_args, canonical,
		 "text that reads as the same instructions, each on a line of its own"),
	OPT_STRV(0, "build-arg", struct parse_args, build_args, "NAME=VALUE",
		 "value of an ARG (for --graph)"),
	OPT_STRING(0, "target", struct parse_args, target, "STAGE",
		   "the stage that counts (for --graph; default: the last)"),
	OPT_STRING(0, "platform", struct parse_args, platform, "OS/ARCH",
		   "of the build (for --graph; default: this machine's)"),
	OPT_END
};
/* clang-format on */

static int read_file(const char *path, struct strbuf *text, struct error *err)
{
	int ret;

	if (strcmp(path, "-") != 0)
		return io_read_file(AT_FDCWD, path, CONTEXT_DOCKERFILE_MAX, text, err);
	ret = io_read_rest(STDIN_FILENO, CONTEXT_DOCKERFILE_MAX, text);
	return ret < 0 ? error_errno(err, -ret, "read the Dockerfile from standard input") : 0;
}

static int print_graph(const struct parse_args *args, struct dockerfile *dockerfile,
		       struct source_range *where, struct error *err)
{
	cleanup_stages struct stages stages = { 0 };
	cleanup_free char *host = platform_host();
	struct stages_options options = { .build_args = &args->build_args,
					  .target = args->target,
					  .platform = args->platform ? args->platform : host };
	int ret = stages_resolve(dockerfile, &options, &stages, err);

	*where = stages.where;
	if (ret == 0)
		stages_print_json(&stages, stdout);
	return ret;
}

static int parse(const struct parse_args *args, const char *path, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_dockerfile struct dockerfile dockerfile = { 0 };
	struct source_range where;
	int ret = read_file(path, &text, err);

	if (ret < 0)
		return ret;
	ret = dockerfile_parse(strcmp(path, "-") == 0 ? "Dockerfile" : path, strbuf_text(&text),
			       text.size, &dockerfile, err);
	where = dockerfile.where;
	if (ret == 0 && args->graph)
		ret = print_graph(args, &dockerfile, &where, err);
	else if (ret == 0 && args->canonical)
		dockerfile_print(&dockerfile, stdout);
	else if (ret == 0)
		dockerfile_print_ast(&dockerfile, true, stdout);
	if (ret < 0)
		dockerfile_print_excerpt(&dockerfile.source, &where, stderr);
	return ret;
}

static int cmd_parse(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct parse_args args = { .ast = false };
	struct option_result result;
	int ret = cli_parse(cli, command, argc, argv, &args, &result);

	if (ret == 0 && args.ast + args.graph + args.canonical > 1)
		ret = error_set(&cli->err, ERROR_USAGE, 0,
				"only one of --ast, --graph and --canonical");
	if (ret == 0)
		ret = parse(&args, result.arguments[0], &cli->err);
	options_done(parse_options, &args);
	return ret;
}

const struct command_spec parse_command = {
	.name = "parse",
	.arguments = "FILE",
	.options = parse_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_parse,
	.summary = "show how a Dockerfile is read",
};
