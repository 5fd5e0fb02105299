/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a Dockerfile as `build` does them: with what is known of images and context. */
#ifndef BUILDER_CLI_CHECKS_H
#define BUILDER_CLI_CHECKS_H

#include "builder/context/context.h"
#include "builder/dockerfile/lint.h"
#include "builder/image/store.h"

struct checks {
	struct dockerfile *dockerfile;
	const struct stages *stages;
	struct store *store;	 /* NULL = nothing is known of images */
	struct context *context; /* NULL = none */
	const struct strv *build_args;
	const char *platform;
	const char *enable;    /* names of rules that are on besides; NULL = none */
	struct images *images; /* loaded by the checks */
	int failed; /* what reading the Dockerfile came to; its error is that of checks_call */
	/* What a build would find before its first step; NULL = only the rules are asked. */
	int (*plan)(void *context, struct source_range *where, struct error *err);
	void *plan_context;
};

/** What --lint says (NULL = not given), else ORLOP_LINT. ERROR_USAGE for names of no rule. */
int checks_read_enabled(const char *option, const char **out, struct error *err);

/** Check what the target needs. Call checks_done when the report is not needed any more. */
int checks_run(struct checks *checks, struct lint_report *out, struct error *err);
void checks_done(struct checks *checks);

/**
 * Answer --call=check|outline|targets[,format=text|json] on stdout. Returns the exit status, or
 * negative with err; *where is then where, if anywhere. A Dockerfile that failed to be read (err
 * and *where say how) has warnings, too: those of its lines above.
 */
int checks_call(struct checks *checks, const char *call, struct source_range *where,
		struct error *err);

#endif
