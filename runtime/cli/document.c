/* SPDX-License-Identifier: Apache-2.0 */
/* The config.json of validate and explain: of a bundle, a file, or stdin. */
#include "runtime/cli/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/io.h"
#include "spec/config.h"

/* clang-format off */
const struct option_spec document_options[] = {
	OPT_STRING('b', "bundle", struct document_options, bundle, "DIR",
		   "the bundle: config.json and what it names (default: the working directory)"),
	OPT_STRING('f', "config", struct document_options, config, "FILE",
		   "read this instead of the bundle's config.json"),
	OPT_STRING(0, "format", struct document_options, format, "text|json",
		   "form of the output (default: text)"),
	OPT_END
};
/* clang-format on */

static int read_stdin(struct cli *cli, struct document *out)
{
	int ret = io_read_rest(STDIN_FILENO, CONFIG_SIZE_MAX, &out->text);

	out->name = "stdin";
	return ret < 0 ? error_errno(&cli->err, -ret, "read stdin") : 0;
}

static int read_document(struct cli *cli, const struct document_options *options,
			 const char *argument, struct document *out)
{
	const char *bundle = options->bundle ? options->bundle : ".";
	int ret;

	out->bundle = bundle;
	ret = cli_resolve_path(cli, &out->bundle);
	if (ret < 0)
		return ret;
	if (argument && strcmp(argument, "-") != 0)
		return error_set(&cli->err, ERROR_INVALID, 0,
				 "\"%s\": the only argument is \"-\", for stdin (a file: -f %s)",
				 argument, argument);
	if (argument || (options->config && strcmp(options->config, "-") == 0))
		return read_stdin(cli, out);
	out->name = options->config   ? options->config
		    : options->bundle ? arena_printf(&cli->arena, "%s/config.json", bundle)
				      : "config.json";
	ret = io_read_file(AT_FDCWD, out->name, CONFIG_SIZE_MAX, &out->text, &cli->err);
	return error_phase(&cli->err, ret, PHASE_CONFIG);
}

int document_parse(struct cli *cli, const struct command_spec *command, int argc, char **argv,
		   void *base, const struct document_options *options, struct document *out)
{
	struct option_result words;
	int ret = cli_parse(cli, command, argc, argv, base, &words);

	if (ret == 0)
		ret = cli_choose_json(cli, "format", "text", options->format, &out->json);
	return ret < 0 ? ret : read_document(cli, options, words.arguments[0], out);
}

void document_done(struct document *document)
{
	strbuf_done(&document->text);
}

void document_request(struct cli *cli, const struct document *document, struct plan_request *out)
{
	*out = (struct plan_request){
		.id = "ID", /* there is none: the plan shows where it would stand */
		.bundle = document->bundle,
		.cgroup_manager = cli_globals(cli)->cgroup_manager,
		.rootless = cli_globals(cli)->rootless,
		.look_only = true,
	};
}
