/* SPDX-License-Identifier: Apache-2.0 */
/* explain: what create would do for a config.json, without doing it. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "runtime/cli/cli.h"
#include "runtime/cli/document.h"
#include "runtime/plan/print.h"
#include "runtime/texts.h"

struct explain_args {
	struct document_options document;
};

static const struct option_spec explain_options[] = {
	OPT_INCLUDE(struct explain_args, document, document_options), OPT_END
};

static int compile(struct cli *cli, const struct document *document, struct oci_config **config,
		   struct plan *plan)
{
	struct plan_request request;
	int ret;

	ret = config_decode(document->name, strbuf_text(&document->text), document->text.size,
			    &cli->arena, config, &cli->err);
	if (ret == 0)
		ret = config_check(*config, &cli->err);
	if (ret < 0)
		return ret;
	document_request(cli, document, &request);
	return plan_compile(*config, &request, plan, &cli->err);
}

static int explain(struct cli *cli, const struct document_options *options, const char *file,
		   bool json)
{
	cleanup_document struct document document = { .name = NULL };
	cleanup_plan struct plan plan = { .id = NULL };
	cleanup_view struct view view = { .count = 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct oci_config *config = NULL;
	int ret;

	ret = document_read(cli, options, file, &document);
	if (ret < 0)
		return ret;
	ret = compile(cli, &document, &config, &plan);
	if (ret < 0)
		return error_prefix(&cli->err, ret,
				    "no plan (\"" CLI_NAME " validate\" says all that is wrong)");
	plan_view(&plan, config, &view);
	if (json)
		view_write_json(&view, &text);
	else
		view_write_text(&view, document_color(), &text);
	fputs(strbuf_text(&text), stdout);
	return 0;
}

static int cmd_explain(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct explain_args args = { .document = { .bundle = NULL } };
	struct option_result result;
	struct cli *cli = globals;
	bool json;
	int ret;

	ret = cli_parse(cli, command, argc, argv, &args, &result);
	if (ret < 0)
		return ret;
	ret = document_format(cli, &args.document, &json);
	if (ret < 0)
		return ret;
	return explain(cli, &args.document, result.arguments[0], json);
}

const struct command_spec explain_command = {
	.name = "explain",
	.arguments = "[-]",
	.options = explain_options,
	.arguments_max = 1,
	.run = cmd_explain,
	.summary = "show what create would do for a config.json",
	.description = "Nothing is made, no privilege is needed, and the same document gives the "
		       "same text on\n"
		       "every host. \"-\" reads it from stdin.",
};
