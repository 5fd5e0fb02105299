/* SPDX-License-Identifier: Apache-2.0 */
/* validate and explain: which config.json is meant, and in which form the answer is wanted. */
#ifndef RUNTIME_CLI_DOCUMENT_H
#define RUNTIME_CLI_DOCUMENT_H

#include <stdbool.h>

#include "lib/strbuf.h"
#include "runtime/cli/cli.h"
#include "runtime/plan/plan.h"

struct document_options {
	const char *bundle, *config, *format;
};
extern const struct option_spec document_options[];

struct document {
	const char *name;   /* for messages; owned by cli->arena */
	const char *bundle; /* absolute */
	struct strbuf text;
	bool json; /* how to answer: as JSON, else as text */
};

/**
 * All that validate and explain have in common: cli_parse into base, of which options is a part,
 * then the document that it names is read. An argument can only be "-", for stdin.
 */
int document_parse(struct cli *cli, const struct command_spec *command, int argc, char **argv,
		   void *base, const struct document_options *options, struct document *out);
void document_done(struct document *document);
#define cleanup_document __attribute__((cleanup(document_done)))

/** A plan of it that nobody acts on. */
void document_request(struct cli *cli, const struct document *document, struct plan_request *out);

#endif
