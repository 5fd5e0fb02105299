/* SPDX-License-Identifier: Apache-2.0 */
/* explain: what create would do for a config.json, without doing it. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/tty.h"
#include "runtime/cli/cli.h"
#include "runtime/cli/document.h"
#include "runtime/plan/print.h"
#include "runtime/texts.h"

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

static int explain(struct cli *cli, const struct document *document)
{
	cleanup_plan struct plan plan = { .id = NULL };
	cleanup_view struct view view = { .count = 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct oci_config *config = NULL;
	int ret = compile(cli, document, &config, &plan);

	if (ret < 0)
		return error_prefix(&cli->err, ret,
				    "no plan (\"" CLI_NAME " validate\" says all that is wrong)");
	plan_view(&plan, config, &view);
	if (document->json)
		view_write_json(&view, &text);
	else
		view_write_text(&view, tty_has_color(STDOUT_FILENO), &text);
	fputs(strbuf_text(&text), stdout);
	return 0;
}

static int cmd_explain(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_document struct document document = { .name = NULL };
	struct document_options args = { .bundle = NULL };
	int ret = document_parse(globals, command, argc, argv, &args, &args, &document);

	return ret < 0 ? ret : explain(globals, &document);
}

const struct command_spec explain_command = {
	.name = "explain",
	.arguments = "[-]",
	.options = document_options,
	.arguments_max = 1,
	.run = cmd_explain,
	.summary = "show what create would do for a config.json",
	.description = "Nothing is made, no privilege is needed, and the same document gives the "
		       "same text on\n"
		       "every host. \"-\" reads it from stdin.",
};
