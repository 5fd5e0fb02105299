/* SPDX-License-Identifier: Apache-2.0 */
/* validate: everything that is wrong with a config.json, for the people who write them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/tty.h"
#include "runtime/cli/cli.h"
#include "runtime/cli/document.h"
#include "runtime/lifecycle/host.h"
#include "runtime/plan/plan.h"
#include "runtime/texts.h"
#include "spec/report.h"

struct validate_args {
	struct document_options document;
	bool host;
};

static const struct option_spec validate_options[] = {
	OPT_INCLUDE(struct validate_args, document, document_options),
	OPT_BOOL(0, "host", struct validate_args, host,
		 "also say what this host cannot give of it"),
	OPT_END
};

/* Beyond the rules: what the planner cannot do with it, and what the host cannot. */
static int examine(struct cli *cli, const struct validate_args *args,
		   const struct document *document, struct findings *findings)
{
	cleanup_plan struct plan plan = { .id = NULL };
	struct plan_request request;
	struct oci_config *config = NULL;
	int ret;

	ret = config_examine(strbuf_text(&document->text), document->text.size, &cli->arena,
			     findings, &config);
	if (!config) /* it is no JSON */
		return ret;
	document_request(cli, document, &request);
	plan_examine(config, &request, &plan, findings);
	if (args->host)
		host_examine(config, &plan, findings);
	return findings_refuse(findings) ? -EINVAL : 0;
}

static int validate(struct cli *cli, const struct validate_args *args,
		    const struct document *document)
{
	cleanup_findings struct findings findings = { .limit = 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct report_source source = { .name = document->name,
					      .text = strbuf_text(&document->text),
					      .size = document->text.size };
	int ret = examine(cli, args, document, &findings);

	findings_locate(&findings, source.text, source.size);
	if (document->json) {
		report_json(&text, &source, &findings);
		fputs(strbuf_text(&text), stdout);
	} else {
		report_text(stdout, &source, &findings, tty_has_color(STDOUT_FILENO));
	}
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int cmd_validate(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_document struct document document = { .name = NULL };
	struct validate_args args = { .host = false };
	int ret = document_parse(globals, command, argc, argv, &args, &args.document, &document);

	return ret < 0 ? ret : validate(globals, &args, &document);
}

const struct command_spec validate_command = {
	.name = "validate",
	.arguments = "[-]",
	.options = validate_options,
	.arguments_max = 1,
	.run = cmd_validate,
	.summary = "say all that is wrong with a config.json",
	.description = "Nothing is made and no privilege is needed. \"-\" reads the document from "
		       "stdin. The\n"
		       "exit status is 0 when there are warnings at most, else 1.",
};
