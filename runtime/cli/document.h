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
};

/** Reads what the options say; argument may be NULL or "-" for stdin. */
int document_read(struct cli *cli, const struct document_options *options, const char *argument,
		  struct document *out);
void document_done(struct document *document);
#define cleanup_document __attribute__((cleanup(document_done)))

/** A plan of it that nobody acts on. */
void document_request(const struct cli *cli, const struct document *document,
		      struct plan_request *out);

/** --format: text or json. */
int document_format(struct cli *cli, const struct document_options *options, bool *out_json);

/** Is stdout a terminal, and NO_COLOR (no-color.org) not set? */
bool document_color(void);

#endif
