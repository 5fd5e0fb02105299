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
	const char *enable;    /* --lint: NULL = what the Dockerfile says */
	struct images *images; /* loaded by the checks */
	/* What a build would find before its first step; NULL = only the rules are asked. */
	int (*plan)(void *context, struct source_range *where, struct error *err);
	void *plan_context;
};

/** Check what the target needs. Call checks_done when the report is not needed any more. */
int checks_run(struct checks *checks, struct lint_report *out, struct error *err);
void checks_done(struct checks *checks);

/**
 * Answer --call=check|outline|targets[,format=text|json] on stdout. Returns the exit status, or
 * negative with err; *where is then where, if anywhere.
 */
int checks_call(struct checks *checks, const char *call, struct source_range *where,
		struct error *err);

#endif
